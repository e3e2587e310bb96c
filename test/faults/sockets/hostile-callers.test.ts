import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type CompiledGateway, compileGateway } from '../../helpers/compiled-gateway.ts';
import { noteFigure } from '../../helpers/fault-figures.ts';
import {
  callThrough,
  faultFolder,
  recordedOf,
  requestOf,
  SURFACES,
  until,
} from '../../helpers/fault-gateway.ts';
import { type FaultyUpstream, SOUND_TEXT, startFaultyUpstream } from '../../helpers/faulty-upstream.ts';
import { type GatewayProcess, type ProcessBench, processBench } from '../../helpers/gateway-process.ts';
import { processFacts } from '../../helpers/process-facts.ts';
import { sendDelta } from '../../helpers/scripted-upstream.ts';

const ROUTE = 'sound';

let compiled: CompiledGateway;
let bench: ProcessBench;
let upstream: FaultyUpstream;
let gateway: GatewayProcess;
let url: string;
const open: RawCaller[] = [];

beforeAll(async () => {
  compiled = compileGateway();
  bench = processBench(() => [compiled.entry]);
  upstream = await startFaultyUpstream({
    hang: () => {},
    'stream-hangs': ({ response }) => sendDelta(response, 'Take'),
  });
  const folder = await faultFolder(
    bench,
    { [ROUTE]: [upstream.url] },
    { routes: { timeout: { total_ms: 20_000, first_token_ms: 20_000, idle_ms: 20_000 } } },
  );
  gateway = bench.start(folder);
  url = await gateway.url;
});

afterEach(() => {
  for (const caller of open.splice(0)) caller.socket.destroy();
});

afterAll(async () => {
  await bench.cleanUp();
  await upstream.close();
  compiled.remove();
});

interface RawCaller {
  readonly socket: Socket;
  received(): string;
  /** Resolves once the gateway has closed its side. */
  readonly closed: Promise<void>;
}

/** A bare connection: bytes out, text in. */
async function rawCaller(): Promise<RawCaller> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true, allowHalfOpen: true });
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((done) => {
    socket.once('end', done);
    socket.once('close', () => done());
  });
  await new Promise<void>((connected) => socket.once('connect', () => connected()));
  const caller = { socket, received: () => text, closed };
  open.push(caller);
  return caller;
}

function head(path: string, fields: readonly string[]): string {
  return [`POST ${path} HTTP/1.1`, 'Host: 127.0.0.1', 'Content-Type: application/json', ...fields].join(
    '\r\n',
  );
}

async function healthMs(): Promise<number> {
  const startedMs = performance.now();
  const response = await fetch(`${url}/healthz`);
  expect(response.status).toBe(200);
  return performance.now() - startedMs;
}

describe('200 callers who never finish their request', () => {
  test('keep nobody waiting, and are cut off after ten seconds of headers', async () => {
    const HEADERS_TIMEOUT_MS = 10_000;
    const startedMs = performance.now();
    const slow = await Promise.all(Array.from({ length: 200 }, rawCaller));
    const halfHeaders = slow.slice(0, 100);
    const halfBodies = slow.slice(100);
    for (const { socket } of halfHeaders)
      socket.write('POST /generate HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ');
    for (const { socket } of halfBodies) {
      socket.write(`${head('/generate', ['Content-Length: 100'])}\r\n\r\n{"prompt":"fa`);
    }
    // A byte now and then does not buy more time.
    const drip = setInterval(() => {
      for (const { socket } of halfHeaders) if (socket.writable) socket.write('x');
    }, 500);

    const healthsMs: number[] = [];
    let served = 0;
    try {
      while (performance.now() - startedMs < HEADERS_TIMEOUT_MS - 1_000) {
        healthsMs.push(await healthMs());
        const surface = SURFACES[served % SURFACES.length] ?? 'generate';
        const seen = await callThrough(url, {
          surface,
          route: ROUTE,
          fault: 'ok',
          token: `beside-${served}`,
        });
        expect(seen).toMatchObject({ status: 200, text: SOUND_TEXT, isComplete: true });
        served += 1;
        await new Promise((done) => setTimeout(done, 200));
      }
      await until(() => halfHeaders.every(({ received }) => received() !== ''), 6_000);
    } finally {
      clearInterval(drip);
    }

    expect(Math.max(...healthsMs)).toBeLessThan(2_000);
    expect(served).toBeGreaterThan(10);
    noteFigure(
      'loris',
      `\`/healthz\` at most ${Math.max(...healthsMs).toFixed(0)} ms, ${served} calls beside them answered`,
    );
    for (const { received } of halfHeaders) expect(received()).toContain('HTTP/1.1 408 Request Timeout');
    // Theirs is the longer limit, for the whole request.
    expect(halfBodies.filter(({ socket }) => !socket.destroyed)).toHaveLength(100);
  });
});

describe('a caller who sends too much', () => {
  const MAX_ANSWER_MS = 1_000;
  const MAX_GROWTH_MB = 40;
  const MEGABYTE = Buffer.alloc(1_048_576, ' ');

  test('of headers gets 431', async () => {
    const startedMs = performance.now();
    const caller = await rawCaller();
    caller.socket.write(`${head('/generate', [`X-Flood: ${'x'.repeat(100_000)}`])}\r\n\r\n`);

    await caller.closed;

    const tookMs = performance.now() - startedMs;
    expect(caller.received()).toContain('HTTP/1.1 431 ');
    expect(tookMs).toBeLessThan(MAX_ANSWER_MS);
    noteFigure('headers', `${tookMs.toFixed(0)} ms`);
  });

  test.each([
    ['announced', ['Content-Length: 104857600']],
    ['in chunks', ['Transfer-Encoding: chunked']],
  ])('of body, %s, gets 413 long before its end, and memory stays', async (_how, fields) => {
    const before = processFacts(gateway.child.pid).residentMb;
    const isChunked = fields[0]?.startsWith('Transfer') === true;
    const callers = await Promise.all(Array.from({ length: 10 }, rawCaller));
    const startedMs = performance.now();
    for (const { socket } of callers) {
      socket.write(`${head('/generate', fields)}\r\n\r\n`);
      for (let megabytes = 0; megabytes < 3; megabytes += 1) {
        if (isChunked) socket.write(`${MEGABYTE.length.toString(16)}\r\n`);
        socket.write(MEGABYTE);
        if (isChunked) socket.write('\r\n');
      }
    }

    await until(() => callers.every(({ received }) => received().includes('payload_too_large')));

    const tookMs = performance.now() - startedMs;
    const grownMb = processFacts(gateway.child.pid).residentMb - before;
    expect(tookMs).toBeLessThan(MAX_ANSWER_MS);
    for (const { received } of callers) expect(received()).toContain('HTTP/1.1 413 ');
    expect(grownMb).toBeLessThan(MAX_GROWTH_MB);
    noteFigure(
      isChunked ? 'body-chunked' : 'body-announced',
      `${tookMs.toFixed(0)} ms, RSS ${grownMb.toFixed(0)} MB`,
    );
    await healthMs();
  });
});

describe('a caller who asks ahead', () => {
  const CALL = requestOf({ surface: 'generate', route: ROUTE, fault: 'ok', token: 'ahead' });
  const WHOLE = `${head(CALL.path, [`Content-Length: ${Buffer.byteLength(CALL.body)}`])}\r\n\r\n${CALL.body}`;

  test('is answered in order', async () => {
    const caller = await rawCaller();
    const health = 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
    caller.socket.write(`${WHOLE}${health}${WHOLE}${health}`.repeat(5));

    await until(() => caller.received().split('HTTP/1.1 200 ').length === 21);

    const order = [...caller.received().matchAll(/"text":"Take a walk\."|"status":"ok"/g)].map(String);
    expect(order).toEqual(
      Array.from({ length: 10 }, () => ['"text":"Take a walk."', '"status":"ok"']).flat(),
    );
  });

  test('and sends rubbish after it gets the first answer, or is cut off, and nothing of the rubbish', async () => {
    const caller = await rawCaller();
    caller.socket.write(`${WHOLE}RUBBISH\r\n\r\n`);

    await caller.closed;

    expect(caller.received()).not.toContain('RUBBISH');
    expect(caller.received().split('HTTP/1.1 ').length).toBeLessThanOrEqual(3);
    await healthMs();
  });
});

describe('a caller who closes one half of the connection', () => {
  test.each([
    ['waits for an answer', 'generate', 'hang'],
    ['reads a stream', 'generate-stream', 'stream-hangs'],
    ['reads a chat stream', 'chat-stream', 'stream-hangs'],
  ] as const)(
    'and %s has left: the upstream call ends and the row says so',
    async (_what, surface, fault) => {
      const token = `half-${surface}`;
      const { path, body } = requestOf({ surface, route: ROUTE, fault, token });
      const caller = await rawCaller();
      caller.socket.write(`${head(path, [`Content-Length: ${Buffer.byteLength(body)}`])}\r\n\r\n${body}`);
      await until(() => upstream.traceOf(token).calls === 1);
      if (fault === 'stream-hangs') await until(() => caller.received().includes('Take'));

      caller.socket.end();

      await until(() => upstream.traceOf(token).endedAtMs !== null);
      await until(async () => (await recordedOf(url, token)).length === 1);
      expect(await recordedOf(url, token)).toMatchObject([{ status: 'client_closed' }]);
    },
  );

  test('before its request is whole leaves nothing behind', async () => {
    const files = processFacts(gateway.child.pid).openFiles;
    const callers = await Promise.all(Array.from({ length: 50 }, rawCaller));
    for (const { socket } of callers) {
      socket.end(`${head('/generate', ['Content-Length: 100'])}\r\n\r\n{"prompt":"fa`);
    }

    await Promise.all(callers.map(({ closed }) => closed));

    await until(() => processFacts(gateway.child.pid).openFiles <= files);
    await healthMs();
  });
});
