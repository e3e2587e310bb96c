import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { EVERY_CALL } from '../../../src/analytics/index.ts';
import { HOUR_MS, hourOf } from '../../../src/kernel/index.ts';
import { latencyBucket } from '../../../src/ledger/index.ts';
import {
  createVersionTotals,
  LATENCY_SQL,
  OUTCOMES_SQL,
  TOTALS_SQL,
} from '../../../src/storage/sqlite/version-totals.ts';
import { cellParameters, windowCells } from '../../../src/storage/sqlite/window-cells.ts';
import { generationRecord, outcomeRecord } from '../../helpers/ledger-records.ts';
import { appendGeneration, appendOutcomes, writerCoreInMemory } from '../../helpers/writer-core-in-memory.ts';

const START_MS = Date.UTC(2026, 10, 20, 5);

describe('totals of a version', () => {
  test('read rollups by index and no raw rows', () => {
    const { database } = writerCoreInMemory();
    const filter = { model: null, source: null, forced: null, degraded: null, experiment: null, arm: null };
    const cells = cellParameters(windowCells({ fromMs: null, toMs: null, closedBeforeMs: 0 }));
    const parameters = { prompt: 'tip', metric: 'm', ...filter, ...cells };
    for (const sql of [TOTALS_SQL, LATENCY_SQL, OUTCOMES_SQL]) {
      const plan = database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all(parameters)
        .map((row) => String((row as { detail: unknown }).detail));

      expect(plan.join('\n')).toMatch(/SEARCH s USING (COVERING )?INDEX/);
      expect(plan.join('\n')).toMatch(/SEARCH r USING PRIMARY KEY/);
      expect(plan.join('\n')).not.toMatch(/SCAN (s|r|generations|outcomes)\b/);
    }
  });

  test('count every call of any window of hours once, whatever cells it is read from', () => {
    // Every thirteenth hour of eight weeks, over the ends of two months.
    const hours = Array.from({ length: 100 }, (_, index) => index * 13);
    const createdAtMs = hours.map((hour) => START_MS + hour * HOUR_MS + 7);
    const hour = fc.integer({ min: -30, max: 1_330 });
    const core = writerCoreInMemory();
    core.apply(
      ...createdAtMs.map((atMs) =>
        appendGeneration(generationRecord({ id: `gen_${atMs}`, createdAtMs: atMs })),
      ),
      appendOutcomes(
        'key-a',
        ...createdAtMs.map((atMs) =>
          outcomeRecord({ outcomeId: `out_${atMs}`, receivedAtMs: atMs }, { generationId: `gen_${atMs}` }),
        ),
      ),
    );
    const versionTotals = createVersionTotals(core.database);

    fc.assert(
      fc.property(
        fc.option(hour, { nil: null }),
        fc.option(hour, { nil: null }),
        hour,
        (from, to, closedHours) => {
          const fromMs = from === null ? null : START_MS + from * HOUR_MS;
          const toMs = to === null ? null : START_MS + to * HOUR_MS;
          const closedBeforeMs = START_MS + closedHours * HOUR_MS;

          const [found] = versionTotals({
            prompt: 'tip',
            metric: 'completed',
            fromMs,
            toMs,
            closedBeforeMs,
            filter: EVERY_CALL,
          });

          const within = createdAtMs.filter(
            (atMs) => (fromMs === null || hourOf(atMs) >= fromMs) && (toMs === null || hourOf(atMs) < toMs),
          );
          const expected = within.length;
          const closed = within.filter((atMs) => hourOf(atMs) < closedBeforeMs).length;
          expect(found?.generations ?? 0).toBe(expected);
          expect(found?.closedDelivered ?? 0).toBe(closed);
          expect(found?.latency ?? []).toEqual(expected === 0 ? [] : [[latencyBucket(412.25), expected]]);
          expect(found?.outcomes.n ?? 0).toBe(expected);
          expect(found?.closedOutcomes.sum ?? 0).toBe(closed);
        },
      ),
      { numRuns: 300 },
    );
  });
});
