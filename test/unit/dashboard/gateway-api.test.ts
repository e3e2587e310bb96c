import { describe, expect, test } from '@jest/globals';
import { createGatewayApi } from '../../../src/dashboard/api/gateway-api.ts';
import type { GatewayProblem } from '../../../src/dashboard/api/gateway-problem.ts';

interface Sent {
  readonly path: string;
  readonly init: RequestInit;
}

function apiAnswering(answer: () => Response) {
  const sent: Sent[] = [];
  const api = createGatewayApi(async (path, init) => {
    sent.push({ path: String(path), init: init ?? {} });
    return answer();
  });
  return { api, sent };
}

const problem = (status: number, code: string) =>
  new Response(JSON.stringify({ code, title: 'No', detail: 'Do this.', request_id: 'req_1', errors: [] }), {
    status,
  });

describe('the connection of the page', () => {
  test('answers the parsed body and its text', async () => {
    const { api } = apiAnswering(() => Response.json({ a: 1 }));

    expect(await api.get('/prompts')).toEqual({ value: { a: 1 }, text: '{"a":1}' });
  });

  test("sends a change with the session's token", async () => {
    const { api, sent } = apiAnswering(() => new Response('{}'));
    api.setCsrfToken('token-1');

    await api.change('PUT', '/prompts/tip/labels/live', { version: 'v2' });

    expect(sent[0]?.init).toMatchObject({
      method: 'PUT',
      body: '{"version":"v2"}',
      credentials: 'same-origin',
      headers: { 'x-csrf-token': 'token-1', 'content-type': 'application/json' },
    });
  });

  test('sends no token where there is none', async () => {
    const { api, sent } = apiAnswering(() => new Response('{}'));

    await api.change('POST', '/generate');

    expect(sent[0]?.init.headers).not.toHaveProperty('x-csrf-token');
  });

  test('takes the new token and tries once more when another tab has signed in anew', async () => {
    const sent: string[] = [];
    const api = createGatewayApi(async (path, init) => {
      const token = new Headers(init?.headers).get('x-csrf-token');
      sent.push(`${path} ${token}`);
      if (path === '/admin/session') return Response.json({ csrf_token: 'new' });
      return token === 'new' ? Response.json({ done: true }) : problem(403, 'forbidden');
    });
    api.setCsrfToken('old');

    expect(await api.change('POST', '/keys', {})).toEqual({ done: true });
    expect(sent).toEqual(['/keys old', '/admin/session null', '/keys new']);
  });

  test('does not repeat a change that the key may not make', async () => {
    const sent: string[] = [];
    const api = createGatewayApi(async (path) => {
      sent.push(String(path));
      return path === '/admin/session' ? Response.json({ csrf_token: 'same' }) : problem(403, 'forbidden');
    });
    api.setCsrfToken('same');

    await expect(api.change('POST', '/keys', {})).rejects.toMatchObject({ code: 'forbidden' });
    expect(sent).toEqual(['/keys', '/admin/session']);
  });

  test("fails with the gateway's problem", async () => {
    const { api } = apiAnswering(() => problem(409, 'conflict'));

    await expect(api.get('/x')).rejects.toMatchObject({
      status: 409,
      code: 'conflict',
      message: 'Do this.',
      requestId: 'req_1',
    });
  });

  test('tells of an ended session, but not of a wrong key at the sign-in', async () => {
    const told: GatewayProblem[] = [];
    const { api } = apiAnswering(() => problem(401, 'unauthorized'));
    api.onUnauthorized((ended) => told.push(ended));

    await expect(api.change('POST', '/admin/sign-in', { key: 'x' })).rejects.toMatchObject({ status: 401 });
    expect(told).toEqual([]);

    await expect(api.get('/prompts')).rejects.toMatchObject({ status: 401 });
    expect(told).toHaveLength(1);
  });

  test('says that the gateway does not answer when the network fails', async () => {
    const api = createGatewayApi(async () => {
      throw new TypeError('fetch failed');
    });

    await expect(api.get('/x')).rejects.toMatchObject({ status: 0, code: 'unreachable' });
  });

  test('fails with the reason of an abort, not with a problem', async () => {
    const abort = new AbortController();
    const api = createGatewayApi(async () => {
      abort.abort();
      throw abort.signal.reason;
    });

    await expect(api.get('/x', abort.signal)).rejects.toBe(abort.signal.reason);
  });

  test("says the status alone of a proxy's page", async () => {
    const { api } = apiAnswering(() => new Response('<h1>Bad gateway</h1>', { status: 502 }));

    await expect(api.get('/x')).rejects.toMatchObject({ status: 502, code: 'unknown' });
  });

  test('refuses an answer that is no JSON', async () => {
    const { api } = apiAnswering(
      () => new Response('<h1>Hello</h1>', { headers: { 'content-type': 'text/html' } }),
    );

    await expect(api.get('/x')).rejects.toMatchObject({ status: 200 });
  });
});
