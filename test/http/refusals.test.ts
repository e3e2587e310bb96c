import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { AppError } from '../../src/kernel/index.ts';
import { answered } from '../fakes/scripted-generate-service.ts';
import { startTestGateway, type TestGateway } from './start-test-gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ settings: { allowedHosts: ['tips.example'] } });
});
afterAll(() => gateway.close());
beforeEach(() => {
  gateway.generate.requests.length = 0;
  gateway.logLines.length = 0;
  gateway.generate.onGenerate(async () => answered());
});

interface Scenario {
  readonly name: string;
  readonly method?: string;
  readonly path?: string;
  readonly body?: string | object;
  readonly headers?: Record<string, string>;
  readonly status: number;
  readonly code: string;
  readonly contains: readonly string[];
  readonly lacks?: readonly string[];
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'no content type',
    headers: { 'content-type': '' },
    body: '{}',
    status: 415,
    code: 'unsupported_media_type',
    contains: ['application/json'],
  },
  {
    name: 'a form',
    headers: { 'content-type': 'text/plain' },
    body: '{}',
    status: 415,
    code: 'unsupported_media_type',
    contains: [],
  },
  {
    name: 'another charset',
    headers: { 'content-type': 'application/json; charset=utf-16' },
    body: '{}',
    status: 415,
    code: 'unsupported_media_type',
    contains: ['UTF-8'],
  },
  {
    name: 'an unknown encoding',
    headers: { 'content-encoding': 'zstd' },
    body: '{}',
    status: 415,
    code: 'unsupported_media_type',
    contains: ['gzip'],
  },
  {
    name: 'a body that is not gzip',
    headers: { 'content-encoding': 'gzip' },
    body: '{}',
    status: 400,
    code: 'invalid_request',
    contains: ['decompressed'],
  },
  { name: 'an empty body', body: '', status: 400, code: 'invalid_request', contains: ['empty'] },
  { name: 'a list', body: '[]', status: 400, code: 'invalid_request', contains: ['must be'] },
  {
    name: 'broken JSON',
    body: '{"prompt":\n "tip" "secret-word"}',
    status: 400,
    code: 'invalid_request',
    contains: ['line 2, column 8', '"offset":18'],
    lacks: ['secret-word'],
  },
  {
    name: 'JSON that stops',
    body: '{"variables":{"a":"secret-word',
    status: 400,
    code: 'invalid_request',
    contains: ['ends too early'],
    lacks: ['secret-word'],
  },
  {
    name: 'NaN',
    body: '{"variables":{"a":NaN}}',
    status: 400,
    code: 'invalid_request',
    contains: ['line 1, column 19'],
  },
  {
    name: 'a prototype key',
    body: '{"variables":{"__proto__":{"admin":true}}}',
    status: 400,
    code: 'invalid_request',
    contains: ['variables.__proto__'],
  },
  {
    name: 'an escaped prototype key',
    body: '{"variables":{"\\u005f_proto__":1}}',
    status: 400,
    code: 'invalid_request',
    contains: ['refused'],
  },
  {
    name: 'a constructor prototype',
    body: '{"metadata":{"constructor":{"prototype":1}}}',
    status: 400,
    code: 'invalid_request',
    contains: ['metadata.constructor.prototype'],
  },
  {
    name: 'an unknown field',
    body: { promt: 'tip', prompt_verison: 'v1' },
    status: 400,
    code: 'invalid_request',
    contains: ['did you mean `prompt`?', 'did you mean `prompt_version`?'],
  },
  {
    name: 'an unknown parameter',
    body: { parameters: { max_tokens: 3, topP: 1 } },
    status: 400,
    code: 'invalid_request',
    contains: ['"parameters.topP"', 'did you mean `top_p`?', '"parameters.max_tokens"'],
  },
  {
    name: 'all faults at once',
    body: { prompt: 7, tags: ['a', 3], user_id: '', assignment: {} },
    status: 400,
    code: 'invalid_request',
    contains: [
      '"path":"prompt"',
      '"path":"tags[1]"',
      '"path":"user_id"',
      '"path":"assignment.method","message":"is required"',
    ],
  },
  {
    name: 'an empty version',
    body: { prompt_version: '' },
    status: 400,
    code: 'invalid_request',
    contains: ['prompt_version'],
  },
  {
    name: 'a feature that is an object',
    body: { profile_features: { a: { b: 1 } } },
    status: 400,
    code: 'invalid_request',
    contains: ['profile_features.a', 'list of these'],
  },
  {
    name: 'too many tags',
    body: { tags: Array.from({ length: 17 }, () => 'x') },
    status: 400,
    code: 'invalid_request',
    contains: ['tags'],
  },
  {
    name: 'an impossible propensity',
    body: { assignment: { method: 'm', propensity: 1.5 } },
    status: 400,
    code: 'invalid_request',
    contains: ['assignment.propensity'],
  },
  {
    name: 'an endless idempotency key',
    headers: { 'idempotency-key': 'x'.repeat(256) },
    body: {},
    status: 400,
    code: 'invalid_request',
    contains: ['Idempotency-Key'],
  },
  {
    name: 'an idempotency key with spaces',
    headers: { 'idempotency-key': 'a b' },
    body: {},
    status: 400,
    code: 'invalid_request',
    contains: ['printable'],
  },
  {
    name: 'an unknown route',
    method: 'GET',
    path: '/promts',
    status: 404,
    code: 'not_found',
    contains: ['Did you mean /prompts?'],
  },
  {
    name: 'an attempt to leave the folder',
    method: 'GET',
    path: '/docs/..%2f..%2fpackage.json',
    status: 404,
    code: 'not_found',
    contains: [],
  },
  {
    name: 'a path that is not UTF-8',
    method: 'GET',
    path: '/prompts/%ff',
    status: 400,
    code: 'invalid_request',
    contains: ['percent-encoded'],
  },
  {
    name: 'a prompt nobody has',
    method: 'GET',
    path: '/prompts/nope',
    status: 404,
    code: 'prompt_not_found',
    contains: ['tip, digest'],
  },
  {
    name: 'a generation nobody has',
    method: 'GET',
    path: "/generations/gen_x';DROP%20TABLE%20generations;--",
    status: 404,
    code: 'generation_not_found',
    contains: [],
  },
  {
    name: 'an unknown query parameter',
    method: 'GET',
    path: '/analytics/prompts/tip/versions?metrik=x',
    status: 400,
    code: 'invalid_request',
    contains: ['did you mean `metric`?'],
  },
  {
    name: 'a query parameter given twice',
    method: 'GET',
    path: '/analytics/prompts/tip/versions?metric=a&metric=b',
    status: 400,
    code: 'invalid_request',
    contains: ['more than once'],
  },
  {
    name: 'feedback without a list',
    path: '/feedback',
    body: { outcomes: [] },
    status: 400,
    code: 'invalid_request',
    contains: ['outcomes'],
  },
  {
    name: 'feedback with faults in the middle',
    path: '/feedback',
    body: {
      outcomes: [
        { metric: 'a', value: true },
        { metric: 'a', value: {}, generation: 'g' },
      ],
    },
    status: 400,
    code: 'invalid_request',
    contains: ['outcomes[1].value', 'did you mean `generation_id`?'],
  },
  {
    name: 'feedback of a bad time',
    path: '/feedback',
    body: { metric: 'a', value: true, occurred_at: 'yesterday' },
    status: 400,
    code: 'invalid_request',
    contains: ['ISO 8601'],
  },
  {
    name: 'more feedback than one call takes',
    path: '/feedback',
    body: { outcomes: Array.from({ length: 1_001 }, () => ({ metric: 'a', value: 1 })) },
    status: 400,
    code: 'invalid_request',
    contains: ['outcomes'],
  },
];

describe('a faulty request', () => {
  test.each(SCENARIOS)(
    '$name: $status',
    async ({ method = 'POST', path = '/generate', body, headers, status, code, contains, lacks }) => {
      const response = await fetch(`${gateway.url}${path}`, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        ...(body === undefined
          ? {}
          : { body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) }),
      });
      const text = await response.text();

      expect(response.status).toBe(status);
      expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      const problem = JSON.parse(text) as Record<string, unknown>;
      expect(problem).toMatchObject({
        type: `urn:prompt-gateway:error:${code}`,
        status,
        code,
        instance: path.replace(/\?.*/, ''),
        request_id: response.headers.get('x-request-id'),
        errors: expect.any(Array),
      });
      for (const part of contains) expect(text).toContain(part);
      for (const part of lacks ?? []) expect(text).not.toContain(part);
      expect(JSON.stringify(gateway.logLines)).not.toContain('secret-word');
      expect(gateway.generate.requests).toHaveLength(0);
    },
  );
});

describe('methods', () => {
  test('says which methods a route has', async () => {
    const response = await fetch(`${gateway.url}/generate`);

    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST, OPTIONS');
    expect(await response.json()).toMatchObject({ code: 'method_not_allowed' });
  });

  test('answers OPTIONS without letting other origins in', async () => {
    const response = await fetch(`${gateway.url}/prompts`, {
      method: 'OPTIONS',
      headers: { origin: 'http://evil.example' },
    });

    expect(response.status).toBe(204);
    expect(response.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('errors from behind the edge', () => {
  test.each([
    ['storage_unavailable', 503, '3'],
    ['overloaded', 503, '3'],
    ['rate_limited', 429, '3'],
    ['idempotency_in_progress', 409, '3'],
    ['idempotency_mismatch', 422, null],
    ['version_retired', 410, null],
    ['provider_rejected', 502, null],
    ['provider_timeout', 504, null],
  ] as const)('%s becomes %i', async (code, status, retryAfter) => {
    gateway.generate.onGenerate(async () => {
      throw new AppError(code, 'what to do', {
        ...(retryAfter === null ? {} : { retryAfterMs: 2_100 }),
        details: { knownNames: ['v1'] },
        cause: new Error('sk-secret'),
      });
    });

    const response = await gateway.post('/generate', {});
    const text = await response.text();

    expect(response.status).toBe(status);
    expect(response.headers.get('retry-after')).toBe(retryAfter);
    expect(JSON.parse(text)).toMatchObject({ code, detail: 'what to do', known_names: ['v1'] });
    expect(text).not.toContain('sk-secret');
  });

  test('says when to come back even where nobody knows', async () => {
    gateway.generate.onGenerate(async () => {
      throw new AppError('overloaded', 'full');
    });

    expect((await gateway.post('/generate', {})).headers.get('retry-after')).toBe('1');
  });

  test('details cannot replace the members of a problem', async () => {
    gateway.generate.onGenerate(async () => {
      throw new AppError('overloaded', 'full', { details: { status: 200, code: 'fine', requestId: 'x' } });
    });

    expect(await (await gateway.post('/generate', {})).json()).toMatchObject({
      status: 503,
      code: 'overloaded',
      request_id: expect.stringMatching(/^req_/),
    });
  });

  test('of a recorded call names its row, in the answer and in the log line', async () => {
    gateway.generate.onGenerate(async () => {
      throw new AppError('provider_unavailable', 'gone', { details: { generationId: 'gen_9' } });
    });

    expect(await (await gateway.post('/generate', {})).json()).toMatchObject({ generation_id: 'gen_9' });
    expect(gateway.logLines.map((line) => line.fields)).toContainEqual(
      expect.objectContaining({ event: 'request', code: 'provider_unavailable', generation_id: 'gen_9' }),
    );
  });
});

describe('the Host header', () => {
  test.each([
    ['localhost', 200],
    ['LOCALHOST:8787', 200],
    ['127.0.0.1:1', 200],
    ['[::1]:8787', 200],
    ['tips.example', 200],
    ['tips.example.:443', 200],
    ['evil.example', 403],
    ['localhost.evil.example', 403],
    ['127.0.0.1.evil.example:8787', 403],
    ['localhost@evil.example', 403],
  ])('%s is answered %i', async (host, status) => {
    const answer = await gateway.raw(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);

    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    if (status === 403) expect(answer).toContain('server.allowed_hosts');
  });

  test('a forwarded host opens nothing', async () => {
    const answer = await gateway.raw(
      'GET /healthz HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost\r\nConnection: close\r\n\r\n',
    );

    expect(answer).toMatch(/^HTTP\/1.1 403 /);
  });
});

describe('request id and trace', () => {
  test.each(['a b', 'x'.repeat(129), 'é', 'a,b', '<script>', ''])(
    'does not repeat the request id %j',
    async (id) => {
      const answer = await gateway.raw(
        `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: ${id}\r\nConnection: close\r\n\r\n`,
      );

      expect(answer).toMatch(/\r\nX-Request-Id: req_[0-9a-f]{32}\r\n/);
    },
  );

  test('begins a new trace when the parent is bad', async () => {
    for (const parent of [
      '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
      'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      'nonsense',
    ]) {
      await gateway.post('/generate', {}, { traceparent: parent });
    }

    const traces = gateway.generate.requests.map((call) => call.context.traceId);
    expect(new Set(traces).size).toBe(3);
    for (const trace of traces) expect(trace).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('compressed bodies', () => {
  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const)('reads %s', async (encoding, compress) => {
    const response = await fetch(`${gateway.url}/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': encoding },
      body: compress(Buffer.from('{"variables":{"mood":"müde"}}')),
    });

    expect(response.status).toBe(200);
    expect(gateway.generate.requests[0]?.source).toMatchObject({ variables: { mood: 'müde' } });
  });
});
