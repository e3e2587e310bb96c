import OpenAI, { APIError } from 'openai';
import type { ThinFetch } from '../transport/index.ts';

export interface GatewayOpenAiOptions {
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly userAgent: string;
  readonly fetch: ThinFetch;
}

/** The route owns every time limit; the SDK's timer must only never fire. The largest delay `setTimeout` takes. */
const NEVER_MS = 2_147_483_647;

/** The openai client without its own opinions: no retries, no timeout, no environment variables, no logging. */
export class GatewayOpenAi extends OpenAI {
  constructor(options: GatewayOpenAiOptions) {
    super({
      baseURL: options.baseUrl,
      // The client insists on a key and servers without keys ignore it. LiteLLM answers a missing header with a bare
      // 500 but a wrong key with a reason.
      apiKey: options.apiKey ?? 'none',
      organization: null,
      project: null,
      adminAPIKey: null,
      webhookSecret: null,
      maxRetries: 0,
      timeout: NEVER_MS,
      logLevel: 'off',
      fetch: options.fetch as unknown as typeof fetch,
      defaultHeaders: { 'User-Agent': options.userAgent },
    });
  }

  /** The SDK keeps only `error` of the body; some servers put their message beside or instead of it. */
  protected override makeStatusError(
    status: number,
    body: object,
    message: string | undefined,
    headers: Headers,
  ): APIError {
    return APIError.generate(status, body === undefined ? undefined : { error: body }, message, headers);
  }
}
