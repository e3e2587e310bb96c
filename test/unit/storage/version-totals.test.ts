import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { HOUR_MS, hourOf } from '../../../src/kernel/index.ts';
import { latencyBucket } from '../../../src/ledger/index.ts';
import {
  createVersionTotals,
  LATENCY_SQL,
  OUTCOMES_SQL,
  TOTALS_SQL,
} from '../../../src/storage/sqlite/version-totals.ts';
import { generationRecord } from '../../helpers/ledger-records.ts';
import { appendGeneration, writerCoreInMemory } from '../../helpers/writer-core-in-memory.ts';

const START_MS = Date.UTC(2026, 10, 20, 5);

describe('totals of a version', () => {
  test('read rollups by index and no raw rows', () => {
    const { database } = writerCoreInMemory();
    const parameters = Object.fromEntries(
      [
        'prompt',
        'metric',
        'fromMs',
        'toMs',
        'closedBeforeMs',
        'headFromMs',
        'headToMs',
        'daysFromMs',
        'daysToMs',
        'tailFromMs',
        'tailToMs',
        'model',
        'source',
        'forced',
        'degraded',
        'experiment',
        'arm',
      ].map((name) => [name, 0]),
    );
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

  test('count every call of any window of hours once, in hours and in whole days', () => {
    const hour = fc.integer({ min: 0, max: 100 });
    const core = writerCoreInMemory();
    const createdAtMs = Array.from({ length: 100 }, (_, index) => START_MS + index * HOUR_MS + 7);
    core.apply(
      ...createdAtMs.map((atMs) =>
        appendGeneration(generationRecord({ id: `gen_${atMs}`, createdAtMs: atMs })),
      ),
    );
    const versionTotals = createVersionTotals(core.database);

    fc.assert(
      fc.property(fc.option(hour, { nil: null }), fc.option(hour, { nil: null }), (from, to) => {
        const fromMs = from === null ? null : START_MS + from * HOUR_MS;
        const toMs = to === null ? null : START_MS + to * HOUR_MS;

        const [found] = versionTotals({
          prompt: 'tip',
          metric: 'completed',
          fromMs,
          toMs,
          closedBeforeMs: START_MS,
        });

        const expected = createdAtMs.filter(
          (atMs) => (fromMs === null || hourOf(atMs) >= fromMs) && (toMs === null || hourOf(atMs) < toMs),
        ).length;
        expect(found?.generations ?? 0).toBe(expected);
        expect(found?.latency ?? []).toEqual(expected === 0 ? [] : [[latencyBucket(412.25), expected]]);
      }),
      { numRuns: 300 },
    );
  });
});
