import type { GatewayFault } from './types.ts';

/**
 * Codes of the client itself, beside those the gateway sends: `timeout` no answer in time · `connection_failed` the
 * gateway was not reached · `aborted` the caller's signal · `invalid_response` not what the gateway answers ·
 * `stream_interrupted` the stream broke off after its first event · `http_error` an error status without a problem body.
 */
export type ClientErrorCode =
  | 'timeout'
  | 'connection_failed'
  | 'aborted'
  | 'invalid_response'
  | 'stream_interrupted'
  | 'http_error';

export interface GatewayErrorFields {
  /** HTTP status; absent when there was no answer. */
  readonly status?: number;
  readonly requestId?: string | null;
  readonly retryAfterMs?: number | null;
  readonly errors?: readonly GatewayFault[];
  readonly generationId?: string | null;
  readonly cause?: unknown;
}

/** Everything the client fails with. Tell failures apart by `code`, never by the message. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  /** A code of the gateway (`version_not_found`, `outcome_invalid`, …) or a {@link ClientErrorCode}. */
  readonly code: string;
  /** HTTP status; null when there was no answer. */
  readonly status: number | null;
  /** What to look for in the gateway's log. */
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
  /** All faults of the request at once. */
  readonly errors: readonly GatewayFault[];
  /** The failed call, when the gateway recorded it: `GET /generations/{id}` shows what was tried. */
  readonly generationId: string | null;

  constructor(code: string, message: string, fields: GatewayErrorFields = {}) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = code;
    this.status = fields.status ?? null;
    this.requestId = fields.requestId ?? null;
    this.retryAfterMs = fields.retryAfterMs ?? null;
    this.errors = fields.errors ?? [];
    this.generationId = fields.generationId ?? null;
  }
}

/** The gateway's own key or its request to the provider is wrong: another try meets the same refusal. */
const FINAL_CODES: ReadonlySet<string> = new Set(['provider_rejected']);

/**
 * Whether the same request may succeed later. Safe to act on, because every request of the client carries an idempotency
 * key or outcome ids.
 */
export function isRetryable(error: GatewayError): boolean {
  if (error.code === 'timeout' || error.code === 'connection_failed') return true;
  if (error.code === 'idempotency_in_progress') return true;
  if (error.status === null || FINAL_CODES.has(error.code)) return false;
  return error.status === 408 || error.status === 429 || error.status >= 500;
}
