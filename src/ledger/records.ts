import type { AttemptRecord } from '../providers/index.ts';

export type Surface = 'generate' | 'chat';
export type VersionSource = 'body' | 'env' | 'default';

/**
 * `ok` answered whole · `error` nothing was answered · `incomplete` a stream failed after its first token ·
 * `client_closed` the caller left.
 */
export type GenerationStatus = 'ok' | 'error' | 'incomplete' | 'client_closed';

/** How a caller says it chose the version it names. */
export interface CallerAssignment {
  readonly method: string;
  readonly unit: string | null;
  readonly propensity: number | null;
}

/** One call, whole. Times are epoch milliseconds UTC, durations milliseconds, money nano-dollars. */
export interface GenerationRecord {
  readonly id: string;
  readonly createdAtMs: number;
  readonly finishedAtMs: number;
  readonly surface: Surface;
  readonly apiKeyId: string;
  readonly requestId: string;
  /** W3C trace id, 32 hex digits. */
  readonly traceId: string;
  readonly externalId: string | null;
  /** Null for a pass-through call, with the four fields after it. */
  readonly prompt: string | null;
  readonly promptVersion: string | null;
  readonly promptHash: string | null;
  readonly versionSource: VersionSource | null;
  readonly label: string | null;
  readonly experiment: string | null;
  readonly experimentRevision: string | null;
  readonly arm: string | null;
  /** Probability of the arm when the unit was assigned; without an experiment, what the caller says of its own choice. */
  readonly propensity: number | null;
  /** Arm → probability, of all arms. */
  readonly propensities: Readonly<Record<string, number>> | null;
  /** Policy revision that assigned the unit, and the one in force at the call. */
  readonly assignedPolicyRevision: string | null;
  readonly currentPolicyRevision: string | null;
  readonly assignment: CallerAssignment | null;
  /** Which field named the unit (`user_id`, or the one its experiment goes by), and its keyed hash. */
  readonly unitKind: string | null;
  readonly unitKey: string | null;
  readonly sessionKey: string | null;
  /** The caller named the version and did not say how it was assigned. */
  readonly forced: boolean;
  readonly degraded: boolean;
  readonly fellBack: boolean;
  readonly replay: boolean;
  readonly test: boolean;
  /** Id of the generation this one shadows. */
  readonly shadowOf: string | null;
  /** The whole answer reached the caller's connection (or was committed for it): only these earn rewards. */
  readonly delivered: boolean;
  /** Redacted by the configured path list. */
  readonly variables: Readonly<Record<string, unknown>> | null;
  readonly profileFeatures: Readonly<Record<string, unknown>> | null;
  /** Messages of a pass-through call (no prompt to render them from again). */
  readonly messages: readonly unknown[] | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly tags: readonly string[];
  readonly streamed: boolean;
  readonly route: string | null;
  readonly provider: string | null;
  readonly modelRequested: string | null;
  readonly model: string | null;
  /** Sampling parameters as sent. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly attempts: readonly AttemptRecord[];
  /** Repair attempts of structured output. */
  readonly repairs: number;
  readonly finishReason: string | null;
  readonly finishReasonRaw: string | null;
  readonly status: GenerationStatus;
  readonly errorCode: string | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cachedInputTokens: number | null;
  readonly reasoningTokens: number | null;
  /** The upstream's own usage object. */
  readonly usageRaw: unknown;
  readonly costNanoUsd: number | null;
  readonly costSource: 'upstream' | 'price_table' | null;
  readonly priceTableVersion: string | null;
  /** From receipt until the record is handed to the ledger. */
  readonly totalMs: number;
  readonly providerMs: number;
  /** `totalMs - providerMs`: what the gateway itself cost. */
  readonly overheadMs: number;
  readonly firstTokenMs: number | null;
  readonly text: string | null;
  /** Parsed structured output. */
  readonly output: unknown;
  readonly toolCalls: readonly unknown[];
  readonly configHash: string;
  readonly registryHash: string;
  readonly gatewayVersion: string;
}

/** A generation as read back: what was written, and what the ledger added. */
export interface StoredGeneration extends GenerationRecord {
  /** Milliseconds the row waited for its transaction; the sync after it is in `Server-Timing` only. */
  readonly commitWaitMs: number;
  readonly outcomes: readonly StoredOutcome[];
}

/** Exactly one of the three ids is set. */
export interface OutcomeTarget {
  readonly generationId: string | null;
  readonly scoreId: string | null;
  readonly externalId: string | null;
}

/** One observation, already checked against its metric's declaration. */
export interface OutcomeRecord extends OutcomeTarget {
  readonly outcomeId: string;
  readonly metric: string;
  /** As sent: boolean, number or category. */
  readonly value: boolean | number | string;
  /** Numeric value of the metric for `value`, resolved when it was received. */
  readonly reward: number;
  /** As sent; null when the caller did not say. */
  readonly occurredAtMs: number | null;
  readonly receivedAtMs: number;
  /** Attribution window of the metric when it was received. */
  readonly windowMs: number;
  readonly test: boolean;
  readonly tags: readonly string[];
  readonly source: 'http' | 'nats';
  readonly metadata: Readonly<Record<string, unknown>> | null;
}

export interface StoredOutcome extends OutcomeRecord {
  readonly apiKeyId: string;
  readonly voided: boolean;
  /** This one is the generation's reward for its metric. */
  readonly counts: boolean;
}

/** Withdraws an outcome, whether it has arrived already or not. */
export interface OutcomeVoid {
  readonly outcomeId: string;
  readonly receivedAtMs: number;
}

/** Atomic: all of it is committed or none. */
export interface OutcomeBatch {
  readonly apiKeyId: string;
  readonly entries: readonly (
    | { readonly kind: 'outcome'; readonly outcome: OutcomeRecord }
    | { readonly kind: 'void'; readonly void: OutcomeVoid }
  )[];
}

export interface OutcomeReceipt {
  readonly accepted: number;
  /** Same id, same payload: already counted. */
  readonly duplicates: number;
  readonly outcomeIds: readonly string[];
}

export interface IdempotencyClaim {
  readonly apiKeyId: string;
  readonly key: string;
  /** SHA-256 of the canonical request body. */
  readonly requestHash: string;
  /** Names this attempt; only its holder may complete or release. */
  readonly leaseId: string;
  /** A claim whose holder died is free again after this time. Epoch milliseconds. */
  readonly leaseExpiresAtMs: number;
  readonly nowMs: number;
}

export type IdempotencyClaimResult =
  | { readonly kind: 'claimed' }
  /** Completed before: the answer's JSON text. */
  | { readonly kind: 'completed'; readonly responseJson: string; readonly generationId: string }
  | { readonly kind: 'running'; readonly retryAfterMs: number }
  | { readonly kind: 'mismatch' };

/** Completes a claim in the same transaction as the generation it belongs to. */
export interface IdempotencyCompletion {
  readonly apiKeyId: string;
  readonly key: string;
  readonly leaseId: string;
  readonly responseJson: string;
}

/** One answered ranking decision, whole: with it any policy can be judged later. */
export interface ScoreRecord {
  readonly id: string;
  readonly createdAtMs: number;
  readonly finishedAtMs: number;
  readonly apiKeyId: string;
  readonly requestId: string;
  /** W3C trace id, 32 hex digits. */
  readonly traceId: string;
  readonly externalId: string | null;
  readonly policy: string;
  /** Of the definition, and of what it had learnt. */
  readonly policyDefinition: string;
  readonly policyRevision: string;
  /** Revision of what shapes the learning: under the same one `chosenInput` is taken as it is. */
  readonly modelRevision: string;
  /** Which field named the unit, and its keyed hash. */
  readonly unitKind: string | null;
  readonly unitKey: string | null;
  readonly sessionKey: string | null;
  readonly test: boolean;
  /** Id of the score this one shadows: decided for the log only. */
  readonly shadowOf: string | null;
  /** In the order of the request. `features` as sent, redacted by the configured path list. */
  readonly candidates: readonly {
    readonly id: string;
    readonly features: Readonly<Record<string, unknown>>;
    /** Predicted reward on [0, 1], 1 is best: what later estimates may use, known before the reward. */
    readonly estimate: number;
    readonly propensity: number;
  }[];
  readonly chosen: string;
  readonly chosenPropensity: number;
  /** Encoded features of the chosen candidate as the policy saw them: redaction must not falsify what is learnt. */
  readonly chosenInput: readonly number[];
  readonly profileFeatures: Readonly<Record<string, unknown>> | null;
  readonly contextFeatures: Readonly<Record<string, unknown>> | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly tags: readonly string[];
  readonly totalMs: number;
  readonly configHash: string;
  readonly gatewayVersion: string;
}

/** A score as read back: what was written, and what the ledger added. */
export interface StoredScore extends ScoreRecord {
  /** Milliseconds the row waited for its transaction. */
  readonly commitWaitMs: number;
  readonly outcomes: readonly StoredOutcome[];
}
