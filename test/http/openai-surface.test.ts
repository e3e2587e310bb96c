import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { AppError } from '../../src/kernel/index.ts';
import type { GenerateStreamEvent } from '../../src/serving/index.ts';
import { answered, SCRIPTED_ANSWER, SCRIPTED_TIMING, streamOf } from '../fakes/scripted-generate-service.ts';
import { startTestGateway, type TestGateway } from './start-test-gateway.ts';

let gateway: TestGateway;
let client: OpenAI;
beforeEach(async () => {
  gateway = await startTestGateway();
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'unused', maxRetries: 0 });
});
afterEach(() => gateway.close());

const HELLO = [{ role: 'user' as const, content: 'hello' }];

describe('POST /v1/chat/completions with the official client', () => {
  test('renders a prompt at a version', async () => {
    const completion = await client.chat.completions.create({
      model: 'prompt/tip@v2',
      messages: [],
      // @ts-expect-error a field of ours, which the client's types do not know
      prompt_variables: { mood: 'tired' },
      user: 'u1',
    });

    expect(completion).toMatchObject({
      id: 'gen_1',
      object: 'chat.completion',
      created: 1_767_607_200,
      model: 'gpt-4o-mini',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Take a walk.' } }],
      usage: { prompt_tokens: 31, completion_tokens: 18, total_tokens: 49 },
      gateway: { prompt: 'tip', prompt_version: 'v1', provider: 'litellm', cost_usd: 0.00012 },
    });
    expect(completion._request_id).toMatch(/^req_[0-9a-f]{32}$/);
    expect(gateway.generate.requests[0]).toMatchObject({
      surface: 'chat',
      source: {
        kind: 'prompt',
        prompt: 'tip',
        promptVersion: 'v2',
        variables: { mood: 'tired' },
        messages: [],
      },
      route: null,
      userId: 'u1',
    });
  });

  test.each([
    ['prompt/tip', { kind: 'prompt', prompt: 'tip', promptVersion: null }],
    ['prompt/tip@@live', { kind: 'prompt', prompt: 'tip', promptVersion: '@live' }],
    ['cheap/fast', { kind: 'messages' }],
  ])('reads the model name %s', async (model, source) => {
    await client.chat.completions.create({ model, messages: HELLO });

    expect(gateway.generate.requests[0]?.source).toMatchObject(source);
  });

  test('passes every parameter, tool and format through', async () => {
    await client.chat.completions.create({
      model: 'default',
      messages: [
        { role: 'system', content: 'be kind' },
        { role: 'developer', content: 'really' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'look' },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'a tree' },
      ],
      temperature: 0.3,
      top_p: 0.8,
      max_tokens: 10,
      max_completion_tokens: 20,
      stop: 'END',
      seed: 3,
      frequency_penalty: 0.1,
      presence_penalty: -0.1,
      tools: [
        {
          type: 'function',
          function: { name: 'look', description: 'looks', parameters: { type: 'object' } },
        },
      ],
      tool_choice: { type: 'function', function: { name: 'look' } },
      parallel_tool_calls: false,
      response_format: { type: 'json_schema', json_schema: { name: 'tip', schema: { type: 'object' } } },
      metadata: { team: 'a' },
      reasoning_effort: 'low',
      logprobs: true,
    });

    expect(gateway.generate.requests[0]).toMatchObject({
      source: {
        kind: 'messages',
        messages: [
          { role: 'system', content: [{ kind: 'text', text: 'be kind' }] },
          { role: 'system', content: [{ kind: 'text', text: 'really' }] },
          {
            role: 'user',
            content: [
              { kind: 'text', text: 'look' },
              { kind: 'media', url: 'https://example.com/a.png', contentType: null },
            ],
          },
          {
            role: 'assistant',
            content: [],
            toolCalls: [{ id: 'call_1', name: 'look', argumentsText: '{}' }],
          },
          { role: 'tool', toolCallId: 'call_1', content: [{ kind: 'text', text: 'a tree' }] },
        ],
      },
      route: 'default',
      parameters: {
        temperature: 0.3,
        topP: 0.8,
        maxOutputTokens: 20,
        stopSequences: ['END'],
        seed: 3,
        frequencyPenalty: 0.1,
        presencePenalty: -0.1,
      },
      tools: [{ name: 'look', description: 'looks', parameters: { type: 'object' } }],
      toolChoice: { name: 'look' },
      parallelToolCalls: false,
      responseFormat: { kind: 'json_schema', name: 'tip', schema: { type: 'object' } },
      metadata: { team: 'a' },
      extraFields: { reasoning_effort: 'low', logprobs: true },
    });
  });

  test('answers tool calls as the client expects them', async () => {
    gateway.generate.onGenerate(async () =>
      answered({
        text: '',
        finishReason: 'tool_calls',
        toolCalls: [{ id: 'call_1', name: 'look', argumentsText: '{"at":"tree"}' }],
      }),
    );

    const completion = await client.chat.completions.create({ model: 'default', messages: HELLO });

    expect(completion.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: null,
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"at":"tree"}' } },
        ],
      },
    });
  });

  test("keeps the upstream's own message fields on a pass-through call", async () => {
    gateway.generate.onGenerate(async () =>
      answered({
        prompt: null,
        promptVersion: null,
        rawMessage: { role: 'assistant', content: 'hi', reasoning_content: 'because' },
      }),
    );

    const completion = await client.chat.completions.create({ model: 'default', messages: HELLO });

    expect(completion.choices[0]?.message).toMatchObject({ content: 'hi', reasoning_content: 'because' });
  });

  test('leaves usage out when the provider did not say', async () => {
    gateway.generate.onGenerate(async () =>
      answered({
        usage: { inputTokens: null, outputTokens: 4, cachedInputTokens: null, reasoningTokens: null },
      }),
    );

    expect(await client.chat.completions.create({ model: 'default', messages: HELLO })).not.toHaveProperty(
      'usage',
    );
  });

  test('streams content and a last usage chunk', async () => {
    const stream = await client.chat.completions.create({
      model: 'prompt/tip',
      messages: [],
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);

    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('Take a walk.');
    expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant');
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 49 } });
    expect(new Set(chunks.map((chunk) => chunk.id))).toEqual(new Set(['gen_1']));
  });

  test('collects streamed tool calls', async () => {
    gateway.generate.onStream(async function* (): AsyncGenerator<GenerateStreamEvent> {
      yield { kind: 'start', head: SCRIPTED_ANSWER };
      yield { kind: 'tool_call', index: 0, id: 'call_1', name: 'look', argumentsDelta: '{"at":' };
      yield { kind: 'tool_call', index: 0, argumentsDelta: '"tree"}' };
      yield {
        kind: 'end',
        answer: { ...SCRIPTED_ANSWER, text: '', finishReason: 'tool_calls' },
        timing: SCRIPTED_TIMING,
        outputFaults: [],
        replayed: false,
      };
    });

    const completion = await client.chat.completions
      .stream({ model: 'default', messages: HELLO })
      .finalChatCompletion();

    expect(completion.choices[0]?.message.tool_calls?.[0]).toMatchObject({
      id: 'call_1',
      function: { name: 'look', arguments: '{"at":"tree"}' },
    });
  });

  test('turns a failure in the middle of a stream into an error of the client, without [DONE]', async () => {
    gateway.generate.onStream(async function* (): AsyncGenerator<GenerateStreamEvent> {
      yield { kind: 'start', head: SCRIPTED_ANSWER };
      yield { kind: 'text', text: 'Take' };
      yield {
        kind: 'error',
        error: new AppError('provider_timeout', 'No provider answered in time.'),
        generationId: 'gen_1',
      };
    });

    const raw = await (
      await gateway.post('/v1/chat/completions', { model: 'prompt/tip', stream: true })
    ).text();
    const stream = await client.chat.completions.create({ model: 'prompt/tip', messages: [], stream: true });
    const read = async () => {
      for await (const _chunk of stream);
    };

    await expect(read()).rejects.toThrow('No provider answered in time.');
    expect(raw).toContain('data: {"error":{"message":"No provider answered in time."');
    expect(raw).not.toContain('[DONE]');
  });

  test('ends a whole stream with [DONE] and null usage before it', async () => {
    gateway.generate.onStream(() => streamOf('a'));

    const body = {
      model: 'prompt/tip',
      stream: true,
      stream_options: { include_usage: true },
    };
    const raw = await (await gateway.post('/v1/chat/completions', body)).text();

    expect(raw.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(raw.match(/"usage":null/g)).toHaveLength(3);
  });

  test("raises the client's error classes", async () => {
    const call = (model: string) => client.chat.completions.create({ model, messages: HELLO });
    const failWith = (error: AppError) => gateway.generate.onGenerate(async () => Promise.reject(error));

    await expect(call('nope')).rejects.toMatchObject({
      constructor: OpenAI.NotFoundError,
      code: 'model_not_found',
      param: 'model',
      message: expect.stringContaining('prompt/tip@v2'),
    });
    failWith(new AppError('context_overflow', 'too long'));
    await expect(call('default')).rejects.toMatchObject({
      constructor: OpenAI.BadRequestError,
      code: 'context_length_exceeded',
    });
    failWith(new AppError('content_filtered', 'refused'));
    await expect(call('default')).rejects.toMatchObject({ status: 400, code: 'content_filter' });
    failWith(new AppError('rate_limited', 'slow down', { retryAfterMs: 1_500 }));
    await expect(call('default')).rejects.toMatchObject({ constructor: OpenAI.RateLimitError });
    failWith(new AppError('provider_timeout', 'late'));
    await expect(call('default')).rejects.toMatchObject({
      constructor: OpenAI.InternalServerError,
      status: 504,
    });
    failWith(new AppError('version_not_found', 'no v9'));
    await expect(call('prompt/tip@v9')).rejects.toMatchObject({ code: 'model_not_found' });
  });
});

describe('models', () => {
  test('lists prompts, versions and routes', async () => {
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);

    expect(ids).toEqual([
      'prompt/tip',
      'prompt/tip@v1',
      'prompt/tip@v2',
      'prompt/digest',
      'prompt/digest@v1',
      'default',
      'cheap/fast',
    ]);
  });

  test('finds one whose name has a slash, encoded or not', async () => {
    expect(await client.models.retrieve('prompt/tip')).toMatchObject({ id: 'prompt/tip', object: 'model' });
    const plain = await fetch(`${gateway.url}/v1/models/prompt/tip@v1`);
    expect(await plain.json()).toMatchObject({ id: 'prompt/tip@v1' });
    await expect(client.models.retrieve('prompt/none')).rejects.toMatchObject({ code: 'model_not_found' });
  });
});

describe('refusals in the shape of OpenAI', () => {
  const cases: readonly [string, unknown, number, string][] = [
    ['two answers', { model: 'default', messages: HELLO, n: 2 }, 400, 'n: must be 1'],
    ['a route without messages', { model: 'default' }, 400, 'messages: must hold at least one'],
    ['an empty version', { model: 'prompt/tip@' }, 404, 'There is no model prompt/tip@'],
    ['no model', { messages: HELLO }, 400, 'model: is required'],
    [
      'a role nobody has',
      { model: 'default', messages: [{ role: 'wizard', content: 'x' }] },
      400,
      'must have the role',
    ],
    [
      'audio',
      { model: 'default', messages: [{ role: 'user', content: [{ type: 'input_audio' }] }] },
      400,
      'must be a',
    ],
    [
      'an upstream address',
      { model: 'default', messages: HELLO, api_base: 'http://169.254.169.254' },
      400,
      'api_base',
    ],
    ['a fake answer', { model: 'default', messages: HELLO, mock_response: 'hi' }, 400, 'mock_response'],
    [
      'an own price',
      { model: 'default', messages: HELLO, input_cost_per_token: 0 },
      400,
      'input_cost_per_token',
    ],
  ];
  test.each(cases)('refuses %s', async (_name, body, status, message) => {
    const response = await gateway.post('/v1/chat/completions', body);
    const { error } = (await response.json()) as { error: Record<string, unknown> };

    expect(response.status).toBe(status);
    expect(Object.keys(error)).toEqual(['message', 'type', 'param', 'code']);
    expect(error['message']).toContain(message);
    expect(gateway.generate.requests).toHaveLength(0);
  });

  test.each([
    ['unknown path', 'GET', '/v1/nope', undefined, 404, 'not_found'],
    ['other method', 'DELETE', '/v1/models', undefined, 405, 'method_not_allowed'],
    ['broken JSON', 'POST', '/v1/chat/completions', '{"model":', 400, 'invalid_request'],
    ['large body', 'POST', '/v1/chat/completions', `"${'x'.repeat(1_048_576)}"`, 413, 'payload_too_large'],
  ])('answers %s in the same shape', async (_name, method, path, body, status, code) => {
    const response = await fetch(`${gateway.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body }),
    });

    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.json()).toMatchObject({ error: { code, type: 'invalid_request_error' } });
  });
});
