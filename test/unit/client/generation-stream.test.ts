import { afterEach, describe, expect, test } from '@jest/globals';
import { createGatewayClient, GatewayError, type StreamEvent } from '../../../src/client/index.ts';
import {
  eventStream,
  GENERATION,
  problem,
  type ScriptedAnswer,
  type ScriptedGateway,
  silence,
  sseText,
  startScriptedGateway,
} from './scripted-gateway.ts';

let gateway: ScriptedGateway | undefined;

afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

async function setUp(script: readonly ScriptedAnswer[], options: { readonly timeoutMs?: number } = {}) {
  gateway = await startScriptedGateway(...script);
  const client = createGatewayClient({
    baseUrl: gateway.url,
    tipPromptVersion: null,
    clock: { nowMs: () => 0, sleep: async () => {} },
    newId: () => 'key-1',
    ...options,
  });
  return { client, gateway };
}

/** The events that came, and what ended the stream instead of its end. */
async function drain(
  stream: AsyncIterable<StreamEvent>,
): Promise<{ events: StreamEvent[]; error: GatewayError | null }> {
  const events: StreamEvent[] = [];
  try {
    for await (const event of stream) events.push(event);
    return { events, error: null };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { events, error };
  }
}

function textOf(events: readonly StreamEvent[]): string {
  return events.map((event) => (event.kind === 'delta' ? event.text : '')).join('');
}

const start = sseText('start', GENERATION);
const end = sseText('end', GENERATION);
const delta = (text: string): string => sseText('delta', { text });

describe('a whole stream', () => {
  test('yields start, deltas and end', async () => {
    const { client, gateway } = await setUp([eventStream([start, delta('Drink '), delta('water.'), end])]);

    const { events, error } = await drain(client.stream({ variables: { mood: 'ok' } }));

    expect(error).toBeNull();
    expect(events.map(({ kind }) => kind)).toEqual(['start', 'delta', 'delta', 'end']);
    expect(events[0]).toMatchObject({ head: { id: 'gen_1', promptVersion: 'v2' } });
    expect(events[3]).toMatchObject({ generation: { text: 'Drink water.', costUsd: 0.000_12 } });
    expect(gateway.requests[0]?.body).toEqual({ variables: { mood: 'ok' }, stream: true });
    expect(gateway.requests[0]?.headers).toMatchObject({
      accept: 'text/event-stream',
      'idempotency-key': 'key-1',
    });
  });

  test('survives every cut: bytes of one character, line ends, field names', async () => {
    const text = 'Größe: 10 €, 茶, 👩‍🚀';
    const bytes = new TextEncoder().encode(start + delta(text) + end);
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
    const { client } = await setUp([eventStream(single)]);

    const { events, error } = await drain(client.stream({}));

    expect(error).toBeNull();
    expect(textOf(events)).toBe(text);
  });

  test('reads CRLF and CR line ends, comments, unknown fields, several data lines and unknown events', async () => {
    const mixed = [
      '\uFEFF: hello\r\n\r\n',
      start.replaceAll('\n', '\r\n'),
      'id: 7\nretry: 10\nevent: delta\ndata: {"text":\ndata: "two lines"}\n\n',
      'event:delta\rdata:{"text":" and CR"}\r\r',
      'event: later\ndata: {}\n\n',
      'event: delta\n\n',
      end.replaceAll('\n', '\r\n'),
    ];
    const { client } = await setUp([eventStream(mixed)]);

    const { events, error } = await drain(client.stream({}));

    expect(error).toBeNull();
    expect(textOf(events)).toBe('two lines and CR');
  });

  test('reports what the text lacks of its schema, tool calls and replays', async () => {
    const { client } = await setUp([
      eventStream([
        start,
        sseText('tool_call', { index: 0, id: 'call_1', name: 'look', arguments_delta: '{"a"' }),
        sseText('end', {
          ...GENERATION,
          replayed: true,
          output_faults: [{ path: 'mood', message: 'required' }],
        }),
      ]),
    ]);

    const { events } = await drain(client.stream({}));

    expect(events[1]).toEqual({
      kind: 'tool_call',
      index: 0,
      id: 'call_1',
      name: 'look',
      argumentsDelta: '{"a"',
    });
    expect(events[2]).toMatchObject({
      generation: { replayed: true },
      outputFaults: [{ path: 'mood', message: 'required' }],
    });
  });

  test('ends although the gateway keeps the connection open after the last event', async () => {
    const { client, gateway } = await setUp([eventStream([start, end], 'stay')]);

    const { events, error } = await drain(client.stream({}));

    expect(error).toBeNull();
    expect(events.map(({ kind }) => kind)).toEqual(['start', 'end']);
    await gateway.requests[0]?.closed;
  });
});

describe('before the first event', () => {
  test.each<[string, ScriptedAnswer]>([
    ['an error status', problem(503, 'overloaded')],
    ['a stream that ends empty', eventStream([])],
    ['a stream that is cut empty', eventStream([': hello\n\n'], 'hang up')],
  ])('%s is tried again with the same key', async (_what, failure) => {
    const { client, gateway } = await setUp([failure, eventStream([start, delta('ok'), end])]);

    const { events, error } = await drain(client.stream({}));

    expect(error).toBeNull();
    expect(textOf(events)).toBe('ok');
    expect(gateway.requests.map(({ headers }) => headers['idempotency-key'])).toEqual(['key-1', 'key-1']);
  });

  test('a silent gateway is a timeout', async () => {
    const { client, gateway } = await setUp([silence], { timeoutMs: 200 });

    const { error } = await drain(client.stream({}));

    expect(error?.code).toBe('timeout');
    expect(gateway.requests).toHaveLength(3);
  });

  test('a refusal is thrown as it is', async () => {
    const { client } = await setUp([problem(404, 'version_not_found')]);

    expect((await drain(client.stream({}))).error).toMatchObject({ code: 'version_not_found', status: 404 });
  });

  test('an answer that is no stream is refused', async () => {
    const { client } = await setUp([(response) => void response.end('{}')]);

    expect((await drain(client.stream({}))).error?.code).toBe('invalid_response');
  });
});

describe('after the first event', () => {
  test('the error event is thrown, nothing is sent again', async () => {
    const { client, gateway } = await setUp([
      eventStream([
        start,
        delta('Dri'),
        sseText('error', {
          code: 'provider_timeout',
          status: 504,
          detail: 'The provider went silent.',
          request_id: 'req_9',
          errors: [],
          generation_id: 'gen_1',
        }),
      ]),
    ]);

    const { events, error } = await drain(client.stream({}));

    expect(events.map(({ kind }) => kind)).toEqual(['start', 'delta']);
    expect(error).toMatchObject({
      code: 'provider_timeout',
      status: 504,
      message: 'The provider went silent.',
      requestId: 'req_9',
      generationId: 'gen_1',
    });
    expect(gateway.requests).toHaveLength(1);
  });

  test.each(['end', 'hang up'] as const)('a stream without its end is interrupted (%s)', async (after) => {
    const { client, gateway } = await setUp([eventStream([start, delta('Dri'), 'event: delta\n'], after)]);

    const { events, error } = await drain(client.stream({}));

    expect(textOf(events)).toBe('Dri');
    expect(error).toMatchObject({ code: 'stream_interrupted', generationId: 'gen_1', requestId: 'req_9' });
    expect(gateway.requests).toHaveLength(1);
  });

  test('a stream that falls silent is interrupted', async () => {
    const { client, gateway } = await setUp([eventStream([start], 'stay')], { timeoutMs: 300 });

    const { error } = await drain(client.stream({}));

    expect(error).toMatchObject({ code: 'stream_interrupted', cause: { code: 'timeout' } });
    await gateway.requests[0]?.closed;
  });

  test.each([
    ['no JSON', 'event: delta\ndata: {"text"\n\n'],
    ['no object', 'event: delta\ndata: []\n\n'],
    ['no text', 'event: delta\ndata: {}\n\n'],
    ['an incomplete end', 'event: end\ndata: {"id":"gen_1"}\n\n'],
    ['no UTF-8', Uint8Array.of(0x64, 0xff, 0xfe, 0x0a)],
  ])('an event with %s is refused', async (_what, piece) => {
    const { client } = await setUp([eventStream([start, piece])]);

    expect((await drain(client.stream({}))).error?.code).toBe('invalid_response');
  });

  test('a caller that leaves the loop closes the connection', async () => {
    const { client, gateway } = await setUp([eventStream([start, delta('Dri')], 'stay')]);

    for await (const event of client.stream({})) {
      if (event.kind === 'delta') break;
    }

    await gateway.requests[0]?.closed;
    expect(gateway.requests).toHaveLength(1);
  });

  test("the caller's abort is thrown and closes the connection", async () => {
    const caller = new AbortController();
    const { client, gateway } = await setUp([eventStream([start], 'stay')]);

    const events: string[] = [];
    const reading = (async () => {
      for await (const event of client.stream({}, { signal: caller.signal })) {
        events.push(event.kind);
        caller.abort();
      }
    })();

    await expect(reading).rejects.toMatchObject({ code: 'aborted' });
    expect(events).toEqual(['start']);
    await gateway.requests[0]?.closed;
  });

  test('an abort after everything has arrived ends the loop, too', async () => {
    const caller = new AbortController();
    const { client, gateway } = await setUp([eventStream([start, delta('a'), delta('b'), end])]);

    const reading = (async () => {
      for await (const event of client.stream({}, { signal: caller.signal })) {
        if (event.kind !== 'delta') continue;
        await gateway.requests[0]?.closed;
        // The client's side of the connection has to see the end as well.
        await new Promise((resolve) => {
          setTimeout(resolve, 20);
        });
        caller.abort();
      }
    })();

    await expect(reading).rejects.toMatchObject({ code: 'aborted' });
  });

  test('a slow caller is not taken for a silent gateway', async () => {
    const { client } = await setUp([eventStream([start, delta('a'), delta('b'), end])], { timeoutMs: 300 });

    let text = '';
    for await (const event of client.stream({})) {
      if (event.kind !== 'delta') continue;
      text += event.text;
      await new Promise((resolve) => {
        setTimeout(resolve, 400);
      });
    }

    expect(text).toBe('ab');
  });
});
