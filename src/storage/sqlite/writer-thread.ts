import { parentPort, workerData } from 'node:worker_threads';

import { closeWriteConnection, openWriteConnection, prepareForWriting } from './connection.ts';
import { processMonotonicMs } from './process-time.ts';
import { serveCalls } from './serve-calls.ts';
import { watchServedNames } from './served-names.ts';
import type { WriterCommand, WriterReply } from './writer-commands.ts';
import { createWriterCore } from './writer-core.ts';
import type { WriterThreadData } from './writer-port.ts';

/** Most commands of one transaction: keeps the wait of the first one short when the queue is long. */
const MAX_COMMANDS_PER_COMMIT = 1_000;

if (parentPort === null) throw new Error('writer-thread runs as a worker thread only');

// What `openWriterThread` passed.
const { file, durability, maxBytes } = workerData as WriterThreadData;
const database = openWriteConnection(file);
prepareForWriting(database, durability);
const core = createWriterCore(database, maxBytes);
const lostName = watchServedNames(file);

serveCalls<WriterCommand, WriterReply>({
  port: parentPort,
  maxBatch: MAX_COMMANDS_PER_COMMIT,
  apply: (calls) => {
    const nowMs = processMonotonicMs();
    const replies = core.applyBatch(
      calls.map(({ call, submittedAtMs }) => ({
        command: call,
        waitedMs: Math.max(0, nowMs - submittedAtMs),
      })),
    );
    const reason = lostName();
    return reason === null ? replies : replies.map(() => unavailableReply(reason));
  },
  close: () => closeWriteConnection(database),
});

/** Committed or not: nobody may count on a row that the next start will not find. */
function unavailableReply(reason: string): WriterReply {
  return {
    ok: false,
    code: 'storage_unavailable',
    message: reason,
    details: {},
    unavailableReason: reason,
  };
}
