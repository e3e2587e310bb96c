import {
  AnthropicError,
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
} from '@anthropic-ai/sdk';
import { cleanMessage, type FailureContext, failureOfSdk, type SdkErrors } from '../failure/index.ts';
import { ProviderFailure } from '../provider-failure.ts';

const ANTHROPIC_ERRORS: SdkErrors = {
  aborted: APIUserAbortError,
  connectionTimeout: APIConnectionTimeoutError,
  connection: APIConnectionError,
  api: APIError,
};

/** What the SDK, undici or our own shape checks threw. */
export function anthropicFailure(thrown: unknown, context: FailureContext): ProviderFailure {
  if (thrown instanceof AnthropicError && !(thrown instanceof APIError)) {
    // The SDK refused to send it, for example a whole answer of very many tokens.
    return new ProviderFailure('bad_request', cleanMessage(thrown.message, context.secret), {
      cause: thrown,
      ...(context.partial === undefined ? {} : { partial: context.partial }),
    });
  }
  return failureOfSdk(thrown, ANTHROPIC_ERRORS, context);
}
