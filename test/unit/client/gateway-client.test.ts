import { afterEach, describe, expect, test } from '@jest/globals';
import {
  type ClientClock,
  createGatewayClient,
  type GatewayClient,
  type GatewayClientOptions,
  GatewayError,
} from '../../../src/client/index.ts';
import {
  GENERATION,
  generation,
  hangUp,
  json,
  problem,
  type ScriptedAnswer,
  type ScriptedGateway,
  silence,
  startScriptedGateway,
} from './scripted-gateway.ts';

let gateway: ScriptedGateway | undefined;

afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

interface Setup {
  readonly client: GatewayClient;
  readonly gateway: ScriptedGateway;
  /** Waits between tries, in milliseconds. */
  readonly waits: readonly number[];
}

async function setUp(
  script: readonly ScriptedAnswer[],
  options: Partial<GatewayClientOptions> = {},
): Promise<Setup> {
  gateway = await startScriptedGateway(...script);
  const waits: number[] = [];
  let nowMs = 0;
  let ids = 0;
  const clock: ClientClock = {
    nowMs: () => nowMs,
    sleep: async (ms) => {
      waits.push(ms);
      nowMs += ms;
    },
  };
  const client = createGatewayClient({
    baseUrl: gateway.url,
    tipPromptVersion: null,
    random: () => 0.5,
    newId: () => {
      ids += 1;
      return `id-${ids}`;
    },
    clock,
    ...options,
  });
  return { client, gateway, waits };
}

async function failureOf(promise: Promise<unknown>): Promise<GatewayError> {
  const outcome = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(outcome instanceof GatewayError)) throw new Error(`no GatewayError but ${String(outcome)}`);
  return outcome;
}

const receipt = json(200, { accepted: 1, duplicates: 0, outcome_ids: ['id-1'] });

describe('generate', () => {
  test('sends snake_case, answers camelCase', async () => {
    const { client, gateway } = await setUp([generation], { apiKey: 'pgw_1_secret' });

    const answer = await client.generate(
      {
        prompt: 'tip',
        variables: { mood: 'tired' },
        profileFeatures: { completion_rate: 0.4 },
        userId: 'u1',
        externalId: 'tip-77',
        parameters: { maxOutputTokens: 60 },
      },
      { requestId: 'my-request' },
    );

    const [request] = gateway.requests;
    expect(request?.path).toBe('/generate');
    expect(request?.body).toEqual({
      prompt: 'tip',
      variables: { mood: 'tired' },
      profile_features: { completion_rate: 0.4 },
      user_id: 'u1',
      external_id: 'tip-77',
      parameters: { max_output_tokens: 60 },
    });
    expect(request?.headers).toMatchObject({
      authorization: 'Bearer pgw_1_secret',
      'content-type': 'application/json',
      'idempotency-key': 'id-1',
      'x-request-id': 'my-request',
    });
    expect(answer).toMatchObject({
      id: 'gen_1',
      text: 'Drink water.',
      promptVersion: 'v2',
      usage: { inputTokens: 31, outputTokens: 18 },
      costUsd: 0.000_12,
      latencyMs: 412,
      recorded: true,
      replayed: false,
    });
  });

  test('sends null profile features as null, and no authorization without a key', async () => {
    const { client, gateway } = await setUp([generation], { apiKey: '' });

    await client.generate({ profileFeatures: null });

    expect(gateway.requests[0]?.body).toEqual({ profile_features: null });
    expect(gateway.requests[0]?.headers.authorization).toBeUndefined();
  });

  test('keeps the path of the base URL', async () => {
    const { client, gateway } = await setUp([generation]);
    const mounted = createGatewayClient({ baseUrl: `${gateway.url}/llm`, tipPromptVersion: '' });

    await mounted.generate({});
    await client.generate({});

    expect(gateway.requests.map(({ path }) => path)).toEqual(['/llm/generate', '/generate']);
  });

  test('tells that an answer was replayed', async () => {
    const { client } = await setUp([json(200, GENERATION, { 'idempotency-replayed': 'true' })]);

    expect((await client.generate({})).replayed).toBe(true);
  });

  test('a named version goes out as it is, with its assignment only when the caller gives one', async () => {
    const { client, gateway } = await setUp([generation], { tipPromptVersion: 'v1,v2' });

    await client.generate({ promptVersion: 'v9' });
    await client.generate({
      promptVersion: 'v9',
      assignment: { method: 'mine', unit: 'user_id', propensity: 0.3 },
    });

    expect(gateway.requests.map(({ body }) => body)).toEqual([
      { prompt_version: 'v9' },
      { prompt_version: 'v9', assignment: { method: 'mine', unit: 'user_id', propensity: 0.3 } },
    ]);
  });
});

describe('retries', () => {
  test.each<[string, ScriptedAnswer]>([
    ['a lost connection', hangUp],
    ['429', problem(429, 'rate_limited')],
    ['500', problem(500, 'internal')],
    ['502 of a proxy', (response) => void response.writeHead(502).end('<html>')],
    ['503', problem(503, 'overloaded')],
    ['504', problem(504, 'provider_timeout')],
    ['409 while the first try runs', problem(409, 'idempotency_in_progress')],
  ])('tries again after %s, with the same key and the same body', async (_what, failure) => {
    const { client, gateway } = await setUp([failure, generation], { tipPromptVersion: 'v1,v2' });

    const answer = await client.generate({ variables: { mood: 'ok' } });

    expect(answer.id).toBe('gen_1');
    expect(gateway.requests).toHaveLength(2);
    expect(gateway.requests[1]?.headers['idempotency-key']).toBe('id-1');
    expect(gateway.requests[1]?.body).toEqual(gateway.requests[0]?.body);
  });

  test.each<[number, string]>([
    [400, 'invalid_request'],
    [401, 'unauthorized'],
    [404, 'version_not_found'],
    [409, 'conflict'],
    [422, 'idempotency_mismatch'],
    [502, 'provider_rejected'],
  ])('does not repeat %p %s', async (status, code) => {
    const { client, gateway } = await setUp([problem(status, code)]);

    const error = await failureOf(client.generate({}));

    expect(error).toMatchObject({ code, status, requestId: 'req_9', message: `because ${code}` });
    expect(gateway.requests).toHaveLength(1);
  });

  test('gives up after the configured number and throws the last failure', async () => {
    const { client, gateway, waits } = await setUp([problem(503, 'overloaded')], { retries: 3 });

    expect(await failureOf(client.generate({}))).toMatchObject({ code: 'overloaded', status: 503 });
    expect(gateway.requests).toHaveLength(4);
    // Full jitter at 0.5 of 200, 400 and 800 ms.
    expect(waits).toEqual([100, 200, 400]);
  });

  test('never waits longer than the longest backoff of its own', async () => {
    const { client, waits } = await setUp([problem(503, 'overloaded')], { retries: 6, maxBackoffMs: 1_000 });

    await failureOf(client.generate({}));

    expect(waits).toEqual([100, 200, 400, 500, 500, 500]);
  });

  test('waits for Retry-After in seconds, and a little more', async () => {
    const { client, waits } = await setUp([problem(429, 'rate_limited', { 'retry-after': '7' }), generation]);

    await client.generate({});

    expect(waits).toEqual([7_100]);
  });

  test('reads Retry-After as a date, by the clock of the answer', async () => {
    const headers = {
      date: 'Mon, 23 Nov 2026 10:00:00 GMT',
      'retry-after': 'Mon, 23 Nov 2026 10:00:03 GMT',
    };
    const { client, waits } = await setUp([problem(503, 'overloaded', headers), generation]);

    await client.generate({});

    expect(waits).toEqual([3_100]);
  });

  test('fails at once when Retry-After asks for more patience than there is', async () => {
    const { client, gateway, waits } = await setUp([problem(429, 'rate_limited', { 'retry-after': '3600' })]);

    const error = await failureOf(client.generate({}));

    expect(error).toMatchObject({ code: 'rate_limited', retryAfterMs: 3_600_000 });
    expect(gateway.requests).toHaveLength(1);
    expect(waits).toEqual([]);
  });

  test('does not wait past the deadline of the call', async () => {
    const { client, gateway } = await setUp([problem(503, 'overloaded', { 'retry-after': '2' })], {
      retries: 10,
      deadlineMs: 5_000,
    });

    await failureOf(client.generate({}));

    expect(gateway.requests).toHaveLength(3);
  });

  test('with none configured tries once', async () => {
    const { client, gateway } = await setUp([hangUp], { retries: 0 });

    expect((await failureOf(client.generate({}))).code).toBe('connection_failed');
    expect(gateway.requests).toHaveLength(1);
  });
});

describe('timeouts and aborts', () => {
  test('a try without an answer in time is tried again', async () => {
    const { client, gateway } = await setUp([silence, generation], { timeoutMs: 300 });

    expect((await client.generate({})).id).toBe('gen_1');
    await gateway.requests[0]?.closed;
    expect(gateway.requests).toHaveLength(2);
  });

  test('half an answer counts as none', async () => {
    const halfAnswer: ScriptedAnswer = (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"id":"gen_1",');
    };
    const { client } = await setUp([halfAnswer], { timeoutMs: 300, retries: 0 });

    expect((await failureOf(client.generate({}))).code).toBe('timeout');
  });

  test("the caller's abort ends the call and its connection", async () => {
    const caller = new AbortController();
    const { client, gateway } = await setUp([
      () => {
        caller.abort(new Error('the user left'));
      },
    ]);

    const error = await failureOf(client.generate({}, { signal: caller.signal }));

    expect(error.code).toBe('aborted');
    expect(error.cause).toEqual(new Error('the user left'));
    await gateway.requests[0]?.closed;
    expect(gateway.requests).toHaveLength(1);
  });

  test('an abort before the call sends nothing', async () => {
    const { client, gateway } = await setUp([generation]);

    const error = await failureOf(client.generate({}, { signal: AbortSignal.abort() }));

    expect(error.code).toBe('aborted');
    expect(gateway.requests).toHaveLength(0);
  });

  test('an abort during a wait ends it', async () => {
    const caller = new AbortController();
    const { client, gateway } = await setUp([problem(503, 'overloaded')], {
      clock: { nowMs: () => 0, sleep: async () => caller.abort() },
    });

    expect((await failureOf(client.generate({}, { signal: caller.signal }))).code).toBe('aborted');
    expect(gateway.requests).toHaveLength(1);
  });
});

describe('failures', () => {
  test('carry all faults of the request', async () => {
    const errors = [
      { path: 'variables.mood', message: 'required' },
      { path: 'variables.day', message: 'must be a string' },
    ];
    const { client } = await setUp([problem(422, 'template_input_invalid', {}, { errors })]);

    expect((await failureOf(client.generate({}))).errors).toEqual(errors);
  });

  test.each<[string, ScriptedAnswer]>([
    ['no JSON', (response) => void response.end('<html>')],
    ['a list', json(200, [])],
    ['no id', json(200, { text: 'x', prompt: 'tip', prompt_version: 'v1' })],
    ['no version', json(200, { ...GENERATION, prompt_version: null })],
  ])('a good status with %s is no answer', async (_what, answer) => {
    const { client, gateway } = await setUp([answer]);

    expect((await failureOf(client.generate({}))).code).toBe('invalid_response');
    expect(gateway.requests).toHaveLength(1);
  });

  test('a redirect is not followed: the key must not travel', async () => {
    const { client, gateway } = await setUp([
      (response) => void response.writeHead(307, { location: '/elsewhere' }).end(),
      generation,
    ]);

    expect(await failureOf(client.generate({}))).toMatchObject({ code: 'http_error', status: 307 });
    expect(gateway.requests).toHaveLength(1);
  });

  test('nobody listening is a failed connection', async () => {
    const { client, gateway } = await setUp([generation], { retries: 1 });
    await gateway.close();

    expect((await failureOf(client.generate({}))).code).toBe('connection_failed');
  });
});

describe('feedback', () => {
  test('mints one outcome id and keeps it over retries', async () => {
    const { client, gateway } = await setUp([hangUp, receipt]);

    const stored = await client.feedback({ generationId: 'gen_1', metric: 'completed', value: true });

    expect(stored).toEqual({ accepted: 1, duplicates: 0, outcomeIds: ['id-1'] });
    expect(gateway.requests.map(({ path, body }) => [path, body])).toEqual([
      ['/feedback', { generation_id: 'gen_1', metric: 'completed', value: true, outcome_id: 'id-1' }],
      ['/feedback', { generation_id: 'gen_1', metric: 'completed', value: true, outcome_id: 'id-1' }],
    ]);
  });

  test('sends several at once, withdrawals among them', async () => {
    const { client, gateway } = await setUp([receipt]);

    await client.feedback([
      {
        externalId: 'tip-77',
        metric: 'reaction',
        value: 'love',
        outcomeId: 'mine',
        occurredAt: new Date('2026-11-23T10:00:00Z'),
      },
      { void: true, outcomeId: 'wrong' },
    ]);

    expect(gateway.requests[0]?.body).toEqual({
      outcomes: [
        {
          external_id: 'tip-77',
          metric: 'reaction',
          value: 'love',
          outcome_id: 'mine',
          occurred_at: '2026-11-23T10:00:00.000Z',
        },
        { void: true, outcome_id: 'wrong' },
      ],
    });
  });

  test('an empty list is sent as it is: the gateway says what is wrong with it', async () => {
    const { client, gateway } = await setUp([problem(400, 'invalid_request')]);

    await failureOf(client.feedback([]));

    expect(gateway.requests[0]?.body).toEqual({ outcomes: [] });
  });

  test('a receipt without counts is no answer', async () => {
    const { client } = await setUp([json(200, {})]);

    const error = await failureOf(client.feedback({ generationId: 'g', metric: 'm', value: 1 }));

    expect(error.code).toBe('invalid_response');
  });
});

describe('options', () => {
  test.each([
    { baseUrl: 'localhost' },
    { baseUrl: 'ftp://127.0.0.1' },
    { baseUrl: 'http://user:secret@127.0.0.1' },
    { baseUrl: 'http://127.0.0.1', timeoutMs: 0 },
    { baseUrl: 'http://127.0.0.1', timeoutMs: Number.NaN },
    { baseUrl: 'http://127.0.0.1', retries: -1 },
    { baseUrl: 'http://127.0.0.1', tipPromptVersion: 'v1,,v2' },
  ])('refuses %j', (options) => {
    expect(() => createGatewayClient({ tipPromptVersion: null, ...options })).toThrow(TypeError);
  });
});
