import { AppError } from '../kernel/index.ts';

/** Evaluations that may wait: each takes seconds, and whoever asks looks at a screen. */
const MAX_WAITING = 4;

/** About one evaluation of the greatest size. */
const RETRY_AFTER_MS = 5_000;

/** One evaluation over raw rows at a time: it may take seconds, and two of them would take from the answers to callers. */
export interface EvaluationQueue {
  /**
   * Runs the job once the ones before it have ended. Fails with `overloaded` when too many wait already, and with
   * `client_closed` when the signal aborts before its turn.
   */
  run<Result>(job: () => Promise<Result>, signal: AbortSignal): Promise<Result>;
}

export function createEvaluationQueue(maxWaiting: number = MAX_WAITING): EvaluationQueue {
  const waiting: (() => void)[] = [];
  let isBusy = false;

  const turn = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const start = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        waiting.splice(waiting.indexOf(start), 1);
        reject(clientLeft());
      };
      signal.addEventListener('abort', leave, { once: true });
      waiting.push(start);
    });

  return {
    run: async (job, signal) => {
      throwIfLeft(signal);
      if (isBusy) {
        if (waiting.length >= maxWaiting) {
          throw new AppError(
            'overloaded',
            `${waiting.length + 1} evaluations of policies are running or waiting already; try again later.`,
            { retryAfterMs: RETRY_AFTER_MS },
          );
        }
        await turn(signal);
      }
      isBusy = true;
      try {
        return await job();
      } finally {
        // Handed over before it is free, so that nobody new gets in between.
        const next = waiting.shift();
        if (next === undefined) isBusy = false;
        else next();
      }
    },
  };
}

/** Fails with `client_closed` when nobody waits for the answer any more. */
export function throwIfLeft(signal: AbortSignal): void {
  if (signal.aborted) throw clientLeft();
}

/** Lets everything else of this process run: between two slices of an evaluation. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function clientLeft(): AppError {
  return new AppError('client_closed', 'The caller left before the policy was evaluated.');
}
