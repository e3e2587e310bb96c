import type { AppError, ChatMessage, ModelParameters } from '../kernel/index.ts';
import type { CallerAssignment, OutcomeReceipt, VersionSource } from '../ledger/index.ts';
import type { ResponseFormat, ToolChoice, ToolDefinition, Usage } from '../providers/index.ts';

/** Who calls and when: made by the edge, the same for every story. */
export interface CallContext {
  readonly apiKeyId: string;
  readonly requestId: string;
  /** W3C trace id, 32 hex digits. */
  readonly traceId: string;
  /** Wall clock at receipt, epoch milliseconds. */
  readonly receivedAtMs: number;
  /** Monotonic clock at receipt, for durations. */
  readonly receivedMonotonicMs: number;
}

/** An `Idempotency-Key`, and the SHA-256 of what it stands for. */
export interface IdempotentCall {
  readonly key: string;
  readonly requestHash: string;
}

/** A prompt to render, or messages to pass through. */
export type GenerateSource =
  | {
      readonly kind: 'prompt';
      /** Null: the configured default prompt. */
      readonly prompt: string | null;
      /** Body value: a version or `@label`; null: environment, then `v1`. */
      readonly promptVersion: string | null;
      readonly variables: Readonly<Record<string, unknown>>;
      readonly profileFeatures: Readonly<Record<string, unknown>> | null;
      /** Earlier turns: placed by `{{history}}`, else before the last message when that is the user's, else at the end. */
      readonly messages: readonly ChatMessage[];
    }
  | { readonly kind: 'messages'; readonly messages: readonly ChatMessage[] };

export interface GenerateRequest {
  readonly surface: 'generate' | 'chat';
  readonly context: CallContext;
  readonly source: GenerateSource;
  /** Null: the configured default route. */
  readonly route: string | null;
  /** Overrides front matter and route. */
  readonly model: string | null;
  readonly parameters: ModelParameters;
  readonly tools: readonly ToolDefinition[];
  readonly toolChoice: ToolChoice | null;
  readonly parallelToolCalls: boolean | null;
  /** Null: by the prompt's output format. */
  readonly responseFormat: ResponseFormat | null;
  /** Further fields for OpenAI-compatible upstreams (pass-through). */
  readonly extraFields: Readonly<Record<string, unknown>>;
  readonly userId: string | null;
  readonly sessionId: string | null;
  readonly externalId: string | null;
  readonly assignment: CallerAssignment | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** The tag `test` keeps the call out of reports. */
  readonly tags: readonly string[];
  readonly dryRun: boolean;
  readonly idempotency: IdempotentCall | null;
}

/** What stands before the text: known as soon as the first token is. */
export interface GenerationHead {
  readonly id: string;
  readonly prompt: string | null;
  readonly promptVersion: string | null;
  readonly promptHash: string | null;
  readonly versionSource: VersionSource | null;
  readonly label: string | null;
  readonly experiment: string | null;
  readonly arm: string | null;
  readonly propensity: number | null;
  readonly route: string;
}

export interface GenerationAnswer extends GenerationHead {
  readonly createdAtMs: number;
  readonly text: string;
  /** Parsed structured output; null for text formats. */
  readonly output: unknown;
  readonly toolCalls: readonly {
    readonly id: string;
    readonly name: string;
    readonly argumentsText: string;
  }[];
  readonly provider: string;
  readonly model: string;
  readonly degraded: boolean;
  readonly finishReason: string;
  readonly usage: Omit<Usage, 'raw'>;
  readonly costNanoUsd: number | null;
  /** Whole milliseconds from receipt to the answer, the commit's own wait apart. */
  readonly latencyMs: number;
  /** Upstream calls made. */
  readonly attempts: number;
  /** False only with `ledger.on_failure: serve` while the ledger cannot be written. */
  readonly recorded: boolean;
  /** The upstream's own message object, for pass-through surfaces. */
  readonly rawMessage: Readonly<Record<string, unknown>> | null;
  readonly logprobs: unknown;
}

/** Milliseconds of one call, for `Server-Timing`. */
export interface CallTiming {
  readonly renderMs: number;
  readonly providerMs: number;
  readonly commitMs: number;
  readonly totalMs: number;
}

/** What would have been sent, without a model call. */
export interface DryRun {
  readonly prompt: string | null;
  readonly promptVersion: string | null;
  readonly promptHash: string | null;
  readonly versionSource: VersionSource | null;
  readonly label: string | null;
  /** As an answer would name them; the assignment is not stored. */
  readonly experiment: string | null;
  readonly arm: string | null;
  readonly propensity: number | null;
  readonly messages: readonly ChatMessage[];
  readonly variables: Readonly<Record<string, unknown>> | null;
  readonly route: string;
  readonly model: string | null;
  readonly targets: readonly { readonly provider: string; readonly model: string }[];
  readonly parameters: ModelParameters;
}

export type GenerateReply =
  | {
      readonly kind: 'answer';
      readonly answer: GenerationAnswer;
      readonly timing: CallTiming;
      readonly replayed: boolean;
    }
  | { readonly kind: 'dry_run'; readonly dryRun: DryRun };

export type GenerateStreamEvent =
  /** First, together with the first content: nothing is sent before. */
  | {
      readonly kind: 'start';
      readonly head: GenerationHead;
      /** An answer read back by its `Idempotency-Key`: the edge says so in a header, before any event. */
      readonly replayed?: boolean;
    }
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'tool_call';
      readonly index: number;
      readonly id?: string;
      readonly name?: string;
      readonly argumentsDelta: string;
    }
  /** Last, after the commit. `outputFaults`: the text does not fit the prompt's output schema (too late to repair). */
  | {
      readonly kind: 'end';
      readonly answer: GenerationAnswer;
      readonly timing: CallTiming;
      readonly outputFaults: readonly { readonly path: string; readonly message: string }[];
      readonly replayed: boolean;
    }
  /** Last, instead of `end`: the stream failed after its first content. */
  | { readonly kind: 'error'; readonly error: AppError; readonly generationId: string };

export interface GenerateService {
  /**
   * One call, committed. Fails with the codes of selection, rendering, routing, idempotency and storage; when `signal`
   * aborts, with `client_closed` (recorded as such).
   */
  generate(request: GenerateRequest, signal: AbortSignal): Promise<GenerateReply>;
  /** The same as a stream. Fails before the first event with the codes of `generate`; afterwards yields `error`. */
  stream(request: GenerateRequest, signal: AbortSignal): AsyncIterable<GenerateStreamEvent>;
}

/** One outcome or void as it came over the wire, shape checked, meaning not. */
export interface OutcomeSubmission {
  readonly generationId: string | null;
  readonly scoreId: string | null;
  readonly externalId: string | null;
  readonly metric: string | null;
  readonly value: unknown;
  readonly outcomeId: string | null;
  /** Epoch milliseconds. */
  readonly occurredAtMs: number | null;
  readonly void: boolean;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>> | null;
}

export interface OutcomeService {
  /**
   * Checks every entry against the declared metrics and appends all or none. Fails with `outcome_invalid` (422, every
   * fault, naming the allowed metrics and values), `conflict` (409) and `storage_unavailable` (503).
   */
  record(submissions: readonly OutcomeSubmission[], context: CallContext): Promise<OutcomeReceipt>;
}

/** Something to count after each recorded call; implemented by the metrics of the edge. */
export interface GenerationObserver {
  generation(observation: {
    readonly surface: string;
    readonly prompt: string | null;
    readonly promptVersion: string | null;
    readonly provider: string | null;
    readonly status: string;
    readonly errorCode: string | null;
    readonly totalMs: number;
    readonly providerMs: number;
    readonly commitMs: number;
    readonly firstTokenMs: number | null;
    readonly inputTokens: number | null;
    readonly outputTokens: number | null;
    readonly costNanoUsd: number | null;
    /** Calls that reached an upstream, in their order. */
    readonly attempts: readonly { readonly provider: string; readonly outcome: string }[];
    readonly degraded: boolean;
    readonly recorded: boolean;
    /** The experiment that left the call out, and why. */
    readonly leftOut: { readonly experiment: string; readonly reason: string } | null;
  }): void;
  outcomes(observation: { readonly accepted: number; readonly duplicates: number }): void;
}
