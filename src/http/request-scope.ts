import type { IncomingMessage } from 'node:http';
import type { Principal, Session } from '../access/index.ts';
import type { CallContext } from '../serving/index.ts';
import type { LazyAbort } from './lazy-abort.ts';

/** Key id of calls on a gateway without API keys. */
export const LOCAL_API_KEY_ID = 'local';

/** Who makes a request. `principal` null: a route that everybody may use. */
export interface Caller {
  readonly principal: Principal | null;
  /** The admin page's sign-in, when that is how they came. */
  readonly session: Session | null;
}

/** What one request carries from the first middleware to its log line. */
export interface RequestScope {
  readonly requestId: string;
  readonly traceId: string;
  readonly receivedAtMs: number;
  readonly receivedMonotonicMs: number;
  /** Errors take OpenAI's shape. */
  readonly isOpenAiSurface: boolean;
  /** Aborts when the caller's connection is gone before the answer is. */
  readonly abort: LazyAbort;
  /** Headers of the answer so far that are not on the response yet, as Node takes them: name, value, name, value. */
  head: string[];
  /** Pattern of the matched route; `unmatched` otherwise. Bounded: it becomes a metric label. */
  route: string;
  /** Facts of the call for the log line. Never prompt or completion text. */
  logFields: Record<string, unknown>;
  /** Set when the route's access was checked. */
  caller: Caller | null;
  /** Code of the error that was answered, or that ended a stream. */
  errorCode: string | null;
}

/** Of requests that Express routes, which hands on nothing of ours. Beside the request, not on it: no untyped property. */
const scopes = new WeakMap<IncomingMessage, RequestScope>();

export function keepScope(request: IncomingMessage, scope: RequestScope): void {
  scopes.set(request, scope);
}

/** The scope of a request that Express routes. */
export function scopeOf(request: IncomingMessage): RequestScope {
  const scope = scopes.get(request);
  if (scope === undefined) throw new Error('The request did not come in by the front door.');
  return scope;
}

export function callContext(scope: RequestScope): CallContext {
  return {
    apiKeyId: scope.caller?.principal?.keyId ?? LOCAL_API_KEY_ID,
    requestId: scope.requestId,
    traceId: scope.traceId,
    receivedAtMs: scope.receivedAtMs,
    receivedMonotonicMs: scope.receivedMonotonicMs,
  };
}
