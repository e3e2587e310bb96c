import { describe, expect, test } from '@jest/globals';
import { experimentSequences } from '../../../src/analytics/experiment-sequences.ts';
import {
  emptySequenceState,
  foldSequenceDecision,
  sequencePlan,
} from '../../../src/analytics/sequence-state.ts';
import type { MetricConfig } from '../../../src/config/index.ts';
import { seededRandom } from '../../../src/kernel/index.ts';
import {
  betaBinomialDifference,
  betaPosterior,
  bucketedPropensities,
  chooseByWeights,
  thompsonPropensities,
  withFloor,
} from '../../../src/statistics/index.ts';
import { experimentOf } from './experiment-world.ts';

/**
 * What users like moves, and a policy that learns moves its traffic at the same time: the hardest case of all, in which
 * plain means compare different times.
 */
const RUNS = 60;
const UNITS = 900;
const UNITS_PER_LOOK = 50;
const ARMS = ['v1', 'v3'];
const FLOOR = 0.05;
const ALPHA = 0.05;

const METRIC: MetricConfig = {
  type: 'boolean',
  optimize: 'max',
  attribution_window_hours: 1,
  missing: 'zero',
};
const EXPERIMENT = experimentOf({ policy: { kind: 'thompson', floor: FLOOR } });
const PLAN = sequencePlan(EXPERIMENT, METRIC);

/** Means of the arms at unit t of UNITS. */
const DRIFTS = {
  // The arm that was lucky early gets the better times as well.
  'both arms rise alike': (t: number) => (t < UNITS / 3 ? [0.1, 0.1] : [0.9, 0.9]),
  'the arms change places': (t: number) => (t < UNITS / 2 ? [0.2, 0.6] : [0.6, 0.2]),
} as const;

interface Run {
  /** Whether some interval has ever left out the running average of its arm. */
  readonly hasMissed: boolean;
  /** Whether the difference has ever left out the running average of the differences. */
  readonly hasMissedDifference: boolean;
  readonly isUnionFooled: boolean;
}

function simulate(meansAt: (t: number) => readonly number[], seed: number): Run {
  const random = seededRandom(seed);
  const totals = ARMS.map(() => ({ n: 0, sum: 0 }));
  const truths = ARMS.map(() => 0);
  let propensities: readonly number[] = [0.5, 0.5];
  let state = emptySequenceState(PLAN);
  let hasMissed = false;
  let hasMissedDifference = false;
  let isUnionFooled = false;
  for (let t = 1; t <= UNITS; t += 1) {
    const means = meansAt(t);
    const chosen = chooseByWeights(random.next(), propensities) ?? 0;
    const reward = random.next() < (means[chosen] ?? 0) ? 1 : 0;
    state = foldSequenceDecision(state, PLAN, {
      createdAtMs: t,
      generationId: `gen_${t}`,
      arm: ARMS[chosen] ?? null,
      propensities: { v1: propensities[0] ?? 0, v3: propensities[1] ?? 0 },
      reward: reward === 1 ? 1 : null,
    });
    means.forEach((mean, arm) => {
      truths[arm] = (truths[arm] ?? 0) + mean;
    });
    const total = totals[chosen];
    if (total !== undefined) {
      total.n += 1;
      total.sum += reward;
    }
    if (t % UNITS_PER_LOOK !== 0) continue;
    const averages = truths.map((sum) => sum / t);
    const sequences = experimentSequences(
      EXPERIMENT,
      { name: 'completed', config: METRIC, scale: { min: 0, max: 1 } },
      { foldedUntilMs: t, soundUntilMs: t, corrections: 0, checkpoint: { hourMs: 0, state } },
      1 - ALPHA,
    );
    hasMissed ||= ARMS.some((arm, index) => {
      const { lower, upper } = sequences.driftSafeOf(arm) ?? { lower: 1, upper: 0 };
      return !(lower <= (averages[index] ?? 0) && (averages[index] ?? 0) <= upper);
    });
    const truth = (averages[1] ?? 0) - (averages[0] ?? 0);
    const direct = sequences.differenceOf('v3', ALPHA);
    hasMissedDifference ||= truth < direct.lower || truth > direct.upper;
    const [baseline, arm] = totals;
    if (baseline !== undefined && arm !== undefined) {
      const union = betaBinomialDifference({ baseline, arm, alpha: ALPHA });
      isUnionFooled ||= truth < union.lower || truth > union.upper;
    }
    // The policy forgets nothing, like most: that is what makes it lag behind.
    const best = thompsonPropensities(totals.map((rewards) => betaPosterior(rewards)));
    propensities = bucketedPropensities(withFloor(best, FLOOR), FLOOR);
  }
  return { hasMissed, hasMissedDifference, isUnionFooled };
}

describe('while rewards drift and Thompson sampling shifts traffic', () => {
  test.each(Object.entries(DRIFTS))(
    'what was folded holds the running averages: %s',
    (_name, meansAt) => {
      const runs = Array.from({ length: RUNS }, (_, seed) => simulate(meansAt, seed));
      const shareOf = (key: keyof Run): number => runs.filter((run) => run[key]).length / RUNS;
      expect(shareOf('hasMissed')).toBeLessThanOrEqual(ALPHA);
      expect(shareOf('hasMissedDifference')).toBeLessThanOrEqual(ALPHA);
    },
    60_000,
  );

  test('two means that are taken to stand still are fooled nearly always where both arms rise alike', () => {
    const runs = Array.from({ length: 20 }, (_, seed) => simulate(DRIFTS['both arms rise alike'], seed));

    expect(runs.filter(({ isUnionFooled }) => isUnionFooled).length).toBeGreaterThan(15);
  });
});
