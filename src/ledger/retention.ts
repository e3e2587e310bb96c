/** What may go, and how much of it at once. Times are epoch milliseconds UTC. */
export interface RetentionStep {
  readonly nowMs: number;
  /** Texts, variables and attempts of calls created before this are erased; null: not by age. */
  readonly eraseContentsBeforeMs: number | null;
  /** Rows created before this are deleted; null: not by age. */
  readonly deleteRowsBeforeMs: number | null;
  /** Ranking policies in force: by age, their decisions stay until their rewards are learnt. */
  readonly policies: readonly string[];
  /** Rows of each kind that one step may touch: bounds how long other writes wait for it. */
  readonly maxRows: number;
}

/** Bytes of the file, of what is used of it, and of its write-ahead log. */
export interface DatabaseSizes {
  readonly fileBytes: number;
  readonly usedBytes: number;
  readonly logBytes: number;
}

/** Epoch milliseconds; null: nothing has gone yet. */
export interface RetentionHorizons {
  /** Calls, rankings and outcomes before this are gone. */
  readonly rowsMs: number | null;
  /** Calls before this have lost their texts, variables and attempts. */
  readonly contentsMs: number | null;
}

export interface RetentionProgress {
  /** Calls whose contents were erased. */
  readonly contentsErased: number;
  /** Calls, rankings, pairs of shadow runs, outcomes and withdrawals. */
  readonly rowsDeleted: number;
  /** Why; null: nothing had to go. `size` goes before `age`. */
  readonly reason: 'age' | 'size' | null;
  /** Bytes given back to the file system. */
  readonly returnedBytes: number;
  /** Nothing is left to do before more is written, or time has passed. */
  readonly isDone: boolean;
  /** Policies whose learning holds old decisions back. */
  readonly heldBy: readonly string[];
  /** The file is at its limit, and nothing more may go. */
  readonly isFull: boolean;
  readonly sizes: DatabaseSizes;
  readonly horizons: RetentionHorizons;
}

/** The write side of retention. */
export interface RetentionLedger {
  /** One bounded step, in one transaction with whatever else waits. Fails with `storage_unavailable`. */
  retain(step: RetentionStep): Promise<RetentionProgress>;
}
