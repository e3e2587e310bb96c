import type { DatabaseSizes, RetentionHorizons } from './retention.ts';

/** What retention has done since the start, and how the file stands. */
export interface RetentionStatus {
  /** Null: not measured yet. */
  readonly sizes: DatabaseSizes | null;
  /** `ledger.retention.max_bytes`; null: no limit. */
  readonly maxBytes: number | null;
  readonly horizons: RetentionHorizons;
  readonly rowsDeleted: { readonly age: number; readonly size: number };
  readonly contentsErased: { readonly age: number; readonly size: number };
  readonly returnedBytes: number;
  readonly steps: number;
  /** Epoch milliseconds of the last step that found nothing left to do; null: none did. */
  readonly lastDoneAtMs: number | null;
  /** The size limit deletes rows that outcomes may still come for; null: it does not. */
  readonly earlyFromMs: number | null;
  /** The limit is near and nothing more may go. */
  readonly isFull: boolean;
  readonly heldBy: readonly string[];
  /** Why the last step failed; null: it did not. */
  readonly failure: string | null;
}

export interface RetentionStatusSource {
  status(): RetentionStatus;
}
