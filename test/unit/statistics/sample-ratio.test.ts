import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { seededRandom } from '../../../src/kernel/index.ts';
import {
  chooseByWeights,
  foldAssignment,
  foldCounts,
  type PropensityMartingale,
  propensityMartingale,
  type SampleRatioTest,
  sequentialSampleRatio,
  withFloor,
} from '../../../src/statistics/index.ts';
import { referenceValues } from '../../helpers/reference-values.ts';

interface Reference {
  readonly tolerance_rel: number;
  readonly sequential: readonly {
    readonly name: string;
    readonly null_probabilities: readonly number[];
    readonly dirichlet_concentration: number;
    readonly increments: readonly (readonly number[])[];
    readonly sequential_p_values: readonly number[];
  }[];
}

const reference = referenceValues<Reference>('srm');

describe('reference values', () => {
  test.each(reference.sequential)('$name with concentration $dirichlet_concentration', (row) => {
    let state = sequentialSampleRatio(row.null_probabilities, row.dirichlet_concentration);
    row.increments.forEach((increments, look) => {
      state = foldCounts(state, increments);

      const expected = row.sequential_p_values[look] ?? Number.NaN;
      expect(Math.abs(state.p / expected - 1)).toBeLessThanOrEqual(reference.tolerance_rel);
    });
  });
});

describe('the sample-ratio test', () => {
  test('by hand: one unit of two even arms, c = 2: the Bayes factor is exactly 1, after two alike 4/3', () => {
    const one = foldCounts(sequentialSampleRatio([1, 1], 2), [1, 0]);
    const two = foldCounts(one, [1, 0]);

    expect(one.p).toBeCloseTo(1, 14);
    expect(two.p).toBeCloseTo(0.75, 14);
  });

  test('takes weights in any unit', () => {
    const shares = foldCounts(sequentialSampleRatio([0.75, 0.25], 100), [50, 50]);
    const weights = foldCounts(sequentialSampleRatio([3, 1], 100), [50, 50]);

    expect(weights.p).toBe(shares.p);
  });

  test('keeps its evidence at a hundred million units', () => {
    const sound = foldCounts(sequentialSampleRatio([1, 1]), [50_002_000, 49_998_000]);
    const broken = foldCounts(sequentialSampleRatio([1, 1]), [50_050_000, 49_950_000]);

    expect(sound.p).toBe(1);
    expect(broken.p).toBeLessThan(1e-15);
  });

  test('does not depend on how many looks divide the same final counts, but for looks that saw more evidence', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { minLength: 1, maxLength: 20 }), (looks) => {
        const start = sequentialSampleRatio([0.5, 0.5], 100);
        const often = looks.reduce<SampleRatioTest>(foldCounts, start);
        const counts = looks.reduce(([a, b], [x, y]) => [a + x, b + y] as [number, number], [0, 0]);
        const once = foldCounts(start, counts);

        expect(often.counts).toEqual(once.counts);
        expect(often.p).toBeLessThanOrEqual(once.p);
      }),
    );
  });

  test('raises a false alarm in at most the promised share of sound experiments, read at every unit', () => {
    const runs = 400;
    const alpha = 0.05;
    let alarms = 0;
    for (let seed = 1; seed <= runs; seed += 1) {
      const random = seededRandom(seed);
      let state = sequentialSampleRatio([0.5, 0.3, 0.2], 100);
      for (let unit = 0; unit < 400 && state.p > alpha; unit += 1) {
        const arm = chooseByWeights(random.next(), state.shares) ?? 0;
        state = foldCounts(
          state,
          [0, 1, 2].map((index) => (index === arm ? 1 : 0)),
        );
      }
      if (state.p <= alpha) alarms += 1;
    }

    // 99.9 % of the binomial share, if the true share is alpha.
    expect(alarms / runs).toBeLessThanOrEqual(alpha + 3.09 * Math.sqrt((alpha * (1 - alpha)) / runs));
  });

  test('p < 0.001 hardly ever happens in sound experiments, and soon where one unit in ten of an arm is lost', () => {
    const runs = 100;
    const alarms = { sound: 0, broken: 0 };
    for (const kind of ['sound', 'broken'] as const) {
      for (let seed = 1; seed <= runs; seed += 1) {
        const random = seededRandom(seed);
        let state = sequentialSampleRatio([0.5, 0.5], 10_000);
        for (let look = 0; look < 80 && state.p >= 0.001; look += 1) {
          const counts = [0, 0];
          for (let unit = 0; unit < 250; unit += 1) {
            const arm = random.next() < 0.5 ? 0 : 1;
            if (kind === 'broken' && arm === 1 && random.next() < 0.1) continue;
            counts[arm] = (counts[arm] ?? 0) + 1;
          }
          state = foldCounts(state, counts);
        }
        if (state.p < 0.001) alarms[kind] += 1;
      }
    }

    // With a share of 0.001, three or more of 100 happen with probability 0.0002.
    expect(alarms.sound).toBeLessThanOrEqual(2);
    expect(alarms.broken).toBe(runs);
  });

  test.each([
    ['one arm', () => sequentialSampleRatio([1])],
    ['a weight of 0', () => sequentialSampleRatio([1, 0])],
    ['no concentration', () => sequentialSampleRatio([1, 1], 0)],
    ['counts of other arms', () => foldCounts(sequentialSampleRatio([1, 1]), [1])],
    ['a part of a unit', () => foldCounts(sequentialSampleRatio([1, 1]), [1, 0.5])],
    ['fewer than no units', () => foldCounts(sequentialSampleRatio([1, 1]), [1, -1])],
  ])('refuses %s', (_what, act) => {
    expect(act).toThrow(RangeError);
  });
});

/** Propensities that wander like a bandit's, from a seeded generator of their own. */
function wander(seed: number): (t: number) => readonly number[] {
  const random = seededRandom(seed);
  let share = 0.5;
  return () => {
    share = Math.min(1, Math.max(0, share + 0.1 * (random.next() - 0.5)));
    return withFloor([share * 0.7, (1 - share) * 0.7, 0.3], 0.05);
  };
}

interface MartingaleRun {
  readonly seed: number;
  readonly units: number;
  readonly stopAt: number;
  /** Share of the units of arm 0 that are never seen. */
  readonly lost: number;
}

function leastP({ seed, units, stopAt, lost }: MartingaleRun): number {
  const random = seededRandom(seed);
  const propensitiesAt = wander(10_000 + seed);
  let state = propensityMartingale(3);
  for (let t = 0; t < units && state.p > stopAt; t += 1) {
    const propensities = propensitiesAt(t);
    const chosen = chooseByWeights(random.next(), propensities) ?? 0;
    if (chosen === 0 && random.next() < lost) continue;
    state = foldAssignment(state, propensities, chosen);
  }
  return state.p;
}

describe('the propensity martingale', () => {
  test('by hand: c = 1, even arms, first unit tells nothing, a second alike doubles 4/3 against 2/3', () => {
    const first = foldAssignment(propensityMartingale(2, 1), [0.5, 0.5], 0);
    const second = foldAssignment(first, [0.5, 0.5], 0);

    expect(first.lnEvidence).toBe(0);
    // Ratios (1 + 1) / 1.5 and (1 + 0) / 1.5; their mean is 1.
    expect(second.lnEvidence).toBeCloseTo(Math.log(4 / 3), 14);
    expect(second.p).toBeCloseTo(0.75, 14);
  });

  test('multiplies by 1 on average, whatever came before', () => {
    const weights = fc
      .array(fc.integer({ min: 0, max: 100 }), { minLength: 3, maxLength: 3 })
      .filter((parts) => parts.some((part) => part > 0))
      .map((parts) => parts.map((part) => part / parts.reduce((sum, x) => sum + x, 0)));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(weights, fc.nat(2)), { maxLength: 30 }),
        weights,
        (history, propensities) => {
          let state = propensityMartingale(3, 5);
          for (const [p, chosen] of history)
            if ((p[chosen] ?? 0) > 0) state = foldAssignment(state, p, chosen);
          let mean = 0;
          propensities.forEach((p, arm) => {
            if (p > 0)
              mean += p * Math.exp(foldAssignment(state, propensities, arm).lnEvidence - state.lnEvidence);
          });

          expect(mean).toBeCloseTo(1, 10);
        },
      ),
    );
  });

  test('raises a false alarm in at most the promised share of sound bandits, read at every unit', () => {
    const runs = 300;
    const alpha = 0.05;
    let alarms = 0;
    for (let seed = 1; seed <= runs; seed += 1) {
      if (leastP({ seed, units: 500, stopAt: alpha, lost: 0 }) <= alpha) alarms += 1;
    }

    expect(alarms / runs).toBeLessThanOrEqual(alpha + 3.09 * Math.sqrt((alpha * (1 - alpha)) / runs));
  });

  test('finds an arm that loses one unit in five, while its weight wanders', () => {
    const runs = 30;
    let alarms = 0;
    for (let seed = 1; seed <= runs; seed += 1) {
      if (leastP({ seed, units: 5_000, stopAt: 0.001, lost: 0.2 }) <= 0.001) alarms += 1;
    }

    expect(alarms / runs).toBeGreaterThan(0.9);
  });

  test('is certain after an arm that the log calls impossible, and says so after a restart too', () => {
    const impossible = foldAssignment(propensityMartingale(2), [1, 0], 1);
    const resumed = JSON.parse(JSON.stringify(impossible)) as PropensityMartingale;

    expect(impossible.p).toBe(0);
    expect(foldAssignment(resumed, [0.5, 0.5], 0).p).toBe(0);
    expect(foldAssignment(resumed, [0.5, 0.5], 0).lnEvidence).toBeGreaterThan(1e300);
  });

  test.each([
    ['one arm', () => propensityMartingale(1)],
    ['no concentration', () => propensityMartingale(2, 0)],
    ['propensities of other arms', () => foldAssignment(propensityMartingale(2), [0.5, 0.25, 0.25], 0)],
    ['propensities that do not sum to 1', () => foldAssignment(propensityMartingale(2), [0.5, 0.4], 0)],
    ['an arm that does not exist', () => foldAssignment(propensityMartingale(2), [0.5, 0.5], 2)],
  ])('refuses %s', (_what, act) => {
    expect(act).toThrow(RangeError);
  });
});
