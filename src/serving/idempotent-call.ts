import { AppError, type Clock, type Ids } from '../kernel/index.ts';
import type { IdempotencyCompletion, Ledger } from '../ledger/index.ts';
import type { CallContext, IdempotentCall } from './types.ts';

/** A call may hold its key this much longer than its work may take: rendering, ranking, the commit. */
const LEASE_SLACK_MS = 15_000;

/** The hold on an `Idempotency-Key` while its first call runs. */
export interface KeyLease<Answer> {
  /** To be committed with the row of the call; null when the call has no key. */
  completion(answer: Answer): IdempotencyCompletion | null;
  /** Gives the key back after a call that ended without an answer. Never throws. */
  release(): Promise<void>;
}

export type KeyClaim<Answer> =
  | { readonly kind: 'run'; readonly lease: KeyLease<Answer> }
  | { readonly kind: 'replay'; readonly answer: Answer };

/** The part of a request that claims a key. */
interface KeyedRequest {
  readonly context: Pick<CallContext, 'apiKeyId'>;
  readonly idempotency: IdempotentCall | null;
}

export interface IdempotencyParts {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly ids: Ids;
}

const NO_LEASE: KeyLease<unknown> = { completion: () => null, release: async () => {} };

/**
 * Claims the call's `Idempotency-Key`, when it has one, for the longest time its work may take. `Answer` is what calls
 * with this request hash complete their keys with: the hash covers the path, so no other shape is ever read back. Fails with `idempotency_in_progress` (409) while the first call
 * runs, and `idempotency_mismatch` (422) when the key was used with another body.
 */
export async function claimKey<Answer>(
  request: KeyedRequest,
  workMs: number,
  parts: IdempotencyParts,
): Promise<KeyClaim<Answer>> {
  const { idempotency, context } = request;
  if (idempotency === null) return { kind: 'run', lease: NO_LEASE };
  const { apiKeyId } = context;
  const { key, requestHash } = idempotency;
  const leaseId = parts.ids.next('run');
  const nowMs = parts.clock.nowMs();
  const leaseExpiresAtMs = nowMs + workMs + LEASE_SLACK_MS;
  const claim = await parts.ledger.claimIdempotencyKey({
    apiKeyId,
    key,
    requestHash,
    leaseId,
    leaseExpiresAtMs,
    nowMs,
  });
  switch (claim.kind) {
    case 'claimed':
      return {
        kind: 'run',
        lease: {
          completion: (answer) => ({ apiKeyId, key, leaseId, responseJson: JSON.stringify(answer) }),
          // A key that could not be given back is free again when its lease expires.
          release: () => parts.ledger.releaseIdempotencyKey(apiKeyId, key, leaseId).catch(() => {}),
        },
      };
    case 'completed':
      return { kind: 'replay', answer: JSON.parse(claim.responseJson) as Answer };
    case 'running':
      throw new AppError(
        'idempotency_in_progress',
        'a call with this Idempotency-Key is still running; try again shortly',
        {
          retryAfterMs: Math.min(claim.retryAfterMs, 1_000),
        },
      );
    case 'mismatch':
      throw new AppError(
        'idempotency_mismatch',
        'this Idempotency-Key was used with another request body; use a new key for a new request',
      );
    default: {
      const never: never = claim;
      throw new AppError('internal', `no rule for claim ${String(never)}`);
    }
  }
}
