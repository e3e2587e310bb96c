import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { AppError } from '../../src/kernel/index.ts';
import type { GenerateStreamEvent } from '../../src/serving/index.ts';
import {
  SCRIPTED_ANSWER,
  SCRIPTED_TIMING,
  streamOf,
  untilAborted,
} from '../fakes/scripted-generate-service.ts';
import { startTestGateway, type TestGateway } from './start-test-gateway.ts';

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await startTestGateway();
});
afterEach(() => gateway.close());

const REQUEST = '{"stream":true}';
const POST = `POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${REQUEST.length}\r\n\r\n${REQUEST}`;

function eventsOf(text: string): { event: string | undefined; data: unknown }[] {
  const events: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => events.push(event) });
  parser.feed(text);
  return events.map(({ event, data }) => ({ event, data: JSON.parse(data) as unknown }));
}

describe('a streamed POST /generate', () => {
  test('sends start, deltas and the whole answer', async () => {
    const response = await gateway.post('/generate', REQUEST);
    const events = eventsOf(await response.text());

    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-prompt-version': 'v1',
    });
    expect(events.map(({ event }) => event)).toEqual(['start', 'delta', 'delta', 'delta', 'end']);
    expect(events[0]?.data).toMatchObject({ id: 'gen_1', prompt_version: 'v1', route: 'default' });
    expect(events[1]?.data).toEqual({ text: 'Take ' });
    expect(events[4]?.data).toMatchObject({ id: 'gen_1', text: 'Take a walk.', cost_usd: 0.00012 });
    expect(events[4]?.data).not.toHaveProperty('output_faults');
  });

  test('keeps line breaks and other scripts whole', async () => {
    gateway.generate.onStream(() => streamOf('a\nb\r\n\ndata: x', ' 你好 \u2028'));

    const events = eventsOf(await (await gateway.post('/generate', REQUEST)).text());

    expect(events.slice(1, 3).map(({ data }) => data)).toEqual([
      { text: 'a\nb\r\n\ndata: x' },
      { text: ' 你好 \u2028' },
    ]);
  });

  test('names faults of the output and tool calls', async () => {
    gateway.generate.onStream(async function* (): AsyncGenerator<GenerateStreamEvent> {
      yield { kind: 'start', head: SCRIPTED_ANSWER };
      yield { kind: 'tool_call', index: 0, id: 'call_1', name: 'look', argumentsDelta: '{' };
      yield {
        kind: 'end',
        answer: SCRIPTED_ANSWER,
        timing: SCRIPTED_TIMING,
        outputFaults: [{ path: 'tip', message: 'is required' }],
        replayed: false,
      };
    });

    const events = eventsOf(await (await gateway.post('/generate', REQUEST)).text());

    expect(events[1]).toEqual({
      event: 'tool_call',
      data: { index: 0, id: 'call_1', name: 'look', arguments_delta: '{' },
    });
    expect(events[2]?.data).toMatchObject({ output_faults: [{ path: 'tip', message: 'is required' }] });
  });

  test('marks an answer that was read back before and after its events', async () => {
    gateway.generate.onStream(async function* (): AsyncGenerator<GenerateStreamEvent> {
      yield { kind: 'start', head: SCRIPTED_ANSWER, replayed: true };
      yield { kind: 'text', text: SCRIPTED_ANSWER.text };
      yield {
        kind: 'end',
        answer: SCRIPTED_ANSWER,
        timing: SCRIPTED_TIMING,
        outputFaults: [],
        replayed: true,
      };
    });

    const response = await gateway.post('/generate', REQUEST, { 'idempotency-key': 'k' });

    expect(response.headers.get('idempotency-replayed')).toBe('true');
    expect(eventsOf(await response.text()).at(-1)?.data).toMatchObject({ replayed: true });
  });

  test('fails as an ordinary HTTP error before the first event', async () => {
    // biome-ignore lint/correctness/useYield: it fails before it can
    gateway.generate.onStream(async function* (): AsyncGenerator<GenerateStreamEvent> {
      throw new AppError('overloaded', 'full', { retryAfterMs: 2_000 });
    });

    const response = await gateway.post('/generate', REQUEST);

    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('2');
    expect(response.headers.get('content-type')).toContain('problem+json');
  });

  test.each([
    ['said by the service', false, 'provider_timeout'],
    ['thrown by it', true, 'internal'],
  ])('a failure after the first event, %s, ends with an error event', async (_name, throws, code) => {
    gateway.generate.onStream(async function* (): AsyncGenerator<GenerateStreamEvent> {
      yield { kind: 'start', head: SCRIPTED_ANSWER };
      yield { kind: 'text', text: 'Take' };
      if (throws) throw new Error('socket of 10.0.0.7 broke');
      yield { kind: 'error', error: new AppError('provider_timeout', 'late'), generationId: 'gen_1' };
    });

    const response = await gateway.post('/generate', REQUEST);
    const text = await response.text();
    const events = eventsOf(text);

    expect(events.map(({ event }) => event)).toEqual(['start', 'delta', 'error']);
    expect(events[2]?.data).toMatchObject({ code, request_id: response.headers.get('x-request-id') });
    expect(text).not.toContain('10.0.0.7');
  });

  test('sends each event at once', async () => {
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    gateway.generate.onStream(async function* (): AsyncGenerator<GenerateStreamEvent> {
      yield { kind: 'start', head: SCRIPTED_ANSWER };
      yield { kind: 'text', text: 'first' };
      await held;
      yield* streamOf('x');
    });

    const response = await gateway.post('/generate', REQUEST);
    const reader = response.body?.getReader();
    let received = '';
    while (!received.includes('first')) {
      const part = await reader?.read();
      received += Buffer.from(part?.value ?? []).toString('utf8');
    }
    release();
    await reader?.cancel();

    expect(received).not.toContain('event: end');
  });

  test('aborts the call within 100 ms when the caller leaves in the middle', async () => {
    let leftAtMs = 0;
    const aborted = new Promise<number>((resolve) => {
      gateway.generate.onStream(async function* (_call, signal): AsyncGenerator<GenerateStreamEvent> {
        yield { kind: 'start', head: SCRIPTED_ANSWER };
        yield { kind: 'text', text: 'Take' };
        signal.addEventListener('abort', () => resolve(performance.now() - leftAtMs));
        await untilAborted(signal);
      });
    });

    const socket = connect(gateway.port, '127.0.0.1');
    socket.on('data', (chunk) => {
      if (!chunk.includes('Take')) return;
      leftAtMs = performance.now();
      socket.destroy();
    });
    socket.write(POST);

    expect(await aborted).toBeLessThan(100);
    const line = gateway.logLines.find(({ fields }) => fields['event'] === 'request');
    expect(line).toMatchObject({
      level: 'info',
      fields: { status: 499, code: 'client_closed', generation_id: 'gen_1' },
    });
  });

  test('stops taking from the model while the caller does not read', async () => {
    let taken = 0;
    const text = 'x'.repeat(65_536);
    gateway.generate.onStream(async function* (_call, signal): AsyncGenerator<GenerateStreamEvent> {
      yield { kind: 'start', head: SCRIPTED_ANSWER };
      for (; taken < 2_000 && !signal.aborted; taken += 1) yield { kind: 'text', text };
    });

    const socket = connect(gateway.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.pause();
    socket.write(POST);
    // Until two looks see the same count: the writer has come to rest.
    let before = -1;
    while (taken === 0 || taken !== before) {
      before = taken;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    socket.destroy();

    // 2,000 events would be 128 MB; the buffers of both sockets hold a few.
    expect(taken).toBeLessThan(500);
  });
});
