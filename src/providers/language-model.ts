import type { ChatMessage, JsonSchema, ModelParameters, ToolCall } from '../kernel/index.ts';

export interface ToolDefinition {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments. */
  readonly parameters?: JsonSchema;
  readonly strict?: boolean;
}

export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string };

export type ResponseFormat =
  | { readonly kind: 'text' }
  | { readonly kind: 'json' }
  | {
      readonly kind: 'json_schema';
      readonly name: string;
      readonly schema: JsonSchema;
      readonly strict?: boolean;
    };

export interface ModelRequest {
  /** Model name as the upstream knows it, or `auto`: the first one the upstream lists. */
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly parameters: ModelParameters;
  readonly tools?: readonly ToolDefinition[];
  readonly toolChoice?: ToolChoice;
  readonly parallelToolCalls?: boolean;
  readonly responseFormat?: ResponseFormat;
  /**
   * Further fields of an OpenAI chat completion body (`logprobs`, `reasoning_effort`, …), sent as they are to
   * OpenAI-compatible upstreams. Adapters that cannot honour them fail with class `bad_request` naming the field.
   */
  readonly extraFields?: Readonly<Record<string, unknown>>;
  /** Our id of this call, sent to the upstream for correlation. */
  readonly generationId: string;
  /** Authored lines of the prompt: what the `offline` adapter serves. Other adapters ignore them. */
  readonly fallbackLines: readonly string[];
}

export type UnifiedFinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'other';

export interface FinishReason {
  readonly unified: UnifiedFinishReason;
  /** As the upstream spelled it; null when it gave none. */
  readonly raw: string | null;
}

/** Token counts; null means the upstream did not say (never 0 for unknown). */
export interface Usage {
  /** All prompt tokens, cached ones included. */
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cachedInputTokens: number | null;
  readonly reasoningTokens: number | null;
  /** The upstream's own usage object. */
  readonly raw: unknown;
}

export const UNKNOWN_USAGE: Usage = {
  inputTokens: null,
  outputTokens: null,
  cachedInputTokens: null,
  reasoningTokens: null,
  raw: null,
};

export interface ModelResult {
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  /** Model as the upstream names it in its answer; the requested one when it does not say. */
  readonly model: string;
  readonly finishReason: FinishReason;
  readonly usage: Usage;
  /** Cost stated by the upstream itself, in nano-dollars; null when it does not say. */
  readonly upstreamCostNanoUsd: number | null;
  readonly upstreamId: string | null;
  /**
   * The upstream's own `choices[0].message` (OpenAI-compatible adapters, non-streaming): lets a pass-through call keep
   * fields that have no word here. Null elsewhere.
   */
  readonly rawMessage: Readonly<Record<string, unknown>> | null;
  readonly logprobs?: unknown;
}

export type ModelStreamEvent =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'tool_call';
      readonly index: number;
      /** Present on the first delta of a call. */
      readonly id?: string;
      readonly name?: string;
      readonly argumentsDelta: string;
    }
  /** Always the last event of a stream that did not fail. Carries the whole text, tool calls and usage. */
  | { readonly kind: 'done'; readonly result: ModelResult };

/**
 * One upstream API. Adapters never retry: one layer (the route) owns retries.
 *
 * Both methods fail with {@link ProviderFailure} and nothing else, whatever the SDK or the socket threw; when `signal`
 * aborts they stop the upstream call at once and throw a ProviderFailure of class `aborted` (also where an SDK's own
 * stream would just end).
 */
export interface LanguageModel {
  /** The provider's name in the configuration (`litellm`, `openai`, …). */
  readonly provider: string;
  generate(request: ModelRequest, signal: AbortSignal): Promise<ModelResult>;
  /** A failure after the first event carries `partial`. */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelStreamEvent>;
}
