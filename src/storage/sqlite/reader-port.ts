import { AppError, type Clock, errorMessage, type Logger } from '../../kernel/index.ts';
import type { Connection } from './connection.ts';
import { createReaderCore, type ReaderCalls } from './reader-core.ts';
import { isStorageUnavailable, RETRY_AFTER_MS, unavailableReason } from './sqlite-failure.ts';
import { startThread } from './start-thread.ts';
import { openThreadCalls } from './thread-calls.ts';

/** A call of the reader core by name. */
export interface ReaderCall {
  readonly name: keyof ReaderCalls;
  readonly parameters: unknown;
}

export type ReaderReply =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string; readonly unavailableReason: string | null };

/** One way to the reader core: in this thread, or in its own. */
export interface ReaderPort {
  /** Fails with `storage_unavailable` when the database or the thread cannot serve it. */
  call<Name extends keyof ReaderCalls>(
    name: Name,
    parameters: Parameters<ReaderCalls[Name]>[0],
  ): Promise<ReturnType<ReaderCalls[Name]>>;
  close(): Promise<void>;
}

/** Reads that may wait: more than a dashboard and some exports ask for, few enough to answer within seconds. */
const MAX_PENDING_READS = 1_000;

/** Runs a call; never throws. */
export function answerCall(core: ReaderCalls, call: ReaderCall): ReaderReply {
  try {
    // The types of name and parameters were joined in `ReaderPort.call`; here they are data from a message.
    const run = core[call.name] as (parameters: unknown) => unknown;
    return { ok: true, value: run(call.parameters) };
  } catch (error) {
    const reason = isStorageUnavailable(error) ? unavailableReason(error) : null;
    return { ok: false, message: errorMessage(error), unavailableReason: reason };
  }
}

function readerPort(
  submit: (call: ReaderCall) => Promise<ReaderReply>,
  close: () => Promise<void>,
): ReaderPort {
  return {
    call: async <Name extends keyof ReaderCalls>(
      name: Name,
      parameters: Parameters<ReaderCalls[Name]>[0],
    ) => {
      const reply = await submit({ name, parameters });
      // The core answered the call of this name.
      if (reply.ok) return reply.value as ReturnType<ReaderCalls[Name]>;
      if (reply.unavailableReason === null) {
        throw new AppError('internal', `A read of the ledger failed: ${reply.message}`);
      }
      throw new AppError('storage_unavailable', `The ledger cannot be read: ${reply.unavailableReason}.`, {
        retryAfterMs: RETRY_AFTER_MS,
      });
    },
    close,
  };
}

export async function openReaderThread(options: {
  readonly file: string;
  readonly clock: Clock;
  readonly logger: Logger;
}): Promise<ReaderPort> {
  const calls = await openThreadCalls<ReaderCall, ReaderReply>({
    name: 'reader',
    start: () => startThread('reader-thread', { file: options.file } satisfies ReaderThreadData),
    maxPending: MAX_PENDING_READS,
    maxPendingCharacters: Number.POSITIVE_INFINITY,
    clock: options.clock,
    logger: options.logger,
  });
  return readerPort((call) => calls.submit(call, 0), calls.close);
}

export interface ReaderThreadData {
  readonly file: string;
}

/** Reads on the caller's thread: for tests and the command line. */
export function openInlineReader(database: Connection, file: string): ReaderPort {
  const core = createReaderCore(database, file);
  return readerPort(
    async (call) => {
      if (database.open) return answerCall(core, call);
      return { ok: false, message: 'closed', unavailableReason: 'it is closed' };
    },
    async () => {
      if (database.open) database.close();
    },
  );
}
