import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { HOUR_MS } from '../../src/kernel/index.ts';
import type { OutcomeRecord, ScoreRecord } from '../../src/ledger/index.ts';
import type { ScorePolicySnapshot, ScoreTrainingState } from '../../src/ranking/index.ts';
import type { SqliteStorage } from '../../src/storage/sqlite/index.ts';
import { outcomeRecord, scoreRecord } from '../helpers/ledger-records.ts';
import { openTemporarySqlite } from '../helpers/open-sqlite-for-test.ts';

const START_MS = Date.UTC(2026, 10, 23, 10, 30);
const EXCLUDE = {
  policy: 'tips',
  modelRevision: 'sha256:model',
  metric: 'completed',
  afterChange: 0,
  closed: null,
  limit: 100,
};

function state(changes: Partial<ScoreTrainingState> = {}): ScoreTrainingState {
  return {
    policy: 'tips',
    modelRevision: 'sha256:model',
    ridge: {
      dimension: 2,
      lambda: 1,
      weight: 1 / 3,
      gram: [0.1, 0.2, 0.30000000000000004],
      moment: [1e-300, 7],
    },
    rewards: 3,
    updates: 2,
    lastInterval: 29_000_000,
    changePosition: 9,
    closedPosition: 4,
    snapshotSequence: null,
    ...changes,
  };
}

function snapshot(sequence: number): ScorePolicySnapshot {
  return {
    policy: 'tips',
    revision: `tips-${sequence}`,
    sequence,
    policyRevision: 'sha256:rules',
    modelRevision: 'sha256:model',
    computedAtMs: START_MS + sequence,
    rewards: 3,
    weight: 2.97,
    coefficients: [0.1, -1 / 3],
  };
}

describe.each([
  ['on the calling thread', false],
  ['on threads', true],
])('ranking in SQLite, %s', (_name, threads) => {
  let storage: SqliteStorage;
  const score = (record: Partial<ScoreRecord> & { readonly id: string }): Promise<void> =>
    storage.ledger.appendScore(scoreRecord(record), null);
  const report = async (
    outcome: Partial<OutcomeRecord> & { readonly outcomeId: string; readonly scoreId?: string },
  ): Promise<void> => {
    const { scoreId = 'scr_1', ...fields } = outcome;
    const record = outcomeRecord(fields, { scoreId });
    await storage.ledger.appendOutcomes({
      apiKeyId: 'key-a',
      entries: [{ kind: 'outcome', outcome: record }],
    });
  };
  const withdraw = async (outcomeId: string, receivedAtMs = START_MS): Promise<void> => {
    await storage.ledger.appendOutcomes({
      apiKeyId: 'key-a',
      entries: [{ kind: 'void', void: { outcomeId, receivedAtMs } }],
    });
  };
  const changes = async () => {
    const page = await storage.scorePolicies.trainingPage(EXCLUDE);
    return page.changes.map(({ before, after }) => [before, after]);
  };

  beforeEach(async () => {
    storage = await openTemporarySqlite({ threads });
  });
  afterEach(() => storage.close());

  test('reads back a decision as it was written, with the outcome that counts', async () => {
    const record = scoreRecord({ id: 'scr_1', tags: ['a'], metadata: { page: 3 } });
    await storage.ledger.appendScore(record, null);
    await report({ outcomeId: 'out_1', reward: 0, value: false, receivedAtMs: START_MS + 1 });
    await report({ outcomeId: 'out_2', reward: 1, receivedAtMs: START_MS + 2 });

    const stored = await storage.ledgerReader.findScore('scr_1');

    expect(stored).toMatchObject(record);
    expect(stored?.commitWaitMs).toBeGreaterThanOrEqual(0);
    expect(stored?.outcomes.map(({ outcomeId, counts }) => [outcomeId, counts])).toEqual([
      ['out_1', false],
      ['out_2', true],
    ]);
    expect(await storage.ledgerReader.findScore('scr_2')).toBeNull();
  });

  test('stores the same decision once, and completes its idempotency key with it', async () => {
    const claim = {
      apiKeyId: 'key-a',
      key: 'k',
      requestHash: 'h',
      leaseId: 'run_1',
      leaseExpiresAtMs: 9e15,
      nowMs: 0,
    };
    await storage.ledger.claimIdempotencyKey(claim);
    const completion = { apiKeyId: 'key-a', key: 'k', leaseId: 'run_1', responseJson: '{"id":"scr_1"}' };
    await storage.ledger.appendScore(scoreRecord({ id: 'scr_1' }), completion);
    await score({ id: 'scr_1', policy: 'other' });

    expect(await storage.ledger.claimIdempotencyKey({ ...claim, leaseId: 'run_2' })).toEqual({
      kind: 'completed',
      responseJson: '{"id":"scr_1"}',
      generationId: 'scr_1',
    });
    expect((await storage.ledgerReader.findScore('scr_1'))?.policy).toBe('tips');
    const { rows } = await storage.ledgerReader.readRows('scores', 0, 10);
    expect(rows.map((row) => row['id'])).toEqual(['scr_1']);
  });

  test('logs the changes of the reward that counts, once each and in their order', async () => {
    await score({ id: 'scr_1' });
    await report({ outcomeId: 'out_1', reward: 0.2, receivedAtMs: START_MS + 1 });
    await report({ outcomeId: 'out_1', reward: 0.2, receivedAtMs: START_MS + 5 });
    await report({ outcomeId: 'out_0', reward: 0.9, occurredAtMs: START_MS - 1 });
    await report({ outcomeId: 'out_2', reward: 0.7, receivedAtMs: START_MS + 3 });
    await withdraw('out_2');
    await withdraw('out_1');
    await withdraw('out_0');

    expect(await changes()).toEqual([
      [null, 0.2],
      [0.2, 0.7],
      [0.7, 0.2],
      [0.2, 0.9],
      [0.9, null],
    ]);
  });

  test('an outcome waits for its decision; test traffic, shadows and late ones teach nothing', async () => {
    await report({ outcomeId: 'out_1', reward: 1 });
    expect((await storage.storageInfo()).orphanOutcomes).toBe(1);
    await score({ id: 'scr_1' });
    expect((await storage.storageInfo()).orphanOutcomes).toBe(0);
    await score({ id: 'scr_2', test: true });
    await score({ id: 'scr_3', shadowOf: 'scr_1' });
    await score({ id: 'scr_4' });
    await report({ outcomeId: 'out_2', scoreId: 'scr_2' });
    await report({ outcomeId: 'out_3', scoreId: 'scr_3' });
    await report({ outcomeId: 'out_4', scoreId: 'scr_4', occurredAtMs: START_MS + 169 * HOUR_MS });
    await report({ outcomeId: 'out_5', scoreId: 'scr_4', test: true });

    expect(await changes()).toEqual([[null, 1]]);
  });

  test('gives the encoded input under its own model, and the features under another', async () => {
    await score({ id: 'scr_1', profileFeatures: { completion_rate: '[redacted]' } });
    await report({ outcomeId: 'out_1' });

    const own = await storage.scorePolicies.trainingPage(EXCLUDE);
    const other = await storage.scorePolicies.trainingPage({ ...EXCLUDE, modelRevision: 'sha256:other' });

    expect(own.changes[0]?.choice).toEqual({ sequence: 1, input: [1, 0.2], features: null });
    expect(other.changes[0]?.choice).toEqual({
      sequence: 1,
      input: null,
      features: { candidate: { effort: 0.2 }, profile: { completion_rate: '[redacted]' }, context: null },
    });
  });

  test('closes decisions in their order, after the last change, with the reward they have by then', async () => {
    for (const [index, id] of ['scr_1', 'scr_2', 'scr_3'].entries()) {
      await score({ id, createdAtMs: START_MS + index * HOUR_MS });
    }
    await report({ outcomeId: 'out_1', scoreId: 'scr_2', reward: 0.5 });
    const closed = { afterDecision: 0, windowMs: HOUR_MS, nowMs: START_MS + 2 * HOUR_MS };

    const page = await storage.scorePolicies.trainingPage({ ...EXCLUDE, closed });
    const full = await storage.scorePolicies.trainingPage({ ...EXCLUDE, closed, limit: 1 });

    expect(page.changes).toHaveLength(1);
    expect(
      page.closed.map(({ reward, closedAtMs, choice }) => [choice.sequence, reward, closedAtMs]),
    ).toEqual([
      [1, null, START_MS + HOUR_MS],
      [2, 0.5, START_MS + 2 * HOUR_MS],
    ]);
    expect(page.isLast).toBe(true);
    // A full page of changes may not be the last: decisions would carry rewards that are yet to come.
    expect([full.changes.length, full.closed, full.isLast]).toEqual([1, [], false]);
  });

  test('keeps what was learnt to the last bit, and never rewrites a snapshot', async () => {
    const store = storage.scorePolicies;
    await store.commit({ state: state(), marks: [], snapshot: snapshot(1) });
    await store.commit({
      state: state({ rewards: 4 }),
      marks: [],
      snapshot: { ...snapshot(1), rewards: 99 },
    });

    expect(await store.findState('tips', 'sha256:model')).toEqual(state({ rewards: 4 }));
    expect(await store.findState('tips', 'sha256:other')).toBeNull();
    expect(await store.latestSnapshot('tips')).toEqual(snapshot(1));
    expect(await store.latestSnapshot('other')).toBeNull();
  });

  test('tells after which update a reward was learnt that is taken back', async () => {
    await score({ id: 'scr_1' });
    await report({ outcomeId: 'out_1', reward: 0.2, receivedAtMs: START_MS + 1 });
    await report({ outcomeId: 'out_2', reward: 0.7, receivedAtMs: START_MS + 2 });
    const marks = [
      { update: 4, changePosition: 0, closedPosition: 0 },
      { update: 5, changePosition: 1, closedPosition: 0 },
      { update: 6, changePosition: 1, closedPosition: 1 },
    ];
    await storage.scorePolicies.commit({ state: state(), marks, snapshot: null });
    const closed = { afterDecision: 0, windowMs: HOUR_MS, nowMs: 0 };

    const page = await storage.scorePolicies.trainingPage({ ...EXCLUDE, closed });

    expect(
      page.changes.map(({ previousSequence, beforeUpdate, closedUpdate }) => [
        previousSequence,
        beforeUpdate,
        closedUpdate,
      ]),
    ).toEqual([
      [null, null, 6],
      [1, 5, 6],
    ]);
  });

  test('a rebuild changes nothing that was right, and logs nothing then', async () => {
    await score({ id: 'scr_1' });
    await score({ id: 'scr_2', chosen: 'run', chosenPropensity: 0.25 });
    await report({ outcomeId: 'out_1', reward: 0.2 });
    await report({ outcomeId: 'out_2', reward: 0.7, scoreId: 'scr_2' });
    await withdraw('out_2');
    await report({ outcomeId: 'out_3', scoreId: 'scr_9' });
    const before = await changes();

    await storage.ledger.rebuildRollups();

    expect(await changes()).toEqual(before);
    expect((await storage.storageInfo()).orphanOutcomes).toBe(1);
    expect((await storage.ledgerReader.findScore('scr_1'))?.outcomes).toMatchObject([{ counts: true }]);
  });
});
