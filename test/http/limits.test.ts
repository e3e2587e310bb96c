import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startTestGateway, type TestGateway } from './start-test-gateway.ts';

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await startTestGateway();
});
afterEach(() => gateway.close());

const MEBIBYTE = 1_048_576;

async function timed<Result>(run: () => Promise<Result>): Promise<readonly [Result, number]> {
  const startedMs = performance.now();
  const result = await run();
  return [result, performance.now() - startedMs];
}

describe('large and deep bodies', () => {
  test('refuses 10 MB within a second', async () => {
    const [response, durationMs] = await timed(() =>
      gateway.post('/generate', JSON.stringify({ variables: { text: 'x'.repeat(10 * MEBIBYTE) } })),
    );

    expect(response.status).toBe(413);
    expect(durationMs).toBeLessThan(1_000);
  });

  test('refuses a body without a length as soon as it is too long', async () => {
    const chunk = Buffer.alloc(65_536, 0x20);
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(chunk);
      },
    });
    // Endless: only an early answer ends it.
    const response = await fetch(`${gateway.url}/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      duplex: 'half',
    });

    expect(response.status).toBe(413);
  });

  test('refuses JSON of 100,000 levels within a second', async () => {
    const deep = `{"variables":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`;
    const [response, durationMs] = await timed(() => gateway.post('/generate', deep));

    expect(response.status).toBe(400);
    expect(await response.text()).toContain('deeper than 64 levels');
    expect(durationMs).toBeLessThan(1_000);
  });

  test('refuses unclosed brackets of any number', async () => {
    expect((await gateway.post('/generate', '['.repeat(1_000_000))).status).toBe(400);
  });

  test('stops a gzip bomb at the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * MEBIBYTE, 0x20), { level: 9 });
    const before = process.memoryUsage().arrayBuffers;
    const [response, durationMs] = await timed(() =>
      fetch(`${gateway.url}/generate`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
        body: bomb,
      }),
    );

    expect(response.status).toBe(413);
    expect(durationMs).toBeLessThan(1_000);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * MEBIBYTE);
  });

  test('takes a body of exactly the limit', async () => {
    const empty = JSON.stringify({ variables: { text: '' } }).length;
    const body = JSON.stringify({ variables: { text: 'x'.repeat(MEBIBYTE - empty) } });

    expect(body.length).toBe(MEBIBYTE);
    expect((await gateway.post('/generate', body)).status).toBe(200);
    expect((await gateway.post('/generate', `${body} `)).status).toBe(413);
  });
});

describe('the socket', () => {
  const POST = 'POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

  test.each([
    ['both lengths', `${POST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['two lengths', `${POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
    ['a hidden encoding', `${POST}Transfer-Encoding: xchunked\r\nContent-Length: 2\r\n\r\n{}`],
    ['a bare line feed in a header', `${POST}X-A: b\nX-C: d\r\nContent-Length: 2\r\n\r\n{}`],
    ['no host', 'GET /healthz HTTP/1.1\r\n\r\n'],
    ['noise', '\x16\x03\x01\x02\x00\x01\r\n\r\n'],
  ])('refuses %s and closes', async (_name, bytes) => {
    const answer = await gateway.raw(bytes);

    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(gateway.generate.requests).toHaveLength(0);
  });

  test('refuses a flood of headers', async () => {
    const answer = await gateway.raw(
      `GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`,
    );

    expect(answer).toMatch(/^HTTP\/1.1 431 /);
    expect(answer).toContain('application/problem+json');
  });

  test('gives up on headers and bodies that stop half-way', async () => {
    const impatient = await startTestGateway({
      limits: { headersTimeoutMs: 200, requestTimeoutMs: 300, checkIntervalMs: 50 },
    });
    try {
      const [headers, body] = await Promise.all([
        impatient.raw('POST /generate HTTP/1.1\r\nHost: loc'),
        impatient.raw(`${POST}Content-Length: 100\r\n\r\n{"prompt":`),
      ]);

      expect(headers).toMatch(/^HTTP\/1.1 408 /);
      expect(body).toMatch(/^HTTP\/1.1 408 /);
      expect(impatient.generate.requests).toHaveLength(0);
    } finally {
      await impatient.close();
    }
  });

  test('stays well while 200 sockets send half a request', async () => {
    const sockets = Array.from({ length: 200 }, () => {
      const socket = connect(gateway.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(`${POST}Content-Length: 100\r\n\r\n{`);
      return socket;
    });

    const [response, durationMs] = await timed(() => fetch(`${gateway.url}/healthz`));

    expect(response.status).toBe(200);
    expect(durationMs).toBeLessThan(2_000);
    for (const socket of sockets) socket.destroy();
  });

  test('keeps line breaks of a path out of its headers', async () => {
    const answer = await gateway.raw(
      'GET /prompts/%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    );

    expect(answer).toMatch(/^HTTP\/1.1 404 /);
    expect(answer.split('\r\n\r\n')[0]).not.toMatch(/set-cookie/i);
  });

  test('a caller who leaves half-way through the body is no error of ours', async () => {
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write(`${POST}Content-Length: 100\r\n\r\n{`, () => socket.destroy());
    const deadlineMs = performance.now() + 2_000;
    while (gateway.logLines.length === 0 && performance.now() < deadlineMs) {
      await new Promise((resolve) => setImmediate(resolve));
    }

    expect(gateway.logLines).toEqual([
      expect.objectContaining({
        level: 'info',
        fields: expect.objectContaining({ status: 499, code: 'client_closed' }),
      }),
    ]);
  });
});
