import { openStream, streamEvents } from './generation-stream.ts';
import { type Exchange, exchangeJson } from './http-exchange.ts';
import { type RetryPolicy, retrying } from './retrying.ts';
import { scoreFromWire, scoreToWire } from './score-wire.ts';
import type {
  CallOptions,
  ClientClock,
  FeedbackEntry,
  GatewayClient,
  GatewayClientOptions,
  GenerateInput,
  GenerateOptions,
  ScoreOptions,
} from './types.ts';
import { parseRotation } from './version-rotation.ts';
import {
  feedbackToWire,
  generateToWire,
  generationFromWire,
  receiptFromWire,
  type WireRecord,
} from './wire.ts';

/** The prompt whose versions `TIP_PROMPT_VERSION` names. */
const TIP_PROMPT = 'tip';

const systemClock: ClientClock = {
  nowMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const finish = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, ms);
      signal?.addEventListener('abort', finish, { once: true });
    }),
};

/** Timers hold 32 bits: a longer one would fire at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** Throws a TypeError on options that cannot work (base URL, rotation, negative numbers). */
export function createGatewayClient(options: GatewayClientOptions): GatewayClient {
  const baseUrl = baseUrlOf(options.baseUrl);
  const timeoutMs = positive('timeoutMs', options.timeoutMs ?? 65_000);
  const random = options.random ?? Math.random;
  const newId = options.newId ?? (() => crypto.randomUUID());
  const policy: RetryPolicy = {
    retries: notNegative('retries', options.retries ?? 2),
    deadlineMs: positive('deadlineMs', options.deadlineMs ?? 130_000),
    backoffMs: notNegative('backoffMs', options.backoffMs ?? 200),
    maxBackoffMs: notNegative('maxBackoffMs', options.maxBackoffMs ?? 5_000),
    maxRetryAfterMs: notNegative('maxRetryAfterMs', options.maxRetryAfterMs ?? 30_000),
    clock: options.clock ?? systemClock,
    random,
  };
  const rotation = parseRotation(
    (options.tipPromptVersion === undefined ? environmentTipVersion() : options.tipPromptVersion) ?? '',
    options.rotationSeed ?? TIP_PROMPT,
  );

  /** Chosen once per call: a retry sends the very same body. */
  const wireOf = (input: GenerateInput): WireRecord => {
    const rotates =
      rotation !== null &&
      input.promptVersion === undefined &&
      (input.prompt === undefined || input.prompt === TIP_PROMPT);
    if (!rotates) return generateToWire(input, null);
    // The rotation names versions of `tip`: with another default prompt in the gateway they would be someone else's.
    return generateToWire({ ...input, prompt: TIP_PROMPT }, rotation.choose(input.userId, random));
  };

  const exchangeOf = (
    path: string,
    body: WireRecord,
    call: CallOptions & { readonly idempotencyKey?: string; readonly remainingMs: number },
  ): Exchange => ({
    fetch: options.fetch ?? globalThis.fetch,
    url: new URL(path, baseUrl),
    headers: {
      accept: body['stream'] === true ? 'text/event-stream' : 'application/json',
      ...(options.apiKey === undefined || options.apiKey === ''
        ? {}
        : { authorization: `Bearer ${options.apiKey}` }),
      ...(call.requestId === undefined ? {} : { 'x-request-id': call.requestId }),
      ...(call.idempotencyKey === undefined ? {} : { 'idempotency-key': call.idempotencyKey }),
    },
    body,
    timeoutMs: Math.max(1, Math.min(timeoutMs, call.remainingMs)),
    signal: call.signal,
  });

  const keyed = (call: GenerateOptions | ScoreOptions) => ({
    ...call,
    idempotencyKey: call.idempotencyKey ?? newId(),
  });

  return {
    async generate(input, given = {}) {
      const call = keyed(given);
      const body = wireOf(input);
      return retrying(policy, call.signal, async (remainingMs) => {
        const { json, headers } = await exchangeJson(exchangeOf('generate', body, { ...call, remainingMs }));
        return generationFromWire(json, headers.get('idempotency-replayed') === 'true');
      });
    },

    async *stream(input, given = {}) {
      const call = keyed(given);
      const body = { ...wireOf(input), stream: true };
      const opened = await retrying(policy, call.signal, (remainingMs) =>
        openStream(exchangeOf('generate', body, { ...call, remainingMs }), timeoutMs),
      );
      yield* streamEvents(opened);
    },

    async score(input, given = {}) {
      const call = keyed(given);
      const body = scoreToWire(input);
      return retrying(policy, call.signal, async (remainingMs) => {
        const { json, headers } = await exchangeJson(exchangeOf('score', body, { ...call, remainingMs }));
        return scoreFromWire(json, headers.get('idempotency-replayed') === 'true');
      });
    },

    async feedback(entries, call = {}) {
      const wire = (entry: FeedbackEntry): WireRecord => feedbackToWire(entry, newId);
      const body = isList(entries) ? { outcomes: entries.map(wire) } : wire(entries);
      return retrying(policy, call.signal, async (remainingMs) => {
        const { json } = await exchangeJson(exchangeOf('feedback', body, { ...call, remainingMs }));
        return receiptFromWire(json);
      });
    },
  };
}

/** The environment of a Node process; elsewhere there is none. */
function environmentTipVersion(): string | undefined {
  return typeof process === 'undefined' ? undefined : process.env['TIP_PROMPT_VERSION'];
}

function isList(entries: FeedbackEntry | readonly FeedbackEntry[]): entries is readonly FeedbackEntry[] {
  return Array.isArray(entries);
}

/** With a slash at its end, so that relative paths keep the path the gateway is mounted at. */
function baseUrlOf(text: string): URL {
  if (!URL.canParse(text)) throw new TypeError(`baseUrl is no URL: ${JSON.stringify(text)}.`);
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TypeError('baseUrl must begin with http:// or https://.');
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('baseUrl must not hold credentials: use apiKey.');
  }
  url.search = '';
  url.hash = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

function positive(name: string, value: number): number {
  if (!(value > 0)) throw new TypeError(`${name} must be above 0, got ${value}.`);
  return Math.min(value, LONGEST_TIMER_MS);
}

function notNegative(name: string, value: number): number {
  if (!(value >= 0)) throw new TypeError(`${name} must not be negative, got ${value}.`);
  return value;
}
