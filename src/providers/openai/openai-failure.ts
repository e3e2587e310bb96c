import { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from 'openai';
import {
  classifyErrorAnswer,
  cleanMessage,
  errorAnswerOf,
  type FailureContext,
  failureOfThrown,
  retryAfterMs,
  withPartial,
} from '../failure/index.ts';
import { ProviderFailure } from '../provider-failure.ts';

/** What the SDK, undici or our own shape checks threw, as the one failure the route understands. */
export function openAiFailure(thrown: unknown, context: FailureContext): ProviderFailure {
  const partial = context.partial === undefined ? {} : { partial: context.partial };
  if (thrown instanceof ProviderFailure) return withPartial(thrown, context.partial);
  if (thrown instanceof APIUserAbortError) {
    return new ProviderFailure('aborted', 'the call was aborted', { cause: thrown, ...partial });
  }
  if (thrown instanceof APIConnectionTimeoutError) {
    return new ProviderFailure('timeout', 'no connection in time', { cause: thrown, ...partial });
  }
  if (thrown instanceof APIConnectionError || !(thrown instanceof APIError)) {
    return failureOfThrown(thrown, context.secret, context.partial);
  }
  // The client wraps every JSON body as {error: body}, see GatewayOpenAi.
  const answer = errorAnswerOf(thrown.status, thrown.error);
  const waitMs = retryAfterMs(thrown.headers, context.nowMs);
  return new ProviderFailure(classifyErrorAnswer(answer), cleanMessage(answer.message, context.secret), {
    cause: thrown,
    ...(thrown.status === undefined ? {} : { status: thrown.status }),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
    ...partial,
  });
}
