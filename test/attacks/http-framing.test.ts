import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts';
import { type LockedGateway, startLockedGateway } from './attacked-gateway.ts';
import { hostileRequests } from './hostile-requests.ts';
import { sendAll, sendBytes, sendRequest } from './send-request.ts';

let upstream: ScriptedUpstream;
let gateway: LockedGateway;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  gateway = await startLockedGateway(upstream.url);
});
afterAll(async () => {
  await gateway.dispose();
  await upstream.close();
});

const bearer = () => ({ authorization: `Bearer ${gateway.key}` });
const head = (line: string, ...headers: readonly string[]): string =>
  [`${line} HTTP/1.1`, 'Host: localhost', `Authorization: Bearer ${gateway.key}`, ...headers, '', ''].join(
    '\r\n',
  );

/** A request that a front would take for the body of the first one, and that would be answered here on its own. */
const SMUGGLED = 'GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: smuggled\r\n\r\n';
const BODY = '{"metric":"completed"}';

/** How many answers came back on one connection. */
const answersIn = (received: string): number => received.match(/HTTP\/1\.1 \d{3} /g)?.length ?? 0;

describe('a request whose end two readers could see in two places', () => {
  test.each<readonly [string, readonly string[], string]>([
    [
      'both lengths',
      [`Content-Length: ${BODY.length}`, 'Transfer-Encoding: chunked'],
      `0\r\n\r\n${SMUGGLED}`,
    ],
    [
      'both lengths, the other way round',
      ['Transfer-Encoding: chunked', 'Content-Length: 5'],
      `0\r\n\r\n${SMUGGLED}`,
    ],
    ['two lengths', [`Content-Length: ${BODY.length}`, 'Content-Length: 0'], BODY + SMUGGLED],
    [
      'two equal lengths',
      [`Content-Length: ${BODY.length}`, `Content-Length: ${BODY.length}`],
      BODY + SMUGGLED,
    ],
    ['a list of lengths', [`Content-Length: ${BODY.length}, 0`], BODY + SMUGGLED],
    ['a length with a sign', [`Content-Length: +${BODY.length}`], BODY + SMUGGLED],
    ['a length that is negative', ['Content-Length: -1'], BODY + SMUGGLED],
    ['a length in hexadecimal', ['Content-Length: 0x16'], BODY + SMUGGLED],
    ['a length beyond every number', ['Content-Length: 99999999999999999999'], BODY + SMUGGLED],
    ['a space before the colon', ['Content-Length : 0', `Content-Length: ${BODY.length}`], BODY + SMUGGLED],
    ['an encoding with a space before the colon', ['Transfer-Encoding : chunked'], `0\r\n\r\n${SMUGGLED}`],
    ['an unknown encoding', ['Transfer-Encoding: xchunked'], `0\r\n\r\n${SMUGGLED}`],
    ['chunks not last', ['Transfer-Encoding: chunked, identity'], `0\r\n\r\n${SMUGGLED}`],
    ['chunks twice', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], `0\r\n\r\n${SMUGGLED}`],
    ['a vertical tab in the encoding', ['Transfer-Encoding: \x0bchunked'], `0\r\n\r\n${SMUGGLED}`],
    ['quotes around the encoding', ['Transfer-Encoding: "chunked"'], `0\r\n\r\n${SMUGGLED}`],
    ['a folded header', ['Transfer-Encoding:\r\n chunked'], `0\r\n\r\n${SMUGGLED}`],
    ['a line that ends in a bare LF', ['X-A: b\nTransfer-Encoding: chunked'], `0\r\n\r\n${SMUGGLED}`],
    ['a line that ends in a bare CR', ['X-A: b\rTransfer-Encoding: chunked'], `0\r\n\r\n${SMUGGLED}`],
    ['a NUL in a header', ['X-A: b\0c'], SMUGGLED],
    ['a chunk without a size', ['Transfer-Encoding: chunked'], `;x\r\n\r\n${SMUGGLED}`],
    ['a chunk size with a sign', ['Transfer-Encoding: chunked'], `+16\r\n${BODY}\r\n0\r\n\r\n${SMUGGLED}`],
    ['a chunk size beyond every number', ['Transfer-Encoding: chunked'], `fffffffffffffffff\r\n${SMUGGLED}`],
    ['a chunk that ends in a bare LF', ['Transfer-Encoding: chunked'], `16\n${BODY}\r\n0\r\n\r\n${SMUGGLED}`],
    ['a chunk longer than it says', ['Transfer-Encoding: chunked'], `5\r\n${BODY}\r\n0\r\n\r\n${SMUGGLED}`],
    [
      'a bare LF in a chunk extension',
      ['Transfer-Encoding: chunked'],
      `16;a\nb\r\n${BODY}\r\n0\r\n\r\n${SMUGGLED}`,
    ],
    [
      'endless chunk extensions',
      ['Transfer-Encoding: chunked'],
      `1;${'a'.repeat(40_000)}\r\nx\r\n0\r\n\r\n${SMUGGLED}`,
    ],
  ])(
    'is refused with its connection, and nothing behind it is answered: %s',
    async (_what, headers, rest) => {
      const bytes = head('POST /feedback', 'Content-Type: application/json', ...headers) + rest;

      const received = await sendBytes(gateway.url, bytes);

      expect(received).toMatch(/^HTTP\/1\.1 (?:400|413) /);
      expect(answersIn(received)).toBe(1);
      expect(received).toMatch(/\r\nconnection: close\r\n/i);
      expect(received).not.toContain('smuggled');
    },
  );

  test('is none where a body follows a method without one: it is read, and the next request is the next one', async () => {
    const first = head('GET /healthz', `Content-Length: ${SMUGGLED.length}`) + SMUGGLED;
    const received = await sendBytes(gateway.url, first + head('GET /healthz', 'Connection: close'));

    expect(answersIn(received)).toBe(2);
    expect(received).not.toContain('smuggled');
  });

  test('is none that was refused before its body was read: what follows is never taken for a request', async () => {
    const hidden = `${BODY}${SMUGGLED}`;
    const refused = head('POST /feedback', 'Content-Type: text/plain', `Content-Length: ${hidden.length}`);

    const received = await sendBytes(gateway.url, refused + hidden);

    expect(received).toMatch(/^HTTP\/1\.1 415 /);
    expect(answersIn(received)).toBe(1);
    expect(received).not.toContain('smuggled');
  });
});

describe('two headers of one name', () => {
  test.each([
    ['Authorization', (key: string) => [`Authorization: Bearer ${key}`, 'Authorization: Bearer x'], 401],
    ['Content-Type', () => ['Content-Type: application/json', 'Content-Type: text/plain'], 415],
    ['Origin', () => ['Origin: http://localhost', 'Origin: http://evil.example'], 401],
    ['Host', () => ['Host: evil.example'], 403],
  ])('are not told apart by which comes first: %s', async (_name, headers, status) => {
    const lines = headers(gateway.key);
    const hasKey = status === 415 || status === 403;
    const bytes = [
      'POST /feedback HTTP/1.1',
      'Host: localhost',
      ...(hasKey ? [`Authorization: Bearer ${gateway.key}`] : []),
      ...lines,
      'Content-Length: 2',
      'Connection: close',
      '',
      '{}',
    ].join('\r\n');

    expect(await sendBytes(gateway.url, bytes)).toMatch(new RegExp(`^HTTP/1\\.1 (?:${status}|400) `));
  });
});

describe('a line break in a request', () => {
  /** No header of an answer may be one that a request has written. */
  const INJECTED = ['set-cookie', 'x-injected', 'location', 'refresh'];

  test.each([
    'x\r\nSet-Cookie: a=b\r\nX-Injected: yes',
    'x\nSet-Cookie: a=b\nX-Injected: yes',
    'x\rX-Injected: yes',
    '\r\n\r\nHTTP/1.1 200 OK\r\nX-Injected: yes\r\n\r\n',
    'x\u2028X-Injected: yes',
    'x\u010d\u010aX-Injected: yes',
    'x\u0000X-Injected: yes',
  ])('begins no header of an answer, from no field of any route: %j', async (text) => {
    // Node's client sends no such header; those follow on a bare socket.
    const requests = hostileRequests(text).filter(({ where }) => !where.includes(' header '));

    const answers = await sendAll(gateway.url, requests, bearer());

    for (const [sent, answer] of answers) {
      expect([sent.where, answer.status < 500]).toEqual([sent.where, true]);
      const names = Object.keys(answer.headers).filter((name) => INJECTED.includes(name));
      expect([sent.where, names]).toEqual([sent.where, []]);
      for (const value of Object.values(answer.headers).flat()) expect(value).not.toMatch(/x-injected/i);
    }
  });

  test.each(['X-Request-Id', 'Traceparent', 'Idempotency-Key', 'Origin', 'X-Forwarded-For', 'User-Agent'])(
    'ends the header %s where it is one, and comes back in none',
    async (name) => {
      for (const value of ['a\nX-Injected: yes', 'a\rX-Injected: yes', 'a%0d%0aX-Injected: yes', 'a\0b']) {
        const bytes = head('GET /prompts', `${name}: ${value}`, 'Connection: close');
        const received = await sendBytes(gateway.url, bytes);

        const [headers = ''] = received.split('\r\n\r\n');
        expect(headers).toMatch(/^HTTP\/1\.1 (?:200|400) /);
        expect(headers).not.toMatch(/x-injected/i);
      }
    },
  );

  test('in an answer of an upstream stays in the text', async () => {
    const answer = await sendRequest(gateway.url, {
      method: 'POST',
      target: '/generate',
      headers: { ...bearer(), 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'tip', prompt_version: 'v1', external_id: 'x\r\nX-Injected: yes' }),
    });

    expect(answer.status).toBe(200);
    expect(answer.headers['x-injected']).toBeUndefined();
  });
});
