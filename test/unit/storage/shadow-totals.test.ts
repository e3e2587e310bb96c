import { describe, expect, test } from '@jest/globals';

import {
  SHADOW_LATENCY_SQL,
  SHADOW_SPEND_SQL,
  SHADOW_TOTALS_SQL,
} from '../../../src/storage/sqlite/shadow-totals.ts';
import { writerCoreInMemory } from '../../helpers/writer-core-in-memory.ts';

describe('the totals of shadow runs', () => {
  test.each([
    ['sums', SHADOW_TOTALS_SQL, { rule: null, prompt: null, fromMs: 0 }],
    ['latency', SHADOW_LATENCY_SQL, { rule: '', ruleRevision: '', shadowHash: null }],
    ['spending', SHADOW_SPEND_SQL, { sinceMs: 0 }],
  ])('%s come from rollups by their key, never from pairs or generations', (_name, sql, parameters) => {
    const { database } = writerCoreInMemory();

    const plan = database
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all(parameters)
      .map((row) => String((row as { detail: unknown }).detail))
      .join('\n');

    expect(plan).toMatch(/SEARCH r USING PRIMARY KEY/);
    expect(plan).not.toMatch(/SCAN r\b|shadow_pairs|generations/);
  });
});
