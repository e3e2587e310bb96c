import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AppError, type ErrorCode, errorMessage, type Logger } from '../kernel/index.ts';
import { applyHead } from './answer-head.ts';
import { ERROR_STATUS } from './error-status.ts';
import { asAppError, openAiError, openAiStatus, problemOf } from './problem.ts';
import type { RequestScope } from './request-scope.ts';
import { sendJson } from './send-json.ts';

/** Sent when an error of that kind knows no better time, in milliseconds: long enough to let a queue drain. */
const DEFAULT_RETRY_AFTER_MS = 1_000;

/** The only place that turns a thrown value into an answer, and the only one that logs it. */
export type AnswerError = (
  thrown: unknown,
  request: IncomingMessage,
  response: ServerResponse,
  scope: RequestScope,
) => void;

export function createAnswerError(logger: Logger): AnswerError {
  return (thrown, request, response, scope) => {
    const error = asAppError(thrown);
    noteError(error, scope, logger);
    if (response.headersSent) {
      // The answer had begun: only a cut connection tells the caller that it is not whole.
      response.destroy();
      return;
    }
    applyHead(scope, response);
    setRetryAfter(error, response);
    if (error.code === 'unauthorized')
      response.setHeader('WWW-Authenticate', 'Bearer realm="prompt-gateway"');
    if (scope.isOpenAiSurface) {
      sendJson(response, openAiStatus(error.code), openAiError(error));
      return;
    }
    const problem = problemOf(error, scope.requestId, pathOf(request));
    sendJson(response, problem.status, problem, 'application/problem+json; charset=utf-8');
  };
}

/** Keeps the code for the request's line and logs, once and whole, what somebody must look at. */
export function noteError(error: AppError, scope: RequestScope, logger: Logger): void {
  scope.errorCode = error.code;
  const { generationId } = error.details;
  if (typeof generationId === 'string') scope.logFields = { generation_id: generationId, ...scope.logFields };
  if (!needsAttention(error.code)) return;
  logger.error(
    {
      event: 'request_failed',
      request_id: scope.requestId,
      trace_id: scope.traceId,
      route: scope.route,
      code: error.code,
      error: error.message,
      cause: describeCause(error.cause),
    },
    'request failed inside the gateway',
  );
}

/**
 * `internal` is a bug, the `*_invalid` codes are operator faults at run time, a provider that rejects us has our key or
 * our request wrong. Timeouts and overload are coped with: the request's own line says so at WARN.
 */
function needsAttention(code: ErrorCode): boolean {
  return ERROR_STATUS[code] === 500 || code === 'provider_rejected';
}

function describeCause(cause: unknown): string | null {
  if (cause === undefined) return null;
  return cause instanceof Error ? (cause.stack ?? cause.message) : errorMessage(cause);
}

function setRetryAfter(error: AppError, response: ServerResponse): void {
  const status = ERROR_STATUS[error.code];
  const asksToWait = status === 429 || status === 503 || error.code === 'idempotency_in_progress';
  if (error.retryAfterMs === undefined && !asksToWait) return;
  const retryAfterMs = error.retryAfterMs ?? DEFAULT_RETRY_AFTER_MS;
  // Whole seconds, rounded up: asking to come back too early would only be refused again.
  response.setHeader('Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1_000))));
}

/** Without the query: it may hold what a caller would not want repeated. */
function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '';
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}
