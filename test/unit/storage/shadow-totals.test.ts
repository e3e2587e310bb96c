import { describe, expect, test } from '@jest/globals';
import { toGenerationValues } from '../../../src/storage/sqlite/generation-columns.ts';
import { toShadowPairValues } from '../../../src/storage/sqlite/shadow-pair-columns.ts';
import {
  SHADOW_LATENCY_SQL,
  SHADOW_SPEND_SQL,
  SHADOW_TOTALS_SQL,
} from '../../../src/storage/sqlite/shadow-totals.ts';
import { shadowGeneration, shadowPair } from '../../helpers/shadow-pairs.ts';
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

  test('are made anew from the pairs by a rebuild, whatever they had become', () => {
    const { database, apply } = writerCoreInMemory();
    const pairs = [shadowPair(1), shadowPair(2, { shadow: { status: 'error' } })];
    for (const pair of pairs) {
      const values = toGenerationValues(shadowGeneration(pair));
      apply({ kind: 'append_shadow_generation', values, pair: toShadowPairValues(pair) });
    }
    const read = () => [
      database.prepare('SELECT runs, shadow_failed, latency_pairs FROM shadow_rollups').all(),
      database.prepare('SELECT side, sum(n) AS n FROM shadow_latency_rollups GROUP BY side').all(),
    ];
    const sound = read();
    database.exec('UPDATE shadow_rollups SET runs = 99; DELETE FROM shadow_latency_rollups');

    apply({ kind: 'rebuild_rollups' });

    expect(read()).toEqual(sound);
    expect(sound).toEqual([
      [{ runs: 2, shadow_failed: 1, latency_pairs: 1 }],
      [
        { side: 'live', n: 1 },
        { side: 'shadow', n: 1 },
      ],
    ]);
  });

  test('keep a ranking that the candidate refused as a pair without a row of its own', () => {
    const { database, apply } = writerCoreInMemory();
    const pair = shadowPair(1, {
      prompt: null,
      changes: 'policy',
      charged: false,
      shadow: { status: 'error', errorCode: 'score_invalid' },
    });

    apply({ kind: 'append_shadow_score', values: null, pair: toShadowPairValues(pair) });
    apply({ kind: 'append_shadow_score', values: null, pair: toShadowPairValues(pair) });

    expect(database.prepare('SELECT count(*) FROM scores').pluck().get()).toBe(0);
    expect(database.prepare('SELECT runs, shadow_failed FROM shadow_rollups').all()).toEqual([
      { runs: 1, shadow_failed: 1 },
    ]);
  });
});
