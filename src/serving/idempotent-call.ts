import { AppError, type Clock, type Ids } from '../kernel/index.ts';
import type { IdempotencyCompletion, Ledger } from '../ledger/index.ts';
import type { GenerateRequest, GenerationAnswer } from './types.ts';

/** A call may hold its key this much longer than its route may take: rendering, a repair attempt, the commit. */
const LEASE_SLACK_MS = 15_000;

/** The hold on an `Idempotency-Key` while its first call runs. */
export interface KeyLease {
  /** To be committed with the generation; null when the call has no key. */
  completion(answer: GenerationAnswer): IdempotencyCompletion | null;
  /** Gives the key back after a call that ended without an answer. Never throws. */
  release(): Promise<void>;
}

export type KeyClaim =
  | { readonly kind: 'run'; readonly lease: KeyLease }
  | { readonly kind: 'replay'; readonly answer: GenerationAnswer };

export interface IdempotencyParts {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly ids: Ids;
}

const NO_LEASE: KeyLease = { completion: () => null, release: async () => {} };

/**
 * Claims the call's `Idempotency-Key`, when it has one. Fails with `idempotency_in_progress` (409) while the first call
 * runs, and `idempotency_mismatch` (422) when the key was used with another body.
 */
export async function claimKey(
  request: GenerateRequest,
  routeTimeoutMs: number,
  parts: IdempotencyParts,
): Promise<KeyClaim> {
  const { idempotency, context } = request;
  if (idempotency === null) return { kind: 'run', lease: NO_LEASE };
  const { apiKeyId } = context;
  const { key, requestHash } = idempotency;
  const leaseId = parts.ids.next('run');
  const nowMs = parts.clock.nowMs();
  // A repair attempt may use the route a second time.
  const leaseExpiresAtMs = nowMs + 2 * routeTimeoutMs + LEASE_SLACK_MS;
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
      return { kind: 'replay', answer: JSON.parse(claim.responseJson) as GenerationAnswer };
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
