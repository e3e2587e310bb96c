import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { createSequenceFolds, type SequenceStore } from '../../src/analytics/index.ts';
import {
  emptySequenceState,
  foldSequenceDecision,
  sequencePlan,
} from '../../src/analytics/sequence-state.ts';
import type { MetricConfig } from '../../src/config/index.ts';
import { HOUR_MS, type Random, seededRandom, silentLogger } from '../../src/kernel/index.ts';
import type { SqliteStorage } from '../../src/storage/sqlite/index.ts';
import { generationRecord, outcomeRecord } from '../helpers/ledger-records.ts';
import { openTemporarySqlite } from '../helpers/open-sqlite-for-test.ts';
import { experimentOf } from '../unit/analytics/experiment-world.ts';

const START_MS = Date.UTC(2026, 10, 23, 10);
const WINDOW_HOURS = 2;
/** Of the window and of the grace. */
const SETTLING_MS = 3 * HOUR_MS;
const ARMS = ['control', 'warm', 'brief'];
const FLOOR = 0.1;

const EXPERIMENT = experimentOf({
  arms: ARMS.map((name) => ({ name, version: name, weight: 1 })),
  baseline: 'control',
  policy: { kind: 'thompson', floor: FLOOR },
  graceMs: HOUR_MS,
});
const KEY = { experiment: 'tips', experimentRevision: 'sha256:one', metric: 'completed' };

function metricOf(missing: MetricConfig['missing']): MetricConfig {
  return {
    type: 'float',
    min: -1,
    max: 3,
    optimize: 'max',
    attribution_window_hours: WINDOW_HOURS,
    missing,
  };
}

interface World {
  readonly storage: SqliteStorage;
  readonly random: Random;
  readonly metric: MetricConfig;
  nowMs: number;
}

function foldsOf(world: World, store: SequenceStore = world.storage.sequences) {
  return createSequenceFolds({
    experiments: () => [EXPERIMENT],
    metrics: { completed: world.metric },
    store,
    clock: { nowMs: () => world.nowMs, monotonicMs: () => 0, sleep: async () => {} },
    logger: silentLogger,
  });
}

/** Everything again from the raw rows, without hours and checkpoints. */
async function recomputed(world: World, untilMs: number) {
  const after = { createdAtMs: 0, generationId: '' };
  const rows = await world.storage.sequences.decisionPage({ ...KEY, after, untilMs, limit: 100_000 });
  const plan = sequencePlan(EXPERIMENT, world.metric);
  return rows.reduce(
    (state, decision) => foldSequenceDecision(state, plan, decision),
    emptySequenceState(plan),
  );
}

async function call(world: World, id: string, createdAtMs: number): Promise<void> {
  const { random } = world;
  const lead = 0.1 + 0.6 * random.next();
  const rest = (1 - lead) / 2;
  const propensities = { control: rest, warm: lead, brief: rest };
  const arm = ARMS[Math.floor(random.next() * ARMS.length)] ?? 'control';
  await world.storage.ledger.appendGeneration(
    generationRecord({
      id,
      createdAtMs,
      externalId: random.next() < 0.3 ? `ext_${Math.floor(random.next() * 20)}` : null,
      experiment: 'tips',
      experimentRevision: 'sha256:one',
      arm,
      propensity: 1 / 3,
      propensities,
      assignedPolicyRevision: 'tips-1',
      unitKey: random.next() < 0.8 ? id : `unit_${Math.floor(random.next() * 10)}`,
    }),
    null,
  );
}

async function report(world: World, outcomeId: string, generationId: string, effectiveMs: number) {
  const reward = world.random.next() * 4 - 1;
  const outcome = outcomeRecord(
    { outcomeId, reward, value: reward, occurredAtMs: effectiveMs, windowMs: WINDOW_HOURS * HOUR_MS },
    world.random.next() < 0.2
      ? { externalId: `ext_${Math.floor(world.random.next() * 20)}` }
      : { generationId },
  );
  await world.storage.ledger.appendOutcomes({ apiKeyId: 'key-a', entries: [{ kind: 'outcome', outcome }] });
}

async function withdraw(world: World, outcomeId: string): Promise<void> {
  const entry = { kind: 'void', void: { outcomeId, receivedAtMs: world.nowMs } } as const;
  await world.storage.ledger.appendOutcomes({ apiKeyId: 'key-a', entries: [entry] });
}

/** Dies at a random call: nothing after it happens, what was committed stays. */
function dying(store: SequenceStore, random: Random): SequenceStore {
  let left = 1 + Math.floor(random.next() * 8);
  const mayDie = (): void => {
    left -= 1;
    if (left < 0) throw new Error('killed');
  };
  return {
    sequenceHead: store.sequenceHead,
    soundCheckpoint: async (key) => {
      mayDie();
      return store.soundCheckpoint(key);
    },
    decisionPage: async (query) => {
      mayDie();
      return store.decisionPage(query);
    },
    claim: async (key, untilMs) => {
      mayDie();
      return store.claim(key, untilMs);
    },
    commit: async (commit) => {
      mayDie();
      const isCommitted = await store.commit(commit);
      mayDie();
      return isCommitted;
    },
  };
}

/** Something happens to the ledger between any two steps of the leader. */
function interrupted(world: World, store: SequenceStore, happen: () => Promise<void>): SequenceStore {
  const between = async (): Promise<void> => {
    if (world.random.next() < 0.15) await happen();
  };
  return {
    sequenceHead: store.sequenceHead,
    soundCheckpoint: async (key) => {
      await between();
      return store.soundCheckpoint(key);
    },
    decisionPage: async (query) => {
      await between();
      const page = await store.decisionPage(query);
      await between();
      return page;
    },
    claim: async (key, untilMs) => {
      await between();
      return store.claim(key, untilMs);
    },
    commit: async (commit) => {
      await between();
      return store.commit(commit);
    },
  };
}

describe('folding the decisions of an experiment', () => {
  let storage: SqliteStorage;

  beforeEach(async () => {
    storage = await openTemporarySqlite();
  });
  afterEach(() => storage.close());

  test.each([
    [1, 'zero'],
    [2, 'exclude'],
    [3, 'zero'],
    [4, 'exclude'],
  ] as const)(
    'gives to the last bit what a computation from the raw rows gives: history %i, %s',
    async (seed, missing) => {
      const world: World = {
        storage,
        random: seededRandom(seed),
        metric: metricOf(missing),
        nowMs: START_MS,
      };
      const { random } = world;
      let calls = 0;
      let outcomes = 0;
      const happen = async (): Promise<void> => {
        const kind = random.next();
        if (kind < 0.4 || calls === 0) {
          // Now and then a row of an hour long ago arrives.
          const ageMs = random.next() < 0.15 ? random.next() * 10 * HOUR_MS : random.next() * 60_000;
          calls += 1;
          await call(world, `gen_${calls}`, Math.max(START_MS, Math.floor(world.nowMs - ageMs)));
        } else if (kind < 0.85 || outcomes === 0) {
          outcomes += 1;
          const target = `gen_${1 + Math.floor(random.next() * calls)}`;
          const ageMs = Math.floor(random.next() * 4 * HOUR_MS);
          await report(world, `out_${outcomes}`, target, world.nowMs - ageMs);
        } else {
          await withdraw(world, `out_${1 + Math.floor(random.next() * outcomes)}`);
        }
      };

      let corrected = 0;
      for (let step = 0; step < 60; step += 1) {
        for (let event = 0; event < 6; event += 1) await happen();
        world.nowMs += Math.floor(random.next() * 40 * 60_000);
        const mode = random.next();
        if (mode < 0.3) await foldsOf(world, dying(storage.sequences, random)).foldAll();
        else if (mode < 0.7) await foldsOf(world, interrupted(world, storage.sequences, happen)).foldAll();
        if (step % 4 !== 0) continue;

        await foldsOf(world).foldAll();

        const head = await storage.sequences.sequenceHead(KEY);
        const untilMs = Math.floor((world.nowMs - SETTLING_MS) / HOUR_MS) * HOUR_MS;
        expect(head?.foldedUntilMs).toBe(Math.max(untilMs, 0));
        expect(head?.soundUntilMs).toBe(head?.foldedUntilMs);
        const expected = await recomputed(world, untilMs);
        if (head?.checkpoint === null) expect(expected.decisions + expected.unanswered).toBe(0);
        else expect(head?.checkpoint.state).toEqual(expected);
        corrected = head?.corrections ?? 0;
      }

      expect(corrected).toBeGreaterThan(10);
      await storage.ledger.rebuildRollups();
      expect(await storage.sequences.sequenceHead(KEY)).toBeNull();
      await foldsOf(world).foldAll();
      const head = await storage.sequences.sequenceHead(KEY);
      expect(head?.checkpoint?.state).toEqual(await recomputed(world, head?.foldedUntilMs ?? 0));
      expect(head?.checkpoint?.state.decisions).toBeGreaterThan(20);
    },
  );

  test('leaves an hour alone until its window and its grace are over, and folds it once', async () => {
    const world: World = {
      storage,
      random: seededRandom(7),
      metric: metricOf('zero'),
      nowMs: START_MS + HOUR_MS + SETTLING_MS - 1,
    };
    await call(world, 'gen_1', START_MS);

    await foldsOf(world).foldAll();
    const before = await storage.sequences.sequenceHead(KEY);
    world.nowMs += 1;
    await foldsOf(world).foldAll();
    await foldsOf(world).foldAll();
    const after = await storage.sequences.sequenceHead(KEY);

    expect(before?.checkpoint).toBeNull();
    expect(after?.checkpoint?.hourMs).toBe(START_MS);
    expect(after?.checkpoint?.state.decisions).toBe(1);
  });

  test('folds anew at once what an earlier release has folded in another form', async () => {
    const world: World = {
      storage,
      random: seededRandom(9),
      metric: metricOf('zero'),
      nowMs: START_MS + 10 * HOUR_MS,
    };
    await call(world, 'gen_1', START_MS);
    await call(world, 'gen_2', START_MS + HOUR_MS);
    const corrections = await storage.sequences.claim(KEY, START_MS + 7 * HOUR_MS);
    const state = { ...emptySequenceState(sequencePlan(EXPERIMENT, world.metric)), format: 0 };
    const checkpoint = { hourMs: START_MS, state };
    const untilMs = START_MS + 7 * HOUR_MS;
    await storage.sequences.commit({ ...KEY, corrections, afterHourMs: null, checkpoint, untilMs });

    await foldsOf(world).foldAll();

    const head = await storage.sequences.sequenceHead(KEY);
    expect(head?.checkpoint?.state).toEqual(await recomputed(world, world.nowMs));
    expect(head?.checkpoint?.hourMs).toBe(START_MS + HOUR_MS);
  });

  test('says from which hour on a change waits to be folded, and keeps the last state until then', async () => {
    const world: World = {
      storage,
      random: seededRandom(8),
      metric: metricOf('zero'),
      nowMs: START_MS + 10 * HOUR_MS,
    };
    await call(world, 'gen_1', START_MS);
    await call(world, 'gen_2', START_MS + 2 * HOUR_MS);
    await foldsOf(world).foldAll();

    const folded = await storage.sequences.sequenceHead(KEY);
    const outcome = outcomeRecord(
      { outcomeId: 'out_1', reward: 2, occurredAtMs: START_MS + HOUR_MS, windowMs: 2 * HOUR_MS },
      { generationId: 'gen_1' },
    );
    await storage.ledger.appendOutcomes({ apiKeyId: 'key-a', entries: [{ kind: 'outcome', outcome }] });
    const waiting = await storage.sequences.sequenceHead(KEY);
    await foldsOf(world).foldAll();
    const corrected = await storage.sequences.sequenceHead(KEY);

    expect(folded?.corrections).toBe(0);
    expect(waiting).toEqual({ ...folded, soundUntilMs: START_MS, corrections: 1 });
    expect(corrected?.soundUntilMs).toBe(folded?.foldedUntilMs);
    expect(corrected?.checkpoint?.state).toEqual(await recomputed(world, world.nowMs));
    expect(corrected?.checkpoint?.state).not.toEqual(folded?.checkpoint?.state);
  });
});
