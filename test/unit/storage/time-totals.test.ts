import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EVERY_CALL, type ReportFilter } from '../../../src/analytics/index.ts';
import { HOUR_MS, hourOf } from '../../../src/kernel/index.ts';
import {
  CHOICES_SQL,
  createTimeTotals,
  timeLatencySql,
  timeOutcomesSql,
  timeTotalsSql,
} from '../../../src/storage/sqlite/time-totals.ts';
import { createVersionTotals } from '../../../src/storage/sqlite/version-totals.ts';
import { cellParameters, windowCells } from '../../../src/storage/sqlite/window-cells.ts';
import { generationRecord, outcomeRecord } from '../../helpers/ledger-records.ts';
import { appendGeneration, appendOutcomes, writerCoreInMemory } from '../../helpers/writer-core-in-memory.ts';

const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 10, 20);

const callArbitrary = fc.record({
  createdAtMs: fc.integer({ min: 0, max: 4 * 24 - 1 }).map((hours) => START_MS + hours * HOUR_MS + 7),
  promptVersion: fc.constantFrom('v1', 'v2'),
  model: fc.constantFrom('small', 'large'),
  versionSource: fc.constantFrom('body', 'env'),
  forced: fc.boolean(),
  degraded: fc.boolean(),
  experiment: fc.constantFrom(null, 'tone'),
  arm: fc.constantFrom(null, 'warm'),
  test: fc.boolean(),
  totalMs: fc.constantFrom(10, 1_000),
} as const);

const filterArbitrary: fc.Arbitrary<ReportFilter> = fc.record({
  model: fc.constantFrom(null, 'small'),
  source: fc.constantFrom(null, 'body'),
  forced: fc.constantFrom(null, true, false),
  degraded: fc.constantFrom(null, true, false),
  experiment: fc.constantFrom(null, 'tone'),
  arm: fc.constantFrom(null, 'warm'),
} as const);

describe('totals over time', () => {
  test('add up to the totals of the report, whatever the filter, by hours and by days', () => {
    fc.assert(
      fc.property(
        fc.array(callArbitrary, { maxLength: 30 }),
        filterArbitrary,
        fc.constantFrom('hour', 'day'),
        fc.integer({ min: 0, max: 96 }),
        (calls, filter, by, closedHours) => {
          const core = writerCoreInMemory();
          core.apply(
            ...calls.map((call, n) => appendGeneration(generationRecord({ ...call, id: `gen_${n}` }))),
          );
          core.apply(
            appendOutcomes(
              'key-a',
              ...calls.flatMap((_call, n) =>
                n % 2 === 0
                  ? [
                      outcomeRecord(
                        { outcomeId: `o${n}`, reward: n % 4 === 0 ? 1 : 0 },
                        { generationId: `gen_${n}` },
                      ),
                    ]
                  : [],
              ),
            ),
          );
          const query = {
            prompt: 'tip',
            metric: 'completed',
            fromMs: START_MS,
            toMs: START_MS + 4 * DAY_MS,
            closedBeforeMs: START_MS + closedHours * HOUR_MS,
            filter,
          };

          const points = createTimeTotals(core.database).timeTotals({ ...query, by });
          const whole = createVersionTotals(core.database)(query);

          expect(new Set(points.map(({ promptVersion }) => promptVersion))).toEqual(
            new Set(whole.map(({ promptVersion }) => promptVersion)),
          );
          for (const version of whole) {
            const own = points.filter(({ promptVersion }) => promptVersion === version.promptVersion);
            const sum = (of: (point: (typeof own)[number]) => number) =>
              own.reduce((total, point) => total + of(point), 0);
            expect(own.map(({ atMs }) => atMs)).toEqual(own.map(({ atMs }) => atMs).sort((a, b) => a - b));
            expect(own.every(({ atMs }) => atMs % (by === 'hour' ? HOUR_MS : DAY_MS) === 0)).toBe(true);
            expect({
              generations: sum((point) => point.generations),
              delivered: sum((point) => point.delivered),
              closedDelivered: sum((point) => point.closedDelivered),
              costNanoUsd: sum((point) => point.costNanoUsd),
              outcomes: sum((point) => point.outcomes.n),
              rewards: sum((point) => point.outcomes.sum),
              closedRewards: sum((point) => point.closedOutcomes.sum),
              latencies: sum((point) => point.latency.reduce((total, [, n]) => total + n, 0)),
            }).toEqual({
              generations: version.generations,
              delivered: version.delivered,
              closedDelivered: version.closedDelivered,
              costNanoUsd: version.costNanoUsd,
              outcomes: version.outcomes.n,
              rewards: version.outcomes.sum,
              closedRewards: version.closedOutcomes.sum,
              latencies: version.latency.reduce((total, [, n]) => total + n, 0),
            });
          }
          const fits = calls.filter(
            (call) =>
              !call.test &&
              (filter.model === null || call.model === filter.model) &&
              (filter.source === null || call.versionSource === filter.source) &&
              (filter.forced === null || call.forced === filter.forced) &&
              (filter.degraded === null || call.degraded === filter.degraded) &&
              (filter.experiment === null || call.experiment === filter.experiment) &&
              (filter.arm === null || call.arm === filter.arm),
          );
          expect(points.reduce((total, { generations }) => total + generations, 0)).toBe(fits.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a call stands in the hour in which it was made, its late outcome too', () => {
    const core = writerCoreInMemory();
    const createdAtMs = START_MS + 3 * HOUR_MS + 1;
    core.apply(appendGeneration(generationRecord({ id: 'gen_1', createdAtMs })));
    core.apply(
      appendOutcomes('key-a', outcomeRecord({ outcomeId: 'late', receivedAtMs: createdAtMs + 5 * HOUR_MS })),
    );

    const points = createTimeTotals(core.database).timeTotals({
      prompt: 'tip',
      metric: 'completed',
      by: 'hour',
      fromMs: START_MS,
      toMs: START_MS + DAY_MS,
      closedBeforeMs: 0,
      filter: EVERY_CALL,
    });

    expect(points).toMatchObject([
      { promptVersion: 'v1', atMs: hourOf(createdAtMs), generations: 1, outcomes: { n: 1, sum: 1 } },
    ]);
  });

  test('read rollups by index and no raw rows', () => {
    const { database } = writerCoreInMemory();
    const parameters = {
      ...EVERY_CALL,
      forced: null,
      degraded: null,
      prompt: 'tip',
      metric: 'm',
      ...cellParameters(windowCells({ fromMs: null, toMs: null, closedBeforeMs: 0 })),
    };
    for (const by of ['hour', 'day'] as const) {
      for (const sql of [timeTotalsSql(by), timeOutcomesSql(by), timeLatencySql(by)]) {
        const plan = planOf(database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(parameters));

        expect(plan).toMatch(/SEARCH s USING (COVERING )?INDEX/);
        expect(plan).toMatch(/SEARCH r USING PRIMARY KEY/);
        expect(plan).not.toMatch(/SCAN (s|r|generations|outcomes)\b/);
      }
    }
    expect(planOf(database.prepare(`EXPLAIN QUERY PLAN ${CHOICES_SQL}`).all('tip'))).toMatch(
      /SEARCH rollup_series USING (COVERING )?INDEX/,
    );
  });

  test('filters can name the models and experiments of recorded calls, test traffic apart', () => {
    const core = writerCoreInMemory();
    core.apply(
      ...[
        { model: 'large', experiment: 'tone' },
        { model: 'small', experiment: null },
        { model: null, experiment: null },
        { model: 'tested', experiment: 'tested', test: true },
      ].map((fields, n) => appendGeneration(generationRecord({ ...fields, id: `gen_${n}` }))),
    );

    expect(createTimeTotals(core.database).filterChoices({ prompt: 'tip' })).toEqual({
      models: ['large', 'small'],
      experiments: ['tone'],
    });
  });
});

function planOf(rows: readonly unknown[]): string {
  return rows.map((row) => String((row as { detail: unknown }).detail)).join('\n');
}
