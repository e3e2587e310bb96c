import { randomBytes } from 'node:crypto';

import { AppError, type Clock, sha256Hex } from '../kernel/index.ts';

/** Where one-time links are kept: hashes only. */
export interface SignInTokenStore {
  appendToken(token: {
    readonly tokenSha256: string;
    readonly createdAtMs: number;
    readonly expiresAtMs: number;
  }): Promise<void>;
  /** Uses a token up, once whoever asks. */
  useToken(tokenSha256: string, nowMs: number): Promise<'signed_in' | 'used' | 'expired' | 'unknown'>;
}

export interface SignInLinks {
  /** The token of a new link. Fails with `storage_unavailable`. */
  issue(): Promise<string>;
  /** Fails with `unauthorized` and the `reason`: the link is `unknown`, `used` or `expired`; and `storage_unavailable`. */
  redeem(token: string): Promise<void>;
}

const LIFETIME_MINUTES = 10;

const REFUSALS = {
  used: 'This sign-in link was used before: each works once.',
  expired: `This sign-in link is too old: each works for ${LIFETIME_MINUTES} minutes.`,
  unknown: 'This sign-in link is not known here. Check that it was copied whole.',
} as const;

export function createSignInLinks(store: SignInTokenStore, clock: Clock): SignInLinks {
  return {
    issue: async () => {
      const token = randomBytes(32).toString('base64url');
      const createdAtMs = clock.nowMs();
      await store.appendToken({
        tokenSha256: sha256Hex(token),
        createdAtMs,
        expiresAtMs: createdAtMs + LIFETIME_MINUTES * 60_000,
      });
      return token;
    },
    redeem: async (token) => {
      const result = await store.useToken(sha256Hex(token), clock.nowMs());
      if (result === 'signed_in') return;
      throw new AppError(
        'unauthorized',
        `${REFUSALS[result]} Sign in with a key, or start the gateway again for a new link.`,
        { details: { reason: result } },
      );
    },
  };
}
