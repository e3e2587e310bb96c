import { readFileSync } from 'node:fs';
import { brotliCompressSync, constants, createGzip, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type GatewayProcess, processBench } from '../helpers/gateway-process.ts';
import { type Answer, sendBytes, sendRequest } from './send-request.ts';

const MEBIBYTE = 1_048_576;
const JSON_TYPE = { 'content-type': 'application/json' };
/** What one request may hold the process up, in milliseconds: generous for a busy machine, small for a bomb. */
const MAX_STALL_MS = 1_500;

const bench = processBench();
let gateway: GatewayProcess;
let url = '';
beforeAll(async () => {
  gateway = bench.start(await bench.freshFolder());
  url = await gateway.url;
});
afterAll(() => bench.cleanUp());

function residentBytes(): number {
  const status = readFileSync(`/proc/${gateway.child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1_024;
}

const post = (target: string, body: string | Uint8Array, headers = {}): Promise<Answer> =>
  sendRequest(url, { method: 'POST', target, headers: { ...JSON_TYPE, ...headers }, body });

/** Longest time that others wait for `/healthz` while something runs. */
async function stallOf<Result>(run: () => Promise<Result>): Promise<readonly [Result, number]> {
  let isRunning = true;
  let longestMs = 0;
  const watch = async (): Promise<void> => {
    while (isRunning) {
      const startedMs = performance.now();
      await fetch(`${url}/healthz`);
      longestMs = Math.max(longestMs, performance.now() - startedMs);
    }
  };
  const watching = watch();
  try {
    return [await run(), longestMs];
  } finally {
    isRunning = false;
    await watching;
  }
}

describe('a body that inflates', () => {
  const zeros = Buffer.alloc(200 * MEBIBYTE);
  const bombs: readonly (readonly [string, () => Buffer, string])[] = [
    ['gzip', () => gzipSync(zeros, { level: 9 }), 'gzip'],
    ['deflate', () => deflateSync(zeros, { level: 9 }), 'deflate'],
    ['brotli', () => brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }), 'br'],
    [
      'gzip of sound JSON',
      () => gzipSync(`{"prompt":"tip","variables":{"mood":"${'x'.repeat(100 * MEBIBYTE)}"}}`),
      'gzip',
    ],
  ];

  test.each(bombs)(
    'is refused at the limit, and takes neither memory nor time: %s',
    async (_name, make, encoding) => {
      const bomb = make();
      expect(bomb.length).toBeLessThan(MEBIBYTE);
      await post('/generate', '{"prompt":"tip"}');
      const before = residentBytes();

      const [answers, stallMs] = await stallOf(() =>
        Promise.all(
          Array.from({ length: 8 }, () => post('/generate', bomb, { 'content-encoding': encoding })),
        ),
      );

      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 413));
      expect(residentBytes() - before).toBeLessThan(100 * MEBIBYTE);
      expect(stallMs).toBeLessThan(MAX_STALL_MS);
    },
  );

  test('is refused in chunks, too, before its end comes', async () => {
    const gzip = createGzip({ level: 9 });
    const parts: Buffer[] = [];
    gzip.on('data', (part: Buffer) => parts.push(part));
    gzip.end(zeros.subarray(0, 64 * MEBIBYTE));
    await new Promise((done) => gzip.once('end', done));
    const head = `POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunks = parts.map((part) => [`${part.length.toString(16)}\r\n`, part.toString('latin1'), '\r\n']);

    // Without the last chunk: only an early answer ends it.
    const answer = await sendBytes(url, head + chunks.flat().join(''));

    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  test.each(['gzip, gzip', 'gzip, identity', 'compress', 'zstd', 'GZIP,'])(
    'is not unpacked layer by layer: %s',
    async (encoding) => {
      const once = gzipSync(Buffer.alloc(MEBIBYTE));
      const answer = await post('/generate', gzipSync(once), { 'content-encoding': encoding });

      expect(answer.status).toBe(415);
    },
  );
});

describe('JSON that is dear to read', () => {
  const big = (piece: (n: number) => string, open: string, close: string): string => {
    const pieces: string[] = [];
    for (let length = 0, n = 0; length < MEBIBYTE - 4_096; n += 1) {
      const next = piece(n);
      pieces.push(next);
      length += next.length + 1;
    }
    return `${open}${pieces.join(',')}${close}`;
  };
  const inVariables = (value: string): string => `{"prompt":"tip","variables":{"mood":${value}}}`;

  const bombs: readonly (readonly [string, string, string])[] = [
    [
      '100,000 objects in each other',
      '/generate',
      inVariables(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`),
    ],
    ['500,000 lists that never close', '/generate', '['.repeat(500_000)],
    ['100,000 keys', '/generate', inVariables(big((n) => `"${n}":1`, '{', '}'))],
    ['one key 100,000 times', '/generate', inVariables(big(() => '"a":1', '{', '}'))],
    ['100,000 unknown fields', '/generate', big((n) => `"f${n}":1`, '{', '}')],
    [
      '100,000 unknown fields on /v1',
      '/v1/chat/completions',
      big((n) => `"f${n}":1`, '{"model":"default",', '}'),
    ],
    ['100,000 features', '/generate', `{"profile_features":${big((n) => `"f${n}":1`, '{', '}')}}`],
    ['100,000 candidates', '/score', `{"candidates":${big((n) => `{"id":"${n}"}`, '[', ']')}}`],
    [
      '100,000 features of a candidate',
      '/score',
      `{"candidates":[{"id":"a","features":${big((n) => `"f${n}":1`, '{', '}')}}]}`,
    ],
    ['100,000 outcomes', '/feedback', `{"outcomes":${big(() => '{"metric":"x","value":{}}', '[', ']')}}`],
    ['100,000 tags', '/generate', `{"tags":${big(() => '""', '[', ']')}}`],
    [
      '100,000 messages',
      '/v1/chat/completions',
      `{"model":"default","messages":${big(() => '{"role":"x"}', '[', ']')}}`,
    ],
    ['an endless number', '/generate', inVariables('9'.repeat(1_000_000))],
    ['a number beyond all', '/generate', inVariables('1e999999')],
    ['an endless fraction', '/generate', inVariables(`0.${'1'.repeat(1_000_000)}`)],
    ['an endless string', '/generate', inVariables(`"${'x'.repeat(1_000_000)}"`)],
    ['an endless string of escapes', '/generate', inVariables(`"${'\\u0041'.repeat(160_000)}"`)],
    ['an endless string of quotes', '/generate', inVariables(`"${'\\"'.repeat(500_000)}`)],
    ['endless white space', '/generate', `{${' '.repeat(1_000_000)}`],
    ['an endless name that is nearly one', '/generate', `{"prompt":"tip","${'promp'.repeat(200_000)}":1}`],
    ['an endless prompt', '/generate', `{"prompt":"${'tip'.repeat(300_000)}"}`],
    [
      'an endless metric',
      '/feedback',
      `{"generation_id":"g","value":1,"metric":"${'complete'.repeat(120_000)}"}`,
    ],
    ['an endless model', '/v1/chat/completions', `{"model":"${'prompt/'.repeat(140_000)}","messages":[]}`],
    [
      'an endless time',
      '/feedback',
      `{"metric":"completed","value":true,"occurred_at":"2026-11-23T${'0'.repeat(900_000)}Z"}`,
    ],
    ['a lone surrogate a hundred thousand times', '/generate', inVariables(`"${'\\ud800'.repeat(160_000)}"`)],
  ];

  test.each(bombs)('is answered or refused, and holds nobody up: %s', async (_name, target, body) => {
    const [answer, stallMs] = await stallOf(() => post(target, body));

    expect([200, 400, 404, 413, 422]).toContain(answer.status);
    // All faults are told at once, but not a book of them.
    expect(answer.body.length).toBeLessThan(2 * MEBIBYTE);
    expect(stallMs).toBeLessThan(MAX_STALL_MS);
  });
});

describe('text that a careless pattern would try in every way', () => {
  const EVIL = [
    `${'a'.repeat(15_000)}!`,
    `${' '.repeat(15_000)}x`,
    `${'-'.repeat(15_000)}.`,
    `${'a@'.repeat(7_000)}`,
    `${'2026-'.repeat(3_000)}`,
    `${'%41'.repeat(5_000)}`,
    `${'../'.repeat(5_000)}`,
    `${';='.repeat(7_000)}`,
    `${','.repeat(15_000)}`,
  ] as const;

  test.each([
    'authorization',
    'cookie',
    'content-type',
    'content-encoding',
    'accept-encoding',
    'traceparent',
    'x-request-id',
    'idempotency-key',
    'x-api-key',
    'origin',
    'x-forwarded-for',
  ])('holds nobody up as header %s', async (name) => {
    const [, stallMs] = await stallOf(async () => {
      for (const evil of EVIL) {
        const value = name === 'authorization' ? `Bearer ${evil}` : evil;
        const headers = { ...JSON_TYPE, [name]: value.trim() };
        await sendRequest(url, { method: 'POST', target: '/generate', headers, body: '{}' });
      }
    });
    expect(stallMs).toBeLessThan(MAX_STALL_MS);
  });

  test('holds nobody up as a path, a query, a time or a search', async () => {
    const [, stallMs] = await stallOf(async () => {
      for (const evil of EVIL) {
        const text = encodeURIComponent(evil.slice(0, 5_000)).slice(0, 14_000).replace(/%.?$/, '');
        for (const target of [
          `/${text}`,
          `/prompts/${text}`,
          `/generations?q=${text}`,
          `/generations?from=${text}`,
          `/generations?cursor=${text}`,
          `/analytics/prompts/tip/versions?segment=${text}`,
          `/admin/assets/${text}`,
        ]) {
          await sendRequest(url, { method: 'GET', target, headers: {}, body: null });
        }
      }
    });
    expect(stallMs).toBeLessThan(MAX_STALL_MS);
  });
});

test('after all of it the gateway is as well as before', async () => {
  const answer = await post('/generate', '{"prompt":"tip"}');

  expect(answer.status).toBe(200);
  expect(gateway.child.exitCode).toBeNull();
  expect(gateway.output()).not.toContain('"level":50');
});
