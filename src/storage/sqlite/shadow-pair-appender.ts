import { hourOf } from '../../kernel/index.ts';
import { latencyBucket } from '../../ledger/index.ts';
import { firstWholeDayMs } from './clear-derived.ts';
import type { Connection } from './connection.ts';
import { dayOf } from './rollup-grains.ts';
import { SHADOW_PAIR_COLUMNS, type ShadowPairRow, type ShadowPairValues } from './shadow-pair-columns.ts';
import { isComparable, SHADOW_SUM_COLUMNS, sumsOfPair } from './shadow-sums.ts';

/** Pairs per step of a rebuild: bounds what is held in memory. */
const REBUILD_PAGE_ROWS = 1_000;

/** Writes pairs and what is derived from them. Keeps nothing in memory: a rollback needs no care. */
export interface ShadowPairs {
  append(values: ShadowPairValues): void;
  /** Derives anew from every pair since `frozenMs`, in order of insertion; the derived tables must be empty from there on. */
  rebuild(frozenMs: number): void;
}

const SERIES_COLUMNS = [
  'rule',
  'rule_revision',
  'changes',
  'prompt',
  'live_version',
  'shadow_version',
  'shadow_hash',
] as const;

const SUMS = Object.entries(SHADOW_SUM_COLUMNS) as readonly (readonly [
  keyof typeof SHADOW_SUM_COLUMNS,
  string,
])[];

export function createShadowPairs(database: Connection): ShadowPairs {
  const columns = SUMS.map(([, column]) => column);
  const insert = database.prepare(
    `INSERT INTO shadow_pairs (${SHADOW_PAIR_COLUMNS.join(', ')})
     VALUES (${SHADOW_PAIR_COLUMNS.map(() => '?').join(', ')})
     ON CONFLICT (shadow_id) DO NOTHING`,
  );
  const page = database.prepare(
    `SELECT seq, ${SHADOW_PAIR_COLUMNS.join(', ')} FROM shadow_pairs WHERE seq > ? ORDER BY seq LIMIT ?`,
  );
  const insertSeries = database.prepare(
    `INSERT INTO shadow_series (${SERIES_COLUMNS.join(', ')}) VALUES (${SERIES_COLUMNS.map(() => '?').join(', ')})
     ON CONFLICT (${SERIES_COLUMNS.join(', ')}) DO NOTHING`,
  );
  const findSeries = database
    .prepare(
      `SELECT id FROM shadow_series WHERE ${SERIES_COLUMNS.map((name) => `${name} = ?`).join(' AND ')}`,
    )
    .pluck();
  const addSums = database.prepare(
    `INSERT INTO shadow_rollups (series_id, hour_ms, ${columns.join(', ')})
     VALUES (?, ?, ${columns.map(() => '?').join(', ')})
     ON CONFLICT (series_id, hour_ms) DO UPDATE SET
       ${columns.map((column) => `${column} = shadow_rollups.${column} + excluded.${column}`).join(', ')}`,
  );
  const addLatency = database.prepare(
    `INSERT INTO shadow_latency_rollups (series_id, day_ms, side, bucket, n) VALUES (?, ?, ?, ?, 1)
     ON CONFLICT (series_id, day_ms, side, bucket) DO UPDATE SET n = shadow_latency_rollups.n + 1`,
  );

  const derive = (pair: ShadowPairRow, latencyFromMs: number): void => {
    const series = SERIES_COLUMNS.map((column) => pair[column] ?? '');
    insertSeries.run(series);
    const seriesId = Number(findSeries.get(series));
    const sums = sumsOfPair(pair);
    addSums.run(seriesId, hourOf(pair.created_at_ms), ...SUMS.map(([field]) => sums[field]));
    if (!isComparable(sums) || pair.created_at_ms < latencyFromMs) return;
    const dayMs = dayOf(pair.created_at_ms);
    addLatency.run(seriesId, dayMs, 'live', latencyBucket(pair.live_total_ms));
    addLatency.run(seriesId, dayMs, 'shadow', latencyBucket(pair.shadow_total_ms));
  };

  return {
    append: (values) => {
      // An id is minted once: the same id again is the same run sent twice.
      if (insert.run(values).changes === 0) return;
      // Row mapper: the values in the order of the columns.
      const row = Object.fromEntries(SHADOW_PAIR_COLUMNS.map((column, index) => [column, values[index]]));
      derive(row as unknown as ShadowPairRow, 0);
    },
    rebuild: (frozenMs) => {
      let afterSequence = 0;
      while (true) {
        // Row mapper: `seq` and the columns of the table.
        const rows = page.all(afterSequence, REBUILD_PAGE_ROWS) as (ShadowPairRow & {
          readonly seq: number;
        })[];
        for (const row of rows) {
          if (row.created_at_ms >= frozenMs) derive(row, firstWholeDayMs(frozenMs));
        }
        const last = rows.at(-1);
        if (last === undefined || rows.length < REBUILD_PAGE_ROWS) break;
        afterSequence = last.seq;
      }
    },
  };
}
