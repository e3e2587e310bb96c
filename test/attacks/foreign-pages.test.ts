import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TestGateway } from '../helpers/gateway-for-test.ts';
import { type ScriptedUpstream, startScriptedUpstream } from '../helpers/scripted-upstream.ts';
import { startAttackedGateway } from './attacked-gateway.ts';
import { type HostileRequest, soundRequests } from './hostile-requests.ts';
import { sendAll, sendBytes, sendRequest } from './send-request.ts';

/** An open gateway on loopback, as on the machine of somebody who tries it and browses the web beside it. */
let upstream: ScriptedUpstream;
let gateway: TestGateway;
beforeAll(async () => {
  upstream = await startScriptedUpstream();
  gateway = await startAttackedGateway(upstream.url, { config: { shadow: {} } });
});
afterAll(async () => {
  await gateway.dispose();
  await upstream.close();
});

/** Nobody needs a key for these: they say who is there, or let in by a key in their body. */
const PUBLIC = new Set(['/admin/sign-in', '/admin/sign-out']);
const changes = (): readonly HostileRequest[] => soundRequests().filter(({ method }) => method !== 'GET');

function withHeaders(requests: readonly HostileRequest[], headers: Record<string, string>) {
  return requests.map((request) => ({ ...request, headers: { ...request.headers, ...headers } }));
}

/** What a change would leave behind. */
async function traces(): Promise<string> {
  const [keys, labels, generations, overview] = await Promise.all(
    ['/keys', '/prompts/tip/labels', '/generations', '/analytics/rollouts'].map((path) => gateway.get(path)),
  );
  const shown = [keys?.json, labels?.json, generations?.json, overview?.json];
  return JSON.stringify([...shown, upstream.calls.length]);
}

describe('a page of another site', () => {
  test.each([
    ['its origin', { origin: 'http://evil.example' }],
    ['its origin over TLS', { origin: 'https://evil.example' }],
    ['a page of another port', { origin: 'http://127.0.0.1:1' }],
    ['another name of this host', { origin: 'http://localhost' }],
    ['a sandboxed frame or a file', { origin: 'null' }],
    ['an origin that begins as ours', { origin: 'http://127.0.0.1.evil.example' }],
  ])('changes nothing on any route by %s', async (_what, headers) => {
    const before = await traces();

    const answers = await sendAll(gateway.url, withHeaders(changes(), headers));

    expect(answers.length).toBeGreaterThan(10);
    for (const [sent, answer] of answers) expect([sent.where, answer.status]).toEqual([sent.where, 403]);
    expect(await traces()).toBe(before);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', ''])(
    'changes nothing with a body that needs no preflight (%j), from browsers too old to name an origin',
    async (contentType) => {
      const before = await traces();
      const requests = changes().filter(({ body, target }) => body !== null && !PUBLIC.has(target));

      const answers = await sendAll(gateway.url, withHeaders(requests, { 'content-type': contentType }));

      for (const [sent, answer] of answers) expect([sent.where, answer.status]).toEqual([sent.where, 415]);
      expect(await traces()).toBe(before);
    },
  );

  test('is told by no answer that it may read, or that it may ask for more', async () => {
    const origin = { origin: 'http://evil.example' };
    const preflight = { ...origin, 'access-control-request-method': 'POST' };
    const asked = soundRequests().map((request) => ({ ...request, method: 'OPTIONS', headers: preflight }));
    const read = withHeaders(
      soundRequests().filter(({ method }) => method === 'GET'),
      origin,
    );

    for (const [sent, answer] of await sendAll(gateway.url, [...asked, ...read])) {
      const cors = Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'));
      expect([sent.where, cors]).toEqual([sent.where, []]);
      expect([sent.where, answer.headers['cross-origin-resource-policy']]).toEqual([
        sent.where,
        'same-origin',
      ]);
    }
  });

  test('that is our own may do what it is for', async () => {
    const answer = await gateway.post(
      '/generate',
      { prompt: 'tip', variables: { mood: 'tired' } },
      { origin: gateway.url },
    );
    expect(answer.status).toBe(200);
  });
});

describe('a name that resolves to this machine (DNS rebinding)', () => {
  test.each([
    ['evil.example'],
    ['evil.example:8787'],
    ['127.0.0.1.evil.example'],
    ['localhost.evil.example'],
    ['127.0.0.1@evil.example'],
    ['evil.example@127.0.0.1'],
    ['0.0.0.0'],
    ['[::]'],
    ['2130706433'],
    ['127.1'],
    ['localhost, evil.example'],
  ])('reads and changes nothing on any route: %s', async (host) => {
    const before = await traces();

    const answers = await sendAll(gateway.url, withHeaders(soundRequests(), { host }));

    expect(answers.length).toBeGreaterThan(40);
    for (const [sent, answer] of answers) {
      expect([sent.where, answer.status]).toEqual([sent.where, 403]);
      expect(answer.text).toMatch(/"forbidden"|permission_error/);
    }
    expect(await traces()).toBe(before);
  });

  test.each([
    ['HTTP/1.0 without a host', 'GET /prompts HTTP/1.0\r\n\r\n', /^HTTP\/1\.1 (?:400|403) /],
    ['no host', 'GET /prompts HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'two hosts, ours first',
      'GET /prompts HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 (?:400|403) /,
    ],
    [
      'two hosts, ours last',
      'GET /prompts HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 (?:400|403) /,
    ],
    [
      'a forwarded host that is ours',
      'GET /prompts HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost\r\nForwarded: host=localhost\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 403 /,
    ],
    [
      'a target of another host',
      'GET http://evil.example/prompts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 (?:400|403|404) /,
    ],
  ])('gets past by no trick: %s', async (_what, bytes, refusal) => {
    const answer = await sendBytes(gateway.url, bytes);

    expect(answer).toMatch(refusal);
    expect(answer).not.toContain('"prompts"');
  });

  test('finds the names of loopback open', async () => {
    for (const host of ['localhost', '127.0.0.1:1', '[::1]']) {
      const request = { method: 'GET', target: '/prompts', headers: { host }, body: null };
      expect((await sendRequest(gateway.url, request)).status).toBe(200);
    }
  });
});
