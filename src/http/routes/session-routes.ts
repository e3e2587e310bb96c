import type { IncomingMessage } from 'node:http';
import type { Response } from 'express';
import { SCOPES, SESSION_MS, type Session } from '../../access/index.ts';
import { AppError } from '../../kernel/index.ts';
import { cookieOf, hasScope, requireOwnOrigin, SESSION_COOKIE } from '../authentication.ts';
import type { HttpServices } from '../http-services.ts';
import { readJsonBody } from '../json-body.ts';
import { LOCAL_API_KEY_ID } from '../request-scope.ts';
import type { RouteDefinition } from '../route-definition.ts';
import { signInSchema } from '../schemas/access-schema.ts';
import { sendJson } from '../send-json.ts';
import { createSourceAddress } from '../source-address.ts';
import { validateInput } from '../validate-input.ts';

/** The sign-in of the admin page: a key or a one-time link becomes a signed cookie. */
export function sessionRoutes({ access, settings }: HttpServices): readonly RouteDefinition[] {
  const { keys, guard, sessions } = access;
  const sourceOf = createSourceAddress(settings.trustedProxies);

  const sessionOf = (request: IncomingMessage): Session | null => {
    const cookie = cookieOf(request, SESSION_COOKIE);
    const session = cookie === null ? null : sessions.read(cookie);
    if (session === null || session.keyId === LOCAL_API_KEY_ID) return session;
    return keys.principal(session.keyId) === null ? null : session;
  };

  const describe = (session: Session | null): Record<string, unknown> => {
    const isOpen = keys.isOpen();
    const isLocal = session === null ? isOpen : session.keyId === LOCAL_API_KEY_ID;
    const key = session === null ? undefined : keys.list().find(({ id }) => id === session.keyId);
    const principal = session === null ? null : keys.principal(session.keyId);
    const scopes = isLocal
      ? SCOPES
      : SCOPES.filter((scope) => principal !== null && hasScope(principal, scope));
    return {
      signed_in: session !== null,
      open: isOpen,
      key_id: session?.keyId ?? null,
      key_name: key?.name ?? null,
      scopes,
      csrf_token: session === null ? null : sessions.csrfToken(session),
      expires_at: session === null ? null : new Date(session.expiresAtMs).toISOString(),
    };
  };

  return [
    {
      method: 'get',
      path: '/admin/session',
      access: 'public',
      handle(request, response) {
        sendJson(response, 200, describe(sessionOf(request)));
      },
    },
    {
      method: 'post',
      path: '/admin/sign-in',
      access: 'public',
      async handle(request, response, scope) {
        requireOwnOrigin(request);
        const json = await readJsonBody(request, settings);
        const { key, token } = validateInput(signInSchema, json, 'The body');
        const source = sourceOf(request);
        if (token != null) await guard.redeem(token, source);
        const keyId = key == null ? LOCAL_API_KEY_ID : signInWith(key, source);
        const { session, cookie } = sessions.issue(keyId);
        // The route is public: its line would not say who came in otherwise.
        scope.logFields = { key_id: keyId };
        setCookie(request, response, { value: cookie, maxAgeSeconds: SESSION_MS / 1_000 });
        sendJson(response, 200, describe(session));
      },
    },
    {
      method: 'post',
      path: '/admin/sign-out',
      access: 'public',
      handle(request, response) {
        requireOwnOrigin(request);
        const session = sessionOf(request);
        if (session !== null) sessions.signOut(session);
        setCookie(request, response, { value: '', maxAgeSeconds: 0 });
        sendJson(response, 200, describe(null));
      },
    },
  ];

  function signInWith(key: string, source: string): string {
    const principal = guard.authenticate(key, source);
    if (hasScope(principal, 'read')) return principal.keyId;
    throw new AppError(
      'forbidden',
      `The admin page needs a key with the scope "read" or "admin"; this one has ${principal.scopes.join(', ')}.`,
    );
  }
}

/**
 * `Lax`: a link to the page from a terminal or a mail finds its reader signed in; changes need a token anyway. `Secure`
 * where the page was reached over TLS, which only its origin tells behind a proxy: plain HTTP never sees the cookie then.
 */
function setCookie(
  request: IncomingMessage,
  response: Response,
  { value, maxAgeSeconds }: { readonly value: string; readonly maxAgeSeconds: number },
): void {
  const isSecure = request.headers.origin?.startsWith('https://') === true;
  response.setHeader(
    'Set-Cookie',
    `${SESSION_COOKIE}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`,
  );
}
