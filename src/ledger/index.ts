export { candidatesOfJson } from './candidates-json.ts';
export type {
  GenerationListQuery,
  GenerationPage,
  GenerationPlace,
  GenerationSummary,
} from './generation-list.ts';
export { latencyBucket, latencyBucketMidMs } from './latency-buckets.ts';
export type { Ledger, LedgerReader, LedgerTable } from './ledger.ts';
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
  ScoreRecord,
  StoredGeneration,
  StoredOutcome,
  StoredScore,
  VersionSource,
} from './records.ts';
export type {
  DatabaseSizes,
  RetentionHorizons,
  RetentionLedger,
  RetentionProgress,
  RetentionStep,
} from './retention.ts';
export type { RetentionStatus, RetentionStatusSource } from './retention-status.ts';
export type { ShadowLedger, ShadowPair, ShadowSide } from './shadow-pair.ts';
