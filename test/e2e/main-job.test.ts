import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { openDatabase } from '../../src/storage/sqlite/sqlite-driver.ts';
import {
  startGatewayForTest,
  type TestGateway,
  type TestGatewayOptions,
} from '../helpers/gateway-for-test.ts';
import {
  endStream,
  type Reply,
  type ScriptedUpstream,
  sendCompletion,
  sendDelta,
  sendError,
  startScriptedUpstream,
} from '../helpers/scripted-upstream.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

async function gatewayWith(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const gateway = await startGatewayForTest(options);
  open.push({ close: gateway.dispose });
  return gateway;
}

async function upstreamAndGateway(
  reply?: Reply,
  options: TestGatewayOptions = {},
): Promise<{ upstream: ScriptedUpstream; gateway: TestGateway }> {
  const upstream = await startScriptedUpstream(reply);
  open.push(upstream);
  const environment = {
    OPENAI_BASE_URL: upstream.url,
    OPENAI_API_KEY: 'secret-canary',
    ...options.environment,
  };
  return { upstream, gateway: await gatewayWith({ ...options, environment }) };
}

async function reportOf(gateway: TestGateway, query = ''): Promise<Map<string, Record<string, unknown>>> {
  const { json } = await gateway.get(`/analytics/prompts/tip/versions${query}`);
  const versions = json.versions as Record<string, unknown>[];
  return new Map(versions.map((row) => [String(row['prompt_version']), row]));
}

async function eventually(check: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not happen within two seconds');
}

describe('a machine without keys', () => {
  test.each(['v1', 'v2', 'v3'])('answers tip@%s with authored lines that say so', async (version) => {
    const gateway = await gatewayWith();

    const { status, json } = await gateway.post('/generate', { prompt_version: version, variables: {} });

    expect(status).toBe(200);
    expect(json).toMatchObject({
      prompt: 'tip',
      prompt_version: version,
      provider: 'offline',
      degraded: true,
      recorded: true,
    });
    expect(json.text.length).toBeGreaterThan(10);
    if (version === 'v3') expect(json.output).toEqual(JSON.parse(json.text));
  });
});

describe('which version a call gets', () => {
  test.each([
    ['the body', { DEFAULT_PROMPT_VERSION: 'v3' }, { prompt_version: 'v2' }, 'v2', 'body'],
    ['the environment for this prompt', { DEFAULT_PROMPT_VERSION: 'v1,tip=v3' }, {}, 'v3', 'env'],
    ['the environment for every prompt', { DEFAULT_PROMPT_VERSION: 'v2' }, {}, 'v2', 'env'],
    ['v1', { DEFAULT_PROMPT_VERSION: '' }, {}, 'v1', 'default'],
  ])('is decided by %s, answered, stored and reported', async (_name, environment, body, version, source) => {
    const gateway = await gatewayWith({ environment });

    const { json, headers } = await gateway.post('/generate', { variables: {}, ...body });
    const row = (await gateway.get(`/generations/${json.id}`)).json;
    const report = await reportOf(gateway);

    expect(json).toMatchObject({ prompt_version: version, version_source: source });
    expect(json.prompt_hash).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(headers.get('x-prompt-version')).toBe(version);
    expect(row).toMatchObject({
      prompt_version: version,
      version_source: source,
      prompt_hash: json.prompt_hash,
    });
    expect(report.get(version)).toMatchObject({
      generations: 1,
      sources: { body: 0, env: 0, default: 0, [source]: 1 },
    });
  });

  test('is never another one than asked for', async () => {
    const gateway = await gatewayWith();

    const { status, json } = await gateway.post('/generate', { prompt_version: 'v99', variables: {} });

    expect(status).toBe(404);
    expect(json).toMatchObject({ code: 'version_not_found' });
    expect(json.detail).toContain('v1, v2, v3');
  });
});

describe('reward per version', () => {
  const REWARDS = { v1: 6, v2: 12, v3: 21 } as const;
  const CALLS = 30;

  async function liveThrough(gateway: TestGateway): Promise<void> {
    for (const [version, successes] of Object.entries(REWARDS)) {
      const calls = Array.from({ length: CALLS }, async (_, index) => {
        const external = `${version}-${index}`;
        const { json } = await gateway.post('/generate', {
          prompt_version: version,
          variables: {},
          external_id: external,
        });
        const target = index % 2 === 0 ? { generation_id: json.id } : { external_id: external };
        const outcome = {
          ...target,
          metric: 'completed',
          value: index < successes,
          outcome_id: `o-${external}`,
        };
        expect((await gateway.post('/feedback', outcome)).status).toBe(200);
      });
      await Promise.all(calls);
    }
  }

  test('counts every generation and outcome once, with an interval that holds the mean', async () => {
    const { gateway } = await upstreamAndGateway();
    await liveThrough(gateway);

    const report = await reportOf(gateway, '?metric=completed');

    for (const [version, successes] of Object.entries(REWARDS)) {
      const row = report.get(version);
      expect(row).toMatchObject({
        generations: CALLS,
        outcomes: CALLS,
        mature: CALLS,
        pending: 0,
        error_share: 0,
      });
      expect(row?.['mean']).toBeCloseTo(successes / CALLS, 12);
      expect(Number(row?.['lower'])).toBeLessThan(successes / CALLS);
      expect(Number(row?.['upper'])).toBeGreaterThan(successes / CALLS);
      expect(row).toMatchObject({ input_tokens: 31 * CALLS, output_tokens: 18 * CALLS });
    }
  });

  test('is the same after a restart and as CSV', async () => {
    const { gateway } = await upstreamAndGateway();
    await liveThrough(gateway);
    const before = await reportOf(gateway);
    await gateway.close();

    const again = await gatewayWith({ directory: gateway.directory });
    const after = await reportOf(again);
    const csv = await again.get('/analytics/prompts/tip/versions?format=csv');

    expect([...after.values()].map((row) => [row['prompt_version'], row['mean'], row['mature']])).toEqual(
      [...before.values()].map((row) => [row['prompt_version'], row['mean'], row['mature']]),
    );
    expect(csv.headers.get('content-type')).toContain('text/csv');
    expect(csv.text.trim().split(/\r?\n/)).toHaveLength(4);
  });

  test('stands in the tip_scores view too', async () => {
    const { gateway } = await upstreamAndGateway();
    await liveThrough(gateway);

    const database = openDatabase(join(gateway.directory, 'data/gateway.db'), { readonly: true });
    const rows = database
      .prepare(
        'SELECT prompt_version, COUNT(*) AS n, SUM(reward) AS reward FROM tip_scores GROUP BY prompt_version ORDER BY 1',
      )
      .all();
    database.close();

    expect(rows).toEqual(
      Object.entries(REWARDS).map(([version, reward]) => ({ prompt_version: version, n: CALLS, reward })),
    );
  });

  test('joins a reaction that came before its generation, and keeps test traffic out', async () => {
    const { gateway } = await upstreamAndGateway();
    await gateway.post('/feedback', { external_id: 'early', metric: 'completed', value: true });
    await gateway.post('/generate', { variables: {}, external_id: 'early' });
    await gateway.post('/generate', { variables: {}, tags: ['test'] });

    expect((await reportOf(gateway)).get('v1')).toMatchObject({ generations: 1, outcomes: 1, mean: 1 });
  });
});

describe('a provider that misbehaves', () => {
  test('is tried again, and each try is in the row', async () => {
    let failures = 1;
    const { gateway } = await upstreamAndGateway((_call, response) => {
      failures -= 1;
      if (failures >= 0) sendError(response, 500, 'The server had an error');
      else sendCompletion(response, 'Take a walk.');
    });

    const { json } = await gateway.post('/generate', { variables: {} });
    const row = (await gateway.get(`/generations/${json.id}`)).json;

    expect(json).toMatchObject({ text: 'Take a walk.', attempts: 2, degraded: false });
    expect(row.attempts.map((attempt: { outcome: string }) => attempt.outcome)).toEqual(['server', 'ok']);
  });

  test('gives way to authored lines, marked as such', async () => {
    const { gateway, upstream } = await upstreamAndGateway((_call, response) =>
      sendError(response, 503, 'down'),
    );

    const { status, json } = await gateway.post('/generate', { variables: {} });

    expect(status).toBe(200);
    expect(json).toMatchObject({ provider: 'offline', degraded: true });
    expect(upstream.calls.length).toBeLessThanOrEqual(3);
    expect((await reportOf(gateway)).get('v1')).toMatchObject({ fallback_share: 1, degraded_share: 1 });
  });

  test('is an error where the route has no other target, without a secret in it', async () => {
    const { gateway } = await upstreamAndGateway((_call, response) =>
      sendError(response, 401, 'Incorrect API key: secret-canary'),
    );

    const answer = await gateway.post('/generate', { variables: {}, route: 'strict' });

    expect(answer.status).toBe(502);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.text).not.toContain('secret-canary');
    expect((await reportOf(gateway)).get('v1')).toMatchObject({ generations: 1, error_share: 1 });
  });
});

describe('structured output', () => {
  test('gets one repair attempt', async () => {
    let answers = ['{"tip": 1}', '{"tip":"Walk.","why":"It clears the head.","minutes":5}'];
    const { gateway, upstream } = await upstreamAndGateway((_call, response) => {
      const [next = '', ...rest] = answers;
      answers = rest;
      sendCompletion(response, next);
    });

    const { status, json } = await gateway.post('/generate', { prompt_version: 'v3', variables: {} });

    expect(status).toBe(200);
    expect(json.output).toEqual({ tip: 'Walk.', why: 'It clears the head.', minutes: 5 });
    expect(upstream.calls).toHaveLength(2);
    expect(upstream.calls[0]?.body).toMatchObject({ response_format: { type: 'json_schema' } });
    expect((await gateway.get(`/generations/${json.id}`)).json).toMatchObject({ repairs: 1 });
  });

  test('is refused when the repair does not fit either', async () => {
    const { gateway } = await upstreamAndGateway((_call, response) => sendCompletion(response, 'Walk!'));

    const { status, json } = await gateway.post('/generate', { prompt_version: 'v3', variables: {} });

    expect(status).toBe(502);
    expect(json.code).toBe('provider_bad_response');
    const row = await gateway.get(`/generations/${json.generation_id}`);
    expect(row.json).toMatchObject({ status: 'error', repairs: 1, text: 'Walk!' });
    expect(row.json.attempts).toHaveLength(2);
  });
});

describe('streaming', () => {
  test('sends the head, the deltas and the whole answer after the commit', async () => {
    const { gateway } = await upstreamAndGateway((_call, response) => {
      sendDelta(response, 'Take');
      sendDelta(response, ' a walk.');
      endStream(response);
    });

    const { status, text } = await gateway.post('/generate', { variables: {}, stream: true });
    const events = [...text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, name, data]) => ({
      name,
      data: JSON.parse(data ?? ''),
    }));

    expect(status).toBe(200);
    expect(events.map((event) => event.name)).toEqual(['start', 'delta', 'delta', 'end']);
    expect(events[0]?.data).toMatchObject({ prompt_version: 'v1' });
    expect(events[3]?.data).toMatchObject({
      text: 'Take a walk.',
      recorded: true,
      usage: { input_tokens: 31, output_tokens: 18 },
    });
    expect((await gateway.get(`/generations/${events[3]?.data.id}`)).json).toMatchObject({
      status: 'ok',
      text: 'Take a walk.',
    });
  });

  test('falls back before the first token and never replays after it', async () => {
    let calls = 0;
    const { gateway } = await upstreamAndGateway((_call, response) => {
      calls += 1;
      if (calls === 1) return sendError(response, 500, 'boom');
      sendDelta(response, 'Take');
      setTimeout(() => response.destroy(), 20);
    });

    const { status, text } = await gateway.post('/generate', { variables: {}, stream: true });

    expect(status).toBe(200);
    expect(calls).toBe(2);
    expect(text.match(/^event: (\w+)$/gm)).toEqual(['event: start', 'event: delta', 'event: error']);
  });

  test('aborts the upstream when the caller leaves, and records it', async () => {
    const { gateway, upstream } = await upstreamAndGateway((_call, response) => sendDelta(response, 'Take'));
    const caller = new AbortController();
    const response = await fetch(`${gateway.url}/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ variables: {}, stream: true }),
      signal: caller.signal,
    });
    const reader = response.body?.getReader();
    const first = new TextDecoder().decode((await reader?.read())?.value);
    const id = /"id":"(gen_[0-9a-f]+)"/.exec(first)?.[1];

    caller.abort();

    await eventually(() => upstream.abortedCalls() === 1);
    await eventually(async () => (await gateway.get(`/generations/${id}`)).status === 200);
    expect((await gateway.get(`/generations/${id}`)).json).toMatchObject({
      status: 'client_closed',
      text: 'Take',
      delivered: false,
    });
  });
});

describe('an Idempotency-Key', () => {
  const headers = { 'idempotency-key': 'k-1' };

  test('answers a retry from the ledger, also after a restart, and refuses another body', async () => {
    const { gateway, upstream } = await upstreamAndGateway();
    const first = await gateway.post('/generate', { variables: {} }, headers);
    const second = await gateway.post('/generate', { variables: {} }, headers);
    const other = await gateway.post('/generate', { variables: {}, prompt_version: 'v2' }, headers);
    await gateway.close();
    const again = await gatewayWith({ directory: gateway.directory });
    const third = await again.post('/generate', { variables: {} }, headers);

    expect(second.json).toEqual(first.json);
    expect(third.json).toEqual(first.json);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect([other.status, other.json.code]).toEqual([422, 'idempotency_mismatch']);
    expect(upstream.calls).toHaveLength(1);
    expect((await reportOf(again)).get('v1')).toMatchObject({ generations: 1 });
  });

  test('is free again when its caller left before the answer', async () => {
    let isSlow = true;
    const { gateway, upstream } = await upstreamAndGateway((_call, response) => {
      if (!isSlow) sendCompletion(response, 'Take a walk.');
    });
    const caller = new AbortController();
    const left = fetch(`${gateway.url}/generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: '{"variables":{}}',
      signal: caller.signal,
    }).catch(() => null);
    await eventually(() => upstream.calls.length === 1);

    caller.abort();
    await left;
    isSlow = false;

    await eventually(
      async () => (await gateway.post('/generate', { variables: {} }, headers)).status === 200,
    );
    expect(upstream.abortedCalls()).toBe(1);
    expect((await reportOf(gateway)).get('v1')).toMatchObject({ generations: 2, delivered: 1 });
  });

  test('lets one of two at once run and tells the other to wait', async () => {
    const { gateway, upstream } = await upstreamAndGateway((_call, response) => {
      setTimeout(() => sendCompletion(response, 'Take a walk.'), 100);
    });

    const answers = await Promise.all([
      gateway.post('/generate', { variables: {} }, headers),
      gateway.post('/generate', { variables: {} }, headers),
    ]);

    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409]);
    expect(answers.find((answer) => answer.status === 409)?.headers.get('retry-after')).not.toBeNull();
    expect(upstream.calls).toHaveLength(1);
  });
});

describe('the official OpenAI client', () => {
  test('uses a prompt as a model, and a route passed through', async () => {
    const { gateway, upstream } = await upstreamAndGateway();
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'none', maxRetries: 0 });

    const models = await client.models.list();
    const prompted = await client.chat.completions.create({ model: 'prompt/tip@v2', messages: [] });
    const passed = await client.chat.completions.create({
      model: 'default',
      messages: [{ role: 'user', content: 'Hello' }],
    });

    expect(models.data.map((model) => model.id)).toEqual(
      expect.arrayContaining(['prompt/tip', 'prompt/tip@v2', 'default']),
    );
    expect(prompted.id).toMatch(/^gen_/);
    expect(prompted.choices[0]?.message.content).toBe('Take a walk.');
    expect(passed.choices[0]?.message.content).toBe('Take a walk.');
    expect(upstream.calls.at(-1)?.body['messages']).toEqual([{ role: 'user', content: 'Hello' }]);
    expect((await reportOf(gateway)).get('v2')).toMatchObject({ generations: 1 });
  });
});
