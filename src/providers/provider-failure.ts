import type { Usage } from './language-model.ts';

/**
 * Why an upstream call failed, which decides what the route does next:
 * `auth` target is dead, no retry, next target · `rate_limit` back off, next target · `server`, `timeout`, `connection`
 * retry, then next target · `bad_response` (shape not understood) next target · `bad_request`, `context_overflow`,
 * `content_filter` no retry, no fallback: another try gives the same · `aborted` the caller left.
 */
export type FailureClass =
  | 'auth'
  | 'rate_limit'
  | 'server'
  | 'timeout'
  | 'connection'
  | 'bad_response'
  | 'bad_request'
  | 'context_overflow'
  | 'content_filter'
  | 'aborted';

export interface ProviderFailureOptions {
  /** HTTP status of the upstream, when there was one. */
  readonly status?: number;
  /** From `Retry-After`, or LiteLLM's `llm_provider-retry-after`. */
  readonly retryAfterMs?: number;
  /** What had arrived when a stream failed. */
  readonly partial?: { readonly text: string; readonly usage: Usage | null };
  readonly cause?: unknown;
}

/** What an adapter throws. `message` is for the operator's log and the attempts of the row, without secrets. */
export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure';
  readonly failureClass: FailureClass;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly partial: { readonly text: string; readonly usage: Usage | null } | undefined;

  constructor(failureClass: FailureClass, message: string, options: ProviderFailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.failureClass = failureClass;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
    this.partial = options.partial;
  }
}
