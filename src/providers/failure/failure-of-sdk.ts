import { ProviderFailure } from '../provider-failure.ts';
import { classifyErrorAnswer } from './classify-error-answer.ts';
import { cleanMessage } from './clean-message.ts';
import { errorAnswerOf } from './error-answer.ts';
import { type FailureContext, withPartial } from './failure-context.ts';
import { failureOfThrown } from './failure-of-thrown.ts';
import { retryAfterMs } from './retry-after.ts';

type ErrorClass<T extends Error = Error> = abstract new (...input: never[]) => T;

/** What both SDKs throw for an answer that is not 2xx. */
interface SdkApiError extends Error {
  readonly status: number | undefined;
  readonly error: unknown;
  readonly headers: Headers | undefined;
}

/** The error classes of an SDK: both come from one generator and differ in identity only. */
export interface SdkErrors {
  readonly aborted: ErrorClass;
  readonly connectionTimeout: ErrorClass;
  readonly connection: ErrorClass;
  readonly api: ErrorClass<SdkApiError>;
}

/** What an SDK, undici or our own shape checks threw, as the one failure the route understands. */
export function failureOfSdk(thrown: unknown, errors: SdkErrors, context: FailureContext): ProviderFailure {
  const { secret, partial } = context;
  const rest = partial === undefined ? {} : { partial };
  if (thrown instanceof ProviderFailure) return withPartial(thrown, partial);
  if (thrown instanceof errors.aborted) {
    return new ProviderFailure('aborted', 'the call was aborted', { cause: thrown, ...rest });
  }
  if (thrown instanceof errors.connectionTimeout) {
    return new ProviderFailure('timeout', 'no connection in time', { cause: thrown, ...rest });
  }
  if (thrown instanceof errors.connection || !(thrown instanceof errors.api)) {
    return failureOfThrown(thrown, secret, partial);
  }
  const answer = errorAnswerOf(thrown.status, thrown.error);
  const waitMs = retryAfterMs(thrown.headers, context.nowMs);
  return new ProviderFailure(classifyErrorAnswer(answer), cleanMessage(answer.message, secret), {
    cause: thrown,
    ...(thrown.status === undefined ? {} : { status: thrown.status }),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
    ...rest,
  });
}
