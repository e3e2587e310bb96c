import type { Clock } from '../../src/kernel/index.ts';

export interface LeapingClock extends Clock {
  /** Sets the wall clock and wakes, once, every sleeper that is due by then. */
  leapTo(epochMs: number): void;
}

/**
 * Real durations under a wall clock that leaps: days of history are written in seconds, while deadlines of running calls
 * hold.
 */
export function leapingClock(startMs: number): LeapingClock {
  let offsetMs = startMs - Date.now();
  const nowMs = (): number => Math.floor(Date.now() + offsetMs);
  const sleepers = new Set<{ readonly dueMs: number; readonly wake: () => void }>();
  return {
    nowMs,
    monotonicMs: () => performance.now(),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) {
          resolve();
          return;
        }
        const wake = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', wake);
          sleepers.delete(sleeper);
          resolve();
        };
        const sleeper = { dueMs: nowMs() + ms, wake };
        const timer = setTimeout(wake, ms);
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake, { once: true });
      }),
    leapTo: (epochMs) => {
      offsetMs = epochMs - Date.now();
      for (const { dueMs, wake } of [...sleepers]) if (dueMs <= epochMs) wake();
    },
  };
}
