import { describe, expect, test } from '@jest/globals';

import { WINNER_SQL } from '../../../src/storage/sqlite/reward-joiner.ts';
import { generationRecord, outcomeRecord } from '../../helpers/ledger-records.ts';
import {
  appendGeneration,
  appendOutcomes,
  derivedState,
  writerCoreInMemory,
} from '../../helpers/writer-core-in-memory.ts';

const ids = (database: ReturnType<typeof writerCoreInMemory>['database']) =>
  database.prepare('SELECT id FROM generations ORDER BY id').pluck().all();

describe('one transaction of many commands', () => {
  test('lets a refused command leave its neighbours alone', () => {
    const { apply, database } = writerCoreInMemory();

    const replies = apply(
      appendGeneration(generationRecord({ id: 'gen_1' })),
      appendOutcomes('key-a', outcomeRecord({ outcomeId: 'out_1' })),
      appendOutcomes('key-a', outcomeRecord({ outcomeId: 'out_1', value: false, reward: 0 })),
      appendGeneration(generationRecord({ id: 'gen_2' })),
    );

    expect(replies.map((reply) => (reply.ok ? 'ok' : reply.code))).toEqual(['ok', 'ok', 'conflict', 'ok']);
    expect(ids(database)).toEqual(['gen_1', 'gen_2']);
  });

  test('lets a command that no row can hold leave its neighbours alone', () => {
    const { apply, database } = writerCoreInMemory();

    const replies = apply(
      appendGeneration(generationRecord({ id: 'gen_1' })),
      appendGeneration(generationRecord({ id: 'gen_2', totalMs: Number.NaN })),
      appendOutcomes('key-a', outcomeRecord({ outcomeId: 'out_1', reward: 1e300 })),
      appendGeneration(generationRecord({ id: 'gen_3', createdAtMs: 0.5 })),
      appendGeneration(generationRecord({ id: 'gen_4' })),
    );

    expect(replies.map((reply) => (reply.ok ? 'ok' : reply.code))).toEqual([
      'ok',
      'internal',
      'internal',
      'internal',
      'ok',
    ]);
    expect(ids(database)).toEqual(['gen_1', 'gen_4']);
    const before = derivedState(database);
    apply({ kind: 'rebuild_rollups' });
    expect(derivedState(database)).toEqual(before);
  });

  test('makes series anew that went away with a rolled back transaction', () => {
    const { apply, database } = writerCoreInMemory();
    apply(appendGeneration(generationRecord({ id: 'gen_1', promptVersion: 'v9', totalMs: Number.NaN })));
    apply(
      appendGeneration(generationRecord({ id: 'gen_2', promptVersion: 'v9' })),
      appendGeneration(generationRecord({ id: 'gen_3', totalMs: Number.NaN })),
    );

    expect(derivedState(database).generations).toMatchObject([{ prompt_version: 'v9', generations: 1 }]);
  });

  test('answers a claim by what earlier commands of the same transaction did', () => {
    const { apply } = writerCoreInMemory();
    const claim = (leaseId: string) => ({
      kind: 'claim_idempotency_key' as const,
      claim: {
        apiKeyId: 'key-a',
        key: 'k1',
        requestHash: 'h',
        leaseId,
        leaseExpiresAtMs: 60_000,
        nowMs: 0,
      },
    });

    const replies = apply(claim('run_1'), claim('run_2'));

    expect(replies).toMatchObject([{ value: { kind: 'claimed' } }, { value: { kind: 'running' } }]);
  });
});

describe('a full disk', () => {
  test('refuses writes, keeps what was committed, and takes writes again once there is room', () => {
    const { apply, database } = writerCoreInMemory();
    apply(appendGeneration(generationRecord({ id: 'gen_0' })));
    const pages = Number(database.pragma('page_count', { simple: true }));
    database.pragma(`max_page_count = ${pages + 2}`);
    const large = (id: string) => appendGeneration(generationRecord({ id, text: 'x'.repeat(50_000) }));

    expect(apply(large('gen_1'), large('gen_2'))).toMatchObject([
      { ok: false, code: 'storage_unavailable', unavailableReason: expect.stringContaining('SQLITE_FULL') },
      { ok: false, code: 'storage_unavailable', unavailableReason: expect.stringContaining('SQLITE_FULL') },
    ]);
    expect(ids(database)).toEqual(['gen_0']);

    database.pragma('max_page_count = 100000');

    expect(apply(large('gen_1'))).toEqual([{ ok: true, value: null }]);
    expect(ids(database)).toEqual(['gen_0', 'gen_1']);
  });
});

describe('cost', () => {
  test('finds the reward of a target with many outcomes without sorting or scanning', () => {
    const { database } = writerCoreInMemory();
    const plan = database
      .prepare(`EXPLAIN QUERY PLAN ${WINNER_SQL}`)
      .all({ generationId: 'gen_1', externalId: 'tip-1', metric: 'completed', createdAtMs: 0 })
      .map((row) => String((row as { detail: unknown }).detail));

    expect(plan.join('\n')).toContain('outcomes_by_external_id');
    expect(plan.join('\n')).toContain('outcomes_by_generation');
    expect(plan.join('\n')).not.toMatch(/SCAN|TEMP B-TREE/);
  });
});
