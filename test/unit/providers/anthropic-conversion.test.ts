import { AnthropicError } from '@anthropic-ai/sdk';
import { describe, expect, test } from '@jest/globals';
import {
  fromAnthropicMessage,
  fromAnthropicUsage,
} from '../../../src/providers/anthropic/anthropic-answer.ts';
import { anthropicFailure } from '../../../src/providers/anthropic/anthropic-failure.ts';
import { toAnthropicBody } from '../../../src/providers/anthropic/anthropic-request.ts';
import { AnthropicStreamCollector } from '../../../src/providers/anthropic/anthropic-stream.ts';
import { modelRequest, systemMessage, userMessage } from '../../helpers/model-request.ts';

const sent = (fields: Parameters<typeof modelRequest>[0], stream = false) =>
  toAnthropicBody(modelRequest({ parameters: {}, ...fields }), 'claude-a', stream);
const body = (fields: Parameters<typeof modelRequest>[0]) => sent(fields).body;
const text = (value: string) => ({ type: 'text', text: value });

const SCHEMA = { type: 'object', properties: { tip: { type: 'string' } }, required: ['tip'] };
const TIP_FORMAT = { kind: 'json_schema', name: 'tip', schema: SCHEMA } as const;

describe('a request for the Anthropic API', () => {
  test('moves system messages out of the conversation and always limits the output', () => {
    expect(
      body({
        messages: [systemMessage('One.'), userMessage('Hi.'), systemMessage('Two.'), userMessage('More.')],
      }),
    ).toEqual({
      model: 'claude-a',
      max_tokens: 1024,
      system: 'One.\n\nTwo.',
      messages: [{ role: 'user', content: [text('Hi.'), text('More.')] }],
    });
  });

  test('lets a prompt of system text alone be said by the user', () => {
    expect(body({ messages: [systemMessage('Give one tip.')] })).toEqual({
      model: 'claude-a',
      max_tokens: 1024,
      messages: [{ role: 'user', content: [text('Give one tip.')] }],
    });
  });

  test('puts tool results of one turn together, before what the user says next', () => {
    const sentBody = body({
      tools: [{ name: 'look_up' }],
      toolChoice: 'required',
      parallelToolCalls: false,
      messages: [
        userMessage('Look up.'),
        {
          role: 'assistant',
          content: [{ kind: 'text', text: 'I will.' }],
          toolCalls: [
            { id: 'c1', name: 'look_up', argumentsText: '{"q":1}' },
            { id: 'c2', name: 'look_up', argumentsText: '' },
          ],
        },
        { role: 'tool', toolCallId: 'c1', content: [{ kind: 'text', text: 'found' }] },
        { role: 'tool', toolCallId: 'c2', content: [] },
        userMessage('And?'),
      ],
    });

    expect(sentBody['messages']).toEqual([
      { role: 'user', content: [text('Look up.')] },
      {
        role: 'assistant',
        content: [
          text('I will.'),
          { type: 'tool_use', id: 'c1', name: 'look_up', input: { q: 1 } },
          { type: 'tool_use', id: 'c2', name: 'look_up', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'c1', content: [text('found')] },
          { type: 'tool_result', tool_use_id: 'c2', content: [] },
          text('And?'),
        ],
      },
    ]);
    expect(sentBody['tool_choice']).toEqual({ type: 'any', disable_parallel_tool_use: true });
    expect(sentBody['tools']).toEqual([
      { name: 'look_up', input_schema: { type: 'object', properties: {} } },
    ]);
  });

  test('sends images and PDFs, and names what it cannot send', () => {
    const media = (url: string, contentType: string | null = null) => ({
      kind: 'media' as const,
      url,
      contentType,
    });

    expect(
      body({
        messages: [
          {
            role: 'user',
            content: [
              media('data:image/jpeg;base64,AAAA'),
              media('https://example.org/a.png'),
              media('https://example.org/a.pdf', 'application/pdf'),
            ],
          },
        ],
      })['messages'],
    ).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: 'AAAA' } },
          { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } },
          { type: 'document', source: { type: 'url', url: 'https://example.org/a.pdf' } },
        ],
      },
    ]);
    expect(() =>
      body({ messages: [{ role: 'user', content: [media('data:audio/mpeg;base64,AAAA')] }] }),
    ).toThrow('audio/mpeg');
  });

  test('forces a tool for structured output, or asks for it where a tool cannot be forced', () => {
    const forced = sent({ responseFormat: TIP_FORMAT });
    const beside = sent({ responseFormat: TIP_FORMAT, tools: [{ name: 'look_up' }] });
    const list = sent({ responseFormat: { ...TIP_FORMAT, schema: { type: 'array' } } });

    expect(forced.outputTool).toBe('tip');
    expect(forced.body).toMatchObject({
      tools: [{ name: 'tip', input_schema: SCHEMA }],
      tool_choice: { type: 'tool', name: 'tip' },
    });
    expect(beside).toMatchObject({
      outputTool: null,
      body: {
        tools: [{ name: 'look_up' }],
        output_config: { format: { type: 'json_schema', schema: SCHEMA } },
      },
    });
    expect(list).toMatchObject({ outputTool: null, body: { output_config: {} } });
    expect(sent({ responseFormat: { kind: 'json' } }).body['system']).toMatch(/JSON value/);
  });

  test.each([
    ['logprobs', true],
    ['reasoning_effort', 'low'],
    ['n', 2],
  ])('refuses the extra field %s by name', (name, value) => {
    expect(() => body({ extraFields: { [name]: value } })).toThrow(
      expect.objectContaining({ failureClass: 'bad_request', message: expect.stringContaining(`"${name}"`) }),
    );
  });

  test('has words for the user and for nothing at all', () => {
    expect(body({ extraFields: { user: 'u1', n: 1, logprobs: null } })).toMatchObject({
      metadata: { user_id: 'u1' },
    });
  });

  test('refuses earlier tool calls whose arguments are no JSON object', () => {
    expect(() =>
      body({
        messages: [
          { role: 'assistant', content: [], toolCalls: [{ id: 'c1', name: 'x', argumentsText: '[1' }] },
        ],
      }),
    ).toThrow('c1');
  });
});

describe('an answer of the Anthropic API', () => {
  const read = (message: object, outputTool: string | null = null) =>
    fromAnthropicMessage(message, { modelRequested: 'claude-a', costHeader: null, outputTool });

  test('counts cached input as input', () => {
    const raw = {
      input_tokens: 5,
      output_tokens: 24,
      cache_read_input_tokens: 14,
      cache_creation_input_tokens: 3,
    };

    expect(fromAnthropicUsage(raw)).toEqual({
      inputTokens: 22,
      outputTokens: 24,
      cachedInputTokens: 14,
      reasoningTokens: null,
      raw,
    });
  });

  test('gives the input of the forced tool as text, and other tools as calls', () => {
    const content = [
      { type: 'thinking', thinking: 'hm' },
      { type: 'tool_use', id: 't1', name: 'tip', input: { tip: 'Walk.' } },
    ];

    expect(read({ content, stop_reason: 'tool_use' }, 'tip')).toMatchObject({
      text: '{"tip":"Walk."}',
      toolCalls: [],
      finishReason: { unified: 'stop', raw: 'tool_use' },
    });
    expect(read({ content, stop_reason: 'tool_use' })).toMatchObject({
      text: '',
      toolCalls: [{ id: 't1', name: 'tip', argumentsText: '{"tip":"Walk."}' }],
      finishReason: { unified: 'tool_calls' },
    });
  });

  test.each([[null], ['text'], [{}], [{ content: 'a' }], [{ content: ['a'] }], [{ content: [], usage: 7 }]])(
    'is refused when it is %j',
    (answer) => {
      expect(() =>
        fromAnthropicMessage(answer, { modelRequested: 'm', costHeader: null, outputTool: null }),
      ).toThrow(expect.objectContaining({ failureClass: 'bad_response' }));
    },
  );
});

describe('a stream of the Anthropic API', () => {
  const block = (index: number, content_block: object) => ({
    type: 'content_block_start',
    index,
    content_block,
  });
  const delta = (index: number, fields: object) => ({ type: 'content_block_delta', index, delta: fields });
  const json = (partial_json: string) => ({ type: 'input_json_delta', partial_json });

  const play = (events: readonly object[], outputTool: string | null = null) => {
    const collector = new AnthropicStreamCollector('claude-a', outputTool);
    const ours = events.map((event) => collector.add(event)).filter((event) => event !== null);
    return { ours, collector };
  };

  test('numbers tool calls by their order, whatever blocks stand between', () => {
    const { ours, collector } = play([
      block(0, { type: 'text', text: '' }),
      delta(0, { type: 'text_delta', text: 'I will.' }),
      block(1, { type: 'tool_use', id: 'a', name: 'look_up', input: {} }),
      delta(1, json('{"q"')),
      delta(1, json(':1}')),
      { type: 'content_block_stop', index: 1 },
      block(3, { type: 'tool_use', id: 'b', name: 'count', input: {} }),
      { type: 'content_block_stop', index: 3 },
      { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 9 } },
    ]);

    expect(ours).toEqual([
      { kind: 'text', text: 'I will.' },
      { kind: 'tool_call', index: 0, id: 'a', name: 'look_up', argumentsDelta: '' },
      { kind: 'tool_call', index: 0, argumentsDelta: '{"q"' },
      { kind: 'tool_call', index: 0, argumentsDelta: ':1}' },
      { kind: 'tool_call', index: 1, id: 'b', name: 'count', argumentsDelta: '' },
    ]);
    expect(collector.result()).toMatchObject({
      finishReason: { unified: 'tool_calls' },
      toolCalls: [
        { id: 'a', argumentsText: '{"q":1}' },
        { id: 'b', argumentsText: '{}' },
      ],
    });
  });

  test('streams the input of the forced tool as text', () => {
    const { ours, collector } = play(
      [
        block(0, { type: 'tool_use', id: 'a', name: 'tip', input: {} }),
        delta(0, json('{"tip":')),
        delta(0, json('"Walk."}')),
        { type: 'content_block_stop', index: 0 },
        { type: 'message_delta', delta: { stop_reason: 'tool_use' } },
      ],
      'tip',
    );

    expect(ours.every((event) => event.kind === 'text')).toBe(true);
    expect(collector.result()).toMatchObject({
      text: '{"tip":"Walk."}',
      toolCalls: [],
      finishReason: { unified: 'stop' },
    });
  });

  test('takes arguments that came whole at the start of their block', () => {
    const { collector } = play([
      block(0, { type: 'tool_use', id: 'a', name: 'look_up', input: { q: 1 } }),
      { type: 'content_block_stop', index: 0 },
    ]);

    expect(collector.result().toolCalls).toEqual([{ id: 'a', name: 'look_up', argumentsText: '{"q":1}' }]);
  });

  test('joins the counts of its start and its end, and does not take zeros at the start for knowledge', () => {
    const start = (usage: object) => ({
      type: 'message_start',
      message: { id: 'm', model: 'claude-b', usage },
    });

    const { collector } = play([
      start({ input_tokens: 31, output_tokens: 1 }),
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 18 } },
    ]);
    const { collector: unknown } = play([start({ input_tokens: 0, output_tokens: 0 })]);

    expect(collector.result()).toMatchObject({
      model: 'claude-b',
      usage: { inputTokens: 31, outputTokens: 18 },
    });
    expect(unknown.usage).toBeNull();
  });

  test('keeps the counts it had when a bad one comes', () => {
    const { collector } = play([{ type: 'message_delta', usage: { input_tokens: 5, output_tokens: 2 } }]);

    expect(() => collector.add({ type: 'message_delta', usage: { output_tokens: 'many' } })).toThrow(
      'output_tokens',
    );
    expect(collector.usage).toMatchObject({ inputTokens: 5, outputTokens: 2 });
  });
});

test('a refusal by the Anthropic SDK itself is a bad request', () => {
  const failure = anthropicFailure(new AnthropicError('Streaming is required'), { secret: null, nowMs: 0 });

  expect(failure).toMatchObject({ failureClass: 'bad_request', message: 'Streaming is required' });
});
