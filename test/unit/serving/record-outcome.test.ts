import { describe, expect, test } from '@jest/globals';
import { configSchema } from '../../../src/config/index.ts';
import { AppError } from '../../../src/kernel/index.ts';
import { createOutcomeService, createRedaction, type OutcomeSubmission } from '../../../src/serving/index.ts';
import { countingIds } from '../../fakes/counting-ids.ts';
import { fixedClock } from '../../fakes/fixed-clock.ts';
import { recordingLedger } from '../../fakes/recording-ledger.ts';

const { metrics } = configSchema.parse({
  providers: {},
  routes: {},
  metrics: {
    completed: { type: 'boolean' },
    rating: { type: 'float', min: 1, max: 5, attribution_window_hours: 24 },
    reaction: { type: 'categorical', values: { love: 1, like: 0.7, dismiss: 0 } },
  },
});

const context = {
  apiKeyId: 'anonymous',
  requestId: 'r',
  traceId: 't',
  receivedAtMs: 0,
  receivedMonotonicMs: 0,
};

function submission(changes: Partial<OutcomeSubmission>): OutcomeSubmission {
  return {
    generationId: 'gen_1',
    scoreId: null,
    externalId: null,
    metric: 'completed',
    value: true,
    outcomeId: null,
    occurredAtMs: null,
    void: false,
    tags: [],
    metadata: null,
    ...changes,
  };
}

function service() {
  const ledger = recordingLedger();
  const observer = { generation: () => {}, outcomes: () => {} };
  return {
    ledger,
    outcomes: createOutcomeService({
      ledger,
      metrics,
      redaction: createRedaction(['metadata.email']),
      clock: fixedClock(),
      ids: countingIds(),
      observer,
    }),
  };
}

async function refusal(submissions: readonly OutcomeSubmission[]): Promise<AppError> {
  const { ledger, outcomes } = service();
  const error = await outcomes.record(submissions, context).catch((thrown: unknown) => thrown);
  expect(ledger.batches).toEqual([]);
  if (error instanceof AppError) return error;
  throw new Error('nothing was refused');
}

describe('recording an outcome', () => {
  test.each([
    ['completed', true, 1],
    ['completed', false, 0],
    ['rating', 3.5, 3.5],
    ['reaction', 'like', 0.7],
    ['reaction', 'dismiss', 0],
  ])('resolves %s = %p to its reward', async (metric, value, reward) => {
    const { ledger, outcomes } = service();

    await outcomes.record([submission({ metric, value })], context);

    expect(ledger.batches[0]?.entries[0]).toMatchObject({
      kind: 'outcome',
      outcome: { metric, value, reward },
    });
  });

  test('keeps the metric’s attribution window and makes an id when none is given', async () => {
    const { ledger, outcomes } = service();

    const receipt = await outcomes.record([submission({ metric: 'rating', value: 2 })], context);

    expect(receipt.outcomeIds).toEqual(['out_1']);
    expect(ledger.batches[0]?.entries[0]).toMatchObject({
      outcome: { windowMs: 86_400_000, outcomeId: 'out_1' },
    });
  });

  test('replaces what the configuration redacts before anything is stored', async () => {
    const { ledger, outcomes } = service();

    await outcomes.record([submission({ metadata: { email: 'a@example.org', screen: 'home' } })], context);

    expect(ledger.batches[0]?.entries[0]).toMatchObject({
      outcome: { metadata: { email: '[redacted]', screen: 'home' } },
    });
  });

  test('marks outcomes tagged test', async () => {
    const { ledger, outcomes } = service();

    await outcomes.record([submission({ tags: ['test'] })], context);

    expect(ledger.batches[0]?.entries[0]).toMatchObject({ outcome: { test: true } });
  });

  test.each([
    ['an undeclared metric', { metric: 'complete' }, 'metric', 'did you mean "completed"'],
    ['a metric named like a built-in property', { metric: 'constructor' }, 'metric', 'declared metrics'],
    ['no metric', { metric: null }, 'metric', 'completed, rating, reaction'],
    ['a number for a boolean', { value: 1 }, 'value', 'true, false'],
    ['a value above the range', { metric: 'rating', value: 6 }, 'value', 'a number from 1 to 5'],
    ['NaN', { metric: 'rating', value: Number.NaN }, 'value', 'a number from 1 to 5'],
    ['an unknown category', { metric: 'reaction', value: 'hate' }, 'value', 'love, like, dismiss'],
    ['a category named like a built-in property', { metric: 'reaction', value: 'toString' }, 'value', 'love'],
    ['no target', { generationId: null }, 'generation_id', '0 given'],
    ['two targets', { externalId: 'tip-1' }, 'generation_id', '2 given'],
    ['a void without its outcome id', { void: true }, 'outcome_id', 'name the outcome to withdraw'],
  ] as const)('refuses %s', async (_name, changes, path, text) => {
    const error = await refusal([submission(changes)]);

    expect(error.code).toBe('outcome_invalid');
    expect(error.faults[0]?.path).toBe(path);
    expect(error.faults[0]?.message).toContain(text);
  });

  test('reports every fault of a batch with its place and stores none of it', async () => {
    const error = await refusal([submission({}), submission({ metric: 'x' }), submission({ value: 'yes' })]);

    expect(error.faults.map((fault) => fault.path)).toEqual(['outcomes[1].metric', 'outcomes[2].value']);
  });
});
