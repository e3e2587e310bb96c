import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';

/**
 * A `fetch` for the two SDKs that does what they use and no more. The fetch standard's Request, Response, Headers and
 * web streams are the larger part of an SDK call's CPU time; this object over `dispatcher.request` halves it.
 */
export type ThinFetch = (
  url: string | URL | Request,
  init?: {
    readonly method?: string;
    readonly headers?: unknown;
    readonly body?: unknown;
    readonly signal?: unknown;
  },
) => Promise<Response>;

/** The part of a Response that the SDKs and the adapters read. */
export interface ThinResponse {
  readonly status: number;
  readonly ok: boolean;
  readonly url: string;
  readonly headers: ThinHeaders;
  /** Chunks as they arrive. Ending the iteration early closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
  text(): Promise<string>;
  json(): Promise<unknown>;
  /** Closes the connection if the body has not ended. */
  cancel(): void;
}

export function createThinFetch(dispatcher: Dispatcher): ThinFetch {
  // Addresses come from the configuration, so there are a few of them: the bound only keeps a bug from growing it.
  const targetByUrl = new Map<string, { readonly origin: string; readonly path: string }>();
  const targetOf = (url: string) => {
    const known = targetByUrl.get(url);
    if (known !== undefined) return known;
    const parsed = new URL(url);
    const target = { origin: parsed.origin, path: parsed.pathname + parsed.search };
    if (targetByUrl.size < 256) targetByUrl.set(url, target);
    return target;
  };

  const thinFetch = async (
    url: string | URL | Request,
    init: NonNullable<Parameters<ThinFetch>[1]> = {},
  ): Promise<ThinResponse> => {
    const address = typeof url === 'string' ? url : 'href' in url ? url.href : url.url;
    const { origin, path } = targetOf(address);
    const answer = await dispatcher
      .request({
        origin,
        path,
        method: (init.method ?? 'GET') as Dispatcher.HttpMethod,
        headers: plainHeaders(init.headers),
        body: typeof init.body === 'string' ? init.body : null,
        signal: (init.signal ?? null) as AbortSignal | null,
      })
      .catch(rethrowWithCode);
    const { statusCode, body } = answer;
    return {
      status: statusCode,
      ok: statusCode >= 200 && statusCode < 300,
      url: address,
      headers: new ThinHeaders(answer.headers),
      body,
      text: () => body.text(),
      json: async () => JSON.parse(await body.text()) as unknown,
      cancel: () => {
        if (body.readableEnded) return;
        // Destroying an unread body is an error event for undici, and for nobody else.
        body.on('error', ignore).destroy();
      },
    };
  };
  // The SDKs type their option as the platform's fetch; ThinResponse is the subset of Response they touch.
  return thinFetch as unknown as ThinFetch;
}

const ignore = (): void => {};

/**
 * Socket and TLS errors come from Node's core, which can be another realm than ours (contexts, test runners); there the
 * SDKs copy the message and lose the code that says what happened. An error of our own keeps it.
 */
function rethrowWithCode(thrown: unknown): never {
  const { code, message } = thrown as NodeJS.ErrnoException;
  if (typeof code !== 'string') throw thrown;
  throw Object.assign(new Error(message, { cause: thrown }), { code });
}

/** Response headers by lower-case name; repeated ones are joined as the fetch standard does. */
export class ThinHeaders {
  readonly #values: IncomingHttpHeaders;

  constructor(values: IncomingHttpHeaders) {
    this.#values = values;
  }

  get(name: string): string | null {
    const value = this.#values[name.toLowerCase()];
    if (value === undefined) return null;
    return Array.isArray(value) ? value.join(', ') : value;
  }

  has(name: string): boolean {
    return this.#values[name.toLowerCase()] !== undefined;
  }

  entries(): IterableIterator<[string, string]> {
    return Object.keys(this.#values)
      .map((name): [string, string] => [name, this.get(name) ?? ''])
      .values();
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }
}

function plainHeaders(headers: unknown): Record<string, string> {
  if (headers === undefined || headers === null) return {};
  if (headers instanceof Headers) {
    const plain: Record<string, string> = {};
    headers.forEach((value, name) => {
      plain[name] = value;
    });
    return plain;
  }
  return headers as Record<string, string>;
}

/** A missing type is read as a stream: a JSON answer would say so. */
export function isEventStream(response: ThinResponse): boolean {
  const type = response.headers.get('content-type');
  return type === null || type.toLowerCase().includes('text/event-stream');
}
