import type { Clock } from '../../kernel/index.ts';
import type { IdempotencyClaimResult, Ledger, OutcomeBatch, OutcomeReceipt } from '../../ledger/index.ts';
import { toGenerationValues } from './generation-columns.ts';
import { toOutcomeRow } from './outcome-columns.ts';
import { scoreCharacters, toScoreValues } from './score-columns.ts';
import type { WriterCalls } from './writer-calls.ts';
import type { OutcomeEntry } from './writer-commands.ts';

/** The ledger's write side over a writer, wherever that runs. */
export function createSqliteLedger(options: { readonly writer: WriterCalls; readonly clock: Clock }): Ledger {
  const { clock } = options;
  const { submit, health, close } = options.writer;

  return {
    appendGeneration: async (record, completes) => {
      const values = toGenerationValues(record);
      let characters = completes?.responseJson.length ?? 0;
      for (const value of values) characters += typeof value === 'string' ? value.length : 8;
      await submit({ kind: 'append_generation', values, completes }, characters);
    },
    appendScore: async (record, completes) => {
      const values = toScoreValues(record);
      const characters = scoreCharacters(values) + (completes?.responseJson.length ?? 0);
      await submit({ kind: 'append_score', values, completes }, characters);
    },
    appendOutcomes: async (batch: OutcomeBatch): Promise<OutcomeReceipt> => {
      const entries = batch.entries.map(
        (entry): OutcomeEntry =>
          entry.kind === 'outcome' ? { kind: 'outcome', row: toOutcomeRow(entry.outcome) } : entry,
      );
      const { apiKeyId } = batch;
      const value = await submit({ kind: 'append_outcomes', apiKeyId, entries }, entries.length * 300);
      // The writer answers each kind of command with its own kind of value.
      return value as OutcomeReceipt;
    },
    claimIdempotencyKey: async (claim) => {
      const value = await submit({ kind: 'claim_idempotency_key', claim }, claim.key.length);
      // As above.
      return value as IdempotencyClaimResult;
    },
    releaseIdempotencyKey: async (apiKeyId, key, leaseId) => {
      await submit({ kind: 'release_idempotency_key', apiKeyId, key, leaseId }, key.length);
    },
    expireIdempotencyKeys: async (beforeMs, limit) => {
      const nowMs = clock.nowMs();
      return Number(await submit({ kind: 'expire_idempotency_keys', beforeMs, nowMs, limit }, 0));
    },
    rebuildRollups: async () => {
      await submit({ kind: 'rebuild_rollups' }, 0);
    },
    health,
    close,
  };
}
