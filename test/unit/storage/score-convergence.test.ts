import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { HOUR_MS } from '../../../src/kernel/index.ts';
import type { OutcomeRecord, ScoreRecord } from '../../../src/ledger/index.ts';
import { toScoreValues } from '../../../src/storage/sqlite/score-columns.ts';
import { SCORE_WINNER_SQL } from '../../../src/storage/sqlite/score-rewards.ts';
import { CLOSED_DECISIONS_SQL, REWARD_CHANGES_SQL } from '../../../src/storage/sqlite/score-training-page.ts';
import type { Connection } from '../../../src/storage/sqlite/sqlite-driver.ts';
import type { WriterCommand } from '../../../src/storage/sqlite/writer-commands.ts';
import { outcomeRecord, scoreRecord } from '../../helpers/ledger-records.ts';
import { appendOutcomes, voidOutcome, writerCoreInMemory } from '../../helpers/writer-core-in-memory.ts';

const START_MS = Date.UTC(2026, 10, 23, 22);

function appendScore(record: ScoreRecord): WriterCommand {
  return { kind: 'append_score', values: toScoreValues(record), completes: null };
}

// Few ids and times: collisions, ties and window edges are what the property is about.
const timeMs = fc.integer({ min: 0, max: 8 }).map((halfHours) => START_MS + halfHours * (HOUR_MS / 2));

const scores = fc.uniqueArray(
  fc
    .record({
      id: fc.constantFrom('scr_0', 'scr_1', 'scr_2'),
      createdAtMs: timeMs,
      test: fc.boolean(),
      shadowOf: fc.constantFrom(null, 'scr_9'),
      chosen: fc.constantFrom('walk', 'run'),
    })
    .map((fields) => scoreRecord({ ...fields, chosenPropensity: fields.chosen === 'walk' ? 0.75 : 0.25 })),
  { selector: ({ id }) => id, maxLength: 3 },
);

const outcomes = fc.uniqueArray(
  fc
    .record({
      outcomeId: fc.constantFrom('out_0', 'out_1', 'out_2', 'out_3', 'out_\u{1F600}'),
      scoreId: fc.constantFrom('scr_0', 'scr_1', 'scr_2'),
      metric: fc.constantFrom('completed', 'reaction'),
      reward: fc.integer({ min: -1000, max: 1000 }).map((thousandths) => thousandths / 997),
      occurredAtMs: fc.option(timeMs, { nil: null }),
      receivedAtMs: timeMs,
      windowMs: fc.constantFrom(0, HOUR_MS, 2 * HOUR_MS),
      test: fc.boolean(),
    })
    .map(({ scoreId, ...fields }) => outcomeRecord({ ...fields, value: fields.reward }, { scoreId })),
  { selector: ({ outcomeId }) => outcomeId, maxLength: 6 },
);

const voids = fc.subarray(['out_0', 'out_1', 'out_2']);

const history = fc
  .record({ scores, outcomes, voids, copyReceivedAtMs: timeMs })
  .map(({ scores: decisions, outcomes: reports, voids: withdrawn, copyReceivedAtMs }) => ({
    decisions,
    reports,
    withdrawn,
    commands: [
      ...decisions.map(appendScore),
      ...reports.flatMap((record) => [
        appendOutcomes('key-a', record),
        appendOutcomes('key-a', { ...record, receivedAtMs: copyReceivedAtMs }),
      ]),
      ...withdrawn.map((outcomeId) => voidOutcome('key-a', outcomeId)),
    ],
    copyReceivedAtMs,
  }));

const twoOrders = history.chain((events) =>
  fc.record({
    events: fc.constant(events),
    first: fc.shuffledSubarray(events.commands, { minLength: events.commands.length }),
    second: fc.shuffledSubarray(events.commands, { minLength: events.commands.length }),
    batchLength: fc.integer({ min: 1, max: 8 }),
  }),
);

function ledgerAfter(commands: readonly WriterCommand[], batchLength: number) {
  const core = writerCoreInMemory();
  for (let start = 0; start < commands.length; start += batchLength) {
    const replies = core.apply(...commands.slice(start, start + batchLength));
    expect(replies.filter((reply) => !reply.ok)).toEqual([]);
  }
  return core;
}

const rows = (database: Connection, sql: string) => database.prepare(sql).all() as Record<string, unknown>[];

function derived(database: Connection) {
  return {
    counting: rows(
      database,
      `SELECT score_id, metric, api_key_id, outcome_id, effective_at_ms, reward
       FROM counting_score_outcomes ORDER BY score_id, metric`,
    ),
    orphans: rows(
      database,
      `SELECT o.outcome_id FROM orphan_outcomes p JOIN outcomes o ON o.seq = p.outcome_seq ORDER BY o.outcome_id`,
    ),
    decisions: rows(
      database,
      `SELECT test, shadow, hour_ms, decisions, candidates, chosen_best, chosen_propensity_sum
       FROM score_rollups ORDER BY test, shadow, hour_ms`,
    ),
    rewards: rows(
      database,
      `SELECT test, shadow, metric, hour_ms, n, reward_sum, reward_sum_low, reward_sum_sq, reward_sum_sq_low
       FROM score_reward_rollups ORDER BY test, shadow, metric, hour_ms`,
    ),
  };
}

/** What the log of changes comes to: the last reward of each decision and metric. */
function learnable(database: Connection) {
  const last = new Map<string, unknown>();
  const log = rows(
    database,
    'SELECT seq, previous_seq, score_id, metric, reward_before, reward_after FROM score_reward_changes ORDER BY seq',
  );
  const lastSequence = new Map<string, unknown>();
  for (const row of log) {
    const key = `${row['score_id']}/${row['metric']}`;
    // A chain: each change begins where the one before it ended.
    expect(row['reward_before']).toBe(last.get(key) ?? null);
    expect(row['previous_seq']).toBe(lastSequence.get(key) ?? null);
    expect(row['reward_after']).not.toBe(row['reward_before']);
    last.set(key, row['reward_after']);
    lastSequence.set(key, row['seq']);
  }
  return [...last].filter(([, reward]) => reward !== null).sort(([a], [b]) => (a < b ? -1 : 1));
}

interface Winner {
  readonly record: OutcomeRecord;
  readonly effectiveAtMs: number;
}

function isGreater(a: Winner, b: Winner | undefined): boolean {
  if (b === undefined) return true;
  if (a.effectiveAtMs !== b.effectiveAtMs) return a.effectiveAtMs > b.effectiveAtMs;
  return Buffer.compare(Buffer.from(a.record.outcomeId), Buffer.from(b.record.outcomeId)) > 0;
}

describe('rewards of ranking decisions', () => {
  test('are the same whatever order decisions, outcomes and voids arrive in, and follow the rule', () => {
    fc.assert(
      fc.property(twoOrders, ({ events, first, second, batchLength }) => {
        const one = ledgerAfter(first, batchLength);
        const other = ledgerAfter(second, 1);

        expect(derived(other.database)).toEqual(derived(one.database));
        expect(learnable(other.database)).toEqual(learnable(one.database));

        const expected = events.decisions.flatMap((score) =>
          ['completed', 'reaction'].flatMap((metric) => {
            let winner: Winner | undefined;
            for (const record of events.reports) {
              if (record.scoreId !== score.id || record.metric !== metric || record.test) continue;
              if (events.withdrawn.includes(record.outcomeId)) continue;
              const receivedAtMs = Math.min(record.receivedAtMs, events.copyReceivedAtMs);
              const effectiveAtMs = record.occurredAtMs ?? receivedAtMs;
              if (effectiveAtMs - record.windowMs > score.createdAtMs) continue;
              const candidate = { record, effectiveAtMs };
              if (isGreater(candidate, winner)) winner = candidate;
            }
            return winner === undefined ? [] : [[score, metric, winner.record.reward] as const];
          }),
        );
        const counted = expected.map(([score, metric, reward]) => ({ score_id: score.id, metric, reward }));
        expect(derived(one.database).counting).toMatchObject(
          counted.sort((a, b) => (`${a.score_id}/${a.metric}` < `${b.score_id}/${b.metric}` ? -1 : 1)),
        );
        expect(learnable(one.database)).toEqual(
          expected
            .filter(([score]) => !score.test && score.shadowOf === null)
            .map(([score, metric, reward]) => [`${score.id}/${metric}`, reward] as const)
            .sort(([a], [b]) => (a < b ? -1 : 1)),
        );
      }),
      { seed: 20_261_123, numRuns: 60 },
    );
  });

  test('survive a rebuild: totals are the same, and what was learnt stays learnt', () => {
    fc.assert(
      fc.property(history, ({ commands }) => {
        const { database, apply } = ledgerAfter(commands, 4);
        const before = derived(database);
        const learnt = learnable(database);

        apply({ kind: 'rebuild_rollups' });
        expect(derived(database)).toEqual(before);
        expect(learnable(database)).toEqual(learnt);

        database.exec('DELETE FROM counting_score_outcomes WHERE 1');
        apply({ kind: 'rebuild_rollups' });
        expect(derived(database)).toEqual(before);
        expect(learnable(database)).toEqual(learnt);
      }),
      { seed: 20_261_123, numRuns: 30 },
    );
  });

  test.each([
    ['the outcome that counts', SCORE_WINNER_SQL, 'outcomes_by_score'],
    ['changed rewards', REWARD_CHANGES_SQL, 'score_reward_changes_by_policy'],
    ['closed decisions', CLOSED_DECISIONS_SQL, 'scores_by_policy'],
  ])('%s are found by an index, without sorting', (_name, sql, index) => {
    const { database } = writerCoreInMemory();
    const parameters = {
      scoreId: '',
      metric: '',
      createdAtMs: 0,
      policy: '',
      modelRevision: '',
      afterChange: 0,
      afterDecision: 0,
      limit: 1,
    };
    const plan = (
      database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(parameters) as { readonly detail: string }[]
    ).map(({ detail }) => detail);

    expect(plan.join('\n')).toContain(index);
    expect(plan.join('\n')).not.toMatch(/TEMP B-TREE|SCAN/);
  });
});
