import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type FailureClass, ProviderFailure } from '../../src/providers/index.ts';
import type { Transport } from '../../src/providers/transport/index.ts';
import { adapterForTest, transportForTest } from '../helpers/adapter-for-test.ts';
import { collectStream, failureOf, modelRequest } from '../helpers/model-request.ts';
import { readWireCapture } from '../helpers/wire-capture.ts';
import { startWireReplay } from '../helpers/wire-replay-server.ts';

interface ExpectedAnswer {
  /** The text begins so. */
  readonly text: string;
  readonly finish: string;
  readonly input: number | null;
  readonly output: number | null;
  readonly cached?: number;
  /** Nano-dollars. */
  readonly cost: number | null;
}

interface ExpectedFailure {
  readonly failure: FailureClass;
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly partial?: string;
}

type Case = readonly [file: string, index: number, expected: ExpectedAnswer | ExpectedFailure];

const TIP = 'Start your hardest task before ten tomorrow.';

const OPENAI: readonly Case[] = [
  [
    'oai-ok',
    0,
    { text: 'You are a model.', finish: 'length', input: 19, output: 24, cached: 0, cost: 11_500 },
  ],
  ['oai-length', 0, { text: 'You are a', finish: 'length', input: 19, output: 3, cached: 14, cost: 3_100 }],
  [
    'oai-maxcompletion',
    0,
    { text: 'It is very', finish: 'length', input: 19, output: 3, cached: 14, cost: 3_100 },
  ],
  [
    'oai-metadata',
    0,
    { text: 'You are a coach', finish: 'length', input: 19, output: 4, cached: 14, cost: 3_500 },
  ],
  [
    'oai-mock-inline',
    0,
    { text: 'You are a', finish: 'length', input: 19, output: 1_005, cached: 14, cost: 403_900 },
  ],
  ['oai-mock-ok', 0, { text: TIP, finish: 'stop', input: 10, output: 20, cost: null }],
  ['oai-fallback', 0, { text: TIP, finish: 'stop', input: 10, output: 20, cost: null }],
  ['oai-mock-ok-stream', 0, { text: TIP, finish: 'stop', input: 20, output: 8, cost: null }],
  ['oai-stream', 0, { text: 'You are a model.', finish: 'length', input: null, output: null, cost: null }],
  [
    'oai-stream-usage',
    0,
    { text: 'You are a coach.', finish: 'length', input: 19, output: 12, cached: 14, cost: 6_700 },
  ],
  [
    'llamacpp-direct',
    0,
    { text: 'Describe the', finish: 'length', input: 13, output: 8, cached: 8, cost: null },
  ],
  [
    'llamacpp-direct',
    1,
    { text: 'Give one tip', finish: 'length', input: 13, output: 3, cached: 8, cost: null },
  ],
  ['llamacpp-direct', 2, { text: '{', finish: 'length', input: 15, output: 60, cached: 7, cost: null }],
  [
    'llamacpp-direct',
    3,
    { text: 'xElementChild', finish: 'length', input: 10, output: 2, cached: 0, cost: null },
  ],
  ['llamacpp-direct', 4, { failure: 'bad_request', status: 400 }],
  ['llamacpp-direct', 5, { failure: 'bad_request', status: 400 }],
  ['llamacpp-direct', 6, { failure: 'context_overflow', status: 400 }],
  ['oai-wrongkey', 0, { failure: 'auth', status: 400 }],
  ['oai-wrongkey2', 0, { failure: 'auth', status: 400 }],
  ['oai-up-401', 0, { failure: 'auth', status: 401 }],
  ['oai-noauth', 0, { failure: 'server', status: 500 }],
  ['oai-unknown-model', 0, { failure: 'bad_request', status: 400 }],
  ['oai-badjson', 0, { failure: 'bad_request', status: 400 }],
  ['oai-badtemp', 0, { failure: 'bad_request', status: 400 }],
  ['oai-nomessages', 0, { failure: 'bad_request', status: 400 }],
  ['oai-mock-testing-ratelimit', 0, { failure: 'bad_request', status: 400 }],
  ['oai-ctx', 0, { failure: 'context_overflow', status: 400 }],
  ['oai-mock-ctx', 0, { failure: 'context_overflow', status: 400 }],
  ['oai-stream-ctx', 0, { failure: 'context_overflow', status: 400 }],
  ['oai-up-400filter', 0, { failure: 'content_filter', status: 400 }],
  ['oai-up-429', 0, { failure: 'rate_limit', status: 429, retryAfterMs: 7_000 }],
  ['oai-up-429-defaultretries', 0, { failure: 'rate_limit', status: 429, retryAfterMs: 7_000 }],
  ['oai-mock-429', 0, { failure: 'rate_limit', status: 429 }],
  ['oai-stream-up-429', 0, { failure: 'rate_limit', status: 429, retryAfterMs: 7_000 }],
  ['oai-stream-mock-429', 0, { failure: 'rate_limit', status: 429 }],
  ['oai-up-500', 0, { failure: 'server', status: 500 }],
  ['oai-up-500-defaultretries', 0, { failure: 'server', status: 500 }],
  ['oai-mock-500', 0, { failure: 'server', status: 500 }],
  ['oai-up-503html', 0, { failure: 'server', status: 503 }],
  ['oai-gemma-down', 0, { failure: 'server', status: 500 }],
  ['oai-stream-gemma-down', 0, { failure: 'server', status: 500 }],
  ['oai-stream-up-500', 0, { failure: 'server', status: 500 }],
  ['oai-up-slow', 0, { failure: 'timeout', status: 408 }],
  ['oai-mock-timeout', 0, { failure: 'timeout', status: 408 }],
  ['oai-stream-up-slow', 0, { failure: 'timeout', status: 408 }],
  ['oai-stream-up-cut', 0, { failure: 'server', partial: 'Hello wor' }],
  ['oai-stream-up-sseerr', 0, { failure: 'server', partial: 'Hello' }],
];

const ANTHROPIC: readonly Case[] = [
  [
    'ant-ok',
    0,
    { text: "It's like a game", finish: 'stop', input: 19, output: 24, cached: 14, cost: 11_500 },
  ],
  ['ant-length', 0, { text: 'I want to', finish: 'stop', input: 19, output: 16, cached: 14, cost: 8_300 }],
  ['antcc-length', 0, { text: 'You are a', finish: 'length', input: 19, output: 3, cached: 14, cost: 3_100 }],
  ['ant-mock-ok', 0, { text: TIP, finish: 'stop', input: 2_095, output: 503, cost: null }],
  ['antcc-mock-ok', 0, { text: TIP, finish: 'stop', input: 2_095, output: 503, cost: null }],
  [
    'ant-stream',
    0,
    { text: 'The second one.', finish: 'stop', input: 19, output: 16, cached: 14, cost: null },
  ],
  [
    'antcc-stream',
    0,
    { text: "I'm going to", finish: 'length', input: 19, output: 5, cached: 14, cost: null },
  ],
  // Asked for a stream, answered whole.
  ['ant-stream-mock-ok', 0, { text: TIP, finish: 'stop', input: 2_095, output: 503, cost: null }],
  ['antcc-stream-mock-ok', 0, { text: TIP, finish: 'stop', input: 2_095, output: 503, cost: null }],
  ['ant-wrongkey', 0, { failure: 'auth', status: 400 }],
  ['ant-up-401', 0, { failure: 'auth', status: 401 }],
  ['ant-unknown-model', 0, { failure: 'bad_request', status: 400 }],
  ['ant-nomaxtokens', 0, { failure: 'bad_request', status: 400 }],
  ['ant-ctx', 0, { failure: 'context_overflow', status: 400 }],
  ['antcc-ctx', 0, { failure: 'context_overflow', status: 400 }],
  ['ant-mock-ctx', 0, { failure: 'context_overflow', status: 400 }],
  ['ant-up-400filter', 0, { failure: 'content_filter', status: 400 }],
  ['ant-up-429', 0, { failure: 'rate_limit', status: 429 }],
  ['antcc-up-429', 0, { failure: 'rate_limit', status: 429 }],
  ['ant-mock-429', 0, { failure: 'rate_limit', status: 429 }],
  ['ant-stream-up-429', 0, { failure: 'rate_limit', status: 429 }],
  ['ant-up-500', 0, { failure: 'server', status: 500 }],
  ['ant-gemma-down', 0, { failure: 'server', status: 500 }],
  ['ant-stream-gemma-down', 0, { failure: 'server', status: 500 }],
  ['ant-up-slow', 0, { failure: 'timeout', status: 408 }],
  ['antcc-stream-up-cut', 0, { failure: 'server', partial: 'Hello wor' }],
  ['antcc-stream-up-sseerr', 0, { failure: 'server', partial: 'Hello' }],
];

let transport: Transport;
beforeAll(() => {
  transport = transportForTest();
});
afterAll(() => transport.close());

/** Plays one recording to an adapter: a stream where the recording is one, or answers the wish for one. */
async function play(kind: 'openai' | 'anthropic', file: string, index: number) {
  const exchange = readWireCapture(file)[index];
  if (exchange === undefined) throw new Error(`no exchange ${index} in ${file}`);
  const server = await startWireReplay(exchange);
  try {
    const model = adapterForTest({ kind, origin: server.origin, transport });
    const { signal } = new AbortController();
    const isStream = file.includes('stream') || exchange.rawHeaders.includes('text/event-stream');
    if (!isStream) return await model.generate(modelRequest(), signal);
    const { text, result } = await collectStream(model.stream(modelRequest(), signal));
    if (result === null) throw new Error('no result');
    expect(text).toBe(result.text);
    return result;
  } finally {
    await server.close();
  }
}

function checkRecordings(kind: 'openai' | 'anthropic', cases: readonly Case[]): void {
  describe(`${kind} adapter on recorded answers`, () => {
    test.each(cases)('%s (%i)', async (file, index, expected) => {
      const played = play(kind, file, index);

      if ('failure' in expected) {
        const failure = await failureOf(played);
        expect(failure).toBeInstanceOf(ProviderFailure);
        expect(failure).toMatchObject({ failureClass: expected.failure, status: expected.status });
        expect((failure as ProviderFailure).retryAfterMs).toBe(expected.retryAfterMs);
        expect((failure as ProviderFailure).partial?.text).toBe(expected.partial);
        // What LiteLLM tells of the deployment behind it stays inside.
        expect((failure as ProviderFailure).message).not.toMatch(/127\.0\.0\.1|model group|https?:/);
        return;
      }
      const result = await played;
      expect(result.text.startsWith(expected.text)).toBe(true);
      expect(result.finishReason.unified).toBe(expected.finish);
      expect(result.usage.inputTokens).toBe(expected.input);
      expect(result.usage.outputTokens).toBe(expected.output);
      expect(result.usage.cachedInputTokens).toBe(expected.cached ?? null);
      expect(result.upstreamCostNanoUsd).toBe(expected.cost);
    });
  });
}

checkRecordings('openai', OPENAI);
checkRecordings('anthropic', ANTHROPIC);

test('every recorded answer is played to the adapter of its API', async () => {
  const { readdirSync } = await import('node:fs');
  const files = readdirSync(new URL('../fixtures/providers/litellm/', import.meta.url));
  const played = new Set([...OPENAI, ...ANTHROPIC].map(([file]) => `${file}.txt`));

  expect(files.filter((file) => /^(?:oai|ant|antcc|llamacpp)-/.test(file) && !played.has(file))).toEqual([]);
});
