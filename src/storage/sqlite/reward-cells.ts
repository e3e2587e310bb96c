import { hourOf } from '../../kernel/index.ts';
import type { Connection } from './connection.ts';
import { addExactly, type ExactSum, ZERO_SUM } from './exact-sum.ts';
import { CELL_BEGIN, GRAINS, perGrain, rollupTable } from './rollup-grains.ts';

/** Each sum is an unevaluated pair of two columns. */
export const STORED_SUMS = [
  'n',
  'reward_sum',
  'reward_sum_low',
  'reward_sum_sq',
  'reward_sum_sq_low',
] as const;

interface RewardCell {
  readonly seriesId: number;
  beginMs: number;
  readonly metric: string;
  n: number;
  sum: ExactSum;
  sumSq: ExactSum;
}

/** Changes of rewards, gathered by series, metric and hour and written once per cell. */
export interface RewardCells {
  /** A call made at `createdAtMs` has another reward; null: had none, has none. */
  change(
    place: { readonly seriesId: number; readonly createdAtMs: number; readonly metric: string },
    before: number | null,
    after: number | null,
  ): void;
  flush(): void;
  forget(): void;
}

export function createRewardCells(database: Connection): RewardCells {
  const statements = perGrain((grain) => {
    const table = rollupTable('outcome', grain);
    return {
      read: database.prepare(
        `SELECT ${STORED_SUMS.join(', ')}
         FROM ${table} WHERE series_id = ? AND metric = ? AND ${grain}_ms = ?`,
      ),
      remove: database.prepare(`DELETE FROM ${table} WHERE series_id = ? AND metric = ? AND ${grain}_ms = ?`),
      write: database.prepare(
        `INSERT INTO ${table}
           (series_id, metric, ${grain}_ms, ${STORED_SUMS.join(', ')})
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (series_id, metric, ${grain}_ms) DO UPDATE SET
           n = excluded.n, reward_sum = excluded.reward_sum, reward_sum_low = excluded.reward_sum_low,
           reward_sum_sq = excluded.reward_sum_sq, reward_sum_sq_low = excluded.reward_sum_sq_low`,
      ),
    };
  });
  let cells = new Map<string, RewardCell>();

  const store = ({ read, remove, write }: (typeof statements)['hour'], cell: RewardCell): void => {
    const { seriesId, metric, beginMs } = cell;
    // Row mapper: all five columns are NOT NULL numbers.
    const stored = read.get(seriesId, metric, beginMs) as StoredSums | undefined;
    const n = (stored?.n ?? 0) + cell.n;
    if (n === 0) {
      remove.run(seriesId, metric, beginMs);
      return;
    }
    const sum = addPair({ high: stored?.reward_sum ?? 0, low: stored?.reward_sum_low ?? 0 }, cell.sum);
    const sumSq = addPair(
      { high: stored?.reward_sum_sq ?? 0, low: stored?.reward_sum_sq_low ?? 0 },
      cell.sumSq,
    );
    write.run(seriesId, metric, beginMs, n, sum.high, sum.low, sumSq.high, sumSq.low);
  };

  return {
    change: ({ seriesId, createdAtMs, metric }, before, after) => {
      const beginMs = hourOf(createdAtMs);
      const key = `${seriesId}:${beginMs}:${metric}`;
      let cell = cells.get(key);
      if (cell === undefined) {
        cell = { seriesId, beginMs, metric, n: 0, sum: ZERO_SUM, sumSq: ZERO_SUM };
        cells.set(key, cell);
      }
      if (before !== null) {
        cell.n -= 1;
        cell.sum = addExactly(cell.sum, -before);
        cell.sumSq = addExactly(cell.sumSq, -(before * before));
      }
      if (after !== null) {
        cell.n += 1;
        cell.sum = addExactly(cell.sum, after);
        cell.sumSq = addExactly(cell.sumSq, after * after);
      }
    },
    flush: () => {
      for (const grain of GRAINS) {
        cells = coarser(cells, CELL_BEGIN[grain]);
        for (const cell of cells.values()) store(statements[grain], cell);
      }
      cells.clear();
    },
    forget: () => cells.clear(),
  };
}

type StoredSums = Readonly<Record<(typeof STORED_SUMS)[number], number>>;

/** The finer cells are written already: the first of each coarser one becomes it. */
function coarser(
  cells: ReadonlyMap<string, RewardCell>,
  beginOf: (epochMs: number) => number,
): Map<string, RewardCell> {
  const sums = new Map<string, RewardCell>();
  for (const cell of cells.values()) {
    cell.beginMs = beginOf(cell.beginMs);
    const key = `${cell.seriesId}:${cell.beginMs}:${cell.metric}`;
    const sum = sums.get(key);
    if (sum === undefined) {
      sums.set(key, cell);
      continue;
    }
    sum.n += cell.n;
    sum.sum = addPair(sum.sum, cell.sum);
    sum.sumSq = addPair(sum.sumSq, cell.sumSq);
  }
  return sums;
}

function addPair(stored: ExactSum, change: ExactSum): ExactSum {
  return addExactly(addExactly(stored, change.high), change.low);
}
