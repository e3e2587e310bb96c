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
  betaPosterior,
  bucketedPropensities,
  chooseByWeights,
  fixedPropensities,
  thompsonPropensities,
  withFloor,
} from '../../../src/statistics/index.ts';
import { experimentOf } from './experiment-world.ts';

/** The promise of the verdict where silence counts as 0: differences that are folded in the order of decisions. */
const RUNS = Number(process.env['AA_RUNS'] ?? 60);
const UNITS = 300;
const UNITS_PER_LOOK = 3;
const UNITS_PER_SNAPSHOT = 50;
const ALPHA = 0.05;
const FLOOR = 0.05;
const ARMS = ['v1', 'v2', 'v3'];
const COMPARED = ARMS.slice(1);

const METRIC: MetricConfig = {
  type: 'boolean',
  optimize: 'max',
  attribution_window_hours: 1,
  missing: 'zero',
};

/** Whether any difference of an experiment with these means ever leaves out 0, read all the time. */
function everSpeaks(kind: 'fixed' | 'thompson', means: readonly number[], seed: number): boolean {
  const random = seededRandom(seed);
  const even = bucketedPropensities(fixedPropensities(ARMS.map(() => 1)));
  const floor = kind === 'fixed' ? Math.min(...even) : FLOOR;
  const experiment = experimentOf({
    arms: ARMS.map((name) => ({ name, version: name, weight: 1 })),
    policy: { kind, floor },
  });
  const plan = sequencePlan(experiment, METRIC);
  const totals = ARMS.map(() => ({ n: 0, sum: 0 }));
  let propensities: readonly number[] = even;
  let state = emptySequenceState(plan);
  for (let unit = 1; unit <= UNITS; unit += 1) {
    const chosen = chooseByWeights(random.next(), propensities) ?? 0;
    const reward = random.next() < (means[chosen] ?? 0) ? 1 : 0;
    state = foldSequenceDecision(state, plan, {
      createdAtMs: unit,
      generationId: `gen_${unit}`,
      arm: ARMS[chosen] ?? null,
      propensities: Object.fromEntries(ARMS.map((arm, index) => [arm, propensities[index] ?? 0])),
      // Silence is no outcome.
      reward: reward === 1 ? 1 : null,
    });
    const total = totals[chosen];
    if (total !== undefined) {
      total.n += 1;
      total.sum += reward;
    }
    if (unit % UNITS_PER_LOOK === 0) {
      const sequences = experimentSequences(
        experiment,
        { name: 'completed', config: METRIC, scale: { min: 0, max: 1 } },
        { foldedUntilMs: unit, soundUntilMs: unit, corrections: 0, checkpoint: { hourMs: 0, state } },
        1 - ALPHA,
      );
      const speaks = COMPARED.some((arm) => {
        const { lower, upper } = sequences.differenceOf(arm, ALPHA / COMPARED.length);
        return lower > 0 || upper < 0;
      });
      if (speaks) return true;
    }
    if (kind === 'thompson' && unit % UNITS_PER_SNAPSHOT === 0) {
      const best = thompsonPropensities(totals.map((rewards) => betaPosterior(rewards)));
      propensities = bucketedPropensities(withFloor(best, FLOOR), FLOOR);
    }
  }
  return false;
}

describe(`reading folded differences all the time, of ${RUNS} experiments`, () => {
  test.each(['fixed', 'thompson'] as const)(
    'announces a difference that is none in at most the promised share: %s',
    (kind) => {
      let fooled = 0;
      for (let seed = 0; seed < RUNS; seed += 1) if (everSpeaks(kind, [0.3, 0.3, 0.3], seed)) fooled += 1;

      // Seeded: the same runs on every machine. The method is cautious, so that chance needs no tolerance.
      expect(fooled / RUNS).toBeLessThanOrEqual(ALPHA);
    },
    600_000,
  );

  test('announces one that is large, so that the silence above says something', () => {
    const seeds = Array.from({ length: 20 }, (_, seed) => seed);

    expect(seeds.filter((seed) => everSpeaks('fixed', [0.1, 0.5, 0.9], seed)).length).toBeGreaterThan(15);
  });
});
