import { GatewayError, isRetryable } from './gateway-error.ts';
import type { ClientClock } from './types.ts';

export interface RetryPolicy {
  readonly retries: number;
  readonly deadlineMs: number;
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  readonly maxRetryAfterMs: number;
  readonly clock: ClientClock;
  readonly random: () => number;
}

/** What one try gets: the time it may take at most, so that no try outlives the call's deadline. */
export type Attempt<T> = (remainingMs: number) => Promise<T>;

/**
 * Runs `attempt` until it succeeds, fails for good, or the policy is exhausted; then fails with the last error. Waits
 * with full jitter (AWS Architecture Blog, "Exponential Backoff and Jitter", 2015); a `Retry-After` is waited out and the
 * jitter added to it, because everybody else was told the same. Never waits past the deadline: it fails at once instead.
 */
export async function retrying<T>(
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  attempt: Attempt<T>,
): Promise<T> {
  const { clock } = policy;
  const endsAtMs = clock.nowMs() + policy.deadlineMs;
  for (let retry = 0; ; retry += 1) {
    if (signal?.aborted === true) throw abortedBy(signal);
    try {
      return await attempt(endsAtMs - clock.nowMs());
    } catch (error) {
      if (!(error instanceof GatewayError) || !isRetryable(error) || retry >= policy.retries) throw error;
      const waitMs = waitBefore(retry, error, policy);
      if (waitMs === null || clock.nowMs() + waitMs >= endsAtMs) throw error;
      await clock.sleep(waitMs, signal);
    }
  }
}

/** Null: the gateway asks for more patience than the policy has. */
function waitBefore(retry: number, error: GatewayError, policy: RetryPolicy): number | null {
  const jitterMs = policy.random() * Math.min(policy.maxBackoffMs, policy.backoffMs * 2 ** retry);
  if (error.retryAfterMs === null) return jitterMs;
  return error.retryAfterMs > policy.maxRetryAfterMs ? null : error.retryAfterMs + jitterMs;
}

export function abortedBy(signal: AbortSignal): GatewayError {
  return new GatewayError('aborted', 'The call was aborted by its caller.', { cause: signal.reason });
}
