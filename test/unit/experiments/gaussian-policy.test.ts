import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { MetricConfig } from '../../../src/config/index.ts';
import type { Experiment, PolicySnapshot } from '../../../src/experiments/index.ts';
import { nextSnapshot, policyPropensities } from '../../../src/experiments/policy-snapshot.ts';
import { type Random, seededRandom } from '../../../src/kernel/index.ts';
import { chooseByWeights, sampleNormal } from '../../../src/statistics/index.ts';
import { experiment } from '../../fakes/scripted-experiments.ts';
import { referenceValues } from '../../helpers/reference-values.ts';

interface Reference {
  readonly p_best_gaussian: readonly {
    readonly posteriors_mean_var: readonly (readonly [number, number])[];
    readonly p_best: readonly number[];
  }[];
}

const reference = referenceValues<Reference>('bandit_updates');

/** Minutes: a metric outside of [0, 1]. */
const MINUTES: MetricConfig = {
  type: 'float',
  min: 0,
  max: 60,
  optimize: 'max',
  attribution_window_hours: 1,
  missing: 'exclude',
};

function policy(kind: Experiment['policy']['kind'], changes: Partial<Experiment['policy']> = {}) {
  return { kind, epsilon: 0.1, beta: 0.5, floor: 0.0001, discount: 1, updateIntervalMs: 60_000, ...changes };
}

/** Totals of one arm's rewards, all settled. */
function earned(arm: string, rewards: readonly number[]) {
  const outcomes = {
    n: rewards.length,
    sum: rewards.reduce((sum, reward) => sum + reward, 0),
    sumOfSquares: rewards.reduce((sum, reward) => sum + reward * reward, 0),
  };
  return { arm, outcomes, closedOutcomes: outcomes, closedUnits: outcomes.n };
}

const thompson = experiment({ policy: policy('thompson') });
const base = { experiment: thompson, metric: MINUTES, latest: null, totals: [], nowMs: 7 };

describe('policies on rewards outside of [0, 1]', () => {
  test.each(reference.p_best_gaussian)(
    'give the reference propensities to normal beliefs $posteriors_mean_var',
    ({ posteriors_mean_var: beliefs, p_best: expected }) => {
      const definition = experiment({
        arms: beliefs.map((_, index) => ({ name: `a${index}`, version: 'v1', weight: 1 })),
        policy: policy('thompson'),
      });

      const propensities = policyPropensities(
        definition,
        beliefs.map(([mean, variance]) => ({ kind: 'gaussian', mean, variance })),
      );

      // The floor takes a ten-thousandth of every arm, and whole buckets of the hash round to another one.
      propensities.forEach((propensity, arm) => {
        expect(Math.abs(propensity - (expected[arm] ?? 0))).toBeLessThan(0.0003);
      });
    },
  );

  test('begin evenly, with the middle and the width of the range as their belief', () => {
    const next = nextSnapshot(base);

    expect(next?.propensities).toEqual({ control: 0.5, warm: 0.5 });
    expect(next?.posteriors['control']?.parameters).toEqual({
      mean: 30,
      variance: 900,
      noise_variance: 900,
    });
  });

  test('state mean and variance in the numbers of the metric, as the formulas give them', () => {
    const next = nextSnapshot({ ...base, totals: [earned('control', [10, 20, 30])] });

    // Variance of a reward: (2 * 900 + 200) / (2 + 3) = 400. Precision 1/900 + 3/400; mean (30/900 + 60/400) / precision.
    const precision = 1 / 900 + 3 / 400;
    const parameters = next?.posteriors['control']?.parameters;
    expect(parameters?.['noise_variance']).toBeCloseTo(400, 9);
    expect(parameters?.['variance']).toBeCloseTo(1 / precision, 9);
    expect(parameters?.['mean']).toBeCloseTo((30 / 900 + 60 / 400) / precision, 9);
    // What was earned stands beside it, untouched.
    expect(next?.posteriors['control']).toMatchObject({ n: 3, sum: 60, sumOfSquares: 1_400 });
  });

  test('follow less where less is better, and state the mean as it was reported', () => {
    const totals = [earned('control', [5, 6, 7, 5]), earned('warm', [40, 50, 45, 42])];

    const most = nextSnapshot({ ...base, totals });
    const least = nextSnapshot({ ...base, metric: { ...MINUTES, optimize: 'min' }, totals });

    expect(most?.propensities['warm']).toBeGreaterThan(0.8);
    expect(least?.propensities['control']).toBeGreaterThan(0.8);
    expect(least?.posteriors['warm']?.parameters['mean']).toBeCloseTo(
      most?.posteriors['warm']?.parameters['mean'] ?? Number.NaN,
      9,
    );
  });

  test('are less certain of an arm whose rewards vary more', () => {
    const totals = [earned('control', [29, 31, 30, 30, 29, 31]), earned('warm', [0, 60, 0, 60, 0, 60])];

    const parameters = nextSnapshot({ ...base, totals })?.posteriors;

    expect(parameters?.['warm']?.parameters['variance']).toBeGreaterThan(
      2 * (parameters?.['control']?.parameters['variance'] ?? Number.NaN),
    );
  });

  test('are not certain after equal rewards, though they show no variance at all', () => {
    const totals = [earned('control', [20, 20, 20]), earned('warm', [21, 21, 21])];

    const next = nextSnapshot({ ...base, totals });

    expect(next?.propensities['control']).toBeGreaterThan(0.3);
  });

  test('decide the same in whichever unit the metric is declared', () => {
    const minutes = [earned('control', [10, 12, 31]), earned('warm', [14, 35, 22])];
    const seconds = minutes.map(({ arm }, index) =>
      earned(
        arm,
        (index === 0 ? [10, 12, 31] : [14, 35, 22]).map((reward) => reward * 60),
      ),
    );

    const byMinutes = nextSnapshot({ ...base, totals: minutes });
    const bySeconds = nextSnapshot({ ...base, metric: { ...MINUTES, max: 3_600 }, totals: seconds });

    expect(bySeconds?.propensities).toEqual(byMinutes?.propensities);
  });

  test.each(['epsilon_greedy', 'top_two_thompson'] as const)('learn under %s as well', (kind) => {
    const arms = ['worst', 'best', 'middle'].map((name) => ({ name, version: 'v1', weight: 1 }));
    const rewards = [10, 11, 9, 12, 8];
    const totals = [0, 30, 5].map((lift, index) =>
      earned(
        arms[index]?.name ?? '',
        rewards.map((reward) => reward + lift),
      ),
    );

    const next = nextSnapshot({ ...base, experiment: experiment({ arms, policy: policy(kind) }), totals });

    expect(next?.propensities['best']).toBeGreaterThan(0.45);
    expect(next?.propensities['worst']).toBeLessThan(next?.propensities['best'] ?? 0);
  });

  test('discount what was known by each batch of new rewards', () => {
    const forgetful = { ...base, experiment: experiment({ policy: policy('thompson', { discount: 0.5 }) }) };
    const first = nextSnapshot({ ...forgetful, totals: [earned('control', [10, 20, 30, 40])] });
    const second = nextSnapshot({
      ...forgetful,
      latest: first,
      totals: [earned('control', [10, 20, 30, 40]), earned('warm', [50, 60])],
    });

    expect(first?.posteriors['control']?.parameters).toMatchObject({ effective_n: 4 });
    expect(second?.posteriors['control']?.parameters).toMatchObject({ effective_n: 2 });
    expect(second?.posteriors['warm']?.parameters).toMatchObject({ effective_n: 2 });
    expect(second?.posteriors['control']?.parameters['variance']).toBeGreaterThan(
      first?.posteriors['control']?.parameters['variance'] ?? Number.NaN,
    );
    expect(
      nextSnapshot({
        ...forgetful,
        latest: second,
        totals: [earned('control', [10, 20, 30, 40]), earned('warm', [50, 60])],
      }),
    ).toBeNull();
  });

  test('start afresh from a snapshot whose beliefs were of another kind', () => {
    const forgetful = { ...base, experiment: experiment({ policy: policy('thompson', { discount: 0.5 }) }) };
    const first = nextSnapshot({ ...forgetful, totals: [earned('control', [10, 20])] });
    const stored = Object.fromEntries(
      Object.entries(first?.posteriors ?? {}).map(([arm, known]) => [
        arm,
        { ...known, parameters: { alpha: 2, beta: 3 } },
      ]),
    );
    const latest = { ...first, posteriors: stored } as PolicySnapshot;

    const next = nextSnapshot({ ...forgetful, latest, totals: [earned('control', [10, 20, 30])] });

    expect(next?.posteriors['control']?.parameters).toMatchObject({ effective_n: 3 });
  });

  test('answer probabilities for every total, possible or not', () => {
    const total = fc.record({
      n: fc.nat({ max: 1_000_000 }),
      sum: fc.double({ min: -1e9, max: 1e9, noNaN: true }),
      sumOfSquares: fc.double({ min: -1e12, max: 1e15, noNaN: true }),
    });
    const kinds = fc.constantFrom('epsilon_greedy', 'thompson', 'top_two_thompson');
    fc.assert(
      fc.property(kinds, total, total, fc.constantFrom(1, 0.9), (kind, first, second, discount) => {
        const definition = experiment({ policy: policy(kind, { discount, floor: 0.05 }) });
        const totals = [first, second].map((outcomes, index) => ({
          ...earned(index === 0 ? 'control' : 'warm', []),
          outcomes,
        }));
        const start = nextSnapshot({ ...base, experiment: definition });

        const next =
          nextSnapshot({ ...base, experiment: definition, latest: start, totals }) ??
          // Nothing moved: the first one stays in force.
          start;

        const propensities = Object.values(next?.propensities ?? {});
        expect(propensities.reduce((sum, propensity) => sum + propensity, 0)).toBeCloseTo(1, 12);
        expect(Math.min(...propensities)).toBeGreaterThanOrEqual(0.05);
      }),
      { numRuns: 60 },
    );
  });
});

describe('Thompson sampling with normal beliefs', () => {
  const MEANS = [24, 30, 36];
  const DEVIATION = 8;
  const UNITS = 600;
  const UNITS_PER_SNAPSHOT = 20;

  /** Minutes lost against always taking the best arm. */
  function regretOf(kind: 'fixed' | 'thompson', random: Random): number {
    const arms = MEANS.map((_, index) => ({ name: `a${index}`, version: 'v1', weight: 1 }));
    const definition = experiment({ arms, policy: policy(kind, { floor: 0.0333 }) });
    const rewards: number[][] = MEANS.map(() => []);
    let snapshot: PolicySnapshot | null = null;
    let regret = 0;
    for (let unit = 0; unit < UNITS; unit += 1) {
      if (unit % UNITS_PER_SNAPSHOT === 0) {
        const totals = rewards.map((list, index) => earned(`a${index}`, list));
        snapshot = nextSnapshot({ ...base, experiment: definition, latest: snapshot, totals }) ?? snapshot;
      }
      const propensities = arms.map(({ name }) => snapshot?.propensities[name] ?? 0);
      const arm = chooseByWeights(random.next(), propensities) ?? 0;
      const reward = (MEANS[arm] ?? 0) + DEVIATION * sampleNormal(random);
      rewards[arm]?.push(Math.min(60, Math.max(0, reward)));
      regret += Math.max(...MEANS) - (MEANS[arm] ?? 0);
    }
    return regret;
  }

  test('loses less than a third of what an even split loses', () => {
    const seeds = Array.from({ length: 10 }, (_, seed) => seed);
    const total = (kind: 'fixed' | 'thompson'): number =>
      seeds.reduce((sum, seed) => sum + regretOf(kind, seededRandom(seed + 1)), 0);

    expect(total('thompson')).toBeLessThan(total('fixed') / 3);
  });
});
