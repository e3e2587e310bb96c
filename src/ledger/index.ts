export { latencyBucket, latencyBucketMidMs } from './latency-buckets.ts';
export type { Ledger, LedgerHealth, LedgerReader, LedgerTable } from './ledger.ts';
export type {
  CallerAssignment,
  GenerationRecord,
  GenerationStatus,
  IdempotencyClaim,
  IdempotencyClaimResult,
  IdempotencyCompletion,
  OutcomeBatch,
  OutcomeReceipt,
  OutcomeRecord,
  OutcomeTarget,
  OutcomeVoid,
  StoredGeneration,
  StoredOutcome,
  Surface,
  VersionSource,
} from './records.ts';
