import { describe, expect, test } from '@jest/globals';

import {
  CELL_OUTCOMES_SQL,
  CELL_UNITS_SQL,
  UNIT_DECISIONS_SQL,
  UNIT_HOURS_SQL,
} from '../../../src/storage/sqlite/off-policy-reads.ts';
import {
  POLICY_CHOICES_SQL,
  POLICY_DECISIONS_SQL,
  POLICY_HOUR_REWARDS_SQL,
  POLICY_HOURS_SQL,
  POLICY_REVISION_REWARDS_SQL,
  POLICY_REVISIONS_SQL,
} from '../../../src/storage/sqlite/off-policy-score-reads.ts';
import { writerCoreInMemory } from '../../helpers/writer-core-in-memory.ts';

const { database } = writerCoreInMemory();

/** What SQLite would do, a line per step. */
function planOf(sql: string): string {
  const names = [...sql.matchAll(/@(\w+)/g)].map(([, name]) => [name, 0]);
  return database
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all(Object.fromEntries(names))
    .map((row) => String((row as { detail: unknown }).detail))
    .join('\n');
}

describe('what off-policy evaluation reads', () => {
  test.each([
    ['cells of units', CELL_UNITS_SQL],
    ['cells of outcomes', CELL_OUTCOMES_SQL],
    ['hours of units', UNIT_HOURS_SQL],
  ])('%s come from the series of the experiment, never from raw rows', (_what, sql) => {
    const plan = planOf(sql);

    expect(plan).toMatch(/SEARCH s USING INDEX rollup_series_by_experiment/);
    expect(plan).toMatch(/SEARCH r USING PRIMARY KEY/);
    expect(plan).not.toMatch(/SCAN (s|r|p)\b|generations|\boutcomes\b/);
  });

  test.each([
    ['revisions', POLICY_REVISIONS_SQL],
    ['rewards of revisions', POLICY_REVISION_REWARDS_SQL],
    ['hours', POLICY_HOURS_SQL],
    ['rewards of hours', POLICY_HOUR_REWARDS_SQL],
  ])('%s of a ranking policy come from its rollups', (_what, sql) => {
    const plan = planOf(sql);

    expect(plan).toMatch(/SEARCH score(_reward)?_rollups USING PRIMARY KEY \(policy=\?/);
    expect(plan).not.toMatch(/SCAN|scores/);
  });

  test('a page of units begins at its place and is not sorted', () => {
    const plan = planOf(UNIT_DECISIONS_SQL);

    expect(plan).toMatch(
      /SEARCH generations USING INDEX generations_by_prompt \(prompt=\? AND created_at_ms>\?/,
    );
    expect(plan).toMatch(/SEARCH u USING PRIMARY KEY/);
    expect(plan).toMatch(/SEARCH c USING PRIMARY KEY/);
    expect(plan).not.toMatch(/TEMP B-TREE|SCAN generations/);
  });

  test.each([
    ['decisions', POLICY_DECISIONS_SQL],
    ['choices', POLICY_CHOICES_SQL],
  ])('a page of %s begins at its place and is not sorted', (_what, sql) => {
    const plan = planOf(sql);

    expect(plan).toMatch(/SEARCH s USING INDEX scores_by_policy \(policy=\? AND rowid>\?\)/);
    expect(plan).toMatch(/SEARCH c USING PRIMARY KEY/);
    expect(plan).not.toMatch(/SCAN|TEMP B-TREE/);
  });
});
