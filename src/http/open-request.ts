import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import { ERROR_STATUS } from './error-status.ts';
import { createHostCheck } from './host-allow-list.ts';
import type { HttpServices } from './http-services.ts';
import { findScope, LOCAL_API_KEY_ID, openScope } from './request-scope.ts';
import { securityHeaders } from './security-headers.ts';
import { traceIdOf } from './trace-parent.ts';

/** What may come back in a header and stand in a log line: no separators, no control characters. */
const REQUEST_ID = /^[\w.-]{1,128}$/;

/** Polled all day by machines: their lines would bury the rest. */
const QUIET_ROUTES: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** The first middleware: who calls, since when, under which id; and the line that closes the request. */
export function createOpenRequest(services: HttpServices) {
  const checkHost = createHostCheck(services.settings.allowedHosts);
  const fixedHeaders = securityHeaders();
  const closeRequest = createCloseRequest(services);

  return (request: Request, response: Response, next: NextFunction): void => {
    const ownId = services.ids.next('req');
    const givenId = request.headers['x-request-id'];
    const requestId = typeof givenId === 'string' && REQUEST_ID.test(givenId) ? givenId : ownId;
    openScope(request, {
      requestId,
      // Without a parent the trace takes the 32 hex digits of our own id: unique, and no second source of randomness.
      traceId: traceIdOf(singleHeader(request, 'traceparent')) ?? ownId.slice(-32),
      receivedAtMs: services.clock.nowMs(),
      receivedMonotonicMs: services.clock.monotonicMs(),
      isOpenAiSurface: request.url.startsWith('/v1/'),
      abort: new AbortController(),
      route: 'unmatched',
      logFields: {},
      caller: null,
      errorCode: null,
    });
    for (const [name, value] of fixedHeaders) response.setHeader(name, value);
    response.setHeader('X-Request-Id', requestId);
    if (services.drain.isDraining()) response.setHeader('Connection', 'close');
    response.on('close', closeRequest);
    checkHost(request);
    next();
  };
}

function singleHeader(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** One listener for every response: it runs once the answer is out, or the connection is gone before. */
function createCloseRequest({ clock, logger, metrics }: HttpServices) {
  return function closeRequest(this: ServerResponse<IncomingMessage>): void {
    const scope = findScope(this.req);
    if (scope === undefined) return;
    const isWhole = this.writableFinished;
    if (!isWhole) {
      scope.errorCode ??= 'client_closed';
      scope.abort.abort();
    }
    const status = isWhole ? this.statusCode : ERROR_STATUS.client_closed;
    const durationMs = clock.monotonicMs() - scope.receivedMonotonicMs;
    metrics.request({ route: scope.route, method: this.req.method ?? 'GET', status, durationMs });

    const keyId = scope.caller?.principal?.keyId ?? LOCAL_API_KEY_ID;
    const line = {
      event: 'request',
      request_id: scope.requestId,
      trace_id: scope.traceId,
      method: this.req.method,
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
