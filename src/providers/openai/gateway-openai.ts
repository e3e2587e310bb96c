import { APIError, OpenAI } from 'openai';
import type { ThinFetch, ThinResponse } from '../transport/index.ts';

export interface GatewayOpenAiOptions {
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly userAgent: string;
  readonly fetch: ThinFetch;
}

type BuiltRequest = Awaited<ReturnType<OpenAI['buildRequest']>>;

/** Only written into a header that is not sent here; the route owns every time limit. */
const NEVER_MS = 2_147_483_647;

/**
 * The openai client without its own opinions: no retries, no timeout, no environment variables, no logging.
 *
 * Two of its steps are replaced because a call through this gateway makes them at every request for the same answer:
 * building headers (a dozen Headers objects, and custom ones from the environment) and arming a timer and an
 * AbortController around ours. Together they cost as much CPU as the rest of a call.
 */
export class GatewayOpenAi extends OpenAI {
  readonly #thinFetch: ThinFetch;
  readonly #fixedHeaders: Readonly<Record<string, string>>;

  constructor(options: GatewayOpenAiOptions) {
    // The client insists on a key and servers without keys ignore it. LiteLLM answers a missing header with a bare 500
    // but a wrong key with a reason.
    const apiKey = options.apiKey ?? 'none';
    super({
      baseURL: options.baseUrl,
      apiKey,
      organization: null,
      project: null,
      adminAPIKey: null,
      webhookSecret: null,
      maxRetries: 0,
      timeout: NEVER_MS,
      logLevel: 'off',
      fetch: options.fetch as unknown as typeof fetch,
    });
    this.#thinFetch = options.fetch;
    this.#fixedHeaders = {
      accept: 'application/json',
      authorization: `Bearer ${apiKey}`,
      'user-agent': options.userAgent,
    };
  }

  override async buildRequest(options: Parameters<OpenAI['buildRequest']>[0]): Promise<BuiltRequest> {
    const { method, path, body, signal } = options;
    const headers: Record<string, string> = { ...this.#fixedHeaders };
    if (body !== undefined) headers['content-type'] = 'application/json';
    Object.assign(headers, options.headers);
    const request = {
      method: method.toUpperCase(),
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    };
    // Plain headers where the SDK has Headers: it hands them on to `fetchWithTimeout` unread.
    return { req: request as unknown as BuiltRequest['req'], url: this.baseURL + path, timeout: NEVER_MS };
  }

  /**
   * `POST /chat/completions`: what the client's own request does, without its log lines, retries, timers and promise
   * layers, which cost more CPU than the call. An answer that is not 2xx is thrown as the client's own error; socket
   * errors come as undici throws them.
   */
  async postChat(
    body: object,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<ThinResponse> {
    // Made by our own fetch, see thin-fetch.ts.
    const response = (await this.#thinFetch(`${this.baseURL}/chat/completions`, {
      method: 'POST',
      headers: { ...this.#fixedHeaders, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal,
    })) as unknown as ThinResponse;
    if (response.ok) return response;
    const text = await response.text();
    throw this.makeStatusError(
      response.status,
      parsedOrUndefined(text) as object,
      text,
      response.headers as unknown as Headers,
    );
  }

  override async fetchWithTimeout(url: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    return this.#thinFetch(url, init);
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

function parsedOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
