import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startGatewayForTest, type TestGateway } from '../helpers/gateway-for-test.ts';
import { type Answer, sendRequest } from './send-request.ts';

const LIMIT = 5;
const WRONG = `pgw_aaaaaaaaaaaa_${'x'.repeat(43)}`;
const JSON_TYPE = { 'content-type': 'application/json' };

let gateway: TestGateway;
let key = '';
let further = 0;
beforeAll(async () => {
  gateway = await startGatewayForTest({
    config: { server: { port: 0, max_wrong_keys_per_minute: LIMIT, trusted_proxies: ['127.0.0.1'] } },
  });
  const made = await gateway.post('/keys', { name: 'ops', scopes: ['admin'] });
  key = String(made.json.key);
});
afterAll(() => gateway.dispose());
/** Somebody who has not been here before. */
beforeEach(() => {
  further += 1;
});
const here = (): string => `203.0.113.${further}`;
const elsewhere = (): string => `198.51.100.${further}`;

const ask = (presented: string, from: string, more: Record<string, string> = {}): Promise<Answer> =>
  sendRequest(gateway.url, {
    method: 'GET',
    target: '/prompts',
    headers: { authorization: `Bearer ${presented}`, 'x-forwarded-for': from, ...more },
    body: null,
  });

const signIn = (body: object, from: string): Promise<Answer> =>
  sendRequest(gateway.url, {
    method: 'POST',
    target: '/admin/sign-in',
    headers: { ...JSON_TYPE, 'x-forwarded-for': from },
    body: JSON.stringify(body),
  });

async function guess(times: number, from: string): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (let n = 0; n < times; n += 1) statuses.push((await ask(WRONG, from)).status);
  return statuses;
}

describe('somebody who tries keys', () => {
  test('is looked at a few times, then no more: 429, and when to come back', async () => {
    expect(await guess(LIMIT, here())).toEqual(Array.from({ length: LIMIT }, () => 401));

    const refused = await ask(WRONG, here());
    expect(refused.status).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
    // Not even by the right one: else going on would find it.
    expect((await ask(key, here())).status).toBe(429);
    expect((await signIn({ key }, here())).status).toBe(429);
    expect((await signIn({ token: 'x' }, here())).status).toBe(429);
  });

  test('shuts nobody out elsewhere, nor who came in from there before', async () => {
    expect((await ask(key, here())).status).toBe(200);
    await guess(LIMIT * 3, here());

    expect((await ask(key, elsewhere())).status).toBe(200);
    expect((await ask(key, here())).status).toBe(200);
  });

  test('counts by links and sign-ins, too', async () => {
    const statuses: number[] = [];
    for (let n = 0; n <= LIMIT; n += 1) {
      statuses.push((await signIn(n % 2 === 0 ? { token: `guess-${n}` } : { key: WRONG }, here())).status);
    }
    expect(statuses).toEqual([...Array.from({ length: LIMIT }, () => 401), 429]);
  });

  test('cannot count as somebody else by writing into X-Forwarded-For', async () => {
    const statuses: number[] = [];
    for (let n = 0; n <= LIMIT; n += 1) {
      statuses.push((await ask(WRONG, `192.0.2.${n}, ${here()}`)).status);
    }
    expect(statuses.at(-1)).toBe(429);
  });

  test('learns from no answer whether an id exists', async () => {
    const wrongSecret = `${key.slice(0, -8)}${'x'.repeat(8)}`;
    const known = await ask(wrongSecret, here());
    const unknown = await ask(WRONG, here());
    const withoutIds = ({ text, status, headers }: Answer): unknown => [
      status,
      text.replace(/req_\w+/g, ''),
      Object.keys(headers).sort(),
    ];
    expect(withoutIds(known)).toEqual(withoutIds(unknown));
  });

  test('shows in the metrics and is seen without a look at the keys', async () => {
    const metrics = await sendRequest(gateway.url, {
      method: 'GET',
      target: '/metrics',
      headers: { authorization: `Bearer ${key}`, 'x-forwarded-for': elsewhere() },
      body: null,
    });
    expect(metrics.text).toMatch(/gateway_key_guesses_total\{result="wrong"\} [1-9]/);
    expect(metrics.text).toMatch(/gateway_key_guesses_total\{result="refused"\} [1-9]/);
  });
});

describe('a text that is nearly a key', () => {
  test.each<readonly [string, (right: string) => string]>([
    ['a prefix of it', (right) => right.slice(0, -1)],
    ['it and more', (right) => `${right}A`],
    ['in another case', (right) => right.toUpperCase()],
    ['with another last character', (right) => `${right.slice(0, -1)}${right.endsWith('A') ? 'E' : 'A'}`],
    ['its id alone', (right) => right.split('_').slice(0, 2).join('_')],
    ['its secret alone', (right) => right.split('_').slice(2).join('_')],
    ['with the secret of nobody', (right) => `${right.split('_').slice(0, 2).join('_')}_`],
    ['percent-encoded', (right) => right.replace('_', '%5F')],
    ['quoted', (right) => `"${right}"`],
    ['two of them', (right) => `${right},${right}`],
    ['the hash of its secret', () => '0'.repeat(64)],
    ['null', () => 'null'],
    ['a prototype', () => 'pgw___proto____x'],
  ])('is none: %s', async (_what, change) => {
    expect((await ask(change(key), here())).status).toBe(401);
    const byHeader = await sendRequest(gateway.url, {
      method: 'GET',
      target: '/prompts',
      headers: { 'x-api-key': change(key), 'x-forwarded-for': here() },
      body: null,
    });
    expect(byHeader.status).toBe(401);
  });

  test('is no key in a query, a cookie or a body either', async () => {
    const places: readonly (readonly [string, Record<string, string>])[] = [
      [`/prompts?key=${key}`, {}],
      [`/prompts?api_key=${key}`, {}],
      ['/prompts', { cookie: `pgw_session=${key}` }],
      ['/prompts', { 'proxy-authorization': `Bearer ${key}` }],
    ];
    for (const [target, headers] of places) {
      const answer = await sendRequest(gateway.url, {
        method: 'GET',
        target,
        headers: { ...headers, 'x-forwarded-for': here() },
        body: null,
      });
      expect([target, answer.status]).toEqual([target, 401]);
    }
  });
});

describe('a session', () => {
  test('is made by nobody who lacks the signing key, and known ones are never counted as guesses', async () => {
    const payload = Buffer.from(JSON.stringify({ keyId: 'local', nonce: 'n', expiresAtMs: 9e15 }));
    for (let n = 0; n < LIMIT * 2; n += 1) {
      const cookie = `pgw_session=${payload.toString('base64url')}.${'A'.repeat(42)}${n}`;
      const answer = await sendRequest(gateway.url, {
        method: 'GET',
        target: '/prompts',
        headers: { cookie, 'x-forwarded-for': here() },
        body: null,
      });
      expect(answer.status).toBe(401);
    }
    expect((await ask(key, here())).status).toBe(200);
  });
});
