import { APIError, OpenAI } from 'openai';
import type { ThinFetch, ThinResponse } from '../transport/index.ts';

export interface GatewayOpenAiOptions {
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly userAgent: string;
  readonly fetch: ThinFetch;
}

/**
 * The openai client without its own opinions. Its `request` costs more CPU than a call: log lines, retries, timers, headers
 * from the environment and promise layers, even where they are switched off. Requests therefore go over the thin fetch; the
 * address and the errors are the client's.
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
    });
    this.#thinFetch = options.fetch;
    this.#fixedHeaders = {
      accept: 'application/json',
      authorization: `Bearer ${apiKey}`,
      'user-agent': options.userAgent,
    };
  }

  postChat(
    body: object,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<ThinResponse> {
    return this.#send('/chat/completions', {
      method: 'POST',
      headers: { ...this.#fixedHeaders, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal,
    });
  }

  listModels(signal: AbortSignal): Promise<ThinResponse> {
    return this.#send('/models', { headers: this.#fixedHeaders, signal });
  }

  /** Throws the client's own error for an answer that is not 2xx; socket errors come as undici throws them. */
  async #send(path: string, init: Parameters<ThinFetch>[1]): Promise<ThinResponse> {
    // Made by our own fetch, see thin-fetch.ts.
    const response = (await this.#thinFetch(this.baseURL + path, init)) as unknown as ThinResponse;
    if (response.ok) return response;
    const text = await response.text();
    throw this.makeStatusError(
      response.status,
      parsedOrUndefined(text) as object,
      text,
      response.headers as unknown as Headers,
    );
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
