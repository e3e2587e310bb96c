import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { PolicySnapshot } from '../../src/experiments/index.ts';
import { HOUR_MS } from '../../src/kernel/index.ts';
import type { GenerationRecord } from '../../src/ledger/index.ts';
import type { SqliteStorage } from '../../src/storage/sqlite/index.ts';
import { generationRecord, outcomeRecord } from '../helpers/ledger-records.ts';
import { openTemporarySqlite } from '../helpers/open-sqlite-for-test.ts';

const START_MS = Date.UTC(2026, 10, 23, 10);
const ALL = { experiment: 'tips', metric: 'completed', closedBeforeMs: START_MS + 1_000 * HOUR_MS };

/** A delivered call of `unitKey` in `arm`, as the serving story records it. */
function call(
  id: string,
  unitKey: string,
  arm: string,
  changes: Partial<GenerationRecord> = {},
): GenerationRecord {
  return generationRecord({
    id,
    createdAtMs: START_MS,
    label: 'live',
    experiment: 'tips',
    experimentRevision: 'sha256:one',
    arm,
    propensity: 0.5,
    propensities: { control: 0.5, warm: 0.5 },
    assignedPolicyRevision: 'tips-1',
    currentPolicyRevision: 'tips-1',
    unitKey,
    ...changes,
  });
}

function snapshot(sequence: number, propensities: Readonly<Record<string, number>>): PolicySnapshot {
  return {
    experiment: 'tips',
    revision: `tips-${sequence}`,
    sequence,
    experimentRevision: 'sha256:one',
    policy: 'thompson',
    computedAtMs: START_MS + sequence,
    propensities,
    posteriors: { control: { n: 3, sum: 1, sumOfSquares: 1, parameters: { alpha: 2, beta: 3 } } },
  };
}

describe.each([
  ['on the calling thread', false],
  ['on threads', true],
])('experiments in SQLite, %s', (_name, threads) => {
  let storage: SqliteStorage;
  const append = async (...records: readonly GenerationRecord[]): Promise<void> => {
    for (const record of records) await storage.ledger.appendGeneration(record, null);
  };
  const reward = async (outcomeId: string, generationId: string, value: number): Promise<void> => {
    const outcome = outcomeRecord({ outcomeId, reward: value }, { generationId });
    await storage.ledger.appendOutcomes({ apiKeyId: 'key-a', entries: [{ kind: 'outcome', outcome }] });
  };

  beforeEach(async () => {
    storage = await openTemporarySqlite({ threads });
  });
  afterEach(() => storage.close());

  test('keeps the first assignment of a unit for ever', async () => {
    await append(
      call('gen_1', 'ann', 'warm'),
      call('gen_2', 'ann', 'control', { assignedPolicyRevision: 'tips-9', propensity: 0.1 }),
    );

    expect(await storage.assignments.findAssignment('tips', 'user_id', 'ann')).toEqual({
      experiment: 'tips',
      experimentRevision: 'sha256:one',
      unitKind: 'user_id',
      unitKey: 'ann',
      arm: 'warm',
      propensity: 0.5,
      propensities: { control: 0.5, warm: 0.5 },
      policyRevision: 'tips-1',
      assignedAtMs: START_MS,
    });
    expect(await storage.assignments.findAssignment('tips', 'session_id', 'ann')).toBeNull();
    expect(await storage.assignments.findAssignment('other', 'user_id', 'ann')).toBeNull();
  });

  test('assigns by failed calls too, and not by replays and shadow traffic', async () => {
    await append(
      call('gen_1', 'ann', 'warm', { delivered: false, status: 'error' }),
      call('gen_2', 'bob', 'warm', { replay: true }),
      call('gen_3', 'cyd', 'warm', { shadowOf: 'gen_1' }),
    );

    expect((await storage.assignments.findAssignment('tips', 'user_id', 'ann'))?.arm).toBe('warm');
    expect(await storage.assignments.findAssignment('tips', 'user_id', 'bob')).toBeNull();
    expect(await storage.assignments.findAssignment('tips', 'user_id', 'cyd')).toBeNull();
  });

  test('counts units, and the rewards of their first delivered calls alone', async () => {
    await append(
      call('gen_1', 'ann', 'warm', { delivered: false, status: 'error' }),
      call('gen_2', 'ann', 'warm', { fellBack: true, degraded: true }),
      call('gen_3', 'ann', 'warm'),
      call('gen_4', 'bob', 'control'),
      call('gen_5', 'cyd', 'warm', { test: true }),
      call('gen_6', 'dee', 'warm', { forced: true }),
      call('gen_7', 'eve', 'warm', { replay: true }),
    );
    await reward('out_1', 'gen_2', 1);
    await reward('out_2', 'gen_3', 0);
    await reward('out_3', 'gen_5', 1);

    expect(await storage.experimentReader.armTotals(ALL)).toEqual([
      {
        arm: 'control',
        units: 1,
        calls: 1,
        errors: 0,
        degraded: 0,
        fallbacks: 0,
        outcomes: { n: 0, sum: 0, sumOfSquares: 0 },
        closedOutcomes: { n: 0, sum: 0, sumOfSquares: 0 },
        closedUnits: 1,
      },
      {
        arm: 'warm',
        units: 1,
        calls: 3,
        errors: 1,
        degraded: 1,
        fallbacks: 1,
        outcomes: { n: 1, sum: 1, sumOfSquares: 1 },
        closedOutcomes: { n: 1, sum: 1, sumOfSquares: 1 },
        closedUnits: 1,
      },
    ]);
  });

  test('splits the totals of an arm by time of the call', async () => {
    await append(
      call('gen_1', 'ann', 'warm'),
      call('gen_2', 'bob', 'warm', { createdAtMs: START_MS + HOUR_MS }),
      call('gen_3', 'ann', 'warm', { createdAtMs: START_MS + 2 * HOUR_MS }),
    );
    await reward('out_1', 'gen_1', 1);
    await reward('out_2', 'gen_2', 0.5);
    const query = { ...ALL, closedBeforeMs: START_MS + HOUR_MS };

    const byHour = await storage.experimentReader.armCells({ ...query, stepMs: HOUR_MS });
    const byDay = await storage.experimentReader.armCells({ ...query, stepMs: 24 * HOUR_MS });

    const nothing = { n: 0, sum: 0, sumOfSquares: 0 };
    expect(byHour).toEqual([
      {
        arm: 'warm',
        beginMs: START_MS,
        units: 1,
        closedUnits: 1,
        outcomes: { n: 1, sum: 1, sumOfSquares: 1 },
        closedOutcomes: { n: 1, sum: 1, sumOfSquares: 1 },
      },
      {
        arm: 'warm',
        beginMs: START_MS + HOUR_MS,
        units: 1,
        closedUnits: 0,
        outcomes: { n: 1, sum: 0.5, sumOfSquares: 0.25 },
        closedOutcomes: nothing,
      },
    ]);
    expect(byDay).toEqual([
      {
        arm: 'warm',
        beginMs: START_MS - (START_MS % (24 * HOUR_MS)),
        units: 2,
        closedUnits: 1,
        outcomes: { n: 2, sum: 1.5, sumOfSquares: 1.25 },
        closedOutcomes: { n: 1, sum: 1, sumOfSquares: 1 },
      },
    ]);
  });

  test('tells closed decision hours and definitions apart', async () => {
    await append(
      call('gen_1', 'ann', 'warm'),
      call('gen_2', 'bob', 'warm', { createdAtMs: START_MS + HOUR_MS, experimentRevision: 'sha256:two' }),
    );
    await reward('out_1', 'gen_1', 1);
    await reward('out_2', 'gen_2', 1);

    const [both] = await storage.experimentReader.armTotals({ ...ALL, closedBeforeMs: START_MS + HOUR_MS });
    const [second] = await storage.experimentReader.armTotals({ ...ALL, experimentRevision: 'sha256:two' });

    expect([both?.units, both?.closedUnits, both?.outcomes.n, both?.closedOutcomes.n]).toEqual([2, 1, 2, 1]);
    expect([second?.units, second?.outcomes.n]).toEqual([1, 1]);
  });

  test('leaves the totals of a version as they were, whoever is counted by an experiment', async () => {
    await append(call('gen_1', 'ann', 'warm'), call('gen_2', 'ann', 'warm'), call('gen_3', 'bob', 'control'));
    await reward('out_1', 'gen_1', 1);
    await reward('out_2', 'gen_2', 1);

    const [v1] = await storage.reportReader.versionTotals({
      prompt: 'tip',
      metric: 'completed',
      fromMs: null,
      toMs: null,
      closedBeforeMs: START_MS,
    });

    expect([v1?.generations, v1?.delivered, v1?.outcomes.n]).toEqual([3, 3, 2]);
  });

  test('finds the same units and rewards after a rebuild', async () => {
    await append(
      call('gen_1', 'ann', 'warm', { delivered: false, status: 'client_closed' }),
      call('gen_2', 'ann', 'warm', { createdAtMs: START_MS + 2 * HOUR_MS }),
      call('gen_3', 'ann', 'warm', { createdAtMs: START_MS }),
      call('gen_4', 'bob', 'control'),
    );
    await reward('out_1', 'gen_2', 1);
    const before = await storage.experimentReader.armTotals(ALL);

    await storage.ledger.rebuildRollups();

    expect(await storage.experimentReader.armTotals(ALL)).toEqual(before);
    expect((await storage.assignments.findAssignment('tips', 'user_id', 'ann'))?.arm).toBe('warm');
  });

  test('counts units by the revision that assigned them, in the order of the revisions', async () => {
    for (let sequence = 1; sequence <= 10; sequence += 1) {
      await storage.policySnapshots.appendSnapshot(snapshot(sequence, { control: 0.4, warm: 0.6 }));
    }
    await append(
      call('gen_1', 'ann', 'warm', { assignedPolicyRevision: 'tips-10' }),
      call('gen_2', 'bob', 'control', { assignedPolicyRevision: 'tips-2' }),
      call('gen_3', 'bob', 'control', { assignedPolicyRevision: 'tips-2' }),
    );

    const units = await storage.experimentReader.unitsByRevision('tips');

    expect(units.map((row) => [row.policyRevision, row.arm, row.units, row.firstAtMs])).toEqual([
      ['tips-2', 'control', 1, START_MS + 2],
      ['tips-10', 'warm', 1, START_MS + 10],
    ]);
    expect(units[0]?.propensities).toEqual({ control: 0.4, warm: 0.6 });
  });

  test('finds the latest snapshot by its sequence, and never rewrites one', async () => {
    for (const sequence of [9, 10]) {
      await storage.policySnapshots.appendSnapshot(snapshot(sequence, { control: 0.5, warm: 0.5 }));
    }
    await storage.policySnapshots.appendSnapshot(snapshot(10, { control: 0.1, warm: 0.9 }));

    expect(await storage.policySnapshots.latestSnapshot('tips')).toEqual(
      snapshot(10, { control: 0.5, warm: 0.5 }),
    );
    expect(await storage.policySnapshots.latestSnapshot('other')).toBeNull();
  });
});
