import type { Clock } from '../../src/kernel/index.ts';

export interface ManualClock extends Clock {
  /**
   * Moves time forward, waking sleepers in the order of their times; code that runs in between sees the time of its own
   * waking.
   */
  advance(ms: number): Promise<void>;
  /** Lets everything run that needs no time. */
  settle(): Promise<void>;
  /** Sleepers that have not been woken or cancelled. */
  readonly sleeping: number;
}

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** Time moves only by `advance`: for code whose timers matter. */
export function manualClock(startMs = Date.UTC(2026, 0, 5, 10, 0, 0)): ManualClock {
  let elapsedMs = 0;
  const sleepers = new Set<Sleeper>();
  const settle = async (): Promise<void> => {
    // Enough turns of the event loop for chains of promises and for streams that use setImmediate.
    for (let turn = 0; turn < 10; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
  };
  const nextDue = (untilMs: number): Sleeper | undefined =>
    [...sleepers].filter(({ dueMs }) => dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs)[0];
  return {
    nowMs: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) {
          resolve();
          return;
        }
        const wake = (): void => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper: Sleeper = { dueMs: elapsedMs + ms, wake };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake, { once: true });
      }),
    advance: async (ms) => {
      const untilMs = elapsedMs + ms;
      await settle();
      for (let next = nextDue(untilMs); next !== undefined; next = nextDue(untilMs)) {
        elapsedMs = Math.max(elapsedMs, next.dueMs);
        next.wake();
        await settle();
      }
      elapsedMs = untilMs;
      await settle();
    },
    settle,
    get sleeping() {
      return sleepers.size;
    },
  };
}
