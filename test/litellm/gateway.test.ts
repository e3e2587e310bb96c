import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { startGatewayForTest, type TestGateway } from '../helpers/gateway-for-test.ts';
import { STUB_TEXT, type StubUpstream, startStubUpstream } from '../helpers/stub-upstream.ts';
import { type Litellm, litellmMissing, startLitellm } from './start-litellm.ts';

const START_MS = 150_000;
const MODELS = ['unauthorized', 'rate-limited', 'server-error', 'context-overflow', 'content-filter', 'cut'];

const missing = litellmMissing();
if (missing !== null) console.warn(`skipped: ${missing}`);

(missing === null ? describe : describe.skip)('the whole gateway in front of a real LiteLLM proxy', () => {
  let upstream: StubUpstream;
  let litellm: Litellm;
  let gateway: TestGateway;

  beforeAll(async () => {
    upstream = await startStubUpstream('by-model');
    litellm = await startLitellm({
      upstreamUrl: `${upstream.origin}/v1`,
      models: [
        { name: 'ok', upstreamModel: 'ok', inputCostPerToken: 0.000001, outputCostPerToken: 0.000002 },
        { name: 'slow', upstreamModel: 'slow', timeoutSeconds: 1 },
        ...MODELS.map((name) => ({ name, upstreamModel: name })),
      ],
    });
    gateway = await startGatewayForTest({
      environment: { LITELLM_BASE_URL: litellm.origin, LITELLM_API_KEY: litellm.masterKey },
      config: {
        providers: {
          litellm: {
            kind: 'openai',
            base_url_env: 'LITELLM_BASE_URL',
            api_key_env: 'LITELLM_API_KEY',
            requires_env: ['LITELLM_BASE_URL'],
          },
          offline: { kind: 'offline' },
        },
        routes: {
          default: {
            targets: [
              { provider: 'litellm', order: 1 },
              { provider: 'offline', order: 2 },
            ],
          },
          strict: {
            targets: [{ provider: 'litellm' }],
            retries: { attempts_per_target: 1, max_attempts: 1 },
            circuit_breaker: { minimum_calls: 100_000 },
          },
        },
      },
    });
  }, START_MS);

  afterAll(async () => {
    await gateway?.dispose();
    await litellm?.close();
    await upstream?.close();
  });

  test('takes the first model the proxy lists, and records tokens and cost', async () => {
    const { status, json } = await gateway.post('/generate', { variables: {} });
    const row = (await gateway.get(`/generations/${json.id}`)).json;

    expect(status).toBe(200);
    expect(json).toMatchObject({
      text: STUB_TEXT,
      provider: 'litellm',
      degraded: false,
      usage: { input_tokens: 31, output_tokens: 18 },
      cost_usd: 0.000067,
    });
    expect(row).toMatchObject({
      status: 'ok',
      model_requested: 'auto',
      model: 'ok',
      cost_source: 'upstream',
    });
  });

  test('streams through with usage and cost', async () => {
    const { text } = await gateway.post('/generate', { variables: {}, stream: true });

    const end = JSON.parse(/^event: end\ndata: (.*)$/m.exec(text)?.[1] ?? 'null');
    expect(text.match(/^event: delta$/gm)?.length).toBeGreaterThan(1);
    expect(end).toMatchObject({
      text: STUB_TEXT,
      usage: { input_tokens: 31, output_tokens: 18 },
      cost_usd: 0.000067,
    });
  });

  test.each([
    ['rate-limited', 429, 'rate_limited', 'rate_limit'],
    ['server-error', 502, 'provider_unavailable', 'server'],
    ['slow', 504, 'provider_timeout', 'timeout'],
    ['context-overflow', 422, 'context_overflow', 'context_overflow'],
    ['content-filter', 422, 'content_filtered', 'content_filter'],
    ['unauthorized', 502, 'provider_rejected', 'auth'],
  ])('answers %s with %i %s and one upstream call', async (model, status, code, failureClass) => {
    const before = upstream.requests.length;

    const answer = await gateway.post('/generate', { variables: {}, model, route: 'strict' });

    expect([answer.status, answer.json.code]).toEqual([status, code]);
    expect(answer.text).not.toContain(litellm.masterKey);
    expect(upstream.requests.length - before).toBe(1);
    expect(answer.json.failure_class).toBe(failureClass);
  });

  test('ends a stream that is cut after its first token with an error event, and records what came', async () => {
    const { status, text } = await gateway.post('/generate', { variables: {}, model: 'cut', stream: true });

    const id = /"id":"(gen_[0-9a-f]+)"/.exec(text)?.[1];
    expect(status).toBe(200);
    expect(text).toMatch(/^event: error$/m);
    expect(text).not.toMatch(/^event: end$/m);
    expect((await gateway.get(`/generations/${id}`)).json).toMatchObject({
      status: 'incomplete',
      delivered: false,
    });
  });

  test('serves the official OpenAI client, streaming with usage', async () => {
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });

    const stream = await client.chat.completions.create({
      model: 'prompt/tip@v2',
      messages: [],
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let usage: OpenAI.CompletionUsage | null | undefined = null;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      usage = chunk.usage ?? usage;
    }

    expect(text).toBe(STUB_TEXT);
    expect(usage).toMatchObject({ prompt_tokens: 31, completion_tokens: 18 });
  });
});
