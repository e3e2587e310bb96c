import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { HOUR_MS } from '../../../src/kernel/index.ts';
import type { GenerationRecord, OutcomeRecord } from '../../../src/ledger/index.ts';
import type { WriterCommand } from '../../../src/storage/sqlite/writer-commands.ts';
import { generationRecord, outcomeRecord } from '../../helpers/ledger-records.ts';
import {
  appendGeneration,
  appendOutcomes,
  derivedState,
  voidOutcome,
  writerCoreInMemory,
} from '../../helpers/writer-core-in-memory.ts';

type Event =
  | { readonly kind: 'generation'; readonly record: GenerationRecord }
  | { readonly kind: 'outcome'; readonly apiKeyId: string; readonly record: OutcomeRecord }
  | { readonly kind: 'void'; readonly apiKeyId: string; readonly outcomeId: string };

const START_MS = Date.UTC(2026, 10, 23, 22);

// Few ids and times: collisions, ties and window edges are what the property is about.
const timeMs = fc.integer({ min: 0, max: 8 }).map((halfHours) => START_MS + halfHours * (HOUR_MS / 2));
const apiKeyId = fc.constantFrom('key-a', 'key-b');
const reward = fc.integer({ min: -1000, max: 1000 }).map((thousandths) => thousandths / 997);

const generations = fc.uniqueArray(
  fc
    .record({
      id: fc.constantFrom('gen_0', 'gen_1', 'gen_2', 'gen_3', 'gen_4'),
      externalId: fc.constantFrom(null, 'tip-0', 'tip-1'),
      createdAtMs: timeMs,
      promptVersion: fc.constantFrom('v1', 'v2'),
      delivered: fc.boolean(),
      test: fc.boolean(),
      fellBack: fc.boolean(),
      status: fc.constantFrom(
        'ok' as const,
        'error' as const,
        'incomplete' as const,
        'client_closed' as const,
      ),
      costNanoUsd: fc.constantFrom(null, 0, 7),
      inputTokens: fc.constantFrom(null, 3),
      totalMs: fc.constantFrom(0, 0.2, 40, 5_000),
    })
    .map((fields) => generationRecord(fields)),
  { selector: (record) => record.id, maxLength: 5 },
);

const outcomes = fc.uniqueArray(
  fc
    .record({
      apiKeyId,
      outcomeId: fc.constantFrom('out_0', 'out_1', 'out_2', 'out_3', 'out_\u{1F600}', 'out_\uFFFD'),
      target: fc.constantFrom(
        { generationId: 'gen_0' },
        { generationId: 'gen_1' },
        { externalId: 'tip-0' },
        { externalId: 'tip-1' },
        { scoreId: 'gen_0' },
      ),
      metric: fc.constantFrom('completed', 'reaction'),
      reward,
      occurredAtMs: fc.option(timeMs, { nil: null }),
      receivedAtMs: timeMs,
      windowMs: fc.constantFrom(0, HOUR_MS, 2 * HOUR_MS),
      test: fc.boolean(),
    })
    .map(({ target, apiKeyId: key, ...fields }) => ({
      apiKeyId: key,
      record: outcomeRecord({ ...fields, value: fields.reward }, target),
    })),
  { selector: ({ apiKeyId: key, record }) => `${key}/${record.outcomeId}`, maxLength: 9 },
);

const voids = fc.array(fc.record({ apiKeyId, outcomeId: fc.constantFrom('out_0', 'out_1', 'out_2') }), {
  maxLength: 3,
});

/** What happened, each thing once or twice: the second copy of an outcome was received at another time. */
const history: fc.Arbitrary<readonly Event[]> = fc
  .record({ generations, outcomes, voids, copyReceivedAtMs: timeMs })
  .map(({ generations: records, outcomes: reports, voids: withdrawals, copyReceivedAtMs }) => [
    ...records.flatMap((record): Event[] => [
      { kind: 'generation', record },
      ...(record.test ? [{ kind: 'generation', record } as const] : []),
    ]),
    ...reports.flatMap(({ apiKeyId: key, record }, index): Event[] => [
      { kind: 'outcome', apiKeyId: key, record },
      ...(index % 2 === 0
        ? [
            {
              kind: 'outcome',
              apiKeyId: key,
              record: { ...record, receivedAtMs: copyReceivedAtMs },
            } as const,
          ]
        : []),
    ]),
    ...withdrawals.map((withdrawal): Event => ({ kind: 'void', ...withdrawal })),
  ]);

/** The same events in two orders, cut into transactions in two ways. */
const twoOrders = history.chain((events) =>
  fc.record({
    first: fc.shuffledSubarray([...events], { minLength: events.length }),
    second: fc.shuffledSubarray([...events], { minLength: events.length }),
    batchLength: fc.integer({ min: 1, max: 8 }),
  }),
);

function command(event: Event): WriterCommand {
  if (event.kind === 'generation') return appendGeneration(event.record);
  if (event.kind === 'outcome') return appendOutcomes(event.apiKeyId, event.record);
  return voidOutcome(event.apiKeyId, event.outcomeId);
}

function ledgerAfter(events: readonly Event[], batchLength: number) {
  const core = writerCoreInMemory();
  for (let start = 0; start < events.length; start += batchLength) {
    const replies = core.apply(...events.slice(start, start + batchLength).map(command));
    expect(replies.filter((reply) => !reply.ok)).toEqual([]);
  }
  return core;
}

interface Winner {
  readonly generation: GenerationRecord;
  readonly apiKeyId: string;
  readonly record: OutcomeRecord;
  readonly effectiveAtMs: number;
}

/** The winner rule, written down a second time: over sets, without any state. */
function expectedWinners(events: readonly Event[]): readonly Winner[] {
  const records = new Map<string, GenerationRecord>();
  const reports = new Map<string, { apiKeyId: string; record: OutcomeRecord; receivedAtMs: number }>();
  const withdrawn = new Set<string>();
  for (const event of events) {
    if (event.kind === 'generation') records.set(event.record.id, event.record);
    else if (event.kind === 'void') withdrawn.add(`${event.apiKeyId}/${event.outcomeId}`);
    else {
      const id = `${event.apiKeyId}/${event.record.outcomeId}`;
      const receivedAtMs = Math.min(reports.get(id)?.receivedAtMs ?? Infinity, event.record.receivedAtMs);
      reports.set(id, { apiKeyId: event.apiKeyId, record: event.record, receivedAtMs });
    }
  }
  const delivered = [...records.values()].filter((record) => record.delivered);
  const latest = (externalId: string) =>
    delivered
      .filter((record) => record.externalId === externalId)
      .sort((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1))[0];
  return delivered.flatMap((generation) =>
    ['completed', 'reaction'].flatMap((metric) => {
      const candidates = [...reports.entries()]
        .filter(([id, { record }]) => {
          if (withdrawn.has(id) || record.test || record.metric !== metric) return false;
          if (record.generationId !== null) return record.generationId === generation.id;
          return record.externalId !== null && latest(record.externalId)?.id === generation.id;
        })
        .map(([, { apiKeyId: key, record, receivedAtMs }]) => ({
          generation,
          apiKeyId: key,
          record,
          effectiveAtMs: record.occurredAtMs ?? receivedAtMs,
        }))
        .filter(({ record, effectiveAtMs }) => effectiveAtMs <= generation.createdAtMs + record.windowMs)
        .sort(
          (a, b) =>
            b.effectiveAtMs - a.effectiveAtMs ||
            Buffer.compare(Buffer.from(b.record.outcomeId), Buffer.from(a.record.outcomeId)) ||
            Buffer.compare(Buffer.from(b.apiKeyId), Buffer.from(a.apiKeyId)),
        );
      return candidates.slice(0, 1);
    }),
  );
}

const byTarget = (a: Record<string, unknown>, b: Record<string, unknown>) =>
  String(a['generation_id']) < String(b['generation_id']) ||
  (a['generation_id'] === b['generation_id'] && String(a['metric']) < String(b['metric']))
    ? -1
    : 1;

describe('the ledger', () => {
  test('reaches the same state in every order of arrival', () => {
    fc.assert(
      fc.property(twoOrders, ({ first, second, batchLength }) => {
        const one = derivedState(ledgerAfter(first, 1).database);
        const other = derivedState(ledgerAfter(second, batchLength).database);

        expect(JSON.stringify(other)).toBe(JSON.stringify(one));
      }),
      { numRuns: 150 },
    );
  });

  test('lets the outcome win that the rule names', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 8 }), (events, batchLength) => {
        const { counting } = derivedState(ledgerAfter(events, batchLength).database);

        const expected = expectedWinners(events).map((winner) => ({
          generation_id: winner.generation.id,
          metric: winner.record.metric,
          api_key_id: winner.apiKeyId,
          outcome_id: winner.record.outcomeId,
          effective_at_ms: winner.effectiveAtMs,
          reward: winner.record.reward + 0,
        }));
        expect([...counting]).toEqual(expected.sort(byTarget));
      }),
      { numRuns: 150 },
    );
  });

  test('keeps rollups that equal a rebuild from the raw rows, to the last bit', () => {
    fc.assert(
      fc.property(twoOrders, ({ first, batchLength }) => {
        const core = ledgerAfter(first, batchLength);
        const incremental = derivedState(core.database);

        expect(core.apply({ kind: 'rebuild_rollups' })).toEqual([{ ok: true, value: null }]);

        expect(JSON.stringify(derivedState(core.database))).toBe(JSON.stringify(incremental));
      }),
      { numRuns: 150 },
    );
  });

  test('sums the rewards of the winners, per version and hour of their generations', () => {
    fc.assert(
      fc.property(history, (events) => {
        const { rewards } = derivedState(ledgerAfter(events, 4).database);

        const n = rewards.reduce((sum, cell) => sum + Number(cell['n']), 0);
        const sum = rewards.reduce((total, cell) => total + Number(cell['reward_sum']), 0);
        const winners = expectedWinners(events);
        expect(n).toBe(winners.length);
        expect(sum).toBeCloseTo(
          winners.reduce((total, winner) => total + winner.record.reward, 0),
          10,
        );
      }),
      { numRuns: 100 },
    );
  });
});
