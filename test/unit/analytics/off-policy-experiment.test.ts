import { expect, test } from '@jest/globals';
import {
  createEvaluationQueue,
  createExperimentOffPolicy,
  type OffPolicyReader,
} from '../../../src/analytics/index.ts';

const REVISIONS = 2_600;
const EXPERIMENT = {
  experiment: 'tone',
  prompt: 'tip',
  metric: 'completed',
  missing: 'exclude',
  scale: { min: 0, max: 1 },
  attributionWindowHours: 168,
  generatedAt: new Date(0).toISOString(),
  arms: ['v1', 'v3'].map((arm) => ({ arm, promptVersion: arm })),
  sampleRatio: { alarm: false },
} as const;

/** Every revision has one unit, in turn on either arm; v3 always earns, v1 never. */
const reader: OffPolicyReader = {
  rewardCells: async () =>
    Array.from({ length: REVISIONS }, (_, n) => {
      const reward = n % 2;
      return {
        policyRevision: `tone-${n}`,
        arm: reward === 1 ? 'v3' : 'v1',
        propensities: { v1: 0.5, v3: 0.5 },
        closedUnits: 0,
        outcomes: { n: 1, sum: reward, sumOfSquares: reward },
        closedOutcomes: { n: 0, sum: 0, sumOfSquares: 0 },
      };
    }),
  unitHours: async () => [],
  unitDecisions: async () => ({ decisions: [], next: null }),
  revisionPropensities: async () => null,
};

test('thousands of revisions let other work through, and give what they give together', async () => {
  const offPolicy = createExperimentOffPolicy({ reader, queue: createEvaluationQueue() });
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);

  const answer = await offPolicy.evaluate(EXPERIMENT, 'arm:v3', new AbortController().signal);
  isDone = true;

  expect(turns).toBeGreaterThanOrEqual(REVISIONS / 500 - 1);
  expect(answer.decisions).toBe(REVISIONS);
  expect(answer.estimators.ips?.value).toBeCloseTo(1, 12);
  expect(answer.onPolicy.mean).toBeCloseTo(0.5, 12);
});

test('totals without the decisions behind them conclude nothing', async () => {
  const offPolicy = createExperimentOffPolicy({ reader, queue: createEvaluationQueue() });

  const answer = await offPolicy.evaluate(EXPERIMENT, 'uniform', new AbortController().signal);

  expect(answer.interval).toBeNull();
  expect(answer.gate).toMatchObject({ concludes: false, reasons: [{ fault: 'no_interval' }] });
  expect(answer.text).toMatch(
    /^Cannot say what an even split over the arms would have earned\. There is no interval/,
  );
});
