import type { StoredOutcome } from '../ledger/index.ts';
import { wireKeys } from './wire-case.ts';

/** An outcome as it stands in the rows it is about. */
export function outcomeToWire(outcome: StoredOutcome): Record<string, unknown> {
  const { occurredAtMs, receivedAtMs, ...rest } = outcome;
  return {
    ...wireKeys(rest),
    occurred_at: occurredAtMs === null ? null : new Date(occurredAtMs).toISOString(),
    received_at: new Date(receivedAtMs).toISOString(),
  };
}
