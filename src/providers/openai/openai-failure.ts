import { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from 'openai';
import { type FailureContext, failureOfSdk, type SdkErrors } from '../failure/index.ts';
import type { ProviderFailure } from '../provider-failure.ts';

const OPENAI_ERRORS: SdkErrors = {
  aborted: APIUserAbortError,
  connectionTimeout: APIConnectionTimeoutError,
  connection: APIConnectionError,
  api: APIError,
};

/** What the client, undici or our own shape checks threw. The client wraps every JSON body as {error: body}. */
export function openAiFailure(thrown: unknown, context: FailureContext): ProviderFailure {
  return failureOfSdk(thrown, OPENAI_ERRORS, context);
}
