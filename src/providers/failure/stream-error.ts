import { ProviderFailure } from '../provider-failure.ts';
import { classifyErrorAnswer } from './classify-error-answer.ts';
import { cleanMessage } from './clean-message.ts';
import { errorAnswerOf } from './error-answer.ts';

/** An error that arrived with status 200: as an event of a stream, or as the whole body. */
export function errorWithin200(body: unknown, secret: string | null): ProviderFailure {
  const answer = errorAnswerOf(undefined, body);
  return new ProviderFailure(classifyErrorAnswer(answer), cleanMessage(answer.message, secret));
}

export function abortedFailure(cause?: unknown): ProviderFailure {
  return new ProviderFailure('aborted', 'the call was aborted', { cause });
}

/** A stream that ended, but not as its API ends one. */
export function cutShort(emitted: boolean): ProviderFailure {
  return emitted
    ? new ProviderFailure('connection', 'the stream ended without finish reason')
    : new ProviderFailure('bad_response', 'the stream ended without any content or finish reason');
}
