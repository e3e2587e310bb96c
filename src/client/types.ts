/** How the caller chose the version it names. Without it a named version is recorded as forced. */
export interface Assignment {
  readonly method: string;
  /** What the choice is sticky by, for example `user_id`; null: by nothing. */
  readonly unit: string | null;
  /** Probability of the chosen version at the time of the choice. */
  readonly propensity: number | null;
}

export interface GenerateInput {
  /** Default: the gateway's default prompt. */
  readonly prompt?: string;
  /** A version (`v2`) or a label (`@live`). Default: the rotation, then what the gateway is configured with. */
  readonly promptVersion?: string;
  /** Only with `promptVersion`. */
  readonly assignment?: Assignment;
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Features of the user; null says that there are none. */
  readonly profileFeatures?: Readonly<Record<string, unknown>> | null;
  /** The unit of the rotation. The gateway stores a keyed hash of it only. */
  readonly userId?: string;
  readonly sessionId?: string;
  /** The caller's own id of this call; outcomes may name it instead of the gateway's. */
  readonly externalId?: string;
  readonly route?: string;
  readonly model?: string;
  readonly parameters?: GenerateParameters;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** The tag `test` keeps the call out of reports. */
  readonly tags?: readonly string[];
}

export interface GenerateParameters {
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly maxOutputTokens?: number;
  readonly stop?: readonly string[];
  readonly seed?: number;
}

/** Something to rank: a tip, an article, an offer. */
export interface ScoreCandidate {
  /** Unique within the call. */
  readonly id: string;
  /** By the names that the policy declares; a missing one takes its default. */
  readonly features?: Readonly<Record<string, FeatureValue>>;
}

/** Null says that the value is not known: it counts as missing. */
export type FeatureValue = number | boolean | string | null;

export interface ScoreInput {
  readonly candidates: readonly ScoreCandidate[];
  /** Default: the gateway's only policy, or its first. */
  readonly policy?: string;
  /** Features of the user. */
  readonly profileFeatures?: Readonly<Record<string, unknown>> | null;
  /** Features of the moment. */
  readonly context?: Readonly<Record<string, unknown>> | null;
  /** The gateway stores a keyed hash of it only. */
  readonly userId?: string;
  readonly sessionId?: string;
  /** The caller's own id of this call, stored with it. */
  readonly externalId?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** The tag `test` keeps the call out of reports and out of what the policy learns. */
  readonly tags?: readonly string[];
}

export interface RankedCandidate {
  readonly id: string;
  /** Predicted reward, in the metric's own numbers. */
  readonly score: number;
  /** Probability that this one was chosen; all of a call sum to 1. */
  readonly propensity: number;
}

export interface Score {
  /** `scr_…`: what outcomes are reported against. */
  readonly id: string;
  readonly policy: string;
  /** State of the policy that decided. */
  readonly policyRevision: string;
  /** Id of the candidate to show: drawn by the propensities. Showing another one spoils what the policy learns. */
  readonly chosen: string;
  /** Best score first. */
  readonly ranking: readonly RankedCandidate[];
  /** Features that the policy does not read. */
  readonly ignoredFeatures: readonly string[];
  /** False only when the gateway could not write its ledger: outcomes of this call are lost. */
  readonly recorded: boolean;
  /** ISO 8601. */
  readonly createdAt: string | null;
  /** The answer of an earlier try with the same idempotency key. */
  readonly replayed: boolean;
}

export interface CallOptions {
  /** Ends the call, waits between tries included. */
  readonly signal?: AbortSignal;
  /** Shows up in the gateway's log and in errors. Letters, digits, `.`, `_`, `-`. */
  readonly requestId?: string;
}

export interface GenerateOptions extends CallOptions {
  /** Default: a fresh one per call, so that a retried call is answered once and billed once. */
  readonly idempotencyKey?: string;
}

export interface ScoreOptions extends CallOptions {
  /** Default: a fresh one per call, so that a retried call is decided once. */
  readonly idempotencyKey?: string;
}

/** What is known before the text: the first event of a stream. */
export interface GenerationHead {
  /** `gen_…`: what outcomes are reported against. */
  readonly id: string;
  readonly prompt: string;
  /** The concrete version that was used: what belongs into `tip_scores.prompt_version`. */
  readonly promptVersion: string;
  readonly promptHash: string | null;
  readonly versionSource: string | null;
  readonly label: string | null;
  readonly experiment: string | null;
  readonly arm: string | null;
  readonly propensity: number | null;
  readonly route: string | null;
}

export interface Generation extends GenerationHead {
  readonly text: string;
  /** Parsed structured output; null for text prompts. */
  readonly output: unknown;
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  readonly provider: string | null;
  readonly model: string | null;
  /** Authored lines instead of a model's answer. */
  readonly degraded: boolean;
  readonly finishReason: string | null;
  readonly usage: { readonly inputTokens: number | null; readonly outputTokens: number | null };
  /** Null when the price is unknown. */
  readonly costUsd: number | null;
  readonly latencyMs: number | null;
  /** Upstream calls the gateway made. */
  readonly attempts: number | null;
  /** False only when the gateway could not write its ledger: outcomes of this call may be lost. */
  readonly recorded: boolean;
  /** ISO 8601. */
  readonly createdAt: string | null;
  /** The answer of an earlier try with the same idempotency key. */
  readonly replayed: boolean;
}

export type StreamEvent =
  | { readonly kind: 'start'; readonly head: GenerationHead }
  | { readonly kind: 'delta'; readonly text: string }
  | {
      readonly kind: 'tool_call';
      readonly index: number;
      readonly id: string | null;
      readonly name: string | null;
      readonly argumentsDelta: string;
    }
  /** Last. `outputFaults`: the text does not fit the prompt's output schema. */
  | { readonly kind: 'end'; readonly generation: Generation; readonly outputFaults: readonly GatewayFault[] };

/** One fault of many: `path` is a path into the request body. */
export interface GatewayFault {
  readonly path: string;
  readonly message: string;
}

/** Exactly one of the ids. */
export type OutcomeTarget =
  | { readonly generationId: string; readonly scoreId?: never; readonly externalId?: never }
  | { readonly scoreId: string; readonly generationId?: never; readonly externalId?: never }
  | { readonly externalId: string; readonly generationId?: never; readonly scoreId?: never };

export type Outcome = OutcomeTarget & {
  readonly metric: string;
  readonly value: boolean | number | string;
  /** Counts once however often it is sent. Default: a fresh one per call, kept over its retries. */
  readonly outcomeId?: string;
  /** Date, or ISO 8601 with a zone. Default: when the gateway receives it. */
  readonly occurredAt?: Date | string;
  readonly tags?: readonly string[];
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly void?: never;
};

/** Withdraws an outcome, whether it has arrived already or not. */
export interface OutcomeWithdrawal {
  readonly void: true;
  readonly outcomeId: string;
}

export type FeedbackEntry = Outcome | OutcomeWithdrawal;

export interface FeedbackReceipt {
  readonly accepted: number;
  /** Same id, same payload: counted before. */
  readonly duplicates: number;
  readonly outcomeIds: readonly string[];
}

/** Time of the client: tests replace it. */
export interface ClientClock {
  /** Monotonic milliseconds. */
  nowMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface GatewayClientOptions {
  /** `http://127.0.0.1:8787`, with the path the gateway is mounted at, if any. */
  readonly baseUrl: string;
  readonly apiKey?: string | undefined;
  /** Longest wait for one try's answer; for streams the longest silence. Default 65,000, above the gateway's 60,000. */
  readonly timeoutMs?: number;
  /** Longest time of a call with all its tries and waits; streams: until the first event. Default 130,000. */
  readonly deadlineMs?: number;
  /** Further tries after the first. Default 2. */
  readonly retries?: number;
  /** First wait before another try; doubles each time, full jitter. Default 200. */
  readonly backoffMs?: number;
  /** Longest wait of the client's own choice. Default 5,000. */
  readonly maxBackoffMs?: number;
  /** A longer `Retry-After` ends the call instead. Default 30,000. */
  readonly maxRetryAfterMs?: number;
  /**
   * Versions of the prompt `tip`: one (`v2`, `@live`) or a rotation (`v1,v2`, `v1,v1,v2`). Default: the environment
   * variable `TIP_PROMPT_VERSION`; empty or null: none, the gateway decides.
   */
  readonly tipPromptVersion?: string | null | undefined;
  /** Another seed assigns the users of a rotation anew. Default `tip`. */
  readonly rotationSeed?: string;
  readonly fetch?: typeof globalThis.fetch;
  /** Uniform in [0, 1): jitter, and rotation without a user. */
  readonly random?: () => number;
  /** Unique text for idempotency keys and outcome ids. Default: random UUIDs. */
  readonly newId?: () => string;
  readonly clock?: ClientClock;
}

export interface GatewayClient {
  /** One answer. Fails with `GatewayError`. */
  generate(input: GenerateInput, options?: GenerateOptions): Promise<Generation>;
  /**
   * One answer as it is written. Tries again until the first event only; afterwards a failure is a `GatewayError` out of
   * the loop. Leaving the loop closes the connection, and the gateway stops the model.
   */
  stream(input: GenerateInput, options?: GenerateOptions): AsyncIterable<StreamEvent>;
  /** Ranks candidates and chooses one. Fails with `GatewayError`. */
  score(input: ScoreInput, options?: ScoreOptions): Promise<Score>;
  /**
   * One outcome, or several that are stored all or none; those of a score train its policy. Fails with `GatewayError`.
   */
  feedback(
    entries: FeedbackEntry | readonly FeedbackEntry[],
    options?: CallOptions,
  ): Promise<FeedbackReceipt>;
}
