import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { AppError } from '../../src/kernel/index.ts';
import { ProviderFailure } from '../../src/providers/index.ts';
import type { Transport } from '../../src/providers/transport/index.ts';
import { adapterForTest, TEST_API_KEY, transportForTest } from '../helpers/adapter-for-test.ts';
import { startLoopbackProxy } from '../helpers/loopback-proxy.ts';
import { collectStream, failureOf, modelRequest } from '../helpers/model-request.ts';
import {
  STUB_TEXT,
  type StubBehaviour,
  type StubUpstream,
  startStubUpstream,
} from '../helpers/stub-upstream.ts';

const TLS = new URL('../fixtures/providers/tls/', import.meta.url);
const CA_FILE = fileURLToPath(new URL('ca.pem', TLS));
const NEVER_ABORTED = new AbortController().signal;

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function upstreamThat(behaviour: StubBehaviour): Promise<StubUpstream> {
  const upstream = await startStubUpstream(behaviour);
  cleanups.push(() => upstream.close());
  return upstream;
}

function transportWith(options: Parameters<typeof transportForTest>[0] = {}): Transport {
  const transport = transportForTest(options);
  cleanups.push(() => transport.close());
  return transport;
}

const KINDS = ['openai', 'anthropic'] as const;

describe.each(KINDS)('the %s adapter', (kind) => {
  const modelOn = (origin: string, transport = transportWith()) =>
    adapterForTest({ kind, origin, transport });

  test.each([
    ['html', 'bad_response'],
    ['not-json', 'bad_response'],
    ['cut-json', 'bad_response'],
    ['wrong-shape', 'bad_response'],
    ['bad-usage', 'bad_response'],
    ['redirect', 'bad_response'],
    ['not-found-page', 'bad_response'],
    ['unauthorized', 'auth'],
    ['context-overflow', 'context_overflow'],
    ['content-filter', 'content_filter'],
  ] as const)(
    'reads an upstream that sends %s as %s, whole and streamed',
    async (behaviour, failureClass) => {
      const model = modelOn((await upstreamThat(behaviour)).origin);

      for (const call of [
        () => model.generate(modelRequest(), NEVER_ABORTED),
        () => collectStream(model.stream(modelRequest(), NEVER_ABORTED)),
      ]) {
        const failure = await failureOf(call());
        expect(failure).toBeInstanceOf(ProviderFailure);
        expect(failure).toMatchObject({ failureClass });
        // Neither the body nor a key passes on.
        expect((failure as ProviderFailure).message).not.toMatch(/proxy login|sk-live|nginx/);
      }
    },
  );

  test('never follows a redirect', async () => {
    const upstream = await upstreamThat('redirect');

    await failureOf(modelOn(upstream.origin).generate(modelRequest(), NEVER_ABORTED));

    expect(upstream.requests).toHaveLength(1);
  });

  test('reads Retry-After', async () => {
    const model = modelOn((await upstreamThat('rate-limited')).origin);

    expect(await failureOf(model.generate(modelRequest(), NEVER_ABORTED))).toMatchObject({
      failureClass: 'rate_limit',
      status: 429,
      retryAfterMs: 7_000,
    });
  });

  test.each(['huge', 'huge-stream'] as const)(
    'stops reading an answer of 100 MB (%s) at its limit',
    async (behaviour) => {
      const upstream = await upstreamThat(behaviour);
      const model = modelOn(upstream.origin, transportWith({ maxResponseBytes: 1_000_000 }));
      const before = process.memoryUsage().rss;

      const failure = await failureOf(
        behaviour === 'huge'
          ? model.generate(modelRequest(), NEVER_ABORTED)
          : collectStream(model.stream(modelRequest(), NEVER_ABORTED)),
      );
      await upstream.cancelled();

      expect(failure).toMatchObject({ failureClass: 'bad_response' });
      expect((failure as ProviderFailure).message).toContain('max_response_bytes');
      expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000);
    },
  );

  test.each([
    ['cut', /^connection$/],
    ['no-finish', /^connection$/],
    ['error-event', /^server$/],
  ] as const)('keeps what had arrived when the stream ends by %s', async (behaviour, failureClass) => {
    const model = modelOn((await upstreamThat(behaviour)).origin);

    const failure = await failureOf(collectStream(model.stream(modelRequest(), NEVER_ABORTED)));

    expect((failure as ProviderFailure).failureClass).toMatch(failureClass);
    expect(failure).toMatchObject({ partial: { text: 'Take a' } });
  });

  test('sends our id, the key and our name', async () => {
    const upstream = await upstreamThat('ok');

    await modelOn(upstream.origin).generate(modelRequest({ generationId: 'gen_7' }), NEVER_ABORTED);

    const headers = upstream.requests[0]?.headers ?? {};
    expect(headers['x-litellm-call-id']).toBe('gen_7');
    expect(headers['x-request-id']).toBe('gen_7');
    expect(headers['user-agent']).toBe('prompt-gateway/test');
    expect(headers['authorization']).toBe(`Bearer ${TEST_API_KEY}`);
    expect(headers['openai-organization']).toBeUndefined();
  });

  test('keeps its connections for the next calls, also after streams', async () => {
    const upstream = await upstreamThat('ok');
    const model = modelOn(upstream.origin);

    for (let call = 0; call < 10; call += 1) {
      await collectStream(model.stream(modelRequest(), NEVER_ABORTED));
      await model.generate(modelRequest(), NEVER_ABORTED);
    }

    // undici rests a connection for one turn of the event loop, so calls in a row alternate between two.
    expect(upstream.connections).toBeLessThanOrEqual(2);
  });

  test('resolves auto to the first model listed, once for all calls', async () => {
    const upstream = await upstreamThat('ok');
    const model = modelOn(upstream.origin);

    const results = await Promise.all(
      [1, 2, 3].map(() => model.generate(modelRequest({ model: 'auto' }), NEVER_ABORTED)),
    );

    expect(results.map((result) => result.model)).toEqual(['stub-model', 'stub-model', 'stub-model']);
    expect(upstream.requests.filter(({ path }) => path.endsWith('/models'))).toHaveLength(1);
  });

  test('fails with class connection when nobody listens', async () => {
    const upstream = await startStubUpstream('ok');
    await upstream.close();

    const failure = await failureOf(modelOn(upstream.origin).generate(modelRequest(), NEVER_ABORTED));

    expect(failure).toMatchObject({ failureClass: 'connection' });
    expect((failure as ProviderFailure).message).not.toContain('127.0.0.1');
  });

  test('fails with class connection when auto cannot even ask', async () => {
    const upstream = await startStubUpstream('ok');
    await upstream.close();

    expect(
      await failureOf(modelOn(upstream.origin).generate(modelRequest({ model: 'auto' }), NEVER_ABORTED)),
    ).toMatchObject({ failureClass: 'connection' });
  });
});

describe('the connection to an upstream', () => {
  test('is made to an authority of network.ca_files, and refused without it', async () => {
    const upstream = await startTlsUpstream();
    const trusting = adapterForTest({
      kind: 'openai',
      origin: upstream.origin,
      transport: transportWith({ caFiles: [CA_FILE] }),
    });
    const careful = adapterForTest({ kind: 'openai', origin: upstream.origin, transport: transportWith() });

    expect((await trusting.generate(modelRequest(), NEVER_ABORTED)).text).toBe(STUB_TEXT);
    expect(await failureOf(careful.generate(modelRequest(), NEVER_ABORTED))).toMatchObject({
      failureClass: 'connection',
      message: expect.stringMatching(/CERT|certificate/i),
    });
  });

  test('goes through HTTP_PROXY as an absolute URL', async () => {
    const upstream = await upstreamThat('ok');
    const proxy = await startProxy();
    const transport = transportWith({ httpProxy: proxy.url });
    const model = adapterForTest({ kind: 'openai', origin: upstream.origin, transport });

    expect((await model.generate(modelRequest(), NEVER_ABORTED)).text).toBe(STUB_TEXT);
    const { result } = await collectStream(model.stream(modelRequest(), NEVER_ABORTED));

    expect(result?.text).toBe(STUB_TEXT);
    expect(proxy.lines).toEqual([
      `POST ${upstream.origin}/v1/chat/completions`,
      `POST ${upstream.origin}/v1/chat/completions`,
    ]);
  });

  test('goes through HTTPS_PROXY as a tunnel, with the authorities of network.ca_files', async () => {
    const upstream = await startTlsUpstream();
    const proxy = await startProxy();
    const transport = transportWith({ httpsProxy: proxy.url, caFiles: [CA_FILE] });
    const model = adapterForTest({ kind: 'openai', origin: upstream.origin, transport });

    expect((await model.generate(modelRequest(), NEVER_ABORTED)).text).toBe(STUB_TEXT);
    expect(proxy.lines).toEqual([`CONNECT ${new URL(upstream.origin).host}`]);
  });

  test('goes past the proxy to hosts of NO_PROXY', async () => {
    const upstream = await upstreamThat('ok');
    const proxy = await startProxy();
    const transport = transportWith({ httpProxy: proxy.url, noProxy: 'example.org,127.0.0.1' });
    const model = adapterForTest({ kind: 'openai', origin: upstream.origin, transport });

    await model.generate(modelRequest(), NEVER_ABORTED);

    expect(proxy.lines).toEqual([]);
  });

  test('keeps its size limit behind a proxy', async () => {
    const upstream = await upstreamThat('huge');
    const proxy = await startProxy();
    const transport = transportWith({ httpProxy: proxy.url, maxResponseBytes: 1_000_000 });
    const model = adapterForTest({ kind: 'openai', origin: upstream.origin, transport });

    expect(await failureOf(model.generate(modelRequest(), NEVER_ABORTED))).toMatchObject({
      failureClass: 'bad_response',
    });
  });

  test('does not read proxies from the process environment on its own', async () => {
    const upstream = await upstreamThat('ok');
    const proxy = await startProxy();
    const before = process.env['http_proxy'];
    process.env['http_proxy'] = proxy.url;
    try {
      const transport = transportWith({ httpsProxy: 'http://127.0.0.1:9' });
      const model = adapterForTest({ kind: 'openai', origin: upstream.origin, transport });
      await model.generate(modelRequest(), NEVER_ABORTED);
    } finally {
      if (before === undefined) delete process.env['http_proxy'];
      else process.env['http_proxy'] = before;
    }

    expect(proxy.lines).toEqual([]);
  });

  test('is given up after connect_ms', async () => {
    // A server that accepts the TCP connection and never speaks TLS.
    const silent = createTcpServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    cleanups.push(async () => void silent.close());
    const address = silent.address();
    if (address === null || typeof address !== 'object') throw new Error('no port');
    const transport = transportWith({ connectTimeoutMs: 200 });
    const origin = `https://127.0.0.1:${address.port}`;
    const startedAtMs = performance.now();

    const failure = await failureOf(
      adapterForTest({ kind: 'openai', origin, transport }).generate(modelRequest(), NEVER_ABORTED),
    );
    await transport.close();

    expect(failure).toMatchObject({ failureClass: 'timeout' });
    // undici counts such timers in steps of half a second.
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
  });

  test.each([
    [{ caFiles: ['/nowhere/ca.pem'] }, /network\.ca_files.*nowhere/],
    [{ caFiles: [fileURLToPath(import.meta.url)] }, /no PEM certificate/],
    [{ httpProxy: 'not a url' }, /HTTP_PROXY/],
  ])('refuses a bad setting at start: %j', (options, message) => {
    let thrown: unknown;
    try {
      transportForTest(options);
    } catch (error) {
      thrown = error;
    }

    expect(thrown).toBeInstanceOf(AppError);
    expect(thrown).toMatchObject({ code: 'config_invalid', message: expect.stringMatching(message) });
  });
});

async function startProxy() {
  const proxy = await startLoopbackProxy();
  cleanups.push(() => proxy.close());
  return proxy;
}

async function startTlsUpstream(): Promise<{ readonly origin: string }> {
  const credentials = {
    cert: readFileSync(new URL('server.pem', TLS)),
    key: readFileSync(new URL('server-key.pem', TLS)),
  };
  const upstream = await startStubUpstream('ok', ((listener: Parameters<typeof createTlsServer>[1]) =>
    createTlsServer(credentials, listener)) as never);
  cleanups.push(() => upstream.close());
  return { origin: upstream.origin.replace('http:', 'https:') };
}
