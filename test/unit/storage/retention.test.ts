import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import type { RetentionProgress, RetentionStep } from '../../../src/ledger/index.ts';
import { toGenerationValues } from '../../../src/storage/sqlite/generation-columns.ts';
import { compareWithRebuild } from '../../../src/storage/sqlite/rebuild-comparison.ts';
import { toScoreValues } from '../../../src/storage/sqlite/score-columns.ts';
import { DECISION_PAGE_SQL } from '../../../src/storage/sqlite/sequence-rows.ts';
import { toShadowPairValues } from '../../../src/storage/sqlite/shadow-pair-columns.ts';
import type { WriterCommand } from '../../../src/storage/sqlite/writer-commands.ts';
import { generationRecord, outcomeRecord, scoreRecord } from '../../helpers/ledger-records.ts';
import { shadowPair } from '../../helpers/shadow-pairs.ts';
import {
  appendGeneration,
  appendOutcomes,
  derivedState,
  voidOutcome,
  type WriterCoreInMemory,
  writerCoreInMemory,
} from '../../helpers/writer-core-in-memory.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 10, 20, 22, 30);

const NOTHING: RetentionStep = {
  nowMs: START_MS + 400 * DAY_MS,
  eraseContentsBeforeMs: null,
  deleteRowsBeforeMs: null,
  policies: [],
  maxRows: 100,
};

function step(core: WriterCoreInMemory, changes: Partial<RetentionStep> = {}): RetentionProgress {
  const [reply] = core.apply({ kind: 'retain', step: { ...NOTHING, ...changes } });
  if (reply?.ok !== true) throw new Error(JSON.stringify(reply));
  return reply.value as RetentionProgress;
}

/** As the gateway does: until nothing is left to do. */
function untilDone(core: WriterCoreInMemory, changes: Partial<RetentionStep>): RetentionProgress {
  for (let steps = 0; steps < 1_000; steps += 1) {
    const progress = step(core, changes);
    if (progress.isDone) return progress;
  }
  throw new Error('retention found no end');
}

function count({ database }: WriterCoreInMemory, table: string): number {
  return Number(database.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
}

const RAW_TABLES = ['generations', 'outcomes', 'outcome_voids', 'scores', 'shadow_pairs', 'orphan_outcomes'];

/** Sums that reports are made of; winners of single calls go with their rows. */
function sums(core: WriterCoreInMemory) {
  const { counting: _counting, orphans: _orphans, ...rollups } = derivedState(core.database);
  const all = (sql: string) => core.database.prepare(sql).all();
  return {
    ...rollups,
    spend: all('SELECT * FROM api_key_spend ORDER BY 1, 2'),
    scores: all('SELECT * FROM score_rollups ORDER BY 1, 2, 3, 4, 5, 6'),
    scoreRewards: all('SELECT * FROM score_reward_rollups ORDER BY 1, 2, 3, 4, 5, 6, 7'),
    shadows: all('SELECT * FROM shadow_rollups ORDER BY 1, 2'),
    shadowLatency: all('SELECT * FROM shadow_latency_rollups ORDER BY 1, 2, 3, 4'),
  };
}

/** Every kind of row, at minutes after the start. */
const command = (minutes: number, kind: number, number: number): WriterCommand => {
  const createdAtMs = START_MS + minutes * 60_000;
  const id = `${minutes}_${number}`;
  const generation = generationRecord({
    id: `gen_${number}`,
    createdAtMs,
    finishedAtMs: createdAtMs + 100,
    externalId: number % 3 === 0 ? `tip-${number % 5}` : null,
    delivered: number % 7 !== 0,
    promptVersion: number % 2 === 0 ? 'v1' : 'v2',
    totalMs: 10 + number,
    ...(number % 2 === 0
      ? {
          experiment: 'tone',
          experimentRevision: 'r1',
          arm: 'warm',
          unitKey: `unit-${number % 4}`,
          propensities: { warm: 0.5 },
        }
      : {}),
  });
  const outcome = (target: Parameters<typeof outcomeRecord>[1]) =>
    appendOutcomes(
      'key-a',
      outcomeRecord({ outcomeId: `out_${id}`, receivedAtMs: createdAtMs, reward: number % 2 }, target),
    );
  switch (kind) {
    case 0:
      return appendGeneration(generation);
    case 1:
      return outcome({ generationId: `gen_${number}` });
    case 2:
      return outcome({ externalId: `tip-${number % 5}` });
    case 3:
      return voidOutcome('key-a', `out_${minutes}_${number - 1}`);
    case 4:
      return {
        kind: 'append_score',
        values: toScoreValues(scoreRecord({ id: `scr_${number}`, createdAtMs })),
        completes: null,
      };
    case 5:
      return outcome({ scoreId: `scr_${number}` });
    default:
      return {
        kind: 'append_shadow_generation',
        values: toGenerationValues({ ...generation, id: `gen_s${number}`, shadowOf: 'gen_0' }),
        pair: toShadowPairValues(shadowPair(number, { createdAtMs })),
      };
  }
};

const history = fc.array(fc.tuple(fc.nat(4_000), fc.nat(6), fc.nat(60)), { minLength: 20, maxLength: 80 });

describe('rows that go by age', () => {
  test('change no sum of a report, and a rebuild finds the same sums afterwards', () => {
    fc.assert(
      fc.property(
        history,
        history,
        fc.nat(4_000),
        fc.integer({ min: 1, max: 7 }),
        (early, late, age, limit) => {
          const core = writerCoreInMemory();
          core.apply(...early.map(([minutes, kind, number]) => command(minutes, kind, number)));
          const before = sums(core);
          const deleteRowsBeforeMs = START_MS + age * 60_000;

          untilDone(core, { deleteRowsBeforeMs, maxRows: limit });

          expect(sums(core)).toEqual(before);
          // What comes later, for what is gone too, must not part the sums from a rebuild.
          core.apply(...late.map(([minutes, kind, number]) => command(minutes + 1, kind, number + 100)));
          core.apply(...late.map(([minutes, , number]) => command(minutes, 1, number)));
          expect(compareWithRebuild(core.database).differences).toEqual([]);
          untilDone(core, { deleteRowsBeforeMs: START_MS + 5_000 * 60_000, maxRows: 100 });
          expect(RAW_TABLES.map((table) => [table, count(core, table)])).toEqual(
            RAW_TABLES.map((table) => [table, 0]),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  test('keep everything younger, and tell from when on all rows are there', () => {
    const core = writerCoreInMemory();
    for (const hour of [0, 1, 2]) {
      core.apply(
        appendGeneration(generationRecord({ id: `gen_${hour}`, createdAtMs: START_MS + hour * HOUR_MS })),
      );
    }
    expect(step(core).horizons).toEqual({ rowsMs: null, contentsMs: null });

    const progress = untilDone(core, { deleteRowsBeforeMs: START_MS + 2 * HOUR_MS });

    expect(core.database.prepare('SELECT id FROM generations').pluck().all()).toEqual(['gen_2']);
    expect(progress.horizons.rowsMs).toBe(START_MS + HOUR_MS + 1);
  });

  test('take no more rows of a kind in one step than asked for', () => {
    const core = writerCoreInMemory();
    for (let number = 0; number < 10; number += 1)
      core.apply(appendGeneration(generationRecord({ id: `gen_${number}` })));

    const first = step(core, { deleteRowsBeforeMs: NOTHING.nowMs, maxRows: 4 });

    expect(first).toMatchObject({ rowsDeleted: 4, isDone: false, reason: 'age' });
    expect(count(core, 'generations')).toBe(6);
  });

  test('leave a late outcome of a deleted call uncounted, and a repeated one too', () => {
    const core = writerCoreInMemory();
    const report = appendOutcomes('key-a', outcomeRecord({ outcomeId: 'out_1' }));
    core.apply(appendGeneration(generationRecord({ id: 'gen_1' })), report);
    const before = sums(core);
    untilDone(core, { deleteRowsBeforeMs: NOTHING.nowMs });

    const [again] = core.apply(report);
    const [late] = core.apply(appendOutcomes('key-a', outcomeRecord({ outcomeId: 'out_2', reward: 0 })));

    expect([again?.ok, late?.ok]).toEqual([true, true]);
    expect(count(core, 'orphan_outcomes')).toBe(2);
    expect(sums(core)).toEqual(before);
  });

  test('keep the decision of a unit with its reward: its next call is no first one, and folds go on', () => {
    const core = writerCoreInMemory();
    const unit = {
      experiment: 'tone',
      experimentRevision: 'r1',
      arm: 'warm',
      propensities: { warm: 0.25, plain: 0.75 },
      unitKey: 'ann',
    };
    core.apply(appendGeneration(generationRecord({ id: 'gen_1', ...unit })));
    core.apply(appendOutcomes('key-a', outcomeRecord({ outcomeId: 'out_1' })));
    const page = () =>
      core.database.prepare(DECISION_PAGE_SQL).all({
        experiment: 'tone',
        experimentRevision: 'r1',
        metric: 'completed',
        afterMs: 0,
        afterId: '',
        untilMs: NOTHING.nowMs,
        limit: 10,
      });
    const before = page();

    untilDone(core, { deleteRowsBeforeMs: NOTHING.nowMs });
    core.apply(appendGeneration(generationRecord({ id: 'gen_2', ...unit, createdAtMs: NOTHING.nowMs })));

    expect(before).toMatchObject([{ generation_id: 'gen_1', arm: 'warm', reward: 1 }]);
    expect(page()).toEqual(before);
    core.apply({ kind: 'rebuild_rollups' });
    expect(page()).toEqual(before);
  });

  test('wait for a policy in force to learn what its decisions taught', () => {
    const core = writerCoreInMemory();
    core.apply(
      { kind: 'append_score', values: toScoreValues(scoreRecord({ id: 'scr_1' })), completes: null },
      appendOutcomes('key-a', outcomeRecord({ outcomeId: 'out_1' }, { scoreId: 'scr_1' })),
    );

    const held = untilDone(core, { deleteRowsBeforeMs: NOTHING.nowMs, policies: ['tips'] });

    expect(held.heldBy).toEqual(['tips']);
    expect(count(core, 'scores')).toBe(1);
    core.database
      .prepare("INSERT INTO score_training_state VALUES ('tips', 'sha256:model', 1, 0, '{}')")
      .run();
    expect(untilDone(core, { deleteRowsBeforeMs: NOTHING.nowMs, policies: ['tips'] }).heldBy).toEqual([]);
    expect(count(core, 'scores')).toBe(0);
    expect(count(core, 'score_reward_changes')).toBe(0);
  });

  test('take thousands of outcomes of one call in steps', () => {
    const core = writerCoreInMemory();
    core.apply(appendGeneration(generationRecord({ id: 'gen_1' })));
    const many = Array.from({ length: 1_000 }, (_, index) => outcomeRecord({ outcomeId: `out_${index}` }));
    core.apply(appendOutcomes('key-a', ...many));

    const first = step(core, { deleteRowsBeforeMs: NOTHING.nowMs });

    expect(first.rowsDeleted).toBeLessThan(500);
    untilDone(core, { deleteRowsBeforeMs: NOTHING.nowMs });
    expect([count(core, 'outcomes'), count(core, 'orphan_outcomes')]).toEqual([0, 0]);
  });
});

describe('contents that go by age', () => {
  test('are texts, variables, metadata and attempts; numbers, names and sums stay', () => {
    const core = writerCoreInMemory();
    const canary = 'canary-4711';
    const attempts = [{ error: canary }] as never;
    const record = generationRecord({
      id: 'gen_1',
      text: canary,
      variables: { canary },
      profileFeatures: { canary },
      messages: [canary],
      metadata: { canary },
      output: { canary },
      toolCalls: [canary],
      usageRaw: { canary },
      attempts,
      externalId: 'tip-1',
    });
    const metadata = { canary };
    core.apply(
      appendGeneration(record),
      appendOutcomes('key-a', outcomeRecord({ outcomeId: 'out_1', metadata })),
      appendOutcomes('key-a', outcomeRecord({ outcomeId: 'out_2', metadata }, { externalId: 'tip-1' })),
      appendGeneration(generationRecord({ id: 'gen_2', createdAtMs: NOTHING.nowMs, text: 'young' })),
    );
    const before = derivedState(core.database);

    const progress = untilDone(core, { eraseContentsBeforeMs: NOTHING.nowMs });

    const rows = JSON.stringify([
      core.database.prepare('SELECT * FROM generations').all(),
      core.database.prepare('SELECT * FROM outcomes').all(),
    ]);
    expect(rows).not.toContain(canary);
    expect(rows).toContain('young');
    expect(progress.horizons).toEqual({ rowsMs: null, contentsMs: record.createdAtMs });
    expect(derivedState(core.database)).toEqual(before);
  });

  test('are erased once each, however many calls began in one millisecond', () => {
    const core = writerCoreInMemory();
    for (let number = 0; number < 10; number += 1)
      core.apply(appendGeneration(generationRecord({ id: `gen_${number}` })));
    let erased = 0;
    for (let steps = 0; steps < 20; steps += 1)
      erased += step(core, { eraseContentsBeforeMs: NOTHING.nowMs, maxRows: 3 }).contentsErased;

    expect(erased).toBe(10);
    expect(core.database.prepare('SELECT count(text) FROM generations').pluck().get()).toBe(0);
  });
});

const MAX_BYTES = 8 * 1_024 * 1_024;
/** An eighth is left to the log; of the rest nine tenths may be used before anything goes. */
const PRESSED_BYTES = MAX_BYTES * (7 / 8) * 0.9;

function fill(core: WriterCoreInMemory, from: number, rows: number, textCharacters: number, nowMs: number) {
  return core.apply(
    ...Array.from({ length: rows }, (_, index) =>
      appendGeneration(
        generationRecord({
          id: `gen_${String(from + index).padStart(9, '0')}`,
          createdAtMs: nowMs + from + index,
          text: 'x'.repeat(textCharacters),
        }),
      ),
    ),
  );
}

function usedBytes({ database }: WriterCoreInMemory): number {
  const pages = Number(database.pragma('page_count', { simple: true }));
  return (pages - Number(database.pragma('freelist_count', { simple: true }))) * 4_096;
}

describe('a size limit', () => {
  test('is kept while writes go on, by the oldest rows alone, without a step between them', () => {
    const core = writerCoreInMemory(MAX_BYTES);
    for (let batch = 0; batch < 60; batch += 1) {
      const replies = fill(core, batch * 100, 100, 4_000, START_MS);

      expect(replies.every(({ ok }) => ok)).toBe(true);
    }

    const ids = core.database.prepare('SELECT id FROM generations ORDER BY id').pluck().all();
    expect(ids.at(-1)).toBe('gen_000005999');
    expect(ids.length).toBeGreaterThan(500);
    expect(ids[0]).toBe(`gen_${String(6_000 - ids.length).padStart(9, '0')}`);
    expect(step(core).sizes.fileBytes).toBeLessThanOrEqual(MAX_BYTES);
    expect(core.database.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(derivedState(core.database).generations).toMatchObject([{ generations: 6_000 }]);
    expect(compareWithRebuild(core.database).differences).toEqual([]);
  });

  test('takes contents of yesterday before any row, and rows only then', () => {
    const core = writerCoreInMemory(MAX_BYTES);
    const nowMs = START_MS + 2 * DAY_MS;
    let rows = 0;
    for (; usedBytes(core) < PRESSED_BYTES; rows += 20) fill(core, rows, 20, 4_000, START_MS);

    const first = step(core, { nowMs });
    const last = untilDone(core, { nowMs });

    expect(first).toMatchObject({ reason: 'size', contentsErased: 100, rowsDeleted: 0 });
    expect(count(core, 'generations')).toBe(rows);
    expect(last.sizes.usedBytes).toBeLessThanOrEqual(PRESSED_BYTES);
    expect(last.isFull).toBe(false);
  });

  test('refuses writes with a reason when nothing more may go', () => {
    const core = writerCoreInMemory(MAX_BYTES);
    core.database.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1640)
      INSERT INTO instance_settings SELECT 'kept' || i, hex(randomblob(1900)) FROM n`);

    const replies = fill(core, 0, 300, 8_000, START_MS);

    expect(replies[0]).toMatchObject({
      ok: false,
      code: 'storage_unavailable',
      unavailableReason: expect.stringContaining('ledger.retention.max_bytes (8388608)'),
    });
    expect(step(core)).toMatchObject({ isFull: true });
  });

  test('gives a file that has become too large back to the disk, in steps', () => {
    const core = writerCoreInMemory();
    fill(core, 0, 6_000, 4_000, START_MS);
    const before = step(core).sizes.fileBytes;

    const first = step(core, { deleteRowsBeforeMs: START_MS + 5_900, maxRows: 100_000 });
    const last = untilDone(core, { deleteRowsBeforeMs: START_MS + 5_900 });

    expect(first.returnedBytes).toBeGreaterThan(0);
    expect(before - first.sizes.fileBytes).toBeLessThan(2 * 1_024 * 1_024);
    expect(last.sizes.fileBytes).toBeLessThan(before / 2);
    expect(core.database.pragma('integrity_check', { simple: true })).toBe('ok');
  });
});
