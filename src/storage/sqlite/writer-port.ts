import type { Clock, Logger } from '../../kernel/index.ts';
import { type Connection, closeWriteConnection, type Durability } from './connection.ts';
import { startThread } from './start-thread.ts';
import { openThreadCalls } from './thread-calls.ts';
import type { WriterCommand, WriterReply } from './writer-commands.ts';
import { createWriterCore } from './writer-core.ts';

/** One way to the writer core: in this thread, or in its own. */
export interface WriterPort {
  /** Fails with `storage_unavailable` when the command could not be handed over. */
  submit(command: WriterCommand, characters: number): Promise<WriterReply>;
  readonly queued: number;
  /** Transactions so far. */
  readonly commits: number;
  /** Why no writer is running; null when one is. */
  readonly stopped: string | null;
  /** Commits what was submitted, then closes the connection. */
  close(): Promise<void>;
}

/** What a queue of large rows may hold before it refuses more, in characters of their texts. */
const MAX_QUEUED_CHARACTERS = 134_217_728;

export interface WriterThreadData {
  readonly file: string;
  readonly durability: Durability;
  /** Of the file and its log; null: no limit. */
  readonly maxBytes: number | null;
}

export async function openWriterThread(options: {
  readonly data: WriterThreadData;
  readonly maxQueuedWrites: number;
  readonly clock: Clock;
  readonly logger: Logger;
}): Promise<WriterPort> {
  const calls = await openThreadCalls<WriterCommand, WriterReply>({
    name: 'writer',
    start: () => startThread('writer-thread', options.data),
    maxPending: options.maxQueuedWrites,
    maxPendingCharacters: MAX_QUEUED_CHARACTERS,
    clock: options.clock,
    logger: options.logger,
  });
  return {
    submit: calls.submit,
    get queued() {
      return calls.pending;
    },
    get commits() {
      return calls.batches;
    },
    get stopped() {
      return calls.stopped;
    },
    close: calls.close,
  };
}

/** One command, one transaction, on the caller's thread: for tests and small tools. */
export function openInlineWriter(database: Connection, maxBytes: number | null): WriterPort {
  const core = createWriterCore(database, maxBytes);
  let commits = 0;
  return {
    submit: async (command) => {
      const [reply] = core.applyBatch([{ command, waitedMs: 0 }]);
      if (reply === undefined) throw new Error('the writer core gave no reply');
      commits += 1;
      return reply;
    },
    queued: 0,
    get commits() {
      return commits;
    },
    get stopped() {
      return database.open ? null : 'the ledger is closed';
    },
    close: async () => closeWriteConnection(database),
  };
}
