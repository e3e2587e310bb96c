import { HOUR_MS } from '../../kernel/index.ts';
import type { RetentionHorizons } from '../../ledger/index.ts';
import type { Connection } from './connection.ts';

/** How far retention has come. 0: not yet. */
export interface RetentionState {
  readonly rowsHorizonMs: number;
  readonly contentsHorizonMs: number;
  readonly contentsHorizonSeq: number;
}

interface StateRow {
  readonly rows_horizon_ms: number;
  readonly contents_horizon_ms: number;
  readonly contents_horizon_seq: number;
}

const SELECT = 'SELECT rows_horizon_ms, contents_horizon_ms, contents_horizon_seq FROM retention_state';

export function createRetentionStateReader(database: Connection): () => RetentionState {
  const find = database.prepare(SELECT);
  return () => {
    // Row mapper: the migration wrote the one row, all columns NOT NULL.
    const row = find.get() as StateRow;
    return {
      rowsHorizonMs: row.rows_horizon_ms,
      contentsHorizonMs: row.contents_horizon_ms,
      contentsHorizonSeq: row.contents_horizon_seq,
    };
  };
}

export function createRetentionStateWriter(database: Connection): (state: RetentionState) => void {
  const put = database.prepare(
    'UPDATE retention_state SET rows_horizon_ms = ?, contents_horizon_ms = ?, contents_horizon_seq = ?',
  );
  return ({ rowsHorizonMs, contentsHorizonMs, contentsHorizonSeq }) => {
    put.run(rowsHorizonMs, contentsHorizonMs, contentsHorizonSeq);
  };
}

/** Derived sums of hours before this are the only record of rows that are gone: nothing may count them anew. */
export function frozenUntilMs({ rowsHorizonMs }: RetentionState): number {
  return Math.ceil(rowsHorizonMs / HOUR_MS) * HOUR_MS;
}

export function horizonsOf(state: RetentionState): RetentionHorizons {
  return {
    rowsMs: state.rowsHorizonMs === 0 ? null : state.rowsHorizonMs,
    contentsMs: state.contentsHorizonMs === 0 ? null : state.contentsHorizonMs,
  };
}
