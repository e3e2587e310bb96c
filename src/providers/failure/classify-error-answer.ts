import type { FailureClass } from '../provider-failure.ts';

/** What an upstream said about an error, whatever envelope it came in. */
export interface ErrorAnswer {
  /** Undefined for an error event inside a stream that began with 200. */
  readonly status: number | undefined;
  readonly type: string | null;
  /** LiteLLM writes the status here, as a string. */
  readonly code: string | null;
  readonly message: string;
  /** False when the body was not the API's JSON error (a proxy's or load balancer's page). */
  readonly isApiError: boolean;
}

const CONTEXT_OVERFLOW =
  /ContextWindowExceededError|context_length_exceeded|exceed_context_size|maximum context length|context (?:window|length|size) (?:exceeded|of)|exceeds? the (?:available |model'?s? )?(?:maximum )?context|(?:prompt|input) is too long/i;

const CONTENT_FILTER =
  /ContentPolicyViolationError|content_policy_violation|content management policy|content_filter|content filtering policy|responsible ai policy/i;

/**
 * The failure class of an error answer. Statuses alone do not decide: LiteLLM answers 400 for a wrong key when it has
 * no database, and 400 with only a class name in the text for a context overflow. The table stands in
 * `docs/providers.md`; its cases are recorded answers under `test/fixtures/providers`.
 */
export function classifyErrorAnswer(answer: ErrorAnswer): FailureClass {
  const { type, code, message } = answer;
  const status = answer.status ?? statusInBand(type, code);
  if (type === 'no_db_connection') return 'auth';
  if (type === 'all_deployments_in_cooldown') return 'rate_limit';
  // Out of money: waiting does not help, the operator must act. OpenAI sends it as a 429.
  if (code === 'insufficient_quota' || type === 'insufficient_quota') return 'auth';
  if (status >= 400 && status < 500 && answer.isApiError) {
    if (status !== 401 && status !== 429) {
      if (code === 'context_length_exceeded' || type === 'exceed_context_size_error')
        return 'context_overflow';
      if (CONTEXT_OVERFLOW.test(message)) return 'context_overflow';
      if (code === 'content_filter' || CONTENT_FILTER.test(message)) return 'content_filter';
    }
  }
  switch (status) {
    case 401:
    case 402:
    case 403:
    case 407:
      return 'auth';
    case 408:
    case 504:
    case 524:
      return 'timeout';
    case 429:
      return 'rate_limit';
    default:
  }
  if (status >= 500) return 'server';
  if (status >= 400 && answer.isApiError) return 'bad_request';
  // A redirect, or a page that is not the API's: the base URL points at something else.
  return 'bad_response';
}

const STATUS_BY_TYPE: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  timeout_error: 408,
  request_too_large: 413,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  throttling_error: 429,
  content_filter: 400,
  context_length_exceeded: 400,
  exceed_context_size_error: 400,
  overloaded_error: 529,
};

/** The status an error event would have had; 500 when nothing tells. */
function statusInBand(type: string | null, code: string | null): number {
  const numeric = Number(code);
  if (code !== null && Number.isInteger(numeric) && numeric >= 400 && numeric < 600) return numeric;
  return STATUS_BY_TYPE[code ?? ''] ?? STATUS_BY_TYPE[type ?? ''] ?? 500;
}
