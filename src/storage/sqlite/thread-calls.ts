import type { Worker } from 'node:worker_threads';

import { AppError, type Clock, errorMessage, type Logger } from '../../kernel/index.ts';
import { processMonotonicMs } from './process-time.ts';
import type { CallsMessage, RepliesMessage, TimedCall } from './serve-calls.ts';
import { RETRY_AFTER_MS } from './sqlite-failure.ts';

/** A thread that dies at once when started must not keep a core busy: the waits double up to the longest. */
const FIRST_RESTART_DELAY_MS = 50;
const LONGEST_RESTART_DELAY_MS = 5_000;

/** Calls that travel together while the thread is busy: enough to share the price of a message, few enough to keep it busy. */
const CALLS_PER_MESSAGE = 8;

export interface ThreadCallsOptions {
  /** For messages: `writer`, `reader`. */
  readonly name: string;
  readonly start: () => Worker;
  /** Calls that may wait for the thread; one more is refused. */
  readonly maxPending: number;
  /** Size of what may wait, in characters: many large calls must not fill the memory before `maxPending` is reached. */
  readonly maxPendingCharacters: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The main side of a thread: submits calls, restarts the thread when it dies, refuses what it cannot hold. */
export interface ThreadCalls<Call, Reply> {
  /** Fails with `storage_unavailable` when the queue is full, the thread died, or after `close`. */
  submit(call: Call, characters: number): Promise<Reply>;
  readonly pending: number;
  /** Answers of the thread so far: one per transaction of a writer. */
  readonly batches: number;
  /** Why no thread is running; null when one is. */
  readonly stopped: string | null;
  /** Resolves once what was submitted is answered and the thread has ended. */
  close(): Promise<void>;
}

interface Pending<Reply> {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: AppError) => void;
  readonly characters: number;
}

/** Resolves when the thread is ready; rejects when it cannot be started. */
export async function openThreadCalls<Call, Reply>(
  options: ThreadCallsOptions,
): Promise<ThreadCalls<Call, Reply>> {
  const { name, start, maxPending, maxPendingCharacters, clock, logger } = options;
  const pending = new Map<number, Pending<Reply>>();
  let pendingCharacters = 0;
  let outbox: TimedCall<Call>[] = [];
  let isFlushScheduled = false;
  let nextId = 1;
  let batches = 0;
  let worker: Worker | null = null;
  let stopped: string | null = null;
  let restartDelayMs = FIRST_RESTART_DELAY_MS;
  let closing: Promise<void> | null = null;
  let isStarted = false;
  const closed = new AbortController();

  const settle = (id: number): Pending<Reply> | undefined => {
    const call = pending.get(id);
    if (call === undefined) return undefined;
    pending.delete(id);
    pendingCharacters -= call.characters;
    return call;
  };

  const post = (message: CallsMessage<Call>): void => worker?.postMessage(message);

  const flush = (): void => {
    if (outbox.length === 0) return;
    const calls = outbox;
    outbox = [];
    try {
      post({ kind: 'calls', calls });
    } catch (error) {
      // Only a value that cannot be cloned gets here: the calls of this turn fail, the thread goes on.
      for (const { id } of calls) settle(id)?.reject(unavailable(name, errorMessage(error)));
    }
  };

  const failAll = (reason: string): void => {
    outbox = [];
    for (const id of [...pending.keys()]) settle(id)?.reject(unavailable(name, reason));
  };

  const receive = (message: RepliesMessage<Reply>): void => {
    restartDelayMs = FIRST_RESTART_DELAY_MS;
    if (message.kind === 'ready') {
      stopped = null;
      return;
    }
    batches += 1;
    for (const { id, reply } of message.replies) settle(id)?.resolve(reply);
  };

  const restart = async (): Promise<void> => {
    while (closing === null) {
      await clock.sleep(restartDelayMs, closed.signal);
      restartDelayMs = Math.min(restartDelayMs * 2, LONGEST_RESTART_DELAY_MS);
      if (closing !== null) return;
      try {
        // Takes calls from now on; that it runs is said when it says so, because it may die on the way.
        worker = launch();
        return;
      } catch (error) {
        logger.error({ thread: name, error: errorMessage(error) }, 'a storage thread cannot be started');
      }
    }
  };

  const launch = (): Worker => {
    const launched = start();
    let failure = 'it ended';
    launched.on('message', receive);
    launched.on('error', (error) => {
      failure = errorMessage(error);
    });
    launched.once('exit', () => {
      if (worker !== launched) return;
      worker = null;
      stopped = `the ${name} thread stopped: ${failure}`;
      failAll(stopped);
      // A thread that never was ready is a failure of the start, reported there.
      if (closing !== null || !isStarted) return;
      logger.error({ thread: name, error: failure }, 'a storage thread died and is restarted');
      restart().catch((error: unknown) => {
        logger.error({ thread: name, error: errorMessage(error) }, 'a storage thread cannot be restarted');
      });
    });
    return launched;
  };

  worker = launch();
  await untilReady(worker, name);
  isStarted = true;

  return {
    submit: (call, characters) =>
      new Promise((resolve, reject) => {
        if (closing !== null) {
          reject(unavailable(name, 'it is closed'));
          return;
        }
        if (worker === null) {
          reject(unavailable(name, stopped ?? 'its thread is not running'));
          return;
        }
        if (pending.size >= maxPending || pendingCharacters + characters > maxPendingCharacters) {
          reject(unavailable(name, `${pending.size} calls already wait for it`));
          return;
        }
        const id = nextId;
        nextId += 1;
        pending.set(id, { resolve, reject, characters });
        pendingCharacters += characters;
        outbox.push({ id, submittedAtMs: processMonotonicMs(), call });
        // An idle thread begins at once. A busy one gets a share of a long turn of the event loop while the turn goes on,
        // so that it works beside the main side and not after it.
        if (pending.size === outbox.length || outbox.length >= CALLS_PER_MESSAGE) flush();
        else if (!isFlushScheduled) {
          isFlushScheduled = true;
          // After the input of this turn of the event loop.
          setImmediate(() => {
            isFlushScheduled = false;
            flush();
          });
        }
      }),
    get pending() {
      return pending.size;
    },
    get batches() {
      return batches;
    },
    get stopped() {
      return stopped;
    },
    close: () => {
      closing ??= new Promise((resolve) => {
        closed.abort();
        flush();
        if (worker === null) {
          resolve();
          return;
        }
        worker.once('exit', () => resolve());
        post({ kind: 'close' });
      });
      return closing;
    },
  };
}

function unavailable(name: string, reason: string): AppError {
  return new AppError('storage_unavailable', `The ledger's ${name} takes no calls: ${reason}. Try again.`, {
    retryAfterMs: RETRY_AFTER_MS,
  });
}

function untilReady(worker: Worker, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error(`the ${name} thread ended before it was ready`)));
  });
}
