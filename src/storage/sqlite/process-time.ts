/**
 * Monotonic milliseconds on which all threads of the process agree. `performance.now()`, and with it a composed clock,
 * begins at zero in every thread and cannot measure a wait from one thread to another.
 */
export function processMonotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
