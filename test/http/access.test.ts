import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { Scope } from '../../src/access/index.ts';
import { routeDefinitions } from '../../src/http/create-app.ts';
import { ROUTES } from '../../src/http/openapi-routes.ts';
import { eventually } from '../helpers/gateway-process.ts';
import { startTestGateway, type TestGateway } from './start-test-gateway.ts';

const NO_LIMITS = { requestsPerMinute: null, tokensPerMinute: null, nanoUsdPerDay: null };
const JSON_TYPE = { 'content-type': 'application/json' };

let gateway: TestGateway;
const keys = new Map<string, string>();

async function makeKey(name: string, scopes: readonly Scope[], limits = {}): Promise<string> {
  const { text, key } = await gateway.services.access.keys.create({
    name,
    scopes,
    expiresAtMs: null,
    limits: { ...NO_LIMITS, ...limits },
    actor: 'local',
  });
  keys.set(name, key.id);
  return text;
}

function bearer(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(async () => {
  await gateway.close();
});

describe('a gateway without keys', () => {
  test('is open, and says so', async () => {
    expect((await fetch(`${gateway.url}/prompts`)).status).toBe(200);
    expect(await (await fetch(`${gateway.url}/admin/session`)).json()).toMatchObject({
      signed_in: false,
      open: true,
      scopes: ['generate', 'feedback', 'read', 'admin'],
    });
  });

  test('lets no page of another origin change anything', async () => {
    const response = await fetch(`${gateway.url}/feedback`, {
      method: 'POST',
      headers: { ...JSON_TYPE, origin: 'http://evil.example' },
      body: '{}',
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({
      code: 'forbidden',
      detail: expect.stringContaining('origin'),
    });
  });

  test('takes the keys that clients of OpenAI insist on sending', async () => {
    const response = await fetch(`${gateway.url}/v1/models`, { headers: bearer('sk-none') });
    expect(response.status).toBe(200);
  });
});

describe('a gateway with keys', () => {
  const texts = new Map<Scope, string>();

  beforeAll(async () => {
    for (const scope of ['generate', 'feedback', 'read', 'admin'] as const) {
      texts.set(scope, await makeKey(scope, [scope]));
    }
  });

  const PUBLIC = new Set([
    '/healthz',
    '/readyz',
    '/openapi.json',
    '/docs',
    '/',
    '/admin',
    '/admin/session',
    '/admin/sign-in',
    '/admin/sign-out',
  ]);

  test.each(ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const))(
    '%s asks for a key unless it is public, and answers 401 and 403 in its own shape',
    async (_name, route) => {
      const url = gateway.url + route.path.replaceAll(/\{\w+\}/g, 'x');
      const method = route.method.toUpperCase();
      const request = { method, headers: JSON_TYPE, ...(method === 'GET' ? {} : { body: '{}' }) };
      const without = await fetch(url, request);
      if (PUBLIC.has(route.path)) {
        expect(without.status).not.toBe(401);
        return;
      }
      expect(without.status).toBe(401);
      expect(without.headers.get('www-authenticate')).toContain('Bearer');
      const body = (await without.json()) as { code?: string; error?: { type: string } };
      expect(route.path.startsWith('/v1/') ? body.error?.type : body.code).toBe(
        route.path.startsWith('/v1/') ? 'authentication_error' : 'unauthorized',
      );
      // No route takes every scope: one of these two must be refused, and `admin` by none.
      const statuses = await Promise.all(
        (['feedback', 'generate'] as const).map(async (scope) => {
          const headers = { ...JSON_TYPE, ...bearer(texts.get(scope) ?? '') };
          return (await fetch(url, { ...request, headers })).status;
        }),
      );
      expect(statuses).toContain(403);
      const headers = { ...JSON_TYPE, ...bearer(texts.get('admin') ?? '') };
      expect([401, 403]).not.toContain((await fetch(url, { ...request, headers })).status);
    },
  );

  test('a missing scope is named', async () => {
    const response = await fetch(`${gateway.url}/prompts/tip/labels/live`, {
      method: 'PUT',
      headers: { ...JSON_TYPE, ...bearer(texts.get('read') ?? '') },
      body: '{"version":"v1","reason":"because"}',
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({
      detail: 'This needs a key with the scope "admin"; the one presented has read.',
    });
  });

  test('a key may also come as x-api-key', async () => {
    const headers = { 'x-api-key': texts.get('read') ?? '' };
    expect((await fetch(`${gateway.url}/prompts`, { headers })).status).toBe(200);
  });

  test('beside the key that a client of OpenAI insists on sending, too', async () => {
    const headers = { ...bearer('sk-none'), 'x-api-key': texts.get('generate') ?? '' };
    expect((await fetch(`${gateway.url}/v1/models`, { headers })).status).toBe(200);
    expect((await fetch(`${gateway.url}/v1/models`, { headers: bearer('sk-none') })).status).toBe(401);
  });

  test.each([
    ['Basic abc', 'has the form'],
    ['Bearer sk-foreign', 'malformed'],
    ['Bearer pgw_aaaaaaaaaaaa_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', 'unknown'],
  ])('%s is refused and told why', async (authorization, reason) => {
    const response = await fetch(`${gateway.url}/prompts`, { headers: { authorization } });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ detail: expect.stringContaining(reason) });
  });

  test('what a key did is recorded under its id', async () => {
    const headers = { ...JSON_TYPE, ...bearer(texts.get('generate') ?? '') };
    await fetch(`${gateway.url}/generate`, { method: 'POST', headers, body: '{"prompt":"tip"}' });
    expect(gateway.generate.requests.at(-1)?.context.apiKeyId).toBe(keys.get('generate'));
  });

  test('keys are made, listed without their secrets, and revoked over HTTP', async () => {
    const headers = { ...JSON_TYPE, ...bearer(texts.get('admin') ?? '') };
    const made = await fetch(`${gateway.url}/keys`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ name: 'reader', scopes: ['read'], usd_per_day: 1.5 }),
    });
    const created = (await made.json()) as { id: string; key: string };
    expect(made.status).toBe(201);
    expect((await fetch(`${gateway.url}/prompts`, { headers: bearer(created.key) })).status).toBe(200);

    const listed = await (await fetch(`${gateway.url}/keys`, { headers })).text();
    expect(listed).toContain(created.id);
    expect(listed).not.toContain(created.key.split('_').slice(2).join('_'));
    expect(JSON.parse(listed)).toMatchObject({
      keys: expect.arrayContaining([
        expect.objectContaining({ name: 'reader', usd_per_day: 1.5, state: 'active' }),
      ]),
    });

    const revoked = await fetch(`${gateway.url}/keys/${created.id}/revoke`, {
      method: 'POST',
      headers,
      body: '{"reason":"not needed"}',
    });
    expect(await revoked.json()).toMatchObject({ state: 'revoked', revoked_reason: 'not needed' });
    const refused = await fetch(`${gateway.url}/prompts`, { headers: bearer(created.key) });
    expect(refused.status).toBe(401);
    expect(await refused.json()).toMatchObject({ detail: expect.stringContaining('revoked at') });
  });

  test.each([
    [{ name: 'x', scopes: ['root'] }, 'scopes[0]'],
    [{ name: 'x', scopes: [] }, 'scopes'],
    [{ name: '', scopes: ['read'] }, 'name'],
    [{ name: 'x', scopes: ['read'], expires_at: 'tomorrow' }, 'expires_at'],
    [{ name: 'x', scopes: ['read'], expires_at: '2001-01-01T00:00:00Z' }, 'expires_at'],
    [{ name: 'x', scopes: ['read'], usd_per_day: 1e300 }, 'usd_per_day'],
    [{ name: 'x', scopes: ['read'], usd_per_day: 1e-12 }, 'usd_per_day'],
    [{ name: 'x', scopes: ['read'], requests_per_minute: 1.5 }, 'requests_per_minute'],
    [{ name: 'x', scopes: ['read'], scope: 'read' }, 'scope'],
  ])('the faulty order of a key %j is refused with its place', async (body, path) => {
    const response = await fetch(`${gateway.url}/keys`, {
      method: 'POST',
      headers: { ...JSON_TYPE, ...bearer(texts.get('admin') ?? '') },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(400);
    const { errors } = (await response.json()) as { errors: { path: string }[] };
    expect(errors.map((fault) => fault.path)).toContain(path);
  });

  test('no log line of all this holds a secret', () => {
    const logged = JSON.stringify(gateway.logLines);
    expect(logged.length).toBeGreaterThan(100);
    for (const text of texts.values()) expect(logged).not.toContain(text.split('_').slice(2).join('_'));
  });
});

describe('limits', () => {
  const chat = JSON.stringify({ model: 'default', messages: [{ role: 'user', content: 'Hello' }] });
  const call = (path: string, key: string, body: string) =>
    fetch(`${gateway.url}${path}`, { method: 'POST', headers: { ...JSON_TYPE, ...bearer(key) }, body });

  test('a key with limits sees where it stands, this call included', async () => {
    const key = await makeKey('limited', ['generate'], { requestsPerMinute: 3, tokensPerMinute: 500 });
    const response = await call('/generate', key, '{"prompt":"tip"}');
    expect(response.headers.get('ratelimit-policy')).toBe('"requests";q=3;w=60, "tokens";q=500;w=60');
    expect(response.headers.get('ratelimit')).toMatch(/^"requests";r=2;t=\d+, "tokens";r=500;t=\d+$/);
    expect(response.headers.get('x-ratelimit-limit-requests')).toBeNull();
  });

  test('on /v1 also by the names that clients of OpenAI read', async () => {
    const key = await makeKey('limited chat', ['generate'], { requestsPerMinute: 3 });
    const response = await call('/v1/chat/completions', key, chat);
    expect(response.status).toBe(200);
    expect(response.headers.get('x-ratelimit-limit-requests')).toBe('3');
    expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('2');
  });

  test('what calls no model uses no limit up, and says nothing about limits', async () => {
    const headers = bearer(await makeKey('listing', ['generate'], { requestsPerMinute: 1 }));
    const response = await fetch(`${gateway.url}/v1/models`, { headers });
    expect(response.status).toBe(200);
    expect(response.headers.get('ratelimit')).toBeNull();
  });

  test('a key without limits has no such headers', async () => {
    const response = await call('/generate', await makeKey('unlimited', ['generate']), '{"prompt":"tip"}');
    expect(response.status).toBe(200);
    expect(response.headers.get('ratelimit')).toBeNull();
  });
});

describe('the description of the routes', () => {
  const described = ROUTES.map(({ method, path, access }) => `${method} ${path} ${access}`);
  const mounted = () =>
    routeDefinitions(gateway.services).map(
      ({ method, path, access }) => `${method} ${path.replaceAll(/[:*](\w+)/g, '{$1}')} ${access}`,
    );

  test('says for each what its caller needs', () => {
    expect(mounted()).toEqual(expect.arrayContaining(described));
  });

  test('leaves out nothing but files of pages, which everybody may read', () => {
    const left = mounted().filter((route) => !described.includes(route));
    expect(left.filter((route) => !/^get \/(docs|admin)\S* public$|^get \/ public$/.test(route))).toEqual([]);
  });
});

describe('the sign-in of the admin page', () => {
  async function signIn(scopes: readonly Scope[], more: Record<string, string> = {}) {
    const key = await makeKey(`page ${scopes.join()}`, scopes);
    const response = await fetch(`${gateway.url}/admin/sign-in`, {
      method: 'POST',
      headers: { ...JSON_TYPE, ...more },
      body: JSON.stringify({ key }),
    });
    const cookie = response.headers.get('set-cookie') ?? '';
    return { response, cookie: cookie.split(';')[0] ?? '', attributes: cookie };
  }

  test('sets a cookie that scripts cannot read and other sites cannot send along with a post', async () => {
    const { response, attributes } = await signIn(['read']);
    expect(response.status).toBe(200);
    expect(attributes).toContain('HttpOnly');
    expect(attributes).toContain('SameSite=Lax');
    expect(await response.json()).toMatchObject({ signed_in: true, scopes: ['read'] });
  });

  test('over TLS, which only the origin tells behind a proxy, the cookie stays with TLS', async () => {
    const plain = await signIn(['read']);
    const origin = gateway.url.replace('http:', 'https:');
    const { response, attributes } = await signIn(['read'], { origin });
    expect(response.status).toBe(200);
    expect(attributes).toMatch(/; Secure$/);
    expect(plain.attributes).not.toContain('Secure');
  });

  test('stands in the log, with its key', async () => {
    await signIn(['read']);
    const id = keys.get('page read');
    const isLine = ({ fields }: (typeof gateway.logLines)[number]) =>
      fields['route'] === '/admin/sign-in' && fields['status'] === 200 && fields['key_id'] === id;
    await eventually(async () => gateway.logLines.some(isLine));
  });

  test('needs a key that may read', async () => {
    const { response } = await signIn(['feedback']);
    expect(response.status).toBe(403);
    expect(response.headers.get('set-cookie')).toBeNull();
  });

  test('reads on its own; a change needs its token too, and its own origin', async () => {
    const { response, cookie } = await signIn(['admin']);
    const { csrf_token: token } = (await response.json()) as { csrf_token: string };
    const move = (headers: Record<string, string>) =>
      fetch(`${gateway.url}/prompts/tip/labels/live`, {
        method: 'PUT',
        headers: { ...JSON_TYPE, cookie, ...headers },
        body: '{"version":"v2","reason":"it won"}',
      });

    expect((await fetch(`${gateway.url}/prompts`, { headers: { cookie } })).status).toBe(200);
    expect((await move({})).status).toBe(403);
    expect((await move({ 'x-csrf-token': 'wrong' })).status).toBe(403);
    expect((await move({ 'x-csrf-token': token, origin: 'http://evil.example' })).status).toBe(403);
    expect((await move({ 'x-csrf-token': token })).status).toBe(403);
    expect((await move({ 'x-csrf-token': token, origin: gateway.url })).status).toBe(200);
  });

  test('ends with a sign-out, and when its key is revoked', async () => {
    const first = await signIn(['read']);
    await fetch(`${gateway.url}/admin/sign-out`, { method: 'POST', headers: { cookie: first.cookie } });
    const after = await fetch(`${gateway.url}/prompts`, { headers: { cookie: first.cookie } });
    expect(after.status).toBe(401);
    expect(await after.json()).toMatchObject({ detail: expect.stringContaining('Sign in again') });

    const second = await signIn(['read']);
    await gateway.services.access.keys.revoke(keys.get('page read') ?? '', 'left the team', 'local');
    expect((await fetch(`${gateway.url}/prompts`, { headers: { cookie: second.cookie } })).status).toBe(401);
  });

  test('with a link that does not work says why', async () => {
    const response = await fetch(`${gateway.url}/admin/sign-in`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: '{"token":"x"}',
    });
    expect(response.status).toBe(401);
  });
});
