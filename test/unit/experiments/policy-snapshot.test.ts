import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { MetricConfig } from '../../../src/config/index.ts';
import type { Experiment } from '../../../src/experiments/index.ts';
import { nextSnapshot, policyPropensities } from '../../../src/experiments/policy-snapshot.ts';
import { betaPosterior } from '../../../src/statistics/index.ts';
import { experiment, policySnapshot } from '../../fakes/scripted-experiments.ts';

const COMPLETED: MetricConfig = {
  type: 'boolean',
  optimize: 'max',
  attribution_window_hours: 168,
  missing: 'exclude',
};
const FLOAT: MetricConfig = {
  type: 'float',
  min: -10,
  max: 10,
  optimize: 'max',
  attribution_window_hours: 1,
  missing: 'exclude',
};
const NOTHING = { n: 0, sum: 0, sumOfSquares: 0 };

function policy(kind: Experiment['policy']['kind'], changes: Partial<Experiment['policy']> = {}) {
  return { kind, epsilon: 0.1, beta: 0.5, floor: 0.05, discount: 1, updateIntervalMs: 60_000, ...changes };
}

function earned(arm: string, n: number, sum: number, closed = { units: n, n, sum }) {
  return {
    arm,
    outcomes: { n, sum, sumOfSquares: sum },
    closedOutcomes: { n: closed.n, sum: closed.sum, sumOfSquares: closed.sum },
    closedUnits: closed.units,
  };
}

function believed(n: number, sum: number) {
  return betaPosterior({ n, sum });
}

describe('policyPropensities', () => {
  const kinds = fc.constantFrom('fixed', 'epsilon_greedy', 'thompson', 'top_two_thompson');
  const armed = fc
    .record({
      kind: kinds,
      rewards: fc.array(
        fc.record({ n: fc.nat({ max: 100_000 }), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
        { minLength: 2, maxLength: 6 },
      ),
      floorShare: fc.double({ min: 0.01, max: 1, noNaN: true }),
      epsilon: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    .map(({ kind, rewards, floorShare, epsilon }) => {
      const count = rewards.length;
      const floor = Math.max(1, Math.floor((floorShare / count) * 10_000)) / 10_000;
      return {
        experiment: experiment({
          arms: rewards.map((_, index) => ({ name: `a${index}`, version: 'v1', weight: 1 + index })),
          policy: policy(kind, { floor: kind === 'fixed' ? 0.0001 : floor, epsilon }),
        }),
        beliefs: rewards.map(({ n, share }) => betaPosterior({ n, sum: n * share })),
      };
    });

  test('sums to 1, keeps the floor of every arm, and answers whole buckets of the hash', () => {
    fc.assert(
      fc.property(armed, ({ experiment: definition, beliefs }) => {
        const propensities = policyPropensities(definition, beliefs);

        expect(propensities).toHaveLength(beliefs.length);
        expect(propensities.reduce((sum, propensity) => sum + propensity, 0)).toBeCloseTo(1, 12);
        for (const propensity of propensities) {
          expect(propensity).toBeGreaterThanOrEqual(definition.policy.floor);
          expect(Math.abs(propensity * 10_000 - Math.round(propensity * 10_000))).toBeLessThan(1e-9);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('gives the best arm more than the worst under every policy that learns', () => {
    for (const kind of ['epsilon_greedy', 'thompson', 'top_two_thompson'] as const) {
      const arms = ['worse', 'better', 'worst'].map((name) => ({ name, version: 'v1', weight: 1 }));
      const [, better = 0, worst = 1] = policyPropensities(experiment({ arms, policy: policy(kind) }), [
        believed(100, 20),
        believed(100, 50),
        believed(100, 10),
      ]);

      expect(better).toBeGreaterThan(worst);
    }
  });

  test('keeps to the weights under a fixed split, whatever was earned', () => {
    const definition = experiment({
      arms: [
        { name: 'control', version: 'v1', weight: 3 },
        { name: 'warm', version: 'v2', weight: 1 },
      ],
    });

    expect(policyPropensities(definition, [believed(100, 0), believed(100, 100)])).toEqual([0.75, 0.25]);
  });

  test('gives epsilon to all and the rest to the best, above the floor', () => {
    const definition = experiment({ policy: policy('epsilon_greedy', { epsilon: 0.2, floor: 0.05 }) });

    // .05 + .9 * (.2 / 2) and .05 + .9 * (.2 / 2 + .8).
    expect(policyPropensities(definition, [believed(10, 1), believed(10, 9)])).toEqual([0.14, 0.86]);
  });
});

describe('nextSnapshot', () => {
  const thompson = experiment({ policy: policy('thompson') });
  const base = { experiment: thompson, metric: COMPLETED, latest: null, totals: [], nowMs: 7 };

  test('begins evenly, with the prior as its belief', () => {
    expect(nextSnapshot(base)).toEqual({
      experiment: 'tone',
      revision: 'tone-1',
      sequence: 1,
      experimentRevision: 'sha256:one',
      policy: 'thompson',
      computedAtMs: 7,
      propensities: { control: 0.5, warm: 0.5 },
      posteriors: {
        control: { ...NOTHING, parameters: { alpha: 1, beta: 1 } },
        warm: { ...NOTHING, parameters: { alpha: 1, beta: 1 } },
      },
    });
  });

  test('answers null while the probabilities stay as they are', () => {
    const latest = nextSnapshot(base);

    expect(nextSnapshot({ ...base, latest, nowMs: 8 })).toBeNull();
  });

  test('depends on the totals alone without discounting, however often it was computed in between', () => {
    const half = [earned('control', 50, 10), earned('warm', 50, 20)];
    const all = [earned('control', 120, 30), earned('warm', 90, 45)];
    const stepwise = nextSnapshot({
      ...base,
      latest: nextSnapshot({ ...base, latest: nextSnapshot(base), totals: half }),
      totals: all,
    });
    const atOnce = nextSnapshot({ ...base, totals: all });

    expect(stepwise?.propensities).toEqual(atOnce?.propensities);
    expect(stepwise?.posteriors).toEqual(atOnce?.posteriors);
    expect(stepwise?.revision).toBe('tone-3');
    expect(atOnce?.posteriors['control']?.parameters).toEqual({ alpha: 31, beta: 91 });
  });

  test('starts from its own rewards when the definition has changed', () => {
    const latest = policySnapshot(
      { control: 0.5, warm: 0.5 },
      { sequence: 4, experimentRevision: 'sha256:zero' },
    );

    const next = nextSnapshot({ ...base, latest });

    expect(next).toMatchObject({
      revision: 'tone-5',
      experimentRevision: 'sha256:one',
      propensities: { control: 0.5, warm: 0.5 },
    });
  });

  test('does not punish an arm for rewards that are not due yet', () => {
    const metric: MetricConfig = { ...COMPLETED, missing: 'zero' };
    const slow = earned('warm', 0, 0, { units: 0, n: 0, sum: 0 });
    const known = earned('control', 80, 40, { units: 100, n: 50, sum: 30 });

    const next = nextSnapshot({ ...base, metric, totals: [known, slow] });

    expect(next?.posteriors['control']).toMatchObject({
      n: 100,
      sum: 30,
      parameters: { alpha: 31, beta: 71 },
    });
    expect(next?.posteriors['warm']?.parameters).toEqual({ alpha: 1, beta: 1 });
    expect(next?.propensities['warm']).toBeGreaterThan(0.5);
  });

  test('puts rewards on [0, 1], and turns them round where less is better', () => {
    const metric: MetricConfig = { ...FLOAT, min: 0, max: 0.5, optimize: 'min' };

    const next = nextSnapshot({ ...base, metric, totals: [earned('control', 4, 0.5)] });

    // .5 / .5 = 1 of 4, turned round: 3 of 4.
    expect(next?.posteriors['control']?.parameters).toEqual({ alpha: 4, beta: 2 });
    expect(next?.propensities['control']).toBeGreaterThan(0.5);
  });

  test('cuts rewards that cannot be of this metric instead of failing', () => {
    const next = nextSnapshot({ ...base, totals: [earned('control', 4, 900)] });

    expect(next?.posteriors['control']?.parameters).toEqual({ alpha: 5, beta: 1 });
  });

  test('discounts what was known by each batch of new rewards, and by nothing else', () => {
    const forgetful = { ...base, experiment: experiment({ policy: policy('thompson', { discount: 0.5 }) }) };
    const start = nextSnapshot(forgetful);
    const first = nextSnapshot({ ...forgetful, latest: start, totals: [earned('control', 8, 6)] });
    const second = nextSnapshot({
      ...forgetful,
      latest: first,
      totals: [earned('control', 8, 6), earned('warm', 10, 9)],
    });

    expect(first?.posteriors['control']?.parameters).toEqual({ alpha: 7, beta: 3 });
    expect(second?.posteriors['control']?.parameters).toEqual({ alpha: 4, beta: 2 });
    expect(second?.posteriors['warm']?.parameters).toEqual({ alpha: 10, beta: 2 });
    const quiet = nextSnapshot({
      ...forgetful,
      latest: second,
      totals: [earned('control', 8, 6), earned('warm', 10, 9)],
    });
    expect(quiet).toBeNull();
  });

  test('survives corrections that take back more than a discounted past holds', () => {
    const forgetful = { ...base, experiment: experiment({ policy: policy('thompson', { discount: 0.5 }) }) };
    const first = nextSnapshot({ ...forgetful, totals: [earned('control', 8, 8)] });

    const next = nextSnapshot({ ...forgetful, latest: first, totals: [earned('control', 0, 0)] });

    expect(next?.posteriors['control']?.parameters).toEqual({ alpha: 1, beta: 1 });
  });
});
