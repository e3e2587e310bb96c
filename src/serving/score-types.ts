import type { RankedCandidate, ScoreCandidate } from '../ranking/index.ts';
import type { CallContext, IdempotentCall } from './types.ts';

/** One ranking decision as it came over the wire: shape checked, features not. */
export interface ScoreRequest {
  readonly context: CallContext;
  /** Null: the only policy, or the first one. */
  readonly policy: string | null;
  readonly candidates: readonly ScoreCandidate[];
  readonly profileFeatures: Readonly<Record<string, unknown>> | null;
  readonly contextFeatures: Readonly<Record<string, unknown>> | null;
  readonly userId: string | null;
  readonly sessionId: string | null;
  readonly externalId: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** The tag `test` keeps the decision out of reports and out of what the policy learns. */
  readonly tags: readonly string[];
  readonly idempotency: IdempotentCall | null;
}

export interface ScoreAnswer {
  readonly id: string;
  readonly createdAtMs: number;
  readonly policy: string;
  /** State of the policy that decided. */
  readonly policyRevision: string;
  /** Id of the candidate that was chosen, at random by the propensities. */
  readonly chosen: string;
  /** Best score first. */
  readonly ranking: readonly RankedCandidate[];
  /** Features of the request that the policy does not read, as paths; empty where it refuses them. */
  readonly ignoredFeatures: readonly string[];
  /** False only with `ledger.on_failure: serve` while the ledger cannot be written: nothing is learnt from it then. */
  readonly recorded: boolean;
}

/** Milliseconds of one decision, for `Server-Timing`. */
export interface ScoreTiming {
  readonly rankMs: number;
  readonly commitMs: number;
  readonly totalMs: number;
}

export interface ScoreReply {
  readonly answer: ScoreAnswer;
  readonly timing: ScoreTiming;
  readonly replayed: boolean;
}

export interface ScoreService {
  /**
   * One decision, committed. Fails with `policy_not_found` (404), `score_invalid` (422, every fault with its path), and
   * the codes of idempotency and storage; nothing is recorded then.
   */
  score(request: ScoreRequest): Promise<ScoreReply>;
}

/** Something to count after each decision; implemented by the metrics of the edge. */
export interface ScoreObserver {
  score(observation: {
    /** Null: no policy of the configuration. */
    readonly policy: string | null;
    /** `refused`: the request was at fault; `error`: it could not be recorded, so it was not answered. */
    readonly status: 'ok' | 'unrecorded' | 'refused' | 'error';
    readonly rankMs: number;
    readonly commitMs: number;
    readonly totalMs: number;
  }): void;
}
