import type { KeyRevocation, Scope, StoredApiKey } from '../../access/index.ts';
import { AppError } from '../../kernel/index.ts';
import type { Connection } from './connection.ts';

/** Changes of keys. Run within the writer's transaction: a key and its event are one. */
export interface ApiKeyAppender {
  append(key: StoredApiKey): void;
  /** False: there is no such key. */
  revoke(revocation: KeyRevocation): boolean;
  noteUse(lastUsedAtMsById: Readonly<Record<string, number>>): void;
}

const COLUMNS = `id, name, secret_sha256, scopes_json, created_at_ms, created_by, expires_at_ms, revoked_at_ms,
  revoked_reason, last_used_at_ms, requests_per_minute, tokens_per_minute, nano_usd_per_day`;

interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  readonly secret_sha256: string;
  readonly scopes_json: string;
  readonly created_at_ms: number;
  readonly created_by: string;
  readonly expires_at_ms: number | null;
  readonly revoked_at_ms: number | null;
  readonly revoked_reason: string | null;
  readonly last_used_at_ms: number | null;
  readonly requests_per_minute: number | null;
  readonly tokens_per_minute: number | null;
  readonly nano_usd_per_day: number | null;
}

export function createApiKeyAppender(database: Connection): ApiKeyAppender {
  const exists = database.prepare('SELECT 1 FROM api_keys WHERE id = ?').pluck();
  const insert = database.prepare(
    `INSERT INTO api_keys (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const appendEvent = database.prepare(
    'INSERT INTO api_key_events (key_id, kind, at_ms, actor, reason) VALUES (?, ?, ?, ?, ?)',
  );
  const revoke = database.prepare(
    'UPDATE api_keys SET revoked_at_ms = ?, revoked_reason = ? WHERE id = ? AND revoked_at_ms IS NULL',
  );
  const touch = database.prepare(
    'UPDATE api_keys SET last_used_at_ms = max(COALESCE(last_used_at_ms, 0), ?) WHERE id = ?',
  );
  return {
    append: (key) => {
      if (exists.get(key.id) !== undefined) {
        throw new AppError('conflict', `there is a key ${key.id} already`);
      }
      insert.run(
        key.id,
        key.name,
        key.secretSha256,
        JSON.stringify(key.scopes),
        key.createdAtMs,
        key.createdBy,
        key.expiresAtMs,
        key.revokedAtMs,
        key.revokedReason,
        key.lastUsedAtMs,
        key.limits.requestsPerMinute,
        key.limits.tokensPerMinute,
        key.limits.nanoUsdPerDay,
      );
      appendEvent.run(key.id, 'created', key.createdAtMs, key.createdBy, null);
    },
    revoke: ({ id, revokedAtMs, reason, actor }) => {
      if (revoke.run(revokedAtMs, reason, id).changes > 0) {
        appendEvent.run(id, 'revoked', revokedAtMs, actor, reason);
        return true;
      }
      return exists.get(id) !== undefined;
    },
    noteUse: (lastUsedAtMsById) => {
      for (const [id, lastUsedAtMs] of Object.entries(lastUsedAtMsById)) touch.run(lastUsedAtMs, id);
    },
  };
}

/** What the reader can be asked about keys. */
export interface ApiKeyReads {
  readonly apiKeyRevision: (parameters: Readonly<Record<string, never>>) => number;
  readonly apiKeys: (parameters: Readonly<Record<string, never>>) => readonly StoredApiKey[];
}

export function createApiKeyReads(database: Connection): ApiKeyReads {
  const revision = database.prepare('SELECT COALESCE(max(seq), 0) FROM api_key_events').pluck();
  const all = database.prepare(`SELECT ${COLUMNS} FROM api_keys ORDER BY created_at_ms, id`);
  return {
    apiKeyRevision: () => Number(revision.get()),
    // Row mapper: the columns of the statement above.
    apiKeys: () => (all.all() as ApiKeyRow[]).map(fromRow),
  };
}

function fromRow(row: ApiKeyRow): StoredApiKey {
  return {
    id: row.id,
    name: row.name,
    secretSha256: row.secret_sha256,
    scopes: JSON.parse(row.scopes_json) as readonly Scope[],
    limits: {
      requestsPerMinute: row.requests_per_minute,
      tokensPerMinute: row.tokens_per_minute,
      nanoUsdPerDay: row.nano_usd_per_day,
    },
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
    expiresAtMs: row.expires_at_ms,
    revokedAtMs: row.revoked_at_ms,
    revokedReason: row.revoked_reason,
    lastUsedAtMs: row.last_used_at_ms,
  };
}
