export { classifyErrorAnswer } from './classify-error-answer.ts';
export { cleanMessage } from './clean-message.ts';
export { errorAnswerOf } from './error-answer.ts';
export { type FailureContext, withPartial } from './failure-context.ts';
export { failureOfSdk, type SdkErrors } from './failure-of-sdk.ts';
export { failureOfThrown } from './failure-of-thrown.ts';
export { retryAfterMs } from './retry-after.ts';
export { abortedFailure, cutShort, errorWithin200 } from './stream-error.ts';
