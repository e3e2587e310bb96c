import type { IdempotencyClaim, IdempotencyClaimResult, IdempotencyCompletion } from '../../ledger/index.ts';
import type { Connection } from './connection.ts';

/** The longest a caller is told to wait before it asks again for a call that is still running. */
const MAX_RETRY_AFTER_MS = 1_000;

export interface IdempotencyKeys {
  claim(claim: IdempotencyClaim): IdempotencyClaimResult;
  /** Leaves the row alone when the lease has been taken over meanwhile. */
  complete(completion: IdempotencyCompletion, generationId: string, nowMs: number): void;
  release(apiKeyId: string, key: string, leaseId: string): void;
  /** Drops at most `limit` rows: completed before `beforeMs`, or leases that expired before `nowMs`. */
  expire(beforeMs: number, nowMs: number, limit: number): number;
  /** At start: whoever held a lease on this file is gone. */
  releaseAll(): number;
}

interface KeyRow {
  readonly request_hash: string;
  readonly lease_id: string;
  readonly lease_expires_at_ms: number;
  readonly completed_at_ms: number | null;
  readonly generation_id: string | null;
  readonly response_json: string | null;
}

export function createIdempotencyKeys(database: Connection): IdempotencyKeys {
  const find = database.prepare(
    `SELECT request_hash, lease_id, lease_expires_at_ms, completed_at_ms, generation_id, response_json
     FROM idempotency_keys WHERE api_key_id = ? AND key = ?`,
  );
  const take = database.prepare(
    `INSERT INTO idempotency_keys
       (api_key_id, key, request_hash, lease_id, claimed_at_ms, lease_expires_at_ms)
     VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (api_key_id, key) DO UPDATE SET
       request_hash = excluded.request_hash, lease_id = excluded.lease_id,
       claimed_at_ms = excluded.claimed_at_ms, lease_expires_at_ms = excluded.lease_expires_at_ms`,
  );
  const complete = database.prepare(
    `UPDATE idempotency_keys SET completed_at_ms = ?, generation_id = ?, response_json = ?
     WHERE api_key_id = ? AND key = ? AND lease_id = ? AND completed_at_ms IS NULL`,
  );
  const release = database.prepare(
    `DELETE FROM idempotency_keys
     WHERE api_key_id = ? AND key = ? AND lease_id = ? AND completed_at_ms IS NULL`,
  );
  const expireCompleted = database.prepare(
    `DELETE FROM idempotency_keys WHERE (api_key_id, key) IN (
       SELECT api_key_id, key FROM idempotency_keys WHERE completed_at_ms < ? ORDER BY completed_at_ms LIMIT ?
     )`,
  );
  const expireLeases = database.prepare(
    `DELETE FROM idempotency_keys WHERE (api_key_id, key) IN (
       SELECT api_key_id, key FROM idempotency_keys
       WHERE completed_at_ms IS NULL AND lease_expires_at_ms < ? ORDER BY lease_expires_at_ms LIMIT ?
     )`,
  );
  const releaseAll = database.prepare('DELETE FROM idempotency_keys WHERE completed_at_ms IS NULL');

  return {
    claim: (claim) => {
      // Row mapper: the columns are those of the statement.
      const row = find.get(claim.apiKeyId, claim.key) as KeyRow | undefined;
      if (row !== undefined && row.completed_at_ms !== null) {
        if (row.request_hash !== claim.requestHash) return { kind: 'mismatch' };
        return {
          kind: 'completed',
          responseJson: row.response_json ?? '',
          generationId: row.generation_id ?? '',
        };
      }
      if (row !== undefined && row.lease_expires_at_ms > claim.nowMs && row.lease_id !== claim.leaseId) {
        if (row.request_hash !== claim.requestHash) return { kind: 'mismatch' };
        const remainingMs = row.lease_expires_at_ms - claim.nowMs;
        return { kind: 'running', retryAfterMs: Math.min(remainingMs, MAX_RETRY_AFTER_MS) };
      }
      take.run(
        claim.apiKeyId,
        claim.key,
        claim.requestHash,
        claim.leaseId,
        claim.nowMs,
        claim.leaseExpiresAtMs,
      );
      return { kind: 'claimed' };
    },
    complete: (completion, generationId, nowMs) => {
      complete.run(
        nowMs,
        generationId,
        completion.responseJson,
        completion.apiKeyId,
        completion.key,
        completion.leaseId,
      );
    },
    release: (apiKeyId, key, leaseId) => {
      release.run(apiKeyId, key, leaseId);
    },
    expire: (beforeMs, nowMs, limit) => {
      const completed = expireCompleted.run(beforeMs, limit).changes;
      return completed + (completed < limit ? expireLeases.run(nowMs, limit - completed).changes : 0);
    },
    releaseAll: () => releaseAll.run().changes,
  };
}
