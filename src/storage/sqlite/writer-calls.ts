import { AppError, type Clock, errorMessage, type Logger } from '../../kernel/index.ts';
import type { Ledger } from '../../ledger/index.ts';
import { storageUnavailable } from './sqlite-failure.ts';
import type { WriterCommand, WriterValue } from './writer-commands.ts';
import type { WriterPort } from './writer-port.ts';

/** While the database takes no writes, asking for its health tries one at most this often. */
const PROBE_INTERVAL_MS = 1_000;

/** These may have been answered without a write: that they passed proves nothing about the disk. */
const MAY_WRITE_NOTHING: ReadonlySet<WriterCommand['kind']> = new Set([
  'claim_idempotency_key',
  'append_label_event',
  'revoke_api_key',
  'note_key_use',
  'use_sign_in_token',
  'commit_sequence',
  'append_rollout',
  'retain',
]);

/** The one way of every store to the writer: turns its refusals into errors and keeps count of its health. */
export interface WriterCalls {
  /** Fails with the code of a refusal, with `storage_unavailable` (also after `close`) and with `internal`. */
  submit(command: WriterCommand, characters: number): Promise<WriterValue>;
  health: Ledger['health'];
  /** Commits what was submitted, then closes the writer. */
  close(): Promise<void>;
}

export function createWriterCalls(options: {
  readonly writer: WriterPort;
  readonly clock: Clock;
  readonly logger: Logger;
}): WriterCalls {
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
    if (failure === null || MAY_WRITE_NOTHING.has(command.kind)) return;
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
    submit,
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
