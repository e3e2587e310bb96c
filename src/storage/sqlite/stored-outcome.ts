import type { StoredOutcome } from '../../ledger/index.ts';
import { fromOutcomeRow } from './outcome-columns.ts';

/** An outcome as read back, with `api_key_id`, `voided` and `counts` beside its columns. */
export function storedOutcome(row: Readonly<Record<string, unknown>>): StoredOutcome {
  return {
    ...fromOutcomeRow(row),
    apiKeyId: String(row['api_key_id']),
    voided: row['voided'] === 1,
    counts: row['counts'] === 1,
  };
}
