import { COUNTERS } from './call-cells.ts';
import type { Connection } from './connection.ts';
import { STORED_SUMS } from './reward-cells.ts';
import { CELL_BEGIN, DAY_MS, type Grain, type RollupKind, rollupTable } from './rollup-grains.ts';

/** Derived tables by the column that says which rows retention has left to the rebuild. */
const BY_HOUR = [
  'generation_rollups',
  'latency_rollups',
  'outcome_rollups',
  'score_rollups',
  'score_reward_rollups',
  'shadow_rollups',
] as const;

/** What tells the cells of a series and time apart, and what adds up. */
const CELL_COLUMNS: Readonly<
  Record<RollupKind, { readonly keys: readonly string[]; readonly sums: readonly string[] }>
> = {
  generation: { keys: [], sums: COUNTERS },
  latency: { keys: ['bucket'], sums: ['n'] },
  outcome: { keys: ['metric'], sums: STORED_SUMS },
};

/** Series with the table that has a row for each of them. */
const SERIES = [
  ['rollup_series', 'generation_rollups'],
  ['shadow_series', 'shadow_rollups'],
] as const;

/** First day whose rows are all there, of which a sum by day can be made anew. */
export function firstWholeDayMs(frozenMs: number): number {
  return Math.ceil(frozenMs / DAY_MS) * DAY_MS;
}

/**
 * Empties what a rebuild fills again. Sums of hours before `frozenMs` stay: some of their rows are gone, so nothing could
 * give them again. 0: no row ever went, everything is emptied.
 */
export function clearDerived(database: Connection, frozenMs: number): void {
  const run = (sql: string, ...values: readonly number[]): void => {
    database.prepare(sql).run(...values);
  };
  // Rewards and first decisions of what is gone, or lies in an hour that stays as it is.
  run(
    `DELETE FROM counting_outcomes WHERE ? = 0
       OR generation_id IN (SELECT id FROM generations WHERE created_at_ms >= ?)`,
    frozenMs,
    frozenMs,
  );
  run(
    `DELETE FROM experiment_units WHERE ? = 0
       OR generation_id IN (SELECT id FROM generations WHERE created_at_ms >= ?)`,
    frozenMs,
    frozenMs,
  );
  run('DELETE FROM experiment_decisions WHERE created_at_ms >= ?', frozenMs);
  run('DELETE FROM orphan_outcomes');
  run('DELETE FROM sequence_heads');
  run('DELETE FROM sequence_checkpoints');
  for (const table of BY_HOUR) run(`DELETE FROM ${table} WHERE hour_ms >= ?`, frozenMs);
  for (const [table, counted] of SERIES) {
    run(`DELETE FROM ${table} WHERE id NOT IN (SELECT series_id FROM ${counted})`);
  }
  run('DELETE FROM api_key_spend WHERE day_ms >= ?', firstWholeDayMs(frozenMs));
  run('DELETE FROM shadow_latency_rollups WHERE day_ms >= ?', firstWholeDayMs(frozenMs));
  for (const kind of ['generation', 'latency', 'outcome'] as const) {
    clearCoarse(database, { kind, finer: 'hour', grain: 'day' }, frozenMs);
    clearCoarse(database, { kind, finer: 'day', grain: 'month' }, frozenMs);
  }
}

/** A day or month that lost some of its hours begins with the sums of those. */
function clearCoarse(
  database: Connection,
  cells: { readonly kind: RollupKind; readonly finer: Grain; readonly grain: Grain },
  frozenMs: number,
): void {
  const { kind, finer, grain } = cells;
  const beginMs = CELL_BEGIN[grain](frozenMs);
  const { keys, sums } = CELL_COLUMNS[kind];
  const table = rollupTable(kind, grain);
  database.prepare(`DELETE FROM ${table} WHERE ${grain}_ms >= ?`).run(beginMs);
  database
    .prepare(
      `INSERT INTO ${table} (${['series_id', `${grain}_ms`, ...keys, ...sums].join(', ')})
       SELECT ${['series_id', '?', ...keys, ...sums.map((column) => `sum(${column})`)].join(', ')}
       FROM ${rollupTable(kind, finer)} WHERE ${finer}_ms >= ? AND ${finer}_ms < ?
       GROUP BY ${['series_id', ...keys].join(', ')}`,
    )
    .run(beginMs, beginMs, frozenMs);
}
