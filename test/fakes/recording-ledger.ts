import { AppError } from '../../src/kernel/index.ts';
import type {
  GenerationRecord,
  IdempotencyClaim,
  IdempotencyClaimResult,
  IdempotencyCompletion,
  Ledger,
  OutcomeBatch,
  ScoreRecord,
} from '../../src/ledger/index.ts';

export interface RecordingLedger extends Ledger {
  readonly generations: GenerationRecord[];
  readonly scores: ScoreRecord[];
  readonly completions: IdempotencyCompletion[];
  readonly batches: OutcomeBatch[];
  readonly claims: IdempotencyClaim[];
  readonly released: string[];
  /** Every following write fails with `storage_unavailable`. */
  fail(): void;
  /** Following writes succeed again. */
  heal(): void;
  /** What the next claims answer. */
  answerClaims(result: IdempotencyClaimResult): void;
}

/** Keeps what it is given, for tests of the stories above it; the real thing has a contract suite of its own. */
export function recordingLedger(): RecordingLedger {
  let failing = false;
  let claimResult: IdempotencyClaimResult = { kind: 'claimed' };
  const writable = (): void => {
    if (failing) throw new AppError('storage_unavailable', 'the disk is full', { retryAfterMs: 1_000 });
  };
  const ledger: RecordingLedger = {
    generations: [],
    scores: [],
    completions: [],
    batches: [],
    claims: [],
    released: [],
    fail: () => {
      failing = true;
    },
    heal: () => {
      failing = false;
    },
    answerClaims: (result) => {
      claimResult = result;
    },
    appendGeneration: async (record, completes) => {
      writable();
      ledger.generations.push(record);
      if (completes !== null) ledger.completions.push(completes);
    },
    appendScore: async (record, completes) => {
      writable();
      ledger.scores.push(record);
      if (completes !== null) ledger.completions.push(completes);
    },
    appendOutcomes: async (batch) => {
      writable();
      ledger.batches.push(batch);
      const outcomeIds = batch.entries.map((entry) =>
        entry.kind === 'outcome' ? entry.outcome.outcomeId : entry.void.outcomeId,
      );
      return { accepted: batch.entries.length, duplicates: 0, outcomeIds };
    },
    claimIdempotencyKey: async (claim) => {
      ledger.claims.push(claim);
      return claimResult;
    },
    releaseIdempotencyKey: async (_apiKeyId, key) => {
      ledger.released.push(key);
    },
    expireIdempotencyKeys: async () => 0,
    rebuildRollups: async () => {},
    health: () => ({ writable: !failing, reason: null, queuedWrites: 0, committedWrites: 0, commits: 0 }),
    close: async () => {},
  };
  return ledger;
}
