import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { seededRandom } from '../../../src/kernel/index.ts';
import {
  betaBinomialDifference,
  chooseByWeights,
  type DifferenceSequence,
  differenceInterval,
  differenceSequence,
  foldDifference,
} from '../../../src/statistics/index.ts';

const unit = fc.double({ min: 0, max: 1, noNaN: true });
const situation = fc.record({
  propensities: fc
    .tuple(
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 0, max: 100 }),
    )
    .map((parts) => parts.map((part) => part / (parts[0] + parts[1] + parts[2]))),
  means: fc.tuple(unit, unit, unit),
  qHat: fc.tuple(unit, unit, unit),
  k: fc.double({ min: 0, max: 30, noNaN: true }),
});

/** What one decision adds to the scaled sums, scaled back. */
function pseudoOutcomes(
  start: DifferenceSequence,
  range: number,
  decision: Parameters<typeof foldDifference>[1],
) {
  const { lower, upper } = foldDifference(start, decision);
  return { lower: lower.sumXi * (range + 1), upper: upper.sumXi * (range + 1) };
}

describe('pseudo-outcomes of a difference', () => {
  test('by hand: full estimates at even propensities', () => {
    const start = differenceSequence({ arm: 1, baseline: 0, minPropensity: 0.5 });
    const decision = { propensities: [0.5, 0.5], chosen: 1, reward: 1, qHat: [0.25, 0.5] };

    const { lower, upper } = pseudoOutcomes(start, 2, decision);

    // q_1 - q_0 + (r - q_1) / p_1 = 0.5 - 0.25 + 0.5 / 0.5.
    expect(lower).toBeCloseTo(1.25, 14);
    expect(upper).toBeCloseTo(-1.25, 14);
  });

  test('have the difference as expectation and keep the bound that the state promises', () => {
    fc.assert(
      fc.property(situation, fc.boolean(), ({ propensities, means, qHat, k }, isPromised) => {
        const least = Math.min(propensities[0] ?? 0, propensities[1] ?? 0);
        const start = differenceSequence({
          arm: 1,
          baseline: 0,
          k,
          ...(isPromised ? { minPropensity: least } : {}),
        });
        const range = isPromised ? Math.min(1 + k, 1 / least) : 1 + k;
        let lowerMean = 0;
        let upperMean = 0;
        propensities.forEach((p, chosen) => {
          if (p === 0) return;
          const mean = means[chosen] ?? 0;
          for (const [reward, chance] of [
            [1, mean],
            [0, 1 - mean],
          ] as const) {
            const { lower, upper } = pseudoOutcomes(start, range, { propensities, chosen, reward, qHat });
            expect(Math.min(lower, upper)).toBeGreaterThanOrEqual(-range - 1e-9);
            lowerMean += p * chance * lower;
            upperMean += p * chance * upper;
          }
        });

        expect(lowerMean).toBeCloseTo(means[1] - means[0], 8);
        expect(upperMean).toBeCloseTo(means[0] - means[1], 8);
      }),
    );
  });

  test('stay within the range of plain inverse propensities when estimates count in full', () => {
    fc.assert(
      fc.property(situation, unit, ({ propensities, qHat }, reward) => {
        const least = Math.min(propensities[0] ?? 0, propensities[1] ?? 0);
        const start = differenceSequence({ arm: 1, baseline: 0, minPropensity: least });
        propensities.forEach((p, chosen) => {
          if (p === 0) return;
          const { lower } = pseudoOutcomes(start, 1 / least, { propensities, chosen, reward, qHat });
          expect(Math.abs(lower)).toBeLessThanOrEqual((1 + 1e-9) / least);
        });
      }),
    );
  });
});

test('a propensity that misses its floor by rounding counts as the floor', () => {
  const start = differenceSequence({ arm: 1, baseline: 0, minPropensity: 0.3 });
  const decision = { chosen: 1, reward: 1 };

  expect(foldDifference(start, { ...decision, propensities: [0.7, 0.3 * (1 - 1e-12)] })).toEqual(
    foldDifference(start, { ...decision, propensities: [0.7, 0.3] }),
  );
});

interface Simulation {
  readonly seed: number;
  readonly decisions: number;
  readonly means: readonly number[];
  readonly propensities: readonly number[];
}

function simulate({ seed, decisions, means, propensities }: Simulation) {
  const random = seededRandom(seed);
  let sequence = differenceSequence({ arm: 1, baseline: 0, minPropensity: 0.3 });
  const totals = means.map(() => ({ n: 0, sum: 0 }));
  for (let t = 0; t < decisions; t += 1) {
    const chosen = chooseByWeights(random.next(), propensities) ?? 0;
    const reward = random.next() < (means[chosen] ?? 0) ? 1 : 0;
    // From earlier rewards only.
    const qHat = totals.map(({ n, sum }) => (sum + 0.5) / (n + 1));
    sequence = foldDifference(sequence, { propensities, chosen, reward, qHat });
    const { n, sum } = totals[chosen] ?? { n: 0, sum: 0 };
    totals[chosen] = { n: n + 1, sum: sum + reward };
  }
  return { sequence, totals };
}

describe('the sequence', () => {
  test('says nothing before the first decision, and swaps its ends with its arms', () => {
    const nothing = differenceSequence({ arm: 0, baseline: 1 });
    expect(differenceInterval(nothing, 0.05)).toEqual({ lower: -1, upper: 1 });

    const there = [0, 1, 1, 0, 1].reduce(
      (state, chosen) => foldDifference(state, { propensities: [0.5, 0.5], chosen, reward: chosen }),
      differenceSequence({ arm: 0, baseline: 1, minPropensity: 0.5 }),
    );
    const back = [0, 1, 1, 0, 1].reduce(
      (state, chosen) => foldDifference(state, { propensities: [0.5, 0.5], chosen, reward: chosen }),
      differenceSequence({ arm: 1, baseline: 0, minPropensity: 0.5 }),
    );

    expect(differenceInterval(there, 0.05).lower).toBe(-differenceInterval(back, 0.05).upper);
    expect(differenceInterval(there, 0.05).upper).toBe(-differenceInterval(back, 0.05).lower);
  });

  test('decides sooner than two separate intervals: three even arms, means 0.2 and 0.5, 300 decisions', () => {
    const runs = 60;
    const decided = { direct: 0, separate: 0 };
    for (let seed = 1; seed <= runs; seed += 1) {
      const { sequence, totals } = simulate({
        seed,
        decisions: 300,
        means: [0.2, 0.5, 0.35],
        propensities: [1 / 3, 1 / 3, 1 / 3],
      });
      const [baseline = { n: 0, sum: 0 }, arm = { n: 0, sum: 0 }] = totals;
      if (differenceInterval(sequence, 0.025).lower > 0) decided.direct += 1;
      if (betaBinomialDifference({ baseline, arm, alpha: 0.025 }).lower > 0) decided.separate += 1;
    }

    expect(decided.direct / runs).toBeGreaterThan(decided.separate / runs + 0.2);
  });

  test('never certifies a difference between equal arms more often than alpha, read at every decision', () => {
    const runs = 100;
    let missed = 0;
    for (let seed = 1; seed <= runs; seed += 1) {
      const random = seededRandom(1_000 + seed);
      let sequence = differenceSequence({ arm: 1, baseline: 0, minPropensity: 0.3 });
      let hasMissed = false;
      for (let t = 1; t <= 200; t += 1) {
        const propensities = t % 3 === 0 ? [0.7, 0.3] : [0.5, 0.5];
        const chosen = chooseByWeights(random.next(), propensities) ?? 0;
        sequence = foldDifference(sequence, { propensities, chosen, reward: random.next() < 0.4 ? 1 : 0 });
        const { lower, upper } = differenceInterval(sequence, 0.2);
        hasMissed ||= lower > 0 || upper < 0;
      }
      if (hasMissed) missed += 1;
    }

    // 99.9 % of the binomial share, if the true share is alpha.
    expect(missed / runs).toBeLessThanOrEqual(0.2 + 3.09 * Math.sqrt((0.2 * 0.8) / runs));
  });

  const sound = { propensities: [0.5, 0.5], chosen: 0, reward: 1 };

  test.each([
    ['one arm against itself', () => differenceSequence({ arm: 1, baseline: 1 })],
    ['half an arm', () => differenceSequence({ arm: 0.5, baseline: 1 })],
    ['a negative k', () => differenceSequence({ arm: 0, baseline: 1, k: -1 })],
    ['a floor above 1/2', () => differenceSequence({ arm: 0, baseline: 1, minPropensity: 0.6 })],
    [
      'a propensity below the promise',
      () =>
        foldDifference(differenceSequence({ arm: 0, baseline: 1, minPropensity: 0.5 }), {
          ...sound,
          propensities: [0.6, 0.4],
        }),
    ],
    [
      'an arm that cannot be chosen',
      () => foldDifference(differenceSequence({ arm: 0, baseline: 1 }), { ...sound, propensities: [1, 0] }),
    ],
    [
      'an arm that the log does not have',
      () => foldDifference(differenceSequence({ arm: 0, baseline: 2 }), sound),
    ],
    [
      'a reward above 1',
      () => foldDifference(differenceSequence({ arm: 0, baseline: 1 }), { ...sound, reward: 2 }),
    ],
    ['an alpha of 0', () => differenceInterval(differenceSequence({ arm: 0, baseline: 1 }), 0)],
  ])('refuses %s', (_what, act) => {
    expect(act).toThrow(RangeError);
  });
});
