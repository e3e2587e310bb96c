import { GatewayError } from './gateway-error.ts';
import { abortedBy } from './retrying.ts';
import { faultsFromWire, invalidResponse, isRecord, textOf, type WireRecord } from './wire.ts';

export interface Exchange {
  readonly fetch: typeof globalThis.fetch;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: WireRecord;
  /** Longest wait for a JSON answer as a whole, or for the first bytes of a stream. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** An answer with a good status whose body is still to be read. */
export interface OpenAnswer {
  readonly status: number;
  readonly headers: Headers;
  text(): Promise<string>;
  chunks(): AsyncGenerator<Uint8Array, void>;
  /** From now on the connection may be silent for so long; null: for as long as the caller takes. */
  allowSilence(limitMs: number | null): void;
  /** Says what a thrown value means: a timeout, the caller's abort, a lost connection, or what it already says. */
  explain(thrown: unknown): GatewayError;
  /** Ends timers and, when the body was not read to its end, the connection. */
  close(): void;
}

/** Sends one request. Fails with the gateway's error, or with `timeout`, `connection_failed` or `aborted`. */
export async function openAnswer(exchange: Exchange): Promise<OpenAnswer> {
  const { signal } = exchange;
  if (signal?.aborted === true) throw abortedBy(signal);
  const controller = new AbortController();
  let timedOutAfterMs: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const allowSilence = (limitMs: number | null): void => {
    clearTimeout(timer);
    if (limitMs === null) return;
    timer = setTimeout(() => {
      timedOutAfterMs = limitMs;
      controller.abort();
    }, limitMs);
  };
  const onAbort = (): void => controller.abort();
  const aborted = rejectionOf(controller.signal);
  allowSilence(exchange.timeoutMs);
  signal?.addEventListener('abort', onAbort, { once: true });

  const explain = (thrown: unknown): GatewayError => {
    if (thrown instanceof GatewayError) return thrown;
    if (signal?.aborted === true) return abortedBy(signal);
    if (timedOutAfterMs !== null) {
      return new GatewayError('timeout', `The gateway did not answer within ${timedOutAfterMs} ms.`);
    }
    return new GatewayError('connection_failed', `The gateway at ${exchange.url.origin} was not reached.`, {
      cause: thrown,
    });
  };
  const close = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    controller.abort();
  };

  try {
    const response = await exchange.fetch(exchange.url, {
      method: 'POST',
      headers: { ...exchange.headers, 'content-type': 'application/json' },
      body: JSON.stringify(exchange.body),
      // A redirected POST may come to lie elsewhere, key included: the gateway never sends one.
      redirect: 'manual',
      signal: controller.signal,
    });
    const text = (): Promise<string> => Promise.race([response.text(), aborted]);
    if (!response.ok) throw errorOf(response, await text());
    const { status, headers, body } = response;
    return { status, headers, text, chunks: () => chunksOf(body, aborted), allowSilence, explain, close };
  } catch (thrown) {
    close();
    throw explain(thrown);
  }
}

/**
 * Rejects once the signal aborts. The body is read against it: undici of Node 20 leaves a read of a body that had
 * arrived whole before the abort pending for ever.
 */
function rejectionOf(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // Nobody may be reading at the time.
  aborted.catch(() => {});
  return aborted;
}

async function* chunksOf(body: Response['body'], aborted: Promise<never>): AsyncGenerator<Uint8Array, void> {
  if (body === null) return;
  const reader = body.getReader();
  for (;;) {
    const chunk = await Promise.race([reader.read(), aborted]);
    if (chunk.done) return;
    yield chunk.value;
  }
}

/** Sends one request and reads its JSON answer whole. */
export async function exchangeJson(
  exchange: Exchange,
): Promise<{ readonly json: unknown; readonly headers: Headers }> {
  const answer = await openAnswer(exchange);
  try {
    return { json: parseJson(await answer.text()), headers: answer.headers };
  } catch (thrown) {
    throw answer.explain(thrown);
  } finally {
    answer.close();
  }
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalidResponse('something that is no JSON', cause);
  }
}

/** The problem a body or an `error` event describes (RFC 9457). */
export function problemError(problem: WireRecord, fallback: ProblemFallback): GatewayError {
  const status = problem['status'];
  return new GatewayError(
    textOf(problem, 'code') ?? 'http_error',
    textOf(problem, 'detail') ?? textOf(problem, 'title') ?? fallback.message,
    {
      status: typeof status === 'number' ? status : fallback.status,
      requestId: textOf(problem, 'request_id') ?? fallback.requestId,
      retryAfterMs: fallback.retryAfterMs,
      errors: faultsFromWire(problem, 'errors'),
      generationId: textOf(problem, 'generation_id'),
    },
  );
}

interface ProblemFallback {
  readonly status: number;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
  readonly message: string;
}

function errorOf(response: Response, body: string): GatewayError {
  const fallback: ProblemFallback = {
    status: response.status,
    requestId: response.headers.get('x-request-id'),
    retryAfterMs: retryAfterMs(response.headers),
    message: `The gateway answered with status ${response.status}.`,
  };
  let problem: unknown;
  try {
    problem = JSON.parse(body);
  } catch {
    // A proxy's page: the status is all there is to know.
  }
  return problemError(isRecord(problem) ? problem : {}, fallback);
}

/** `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), the latter counted from the answer's own `Date`. */
function retryAfterMs(headers: Headers): number | null {
  const value = headers.get('retry-after')?.trim();
  if (value === undefined || value === '') return null;
  if (/^\d+$/.test(value)) return Number(value) * 1_000;
  const untilMs = Date.parse(value);
  const sentMs = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(untilMs) || Number.isNaN(sentMs) ? null : Math.max(0, untilMs - sentMs);
}
