import type { IncomingMessage, ServerResponse } from 'node:http';
import { ERROR_STATUS } from './error-status.ts';
import type { HttpServices } from './http-services.ts';
import { LazyAbort } from './lazy-abort.ts';
import { LOCAL_API_KEY_ID, type RequestScope } from './request-scope.ts';
import { securityHeaders } from './security-headers.ts';
import { traceIdOf } from './trace-parent.ts';

/** What may come back in a header and stand in a log line: no separators, no control characters. */
const REQUEST_ID = /^[\w.-]{1,128}$/;

/** Polled all day by machines: their lines would bury the rest. */
const QUIET_ROUTES: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** Opens a request: who calls, since when, under which id; the headers of every answer; and the line that closes it. */
export type OpenRequest = (request: IncomingMessage, response: ServerResponse) => RequestScope;

export function createOpenRequest(services: HttpServices): OpenRequest {
  const fixedHead = securityHeaders().flat();
  const closeRequest = createCloseRequest(services);

  return (request, response) => {
    const ownId = services.ids.next('req');
    const givenId = request.headers['x-request-id'];
    const requestId = typeof givenId === 'string' && REQUEST_ID.test(givenId) ? givenId : ownId;
    const head = [...fixedHead, 'X-Request-Id', requestId];
    if (services.drain.isDraining()) head.push('Connection', 'close');
    const scope: RequestScope = {
      requestId,
      // Without a parent the trace takes the 32 hex digits of our own id: unique, and no second source of randomness.
      traceId: traceIdOf(singleHeader(request, 'traceparent')) ?? ownId.slice(-32),
      receivedAtMs: services.clock.nowMs(),
      receivedMonotonicMs: services.clock.monotonicMs(),
      isOpenAiSurface: request.url?.startsWith('/v1/') === true,
      abort: new LazyAbort(),
      head,
      route: 'unmatched',
      logFields: {},
      caller: null,
      errorCode: null,
    };
    response.on('close', () => closeRequest(request, response, scope));
    return scope;
  };
}

function singleHeader(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** Runs once the answer is out, or the connection is gone before. */
function createCloseRequest({ clock, logger, metrics }: HttpServices) {
  return (request: IncomingMessage, response: ServerResponse, scope: RequestScope): void => {
    const isWhole = response.writableFinished;
    if (!isWhole) {
      scope.errorCode ??= 'client_closed';
      scope.abort.abort();
    }
    const status = isWhole ? response.statusCode : ERROR_STATUS.client_closed;
    const durationMs = clock.monotonicMs() - scope.receivedMonotonicMs;
    metrics.request({ route: scope.route, method: request.method ?? 'GET', status, durationMs });

    const keyId = scope.caller?.principal?.keyId ?? LOCAL_API_KEY_ID;
    const line = {
      event: 'request',
      request_id: scope.requestId,
      trace_id: scope.traceId,
      method: request.method,
      route: scope.route,
      status,
      duration_ms: Math.round(durationMs * 1_000) / 1_000,
      ...(keyId === LOCAL_API_KEY_ID ? {} : { key_id: keyId }),
      ...(scope.errorCode === null ? {} : { code: scope.errorCode }),
      ...scope.logFields,
    };
    if (status >= 500) logger.warn(line, 'request');
    else if (QUIET_ROUTES.has(scope.route)) logger.debug(line, 'request');
    else logger.info(line, 'request');
  };
}
