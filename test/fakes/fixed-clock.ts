import type { Clock } from '../../src/kernel/index.ts';

export interface FixedClock extends Clock {
  advance(ms: number): void;
}

/** Time stands still until `advance`; `sleep` advances it and returns at once. */
export function fixedClock(startMs = Date.UTC(2026, 0, 5, 10, 0, 0)): FixedClock {
  let elapsedMs = 0;
  return {
    nowMs: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    sleep: async (ms) => {
      elapsedMs += ms;
    },
    advance: (ms) => {
      elapsedMs += ms;
    },
  };
}
