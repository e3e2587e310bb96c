import { AppError, type Clock, errorMessage, type Logger } from '../../kernel/index.ts';
import type { IdempotencyClaimResult, Ledger, OutcomeBatch, OutcomeReceipt } from '../../ledger/index.ts';
import { toGenerationValues } from './generation-columns.ts';
import { toOutcomeRow } from './outcome-columns.ts';
import { storageUnavailable } from './sqlite-failure.ts';
import type { OutcomeEntry, WriterCommand, WriterValue } from './writer-commands.ts';
import type { WriterPort } from './writer-port.ts';

/** While the database takes no writes, asking for its health tries one at most this often. */
const PROBE_INTERVAL_MS = 1_000;

/** The ledger's write side over a writer, wherever that runs. */
export function createSqliteLedger(options: {
  readonly writer: WriterPort;
  readonly clock: Clock;
  readonly logger: Logger;
}): Ledger {
  const { writer, clock, logger } = options;
  let failure: { readonly reason: string; readonly atMs: number } | null = null;
  let committedWrites = 0;
  let isClosed = false;

  const noteFailure = (reason: string): void => {
    if (failure === null) logger.error({ reason }, 'the ledger takes no writes');
    failure = { reason, atMs: clock.monotonicMs() };
  };

  const noteSuccess = (command: WriterCommand): void => {
    committedWrites += 1;
    // A claim may have been answered without a write: it proves nothing.
    if (failure === null || command.kind === 'claim_idempotency_key') return;
    failure = null;
    logger.info({}, 'the ledger takes writes again');
  };

  const submit = async (command: WriterCommand, characters: number): Promise<WriterValue> => {
    if (isClosed) throw storageUnavailable('it is closed');
    const reply = await writer.submit(command, characters);
    if (reply.ok) {
      noteSuccess(command);
      return reply.value;
    }
    if (reply.unavailableReason !== null) {
      noteFailure(reply.unavailableReason);
      throw storageUnavailable(reply.unavailableReason, reply.message);
    }
    if (reply.code === 'internal') {
      throw new AppError('internal', `The ledger refused a ${command.kind} it cannot hold: ${reply.message}`);
    }
    throw new AppError(reply.code, reply.message, { details: reply.details });
  };

  const probe = (): void => {
    if (failure === null || isClosed) return;
    if (clock.monotonicMs() - failure.atMs < PROBE_INTERVAL_MS) return;
    failure = { ...failure, atMs: clock.monotonicMs() };
    submit({ kind: 'probe', nowMs: clock.nowMs() }, 0).catch((error: unknown) => {
      logger.debug({ error: errorMessage(error) }, 'the ledger still takes no writes');
    });
  };

  return {
    appendGeneration: async (record, completes) => {
      const values = toGenerationValues(record);
      let characters = completes?.responseJson.length ?? 0;
      for (const value of values) characters += typeof value === 'string' ? value.length : 8;
      await submit({ kind: 'append_generation', values, completes }, characters);
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
    health: () => {
      probe();
      const reason = isClosed ? 'it is closed' : (writer.stopped ?? failure?.reason ?? null);
      return {
        writable: reason === null,
        reason,
        queuedWrites: writer.queued,
        committedWrites,
        commits: writer.commits,
      };
    },
    close: async () => {
      isClosed = true;
      await writer.close();
    },
  };
}
