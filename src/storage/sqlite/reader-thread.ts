import { parentPort, workerData } from 'node:worker_threads';

import { openReadConnection } from './connection.ts';
import { createReaderCore } from './reader-core.ts';
import { answerCall, type ReaderCall, type ReaderReply, type ReaderThreadData } from './reader-port.ts';
import { serveCalls } from './serve-calls.ts';

if (parentPort === null) throw new Error('reader-thread runs as a worker thread only');

// What `openReaderThread` passed.
const { file } = workerData as ReaderThreadData;
const database = openReadConnection(file);
const core = createReaderCore(database, file);

serveCalls<ReaderCall, ReaderReply>({
  port: parentPort,
  // A short read must not wait for the answer of a long one behind it.
  maxBatch: 1,
  apply: (calls) => calls.map(({ call }) => answerCall(core, call)),
  close: () => database.close(),
});
