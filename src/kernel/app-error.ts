/**
 * Every way a request, a record or a start can fail, as a closed union. `http` holds the one table from code to
 * status; `docs/errors.md` lists exactly these.
 */
export type ErrorCode =
  | 'invalid_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'prompt_not_found'
  | 'version_not_found'
  | 'label_not_found'
  | 'route_not_found'
  | 'generation_not_found'
  | 'experiment_not_found'
  | 'policy_not_found'
  | 'shadow_not_found'
  | 'score_not_found'
  | 'key_not_found'
  | 'method_not_allowed'
  | 'conflict'
  | 'rollout_gate_closed'
  | 'idempotency_in_progress'
  | 'version_retired'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'template_input_invalid'
  | 'template_limit_exceeded'
  | 'score_invalid'
  | 'outcome_invalid'
  | 'idempotency_mismatch'
  | 'context_overflow'
  | 'content_filtered'
  | 'rate_limited'
  | 'budget_exceeded'
  | 'client_closed'
  | 'config_invalid'
  | 'prompts_invalid'
  | 'storage_invalid'
  | 'internal'
  | 'provider_bad_response'
  | 'provider_rejected'
  | 'provider_unavailable'
  | 'overloaded'
  | 'storage_unavailable'
  | 'provider_timeout';

/** One fault of many: `path` is a JSON path (`variables.mood`) or a file position (`prompts/tip/v3.prompt:14:9`). */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

export interface AppErrorOptions {
  /** All faults at once, for input that can be wrong in several places. */
  readonly faults?: readonly Fault[];
  /** Structured facts for the caller (known names, failure class). Never secrets, never prompt text. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** How long the caller should wait before it tries again, in milliseconds. */
  readonly retryAfterMs?: number;
  /** What went wrong underneath: logged, never sent. */
  readonly cause?: unknown;
}

/** The one error class. `message` is for the caller and says what to do. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly faults: readonly Fault[];
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.faults = options.faults ?? [];
    this.details = options.details ?? {};
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The code of any thrown value: `internal` for whatever is not ours. */
export function errorCode(error: unknown): ErrorCode {
  return error instanceof AppError ? error.code : 'internal';
}

/** The text of any thrown value, for logs and for faults that name their cause. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
