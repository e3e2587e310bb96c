import { parentPort, workerData } from 'node:worker_threads';

import { closeWriteConnection, openWriteConnection, prepareForWriting } from './connection.ts';
import { processMonotonicMs } from './process-time.ts';
import { serveCalls } from './serve-calls.ts';
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

serveCalls<WriterCommand, WriterReply>({
  port: parentPort,
  maxBatch: MAX_COMMANDS_PER_COMMIT,
  apply: (calls) => {
    const nowMs = processMonotonicMs();
    return core.applyBatch(
      calls.map(({ call, submittedAtMs }) => ({
        command: call,
        waitedMs: Math.max(0, nowMs - submittedAtMs),
      })),
    );
  },
  close: () => closeWriteConnection(database),
});
