import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

import type { Clock } from '../kernel/index.ts';

/** A sign-in of the admin page: who, until when. Kept by the browser alone, signed by us. */
export interface Session {
  /** Key id, or `local` after a one-time link. */
  readonly keyId: string;
  readonly expiresAtMs: number;
  /** Makes sessions of one key differ. */
  readonly nonce: string;
}

export interface Sessions {
  /** The cookie's value. */
  issue(keyId: string): { readonly session: Session; readonly cookie: string };
  /** Null: forged, cut, expired or signed out. */
  read(cookie: string): Session | null;
  /** What a change must send along: proof that the page itself, and not another site, asks for it. */
  csrfToken(session: Session): string;
  isCsrfToken(session: Session, token: string): boolean;
  /** Ends it here; it would have ended by itself at its expiry. */
  signOut(session: Session): void;
}

export const SESSION_MS = 12 * 3_600_000;
/** Signed-out sessions are remembered until they expire; more than these means somebody plays. */
const MAX_SIGNED_OUT = 10_000;

/** `signingKey`: 32 random bytes. Whoever knows them can make any session. */
export function createSessions(signingKey: Uint8Array, clock: Clock): Sessions {
  const signedOut = new Map<string, number>();
  const sign = (purpose: string, text: string): Buffer =>
    createHmac('sha256', signingKey).update(`${purpose}:${text}`).digest();

  const forgetExpired = (): void => {
    for (const [nonce, expiresAtMs] of signedOut) {
      if (expiresAtMs <= clock.nowMs() || signedOut.size > MAX_SIGNED_OUT) signedOut.delete(nonce);
    }
  };

  return {
    issue: (keyId) => {
      const nonce = randomBytes(16).toString('base64url');
      const session = { keyId, nonce, expiresAtMs: clock.nowMs() + SESSION_MS };
      const payload = Buffer.from(JSON.stringify(session)).toString('base64url');
      return { session, cookie: `${payload}.${sign('session', payload).toString('base64url')}` };
    },
    read: (cookie) => {
      const [payload = '', signature = '', ...more] = cookie.split('.');
      if (more.length > 0 || !isEqual(sign('session', payload), Buffer.from(signature, 'base64url'))) {
        return null;
      }
      // Signed by us: the shape is what `issue` wrote.
      const session = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Session;
      return session.expiresAtMs <= clock.nowMs() || signedOut.has(session.nonce) ? null : session;
    },
    csrfToken: (session) => sign('csrf', session.nonce).toString('base64url'),
    isCsrfToken: (session, token) => isEqual(sign('csrf', session.nonce), Buffer.from(token, 'base64url')),
    signOut: (session) => {
      forgetExpired();
      signedOut.set(session.nonce, session.expiresAtMs);
    },
  };
}

function isEqual(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
