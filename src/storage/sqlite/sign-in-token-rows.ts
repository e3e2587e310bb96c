import type { Connection } from './connection.ts';

export interface SignInTokenRow {
  readonly tokenSha256: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export type SignInTokenUse = 'signed_in' | 'used' | 'expired' | 'unknown';

/** One-time tokens. Run within the writer's transaction: of two who use one at once, the second one is told so. */
export interface SignInTokenRows {
  append(token: SignInTokenRow): void;
  use(tokenSha256: string, nowMs: number): SignInTokenUse;
}

/** How long used and expired tokens are remembered, so that their links can be told from unknown ones. */
const KEPT_MS = 7 * 86_400_000;

export function createSignInTokenRows(database: Connection): SignInTokenRows {
  const insert = database.prepare(
    'INSERT INTO sign_in_tokens (token_sha256, created_at_ms, expires_at_ms) VALUES (?, ?, ?)',
  );
  const forget = database.prepare('DELETE FROM sign_in_tokens WHERE expires_at_ms < ?');
  const find = database.prepare(
    'SELECT expires_at_ms, used_at_ms FROM sign_in_tokens WHERE token_sha256 = ?',
  );
  const use = database.prepare('UPDATE sign_in_tokens SET used_at_ms = ? WHERE token_sha256 = ?');
  return {
    append: ({ tokenSha256, createdAtMs, expiresAtMs }) => {
      forget.run(createdAtMs - KEPT_MS);
      insert.run(tokenSha256, createdAtMs, expiresAtMs);
    },
    use: (tokenSha256, nowMs) => {
      // Row mapper: the columns of the statement above.
      const row = find.get(tokenSha256) as
        | { readonly expires_at_ms: number; readonly used_at_ms: number | null }
        | undefined;
      if (row === undefined) return 'unknown';
      if (row.used_at_ms !== null) return 'used';
      if (row.expires_at_ms <= nowMs) return 'expired';
      use.run(nowMs, tokenSha256);
      return 'signed_in';
    },
  };
}
