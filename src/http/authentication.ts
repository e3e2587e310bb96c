import type { IncomingMessage } from 'node:http';
import type { KeyGuard, KeyRing, Principal, Scope, Sessions } from '../access/index.ts';
import { AppError } from '../kernel/index.ts';
import { type Caller, LOCAL_API_KEY_ID } from './request-scope.ts';

/** What a route needs of its caller. `public`: nothing at all. */
export type RouteAccess = Scope | 'public';

export const SESSION_COOKIE = 'pgw_session';
const CSRF_HEADER = 'x-csrf-token';
/** Change nothing: what a session may do on its own. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

const EVERYTHING: Principal = {
  keyId: LOCAL_API_KEY_ID,
  scopes: ['admin'],
  limits: { requestsPerMinute: null, tokensPerMinute: null, nanoUsdPerDay: null },
};

interface AuthenticationParts {
  readonly keys: Pick<KeyRing, 'isOpen' | 'principal'>;
  readonly guard: Pick<KeyGuard, 'authenticate'>;
  /** Network address that a request came from. */
  readonly sourceOf: (request: IncomingMessage) => string;
  readonly sessions: Pick<Sessions, 'read' | 'isCsrfToken'>;
}

type Authenticate = (request: IncomingMessage, access: RouteAccess) => Caller;

/**
 * Who makes a request, and whether they may. A key in `Authorization: Bearer` or `x-api-key` comes first, then the
 * session of the admin page, then, on a gateway without any key, everybody who reaches the port. Fails with
 * `unauthorized`, saying what is wrong with the key, `rate_limited` after too many wrong ones, and `forbidden`, naming
 * the scope that lacks.
 *
 * A browser sends its session on its own, so a session alone reads only: a change also needs the page's own Origin and
 * its token. The same Origin check holds for a gateway without keys.
 */
export function createAuthentication(parts: AuthenticationParts): Authenticate {
  const { keys, guard, sourceOf, sessions } = parts;
  const callerOf = (request: IncomingMessage): Caller | null => {
    const presented = presentedKey(request);
    if (presented !== null) {
      return { principal: guard.authenticate(presented, sourceOf(request)), session: null };
    }
    const cookie = cookieOf(request, SESSION_COOKIE);
    const session = cookie === null ? null : sessions.read(cookie);
    if (session !== null) {
      const principal = session.keyId === LOCAL_API_KEY_ID ? EVERYTHING : keys.principal(session.keyId);
      if (principal !== null) return { principal, session };
    }
    return keys.isOpen() ? { principal: EVERYTHING, session: null } : null;
  };

  return (request, access) => {
    if (access === 'public') return { principal: null, session: null };
    const caller = callerOf(request);
    if (caller === null) throw missingKey(request);
    const { principal, session } = caller;
    if (principal !== null && !hasScope(principal, access)) {
      throw new AppError(
        'forbidden',
        `This needs a key with the scope "${access}"; the one presented has ${principal.scopes.join(', ')}.`,
      );
    }
    if (!SAFE_METHODS.has(request.method ?? 'GET') && presentedKey(request) === null) {
      requireOwnOrigin(request);
      // Commands send no origin, but bring a key: a session is a browser's, which always says where its page came from.
      if (session !== null && headerOf(request, 'origin') === null) {
        throw new AppError(
          'forbidden',
          'A change by a signed-in page says its origin: send an Origin header, or a key instead of the cookie.',
        );
      }
      const token = headerOf(request, CSRF_HEADER);
      if (session !== null && (token === null || !sessions.isCsrfToken(session, token))) {
        throw new AppError(
          'forbidden',
          `A change by a signed-in page also needs its token: send the csrf_token of GET /admin/session as ${CSRF_HEADER}.`,
        );
      }
    }
    return caller;
  };
}

export function hasScope({ scopes }: Pick<Principal, 'scopes'>, scope: Scope): boolean {
  return scopes.includes('admin') || scopes.includes(scope);
}

/** Browsers name the origin of every change; another one than ours is another site that uses its visitor's sign-in. */
export function requireOwnOrigin(request: IncomingMessage): void {
  const origin = headerOf(request, 'origin');
  if (origin === null) return;
  const host = headerOf(request, 'host');
  if (URL.canParse(origin) && host !== null && new URL(origin).host === host) return;
  throw new AppError(
    'forbidden',
    'A page of another origin cannot change anything here. (A proxy in front has to pass the Host header on.)',
  );
}

export function cookieOf(request: IncomingMessage, name: string): string | null {
  for (const pair of (headerOf(request, 'cookie') ?? '').split(';')) {
    const [key, ...rest] = pair.trim().split('=');
    if (key === name) return rest.join('=');
  }
  return null;
}

function presentedKey(request: IncomingMessage): string | null {
  const authorization = headerOf(request, 'authorization');
  if (authorization !== null) {
    const [, text] = /^bearer\s+(\S+)\s*$/i.exec(authorization) ?? [];
    if (text === undefined) {
      throw new AppError('unauthorized', 'The Authorization header has the form "Bearer pgw_…".');
    }
    // Clients of OpenAI insist on sending some key: one that is not ours means nothing there.
    const isForeign = !text.startsWith('pgw_') && request.url?.startsWith('/v1/') === true;
    if (!isForeign) return text;
  }
  return headerOf(request, 'x-api-key');
}

function missingKey(request: IncomingMessage): AppError {
  const hasCookie = cookieOf(request, SESSION_COOKIE) !== null;
  return new AppError(
    'unauthorized',
    hasCookie
      ? 'The sign-in is not valid any more: it expired, was ended, or its key was revoked. Sign in again.'
      : 'This needs an API key: send "Authorization: Bearer pgw_…". An operator makes one with `prompt-gateway keys create`.',
  );
}

function headerOf(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}
