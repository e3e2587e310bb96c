import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { HOUR_MS } from '../../../src/kernel/index.ts';
import { loadMigrations } from '../../../src/storage/sqlite/migrations.ts';
import {
  CELL_BEGIN,
  DAY_MS,
  GRAINS,
  type Grain,
  monthOf,
  rollupTable,
} from '../../../src/storage/sqlite/rollup-grains.ts';
import { windowCells } from '../../../src/storage/sqlite/window-cells.ts';
import { generationRecord, outcomeRecord } from '../../helpers/ledger-records.ts';
import {
  appendGeneration,
  appendOutcomes,
  derivedState,
  voidOutcome,
  writerCoreInMemory,
} from '../../helpers/writer-core-in-memory.ts';

const START_MS = Date.UTC(2027, 11, 20, 5);
const HOURS = 24 * 100;

/** Hours that the ranges cover, each with the flag of its range, in the order of the ranges. */
function hoursOf(ranges: ReturnType<typeof windowCells>): readonly (readonly [number, 0 | 1])[] {
  return GRAINS.flatMap((grain) =>
    ranges[grain].flatMap(([fromMs, toMs, isClosed]) =>
      Array.from({ length: (toMs - fromMs) / HOUR_MS }, (_, n) => [fromMs + n * HOUR_MS, isClosed] as const),
    ),
  );
}

describe('the cells of a window', () => {
  const atHour = fc.integer({ min: 0, max: HOURS }).map((hour) => START_MS + hour * HOUR_MS);

  test('are whole cells, and hold every hour of it once on its side of the closed ones', () => {
    fc.assert(
      fc.property(
        atHour,
        atHour,
        atHour,
        fc.constantFrom<Grain>(...GRAINS),
        (fromMs, toMs, closedBeforeMs, coarsest) => {
          const cells = windowCells({ fromMs, toMs, closedBeforeMs }, coarsest);

          const expected = Array.from({ length: Math.max(0, (toMs - fromMs) / HOUR_MS) }, (_, hour) => {
            const beginMs = fromMs + hour * HOUR_MS;
            return [beginMs, beginMs < closedBeforeMs ? 1 : 0];
          });
          expect(hoursOf(cells).toSorted(([a], [b]) => a - b)).toEqual(expected);
          for (const grain of GRAINS) {
            for (const [begin, end] of cells[grain]) {
              expect([begin, end].map(CELL_BEGIN[grain])).toEqual([begin, end]);
            }
            if (GRAINS.indexOf(grain) > GRAINS.indexOf(coarsest)) expect(cells[grain]).toEqual([]);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('are few, however long it is', () => {
    fc.assert(
      fc.property(atHour, (closedBeforeMs) => {
        const cells = windowCells({ fromMs: null, toMs: null, closedBeforeMs });

        const covered = (grain: Grain): number =>
          cells[grain].reduce((sum, [begin, end]) => sum + (end - begin), 0);
        expect(covered('hour') / HOUR_MS).toBeLessThanOrEqual(24);
        expect(covered('day') / DAY_MS).toBeLessThanOrEqual(31);
        expect(cells.month).toHaveLength(2);
      }),
    );
  });

  test('of a window beyond every time that was ever recorded are empty', () => {
    const cells = windowCells({
      fromMs: -8_640_000_000_000_000,
      toMs: Date.UTC(1_800, 0),
      closedBeforeMs: Number.MAX_SAFE_INTEGER,
    });

    expect(cells).toEqual({ hour: [], day: [], month: [] });
  });
});

describe('sums by day and by month', () => {
  const call = fc.record({
    createdAtMs: fc.integer({ min: 0, max: HOURS }).map((hour) => START_MS + hour * HOUR_MS + 7),
    promptVersion: fc.constantFrom('v1', 'v2'),
    delivered: fc.boolean(),
    totalMs: fc.constantFrom(10, 1_000),
    // Eighths add up exactly in every order: SQL sums the migration's cells otherwise than the writer.
    reward: fc.integer({ min: -80, max: 80 }).map((eighths) => eighths / 8),
  });

  function ledgerOf(calls: readonly (typeof call extends fc.Arbitrary<infer Call> ? Call : never)[]) {
    const core = writerCoreInMemory();
    calls.forEach(({ reward, ...fields }, n) => {
      core.apply(
        appendGeneration(generationRecord({ id: `gen_${n}`, ...fields })),
        appendOutcomes(
          'key-a',
          outcomeRecord(
            { outcomeId: `out_${n}`, reward, value: reward, receivedAtMs: fields.createdAtMs },
            { generationId: `gen_${n}` },
          ),
        ),
      );
    });
    core.apply(voidOutcome('key-a', 'out_0'), voidOutcome('key-a', 'out_1'));
    return core;
  }

  test('are those of their hours', () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 20 }), (calls) => {
        const { database } = ledgerOf(calls);
        for (const grain of ['day', 'month'] as const) {
          for (const [kind, sum] of [
            ['generation', 'input_tokens'],
            ['latency', 'n'],
            ['outcome', 'reward_sum'],
          ] as const) {
            const sums = new Map<string, number>();
            const hours = database
              .prepare(
                `SELECT series_id, hour_ms, sum(${sum}) AS n FROM ${rollupTable(kind, 'hour')} GROUP BY 1, 2`,
              )
              .all() as { series_id: number; hour_ms: number; n: number }[];
            for (const { series_id, hour_ms, n } of hours) {
              const key = `${series_id} ${CELL_BEGIN[grain](hour_ms)}`;
              sums.set(key, (sums.get(key) ?? 0) + n);
            }
            const cells = database
              .prepare(
                `SELECT series_id || ' ' || ${grain}_ms, sum(${sum}) FROM ${rollupTable(kind, grain)} GROUP BY 1`,
              )
              .raw()
              .all() as [string, number][];

            expect(new Map(cells)).toEqual(sums);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test('are what the migration makes of the hours of an older database', () => {
    const sql = loadMigrations().find(({ name }) => name.startsWith('0008_'))?.sql ?? '';
    const fills = sql.slice(sql.indexOf('INSERT INTO'));
    fc.assert(
      fc.property(fc.array(call, { minLength: 1, maxLength: 20 }), (calls) => {
        const { database } = ledgerOf(calls);
        const kept = derivedState(database);
        for (const table of [
          'generation_day',
          'generation_month',
          'latency_month',
          'outcome_day',
          'outcome_month',
        ]) {
          database.exec(`DELETE FROM ${table}_rollups`);
        }

        database.exec(fills);

        expect(derivedState(database)).toEqual(kept);
      }),
      { numRuns: 50 },
    );
  });

  test('begin in UTC', () => {
    expect(new Date(monthOf(Date.UTC(2028, 1, 29, 23, 59))).toISOString()).toBe('2028-02-01T00:00:00.000Z');
    expect(new Date(monthOf(Date.UTC(1969, 11, 31))).toISOString()).toBe('1969-12-01T00:00:00.000Z');
  });
});
