import type { Random } from '../../kernel/index.ts';

export interface BackoffOptions {
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}

/**
 * Wait before try number `tries + 1` at the same target: full jitter, uniform between 0 and the doubling cap (Brooker,
 * "Exponential Backoff and Jitter", AWS Architecture Blog, 2015), and never less than the upstream asked for.
 *
 * Null when the upstream asks for more than `maxBackoffMs`: this target is not worth waiting for.
 */
export function backoffMs(
  tries: number,
  retryAfterMs: number | undefined,
  options: BackoffOptions,
  random: Random,
): number | null {
  if (retryAfterMs !== undefined && retryAfterMs > options.maxBackoffMs) return null;
  const capMs = Math.min(options.maxBackoffMs, options.backoffMs * 2 ** (tries - 1));
  return Math.max(retryAfterMs ?? 0, random.next() * capMs);
}
