import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { createGatewayClient } from '../../src/client/index.ts';
import { startGatewayForTest, type TestGateway } from '../helpers/gateway-for-test.ts';
import { eventually } from '../helpers/gateway-process.ts';
import {
  endStream,
  type Reply,
  type ScriptedUpstream,
  sendCompletion,
  sendDelta,
  startScriptedUpstream,
} from '../helpers/scripted-upstream.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Key {
  readonly id: string;
  readonly text: string;
  readonly headers: Record<string, string>;
}

/** The first key, an admin's, closes the gateway. */
async function makeKey(gateway: TestGateway, body: object, by: Record<string, string> = {}): Promise<Key> {
  const { json } = await gateway.post('/keys', { name: 'test', ...body }, by);
  return { id: json.id, text: json.key, headers: { authorization: `Bearer ${json.key}` } };
}

async function gatewayWith(reply?: Reply): Promise<{
  readonly gateway: TestGateway;
  readonly upstream: ScriptedUpstream;
  readonly admin: Key;
}> {
  const upstream = await startScriptedUpstream(reply);
  cleanups.push(upstream.close);
  const environment = { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'k' };
  const gateway = await startGatewayForTest({ environment });
  cleanups.push(gateway.dispose);
  return { gateway, upstream, admin: await makeKey(gateway, { scopes: ['admin'] }) };
}

const CALL = { prompt: 'tip', prompt_version: 'v1' };
const CHAT = { model: 'strict', messages: [{ role: 'user', content: 'Hello' }] };
/** 0.75 USD by the price table. */
const DEAR = {
  model: 'gpt-4o-mini',
  usage: { prompt_tokens: 1_000_000, completion_tokens: 1_000_000, total_tokens: 2_000_000 },
};
const answerDearly: Reply = (_call, response) => sendCompletion(response, 'Take a walk.', DEAR);

describe('a key that is revoked in the middle of a stream', () => {
  /** Text by text, when the test says so. */
  function tokenByToken() {
    const responses: ServerResponse[] = [];
    return {
      reply: ((_call, response) => {
        responses.push(response);
        sendDelta(response, 'Take');
      }) satisfies Reply,
      next: (text: string) => {
        for (const response of responses) sendDelta(response, text);
      },
      end: () => {
        for (const response of responses) endStream(response);
      },
    };
  }

  async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, mark: string): Promise<string> {
    let text = '';
    while (!text.includes(mark)) {
      const part = await reader.read();
      if (part.done) break;
      text += new TextDecoder().decode(part.value);
    }
    return text;
  }

  async function openStream(gateway: TestGateway, path: string, body: object, key: Key) {
    const response = await fetch(gateway.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...key.headers },
      body: JSON.stringify({ ...body, stream: true }),
    });
    const reader = response.body?.getReader();
    if (reader === undefined) throw new Error('no stream');
    return reader;
  }

  test.each([
    ['/generate', CALL, '"text":"Take"', 'event: error'],
    ['/v1/chat/completions', CHAT, '"content":"Take"', '"authentication_error"'],
  ])('%s ends at its next token with an error that says so', async (path, body, token, error) => {
    const upstreamText = tokenByToken();
    const { gateway, upstream, admin } = await gatewayWith(upstreamText.reply);
    const key = await makeKey(gateway, { scopes: ['generate'] }, admin.headers);
    const reader = await openStream(gateway, path, body, key);
    await readUntil(reader, token);

    const revoked = await gateway.post(`/keys/${key.id}/revoke`, { reason: 'leaked' }, admin.headers);
    upstreamText.next(' a walk.');
    const rest = await readUntil(reader, 'no such mark');

    expect(revoked.status).toBe(200);
    expect(rest).not.toContain('a walk');
    expect(rest).toContain(error);
    expect(rest).toContain('"code":"unauthorized"');
    expect(rest).toContain('was revoked at');
    expect(rest).not.toContain('[DONE]');
    await eventually(async () => upstream.abortedCalls() === 1);
  });

  test('is recorded as ended by the caller, with its reason and how far it came', async () => {
    const upstreamText = tokenByToken();
    const { gateway, admin } = await gatewayWith(upstreamText.reply);
    const key = await makeKey(gateway, { scopes: ['generate'] }, admin.headers);
    const reader = await openStream(gateway, '/generate', CALL, key);
    const id = /"id":"(gen_[^"]+)"/.exec(await readUntil(reader, '"text":"Take"'))?.[1];

    await gateway.post(`/keys/${key.id}/revoke`, { reason: 'leaked' }, admin.headers);
    upstreamText.next(' a walk.');
    await readUntil(reader, 'no such mark');

    const read = await fetch(`${gateway.url}/generations/${id}`, { headers: admin.headers });
    expect(await read.json()).toMatchObject({
      status: 'client_closed',
      error_code: 'unauthorized',
      delivered: false,
      api_key_id: key.id,
      text: expect.stringMatching(/^Take/),
      attempts: [{ provider: 'openai' }],
    });
  });

  test('before its first token gets an ordinary 401, and nothing of the answer', async () => {
    let begin = (): void => {};
    const asked = new Promise<void>((resolve) => {
      begin = resolve;
    });
    let answer = (): void => {};
    const { gateway, admin } = await gatewayWith((_call, response) => {
      answer = () => sendDelta(response, 'Take');
      begin();
    });
    const key = await makeKey(gateway, { scopes: ['generate'] }, admin.headers);
    const streaming = gateway.post('/generate', { ...CALL, stream: true }, key.headers);
    await asked;

    await gateway.post(`/keys/${key.id}/revoke`, { reason: 'leaked' }, admin.headers);
    answer();

    const { status, headers, json } = await streaming;
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toContain('Bearer');
    expect(json).toMatchObject({ code: 'unauthorized', generation_id: expect.stringMatching(/^gen_/) });
  });

  test('leaves the streams of other keys alone', async () => {
    const upstreamText = tokenByToken();
    const { gateway, admin } = await gatewayWith(upstreamText.reply);
    const key = await makeKey(gateway, { scopes: ['generate'] }, admin.headers);
    const other = await makeKey(gateway, { scopes: ['generate'] }, admin.headers);
    const reader = await openStream(gateway, '/generate', CALL, other);
    await readUntil(reader, '"text":"Take"');

    await gateway.post(`/keys/${key.id}/revoke`, { reason: 'leaked' }, admin.headers);
    upstreamText.next(' a walk.');
    upstreamText.end();

    expect(await readUntil(reader, 'event: end')).toContain('a walk.');
  });
});

describe('the client', () => {
  test('tells its caller that the key of a running stream was revoked, and does not try again', async () => {
    let next = (_text: string): void => {};
    const { gateway, upstream, admin } = await gatewayWith((_call, response) => {
      next = (text) => sendDelta(response, text);
      next('Take');
    });
    const key = await makeKey(gateway, { scopes: ['generate'] }, admin.headers);
    const client = createGatewayClient({ baseUrl: gateway.url, apiKey: key.text, tipPromptVersion: null });
    const read = async () => {
      for await (const event of client.stream({ prompt: 'tip', promptVersion: 'v1' })) {
        if (event.kind !== 'delta') continue;
        await gateway.post(`/keys/${key.id}/revoke`, { reason: 'leaked' }, admin.headers);
        next(' a walk.');
      }
    };

    await expect(read()).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('was revoked at'),
      generationId: expect.stringMatching(/^gen_/),
    });
    expect(upstream.calls).toHaveLength(1);
  });
});

describe('a key at its limit', () => {
  test('gets 429 in the shape of each surface, with a time to come back, and is counted', async () => {
    const { gateway, admin, upstream } = await gatewayWith();
    const key = await makeKey(gateway, { scopes: ['generate'], requests_per_minute: 1 }, admin.headers);
    const first = await gateway.post('/generate', CALL, key.headers);
    const refused = await gateway.post('/generate', CALL, key.headers);
    const chat = await gateway.post('/v1/chat/completions', CHAT, key.headers);

    expect(first.headers.get('ratelimit')).toMatch(/^"requests";r=0;t=\d+$/);
    expect(refused.status).toBe(429);
    expect(refused.json).toMatchObject({
      code: 'rate_limited',
      detail: 'The limit of this key, 1 requests per minute, is reached.',
    });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(chat.status).toBe(429);
    expect(chat.json).toEqual({
      error: expect.objectContaining({ type: 'rate_limit_error', code: 'rate_limit_exceeded' }),
    });
    expect(chat.headers.get('retry-after')).not.toBeNull();
    expect(chat.headers.get('x-ratelimit-remaining-requests')).toBe('0');
    expect(upstream.calls).toHaveLength(1);

    const metrics = await (await fetch(`${gateway.url}/metrics`, { headers: admin.headers })).text();
    expect(metrics).toContain('gateway_limited_total{limit="requests"} 2');
    expect(metrics).not.toContain(key.id);
  });

  test('an OpenAI client reads it as its own error', async () => {
    const { gateway, admin } = await gatewayWith();
    const key = await makeKey(gateway, { scopes: ['generate'], requests_per_minute: 1 }, admin.headers);
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key.text, maxRetries: 0 });
    const call = () =>
      openai.chat.completions.create({ model: 'strict', messages: [{ role: 'user', content: 'Hi' }] });

    await call();

    await expect(call()).rejects.toBeInstanceOf(OpenAI.RateLimitError);
  });

  test('does not pay for previews, nor for calls that fail before a model is asked', async () => {
    const { gateway, admin } = await gatewayWith();
    const key = await makeKey(gateway, { scopes: ['generate'], requests_per_minute: 1 }, admin.headers);
    const answers = [
      await gateway.post('/generate', { ...CALL, dry_run: true }, key.headers),
      await gateway.post('/generate', { ...CALL, prompt_version: 'v99' }, key.headers),
      await gateway.post('/generate', CALL, key.headers),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 404, 200]);
  });
});

describe('a key that has spent its budget', () => {
  test('is refused until midnight UTC, also after a restart', async () => {
    const { gateway, upstream, admin } = await gatewayWith(answerDearly);
    const key = await makeKey(gateway, { scopes: ['generate'], usd_per_day: 0.7 }, admin.headers);
    const paid = await gateway.post('/generate', CALL, key.headers);
    const refused = await gateway.post('/generate', CALL, key.headers);
    await gateway.close();

    const environment = { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'k' };
    const again = await startGatewayForTest({ environment, directory: gateway.directory });
    cleanups.push(again.close);
    const stillRefused = await again.post('/generate', CALL, key.headers);

    expect(paid.json.cost_usd).toBeCloseTo(0.75, 6);
    for (const answer of [refused, stillRefused]) {
      expect(answer.status).toBe(429);
      expect(answer.json).toMatchObject({
        code: 'budget_exceeded',
        detail: expect.stringContaining('0.7 USD a day and has spent 0.75'),
      });
      expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(86_400);
    }
    expect(upstream.calls).toHaveLength(1);
  });

  test('cannot pass it by asking for everything at once', async () => {
    const { gateway, upstream, admin } = await gatewayWith(answerDearly);
    const key = await makeKey(gateway, { scopes: ['generate'], usd_per_day: 2 }, admin.headers);
    await gateway.post('/generate', CALL, key.headers);

    const answers = await Promise.all(
      Array.from({ length: 12 }, () => gateway.post('/generate', CALL, key.headers)),
    );

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(11);
    expect(upstream.calls).toHaveLength(2);
  });
});

test('a sign-in ends with the process that gave it, and so does a sign-out', async () => {
  const { gateway, admin } = await gatewayWith();
  const signIn = async () => {
    const { headers } = await gateway.post('/admin/sign-in', { key: admin.text });
    return (headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  };
  const [kept, ended] = [await signIn(), await signIn()];
  await gateway.post('/admin/sign-out', {}, { cookie: ended });
  const status = async (url: string, cookie: string) =>
    (await fetch(`${url}/prompts`, { headers: { cookie } })).status;
  expect([await status(gateway.url, kept), await status(gateway.url, ended)]).toEqual([200, 401]);
  await gateway.close();

  const again = await startGatewayForTest({ directory: gateway.directory });
  cleanups.push(again.close);

  expect([await status(again.url, kept), await status(again.url, ended)]).toEqual([401, 401]);
});
