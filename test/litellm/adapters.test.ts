import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type FailureClass, ProviderFailure } from '../../src/providers/index.ts';
import type { Transport } from '../../src/providers/transport/index.ts';
import { adapterForTest, transportForTest } from '../helpers/adapter-for-test.ts';
import { collectStream, failureOf, modelRequest } from '../helpers/model-request.ts';
import { STUB_TEXT, type StubUpstream, startStubUpstream } from '../helpers/stub-upstream.ts';
import { type Litellm, litellmMissing, startLitellm } from './start-litellm.ts';

const START_MS = 150_000;
const NEVER_ABORTED = new AbortController().signal;
/** 31 tokens in and 18 out, at 1 and 2 dollars per million. */
const COST_NANO_USD = 31 * 1_000 + 18 * 2_000;

const missing = litellmMissing();
if (missing !== null) console.warn(`skipped: ${missing}`);

(missing === null ? describe : describe.skip)('a real LiteLLM proxy', () => {
  let upstream: StubUpstream;
  let litellm: Litellm;
  let transport: Transport;

  beforeAll(async () => {
    upstream = await startStubUpstream('by-model');
    litellm = await startLitellm({
      upstreamUrl: `${upstream.origin}/v1`,
      models: [
        { name: 'ok', upstreamModel: 'ok', inputCostPerToken: 0.000001, outputCostPerToken: 0.000002 },
        { name: 'unpriced', upstreamModel: 'ok' },
        { name: 'slow', upstreamModel: 'slow', timeoutSeconds: 1 },
        ...[
          'unauthorized',
          'rate-limited',
          'server-error',
          'context-overflow',
          'content-filter',
          'cut',
          'error-event',
          'hang-after-content',
        ].map((name) => ({ name, upstreamModel: name })),
      ],
    });
    transport = transportForTest();
  }, START_MS);

  afterAll(async () => {
    await transport?.close();
    await litellm?.close();
    await upstream?.close();
  });

  describe.each(['openai', 'anthropic'] as const)('through the %s adapter', (kind) => {
    const adapter = (apiKey = litellm.masterKey) =>
      adapterForTest({ kind, origin: litellm.origin, transport, apiKey });

    test('answers with usage and cost', async () => {
      const result = await adapter().generate(modelRequest({ model: 'ok' }), NEVER_ABORTED);

      expect(result.text).toBe(STUB_TEXT);
      expect(result.finishReason.unified).toBe('stop');
      expect(result.usage).toMatchObject({ inputTokens: 31, outputTokens: 18 });
      expect(result.upstreamCostNanoUsd).toBe(COST_NANO_USD);
    });

    test('does not take the missing price of a model for nothing', async () => {
      const result = await adapter().generate(modelRequest({ model: 'unpriced' }), NEVER_ABORTED);

      expect(result.upstreamCostNanoUsd).toBeNull();
    });

    test('streams in pieces and ends with usage', async () => {
      const { events, text, result } = await collectStream(
        adapter().stream(modelRequest({ model: 'ok' }), NEVER_ABORTED),
      );

      expect(text).toBe(STUB_TEXT);
      expect(events.length).toBeGreaterThan(2);
      expect(result?.finishReason.unified).toBe('stop');
      expect(result?.usage).toMatchObject({ inputTokens: 31, outputTokens: 18 });
      // Only LiteLLM's OpenAI streams carry the cost.
      expect(result?.upstreamCostNanoUsd).toBe(kind === 'openai' ? COST_NANO_USD : null);
    });

    test.each([
      ['unauthorized', 'auth'],
      ['rate-limited', 'rate_limit'],
      ['server-error', 'server'],
      ['slow', 'timeout'],
      ['context-overflow', 'context_overflow'],
      ['content-filter', 'content_filter'],
      ['no-such-model', 'bad_request'],
    ] as const)('reads %s as %s, whole and streamed', async (model, failureClass) => {
      for (const call of [
        () => adapter().generate(modelRequest({ model }), NEVER_ABORTED),
        () => collectStream(adapter().stream(modelRequest({ model }), NEVER_ABORTED)),
      ]) {
        const failure = await failureOf(call());
        expect(failure).toBeInstanceOf(ProviderFailure);
        expect(failure).toMatchObject({ failureClass });
        expect((failure as ProviderFailure).message).not.toMatch(/127\.0\.0\.1|sk-/);
      }
    });

    test('asks its upstream once per call', async () => {
      const before = upstream.requests.length;

      await failureOf(adapter().generate(modelRequest({ model: 'server-error' }), NEVER_ABORTED));

      expect(upstream.requests.length - before).toBe(1);
    });

    test('reads a wrong key as auth', async () => {
      const failure = await failureOf(
        adapter('sk-wrong-0123456789').generate(modelRequest({ model: 'ok' }), NEVER_ABORTED),
      );

      expect(failure).toMatchObject({ failureClass: 'auth' satisfies FailureClass });
    });

    test.each(['cut', 'error-event'])(
      'keeps what had arrived when the stream breaks by %s',
      async (model) => {
        const failure = await failureOf(
          collectStream(adapter().stream(modelRequest({ model }), NEVER_ABORTED)),
        );

        expect((failure as ProviderFailure).failureClass).toMatch(/^(?:server|connection)$/);
        expect(failure).toMatchObject({ partial: { text: 'Take a' } });
      },
    );

    test('ends with what had arrived when the caller leaves in mid-stream', async () => {
      const caller = new AbortController();

      const failure = await failureOf(
        (async () => {
          const stream = adapter().stream(modelRequest({ model: 'hang-after-content' }), caller.signal);
          for await (const event of stream) if (event.kind === 'text') setImmediate(() => caller.abort());
        })(),
      );

      expect(failure).toMatchObject({
        failureClass: 'aborted',
        partial: { text: expect.stringContaining('Take') },
      });
    });

    test('resolves auto to the first model it lists', async () => {
      const result = await adapter().generate(modelRequest({ model: 'auto' }), NEVER_ABORTED);

      expect(result.model).toBe('ok');
    });
  });

  test('passes Retry-After on', async () => {
    const failure = await failureOf(
      adapterForTest({
        kind: 'openai',
        origin: litellm.origin,
        transport,
        apiKey: litellm.masterKey,
      }).generate(modelRequest({ model: 'rate-limited' }), NEVER_ABORTED),
    );

    expect(failure).toMatchObject({ retryAfterMs: 7_000 });
  });
});
