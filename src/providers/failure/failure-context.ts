import { ProviderFailure, type ProviderFailureOptions } from '../provider-failure.ts';

/** What an adapter knows when something failed. */
export interface FailureContext {
  /** The upstream's key, to be removed from messages. */
  readonly secret: string | null;
  /** Wall clock, for a `Retry-After` that is a date. */
  readonly nowMs: number;
  /** Set when a stream failed after its first event. */
  readonly partial?: ProviderFailureOptions['partial'];
}

/** The same failure, with what had arrived before it. */
export function withPartial(
  failure: ProviderFailure,
  partial: ProviderFailureOptions['partial'] | undefined,
): ProviderFailure {
  if (partial === undefined || failure.partial !== undefined) return failure;
  return new ProviderFailure(failure.failureClass, failure.message, {
    cause: failure.cause,
    partial,
    ...(failure.status === undefined ? {} : { status: failure.status }),
    ...(failure.retryAfterMs === undefined ? {} : { retryAfterMs: failure.retryAfterMs }),
  });
}
