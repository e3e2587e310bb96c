import { describe, expect, test } from '@jest/globals';
import { fromOpenAiCompletion, fromStatedCost } from '../../../src/providers/openai/openai-answer.ts';
import { toOpenAiBody } from '../../../src/providers/openai/openai-request.ts';
import { OpenAiStreamCollector } from '../../../src/providers/openai/openai-stream.ts';
import { modelRequest, userMessage } from '../../helpers/model-request.ts';

const body = (
  fields: Parameters<typeof modelRequest>[0],
  options: Partial<Parameters<typeof toOpenAiBody>[2]> = {},
) =>
  toOpenAiBody(modelRequest({ parameters: {}, ...fields }), 'model-a', {
    maxTokensField: 'max_tokens',
    stream: false,
    ...options,
  });

const completion = (message: object, choice: object = {}) =>
  fromOpenAiCompletion(
    { id: 'x', model: 'model-a', choices: [{ message, finish_reason: 'stop', ...choice }] },
    { modelRequested: 'model-a', costHeader: null, secret: null },
  );

describe('a request for an OpenAI-compatible upstream', () => {
  test('says only what is set', () => {
    expect(body({})).toEqual({
      model: 'model-a',
      messages: [
        { role: 'system', content: 'You are a coach.' },
        { role: 'user', content: 'Give one tip.' },
      ],
    });
  });

  test('carries every parameter under its wire name', () => {
    const parameters = {
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      maxOutputTokens: 80,
      stopSequences: ['\n'],
      seed: 7,
      frequencyPenalty: 0.1,
      presencePenalty: 0.2,
    };

    expect(body({ parameters })).toMatchObject({
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      max_tokens: 80,
      stop: ['\n'],
      seed: 7,
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
    });
    expect(body({ parameters }, { maxTokensField: 'max_completion_tokens' })).toMatchObject({
      max_completion_tokens: 80,
    });
  });

  test('asks streams for usage', () => {
    expect(body({}, { stream: true })).toMatchObject({
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  test('takes extra fields along, but none that replaces what the gateway decides', () => {
    const extraFields = { logprobs: true, model: 'other', messages: [], stream: true, stream_options: {} };

    const sent = body({ extraFields });

    expect(sent).toMatchObject({ logprobs: true, model: 'model-a' });
    expect(sent['messages']).toHaveLength(2);
    expect(sent).not.toHaveProperty('stream');
    expect(sent).not.toHaveProperty('stream_options');
  });

  test('carries tools, the choice among them, calls and their results', () => {
    const sent = body({
      tools: [{ name: 'look_up', description: 'Looks up.', parameters: { type: 'object' }, strict: true }],
      toolChoice: { name: 'look_up' },
      parallelToolCalls: false,
      messages: [
        userMessage('Look it up.'),
        {
          role: 'assistant',
          content: [],
          toolCalls: [{ id: 'c1', name: 'look_up', argumentsText: '{"q":1}' }],
        },
        { role: 'tool', toolCallId: 'c1', content: [{ kind: 'text', text: 'found' }] },
      ],
    });

    expect(sent).toMatchObject({
      tools: [
        { type: 'function', function: { name: 'look_up', strict: true, parameters: { type: 'object' } } },
      ],
      tool_choice: { type: 'function', function: { name: 'look_up' } },
      parallel_tool_calls: false,
      messages: [
        { role: 'user' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look_up', arguments: '{"q":1}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'found' },
      ],
    });
  });

  test('sends images, sound and PDFs as parts', () => {
    const media = (url: string, contentType: string | null = null) => ({
      kind: 'media' as const,
      url,
      contentType,
    });
    const sent = body({
      messages: [
        {
          role: 'user',
          content: [
            { kind: 'text', text: 'What is this?' },
            media('https://example.org/a.png'),
            media('data:audio/mpeg;base64,AAAA'),
            media('data:application/pdf;base64,BBBB'),
          ],
        },
      ],
    });

    expect(sent['messages']).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
          { type: 'input_audio', input_audio: { data: 'AAAA', format: 'mp3' } },
          {
            type: 'file',
            file: { filename: 'document.pdf', file_data: 'data:application/pdf;base64,BBBB' },
          },
        ],
      },
    ]);
  });

  test('names the schema of structured output', () => {
    const schema = { type: 'object' };

    expect(body({ responseFormat: { kind: 'json' } })).toMatchObject({
      response_format: { type: 'json_object' },
    });
    expect(
      body({ responseFormat: { kind: 'json_schema', name: 'tip', schema, strict: true } }),
    ).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { name: 'tip', schema, strict: true } },
    });
    expect(body({ responseFormat: { kind: 'text' } })).not.toHaveProperty('response_format');
  });
});

describe('an answer of an OpenAI-compatible upstream', () => {
  test('keeps tool calls, even with arguments that are no JSON', () => {
    const toolCalls = [{ id: 'c1', type: 'function', function: { name: 'look_up', arguments: '{"q":' } }];

    expect(
      completion({ content: null, tool_calls: toolCalls }, { finish_reason: 'tool_calls' }),
    ).toMatchObject({
      text: '',
      finishReason: { unified: 'tool_calls', raw: 'tool_calls' },
      toolCalls: [{ id: 'c1', name: 'look_up', argumentsText: '{"q":' }],
    });
  });

  test('joins content in parts', () => {
    expect(
      completion({
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      }).text,
    ).toBe('ab');
  });

  test('shows a refusal as content filter', () => {
    expect(completion({ content: null, refusal: 'I cannot.' }).finishReason).toEqual({
      unified: 'content_filter',
      raw: 'refusal',
    });
  });

  test('keeps empty text that a content filter left, as it is', () => {
    expect(completion({ content: '' }, { finish_reason: 'content_filter' })).toMatchObject({
      text: '',
      finishReason: { unified: 'content_filter' },
    });
  });

  test('keeps the raw message, log probabilities and an unknown finish reason', () => {
    const message = { content: 'a', reasoning_content: 'hm' };

    expect(completion(message, { finish_reason: 'because', logprobs: { content: [] } })).toMatchObject({
      rawMessage: message,
      logprobs: { content: [] },
      finishReason: { unified: 'other', raw: 'because' },
    });
  });

  test.each([
    [null],
    ['text'],
    [{}],
    [{ choices: [] }],
    [{ choices: [{}] }],
    [{ choices: [{ message: { content: 5 } }] }],
    [{ choices: [{ message: { content: '', tool_calls: [{}] } }] }],
    [{ choices: [{ message: { content: '' } }], usage: 'lots' }],
    [{ choices: [{ message: { content: '' } }], usage: { prompt_tokens: 1.5 } }],
  ])('is refused when it is %j', (answer) => {
    expect(() =>
      fromOpenAiCompletion(answer, { modelRequested: 'm', costHeader: null, secret: null }),
    ).toThrow(expect.objectContaining({ failureClass: 'bad_response' }));
  });

  test('with an error inside is that error, whatever its status says', () => {
    const answer = { error: { message: 'slow down, sk-proj-abcdef123456', code: 429 } };

    expect(() =>
      fromOpenAiCompletion(answer, { modelRequested: 'm', costHeader: null, secret: null }),
    ).toThrow(expect.objectContaining({ failureClass: 'rate_limit', message: 'slow down, [key]' }));
  });

  test.each([
    ['0.0000115', {}, 11_500],
    [null, { cost: 6.7e-6 }, 6_700],
    ['0', { cost: 1 }, null],
    ['0.0', {}, null],
    [null, {}, null],
    ['free', {}, null],
    ['-1', {}, null],
    ['10001', {}, null],
    ['1e300', {}, null],
    [null, { cost: 1e12 }, null],
  ])('states a cost of header %p and usage %j as %p', (header, usage, expected) => {
    expect(fromStatedCost(header, usage)).toBe(expected);
  });
});

describe('a stream of an OpenAI-compatible upstream', () => {
  test('gathers tool calls that arrive in turns', () => {
    const collector = new OpenAiStreamCollector('model-a');
    const delta = (calls: object[]) => ({ choices: [{ delta: { tool_calls: calls } }] });

    const events = [
      delta([{ index: 0, id: 'c0', function: { name: 'look_up', arguments: '' } }]),
      delta([{ index: 1, id: 'c1', function: { name: 'count', arguments: '{' } }]),
      delta([
        { index: 0, function: { arguments: '{}' } },
        { index: 1, function: { arguments: '}' } },
      ]),
      { choices: [{ delta: {}, finish_reason: 'tool_calls' }] },
    ].flatMap((chunk) => [...collector.add(chunk)]);

    expect(events).toHaveLength(4);
    expect(events[0]).toEqual({ kind: 'tool_call', index: 0, id: 'c0', name: 'look_up', argumentsDelta: '' });
    expect(events[2]).toEqual({ kind: 'tool_call', index: 0, argumentsDelta: '{}' });
    expect(collector.result()).toMatchObject({
      finishReason: { unified: 'tool_calls' },
      toolCalls: [
        { id: 'c0', name: 'look_up', argumentsText: '{}' },
        { id: 'c1', name: 'count', argumentsText: '{}' },
      ],
    });
  });

  test('makes no event of empty deltas, roles and usage', () => {
    const collector = new OpenAiStreamCollector('model-a');

    const events = [
      { choices: [{ delta: { role: 'assistant', content: null } }] },
      { choices: [{ delta: { content: '' } }] },
      { choices: [{ delta: { reasoning_content: 'hm' } }] },
      { choices: [{ delta: {} }], usage: { prompt_tokens: 3, completion_tokens: 2 } },
      { choices: [] },
      {},
    ].flatMap((chunk) => [...collector.add(chunk)]);

    expect(events).toEqual([]);
    expect(collector.usage).toMatchObject({ inputTokens: 3, outputTokens: 2 });
    expect(collector.finished).toBe(false);
  });
});
