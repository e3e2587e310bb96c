import type { GenerationListQuery, GenerationPage } from './generation-list.ts';
import type {
  GenerationRecord,
  IdempotencyClaim,
  IdempotencyClaimResult,
  IdempotencyCompletion,
  OutcomeBatch,
  OutcomeReceipt,
  ScoreRecord,
  StoredGeneration,
  StoredScore,
} from './records.ts';

/**
 * The write side of the append-only truth. Every method is one atomic unit and resolves only after its transaction is
 * committed (and, with `durability: commit`, synced). Every method fails with `storage_unavailable` when the database
 * cannot take the write (disk full, closed, queue full); nothing of it is stored then.
 */
export interface Ledger {
  /** Appends a generation, its rollup deltas and, when given, the completion of its idempotency key. */
  appendGeneration(record: GenerationRecord, completes: IdempotencyCompletion | null): Promise<void>;
  /** Appends a ranking decision, its rollup deltas and, when given, the completion of its idempotency key. */
  appendScore(record: ScoreRecord, completes: IdempotencyCompletion | null): Promise<void>;
  /**
   * Appends outcomes and voids, all or none. Same `outcomeId` and payload: counted as duplicate. Same id with another
   * payload: fails with `conflict` naming the id.
   */
  appendOutcomes(batch: OutcomeBatch): Promise<OutcomeReceipt>;
  claimIdempotencyKey(claim: IdempotencyClaim): Promise<IdempotencyClaimResult>;
  /** Frees a claim that ended without an answer. Unknown or foreign leases are left alone. */
  releaseIdempotencyKey(apiKeyId: string, key: string, leaseId: string): Promise<void>;
  /** Drops completed keys older than `beforeMs` and expired leases; returns how many, at most `limit`. */
  expireIdempotencyKeys(beforeMs: number, limit: number): Promise<number>;
  /** Recomputes all rollups and winners from the raw rows. */
  rebuildRollups(): Promise<void>;
  health(): LedgerHealth;
  /** Commits what is queued, then closes. */
  close(): Promise<void>;
}

export interface LedgerHealth {
  readonly writable: boolean;
  /** Why not writable; null when it is. */
  readonly reason: string | null;
  readonly queuedWrites: number;
  readonly committedWrites: number;
  readonly commits: number;
}

export type LedgerTable = 'generations' | 'outcomes' | 'scores';

/** The read side: never touches the writer's connection. */
export interface LedgerReader {
  /** One call whole, with its outcomes; null when unknown. */
  findGeneration(id: string): Promise<StoredGeneration | null>;
  /** One page of calls, newest first. */
  listGenerations(query: GenerationListQuery): Promise<GenerationPage>;
  /** One ranking decision whole, with its outcomes; null when unknown. */
  findScore(id: string): Promise<StoredScore | null>;
  /**
   * One page of raw rows in insertion order, for exports. `afterSequence` 0 begins; `nextSequence` null ends. Rows are
   * plain objects with the column names of the schema.
   */
  readRows(
    table: LedgerTable,
    afterSequence: number,
    limit: number,
  ): Promise<{ readonly rows: readonly Record<string, unknown>[]; readonly nextSequence: number | null }>;
  close(): Promise<void>;
}
