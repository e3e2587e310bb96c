import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { startGatewayForTest, type TestAnswer, type TestGateway } from '../helpers/gateway-for-test.ts';

const HOUR_MS = 3_600_000;

let gateway: TestGateway;
let ajv: Ajv2020;
const ids: string[] = [];

beforeAll(async () => {
  // Without a key of a provider the authored lines answer.
  gateway = await startGatewayForTest({
    config: {
      labels: { tip: { live: 'v1', trial: { experiment: 'tone' } } },
      experiments: {
        tone: {
          prompt: 'tip',
          arms: { control: { version: 'v1' }, warm: { version: 'v2' } },
        },
      },
      ledger: { redact: ['profile_features.secret'] },
    },
  });
  ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema((await gateway.get('/openapi.json')).json, 'openapi');
  const calls = [
    { prompt_version: 'v1', user_id: 'u1', external_id: 'ext-1' },
    { prompt_version: 'v2', user_id: 'u2' },
    { prompt_version: '@live', user_id: 'u1' },
    { prompt_version: '@trial', user_id: 'u3' },
    { prompt_version: 'v1', user_id: 'u4', profile_features: { secret: 'hidden' } },
    { prompt_version: 'v1', user_id: 'u5', tags: ['test'] },
  ];
  for (const call of calls) {
    const { json } = await gateway.post('/generate', {
      prompt: 'tip',
      variables: { mood: 'tired' },
      ...call,
    });
    ids.push(json.id);
  }
  await gateway.post('/generate', { prompt: 'tip', prompt_version: 'v1', route: 'strict' });
  await gateway.post('/feedback', { generation_id: ids[0], metric: 'completed', value: true });
  await gateway.post('/feedback', { generation_id: 'gen_nobody', metric: 'completed', value: true });
  await gateway.put('/prompts/tip/labels/live', { version: 'v2', reason: 'v2 won' });
});
afterAll(() => gateway.dispose());

/** The answer, checked against what the gateway says of itself. */
async function described(path: string, url: string): Promise<TestAnswer['json']> {
  const answer = await gateway.get(url);
  const type = (answer.headers.get('content-type') ?? '').replace(/;.*/, '');
  const pointer = ['paths', path, 'get', 'responses', String(answer.status), 'content', type, 'schema']
    .map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/');
  const validate = ajv.compile({ $ref: `openapi#/${pointer}` });
  validate(answer.json);
  expect(validate.errors ?? []).toEqual([]);
  return answer.json;
}

const list = (query: string) => described('/generations', `/generations${query}`);
const idsOf = (page: { generations: { id: string }[] }): string[] => page.generations.map(({ id }) => id);

describe('the list of calls', () => {
  test('holds every call, newest first, page by page', async () => {
    const whole = await list('');
    const first = await list('?limit=3');
    const second = await list(`?limit=3&cursor=${first.next_cursor}`);
    const third = await list(`?limit=3&cursor=${second.next_cursor}`);

    expect(whole.generations).toHaveLength(7);
    expect([...idsOf(first), ...idsOf(second), ...idsOf(third)]).toEqual(idsOf(whole));
    expect(idsOf(whole).slice(1)).toEqual([...ids].reverse());
    expect(third.next_cursor).toBeNull();
    expect(whole.searched_until).toBeNull();
  });

  test.each([
    ['?prompt=tip&version=v1&external_id=ext-1', () => [ids[0]]],
    ['?prompt=tip&version=v3', () => []],
    ['?label=live', () => [ids[2]]],
    ['?experiment=tone', () => [ids[3]]],
    ['?external_id=ext-1', () => [ids[0]]],
    ['?user_id=u1', () => [ids[2], ids[0]]],
    ['?q=ext-1', () => [ids[0]]],
    ['?prompt=tip&label=live&status=error', () => []],
    ['?prompt=none', () => []],
    ['?from=2100-01-01', () => []],
  ])('%s holds the calls that fit', async (query, expected) => {
    expect(idsOf(await list(query))).toEqual(expected());
  });

  test('finds a failed call by its status, and says why it failed', async () => {
    const { generations } = await list('?status=error');

    expect(generations).toHaveLength(1);
    expect(generations[0]).toMatchObject({ prompt_version: 'v1', error_code: expect.any(String) });
    expect(idsOf(await list(`?q=${generations[0].id}`))).toEqual([generations[0].id]);
  });

  test('shows what came of a call', async () => {
    const { generations } = await list('?external_id=ext-1');

    expect(generations[0]).toMatchObject({
      degraded: true,
      forced: true,
      test: false,
      rewards: [{ metric: 'completed', reward: 1 }],
      text_start: expect.any(String),
    });
  });

  test.each([
    ['?limit=0', 'limit'],
    ['?limit=x', 'limit'],
    ['?limit=201', 'limit'],
    ['?cursor=abc', 'cursor'],
    [`?cursor=${Buffer.from('1.2.3').toString('base64url')}`, 'cursor'],
    ['?from=yesterday', 'from'],
    ['?from=2026-02-02&to=2026-02-01', 'from'],
    ['?status=bad', 'status'],
    ['?promt=tip', 'promt'],
    ['?q=', 'q'],
    ['?q=%20', 'q'],
    ['?q=a&q=b', 'q'],
  ])('refuses %s, naming %s', async (query, path) => {
    const problem = await list(query);

    expect(problem).toMatchObject({ code: 'invalid_request', status: 400 });
    expect(problem.errors.map((fault: { path: string }) => fault.path)).toEqual([path]);
  });
});

describe('one call whole', () => {
  const find = (id: string | undefined) => described('/generations/{id}', `/generations/${id}`);

  test('says what the model was sent, rendered again from what was recorded', async () => {
    const { rendered, rendered_missing: missing } = await find(ids[0]);
    const preview = await gateway.post('/prompts/tip/render', {
      prompt_version: 'v1',
      variables: { mood: 'tired' },
    });

    expect(missing).toBeNull();
    expect(rendered).toEqual({ source: 'reconstructed', messages: preview.json.messages });
  });

  test('shows what was passed through, tools and all', async () => {
    await gateway.post('/v1/chat/completions', {
      model: 'strict',
      messages: [
        { role: 'user', content: 'what is the weather?' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'rain' },
      ],
    });
    const { generations } = await list('?limit=1');

    expect((await find(generations[0].id)).rendered).toEqual({
      source: 'recorded',
      messages: [
        { role: 'user', content: 'what is the weather?' },
        {
          role: 'assistant',
          content: '',
          tool_calls: [{ id: 'c1', name: 'weather', arguments: '{}' }],
        },
        { role: 'tool', content: 'rain', tool_call_id: 'c1' },
      ],
    });
  });

  test('admits that values were hidden before they were recorded', async () => {
    expect(await find(ids[4])).toMatchObject({ rendered: null, rendered_missing: 'redacted' });
  });
});

describe('the overview', () => {
  const overview = () => described('/analytics/overview', '/analytics/overview');

  test('says what is live, and what every version earned', async () => {
    const { prompts } = await overview();
    const tip = prompts.find(({ prompt }: { prompt: string }) => prompt === 'tip');

    expect(tip).toMatchObject({
      serves: { reference: 'v1', source: 'default', version: 'v1', experiment: null, problem: null },
      metric: 'completed',
      experiments: [{ experiment: 'tone', state: 'running' }],
      generations: { last_24h: 6, last_7d: 6 },
      error_share: { last_24h: 1 / 6 },
      degraded_share: { last_24h: 5 / 6 },
    });
    const live = tip.versions.filter((version: { live: boolean }) => version.live);
    expect(live.map(({ prompt_version }: { prompt_version: string }) => prompt_version)).toEqual([
      'v1',
      'v2',
    ]);
  });

  test('names what needs attention, each with the page that shows it', async () => {
    const { attention } = await overview();

    expect(attention).toEqual([
      expect.objectContaining({ code: 'orphan_outcomes', severity: 'info', link: '/admin/health' }),
    ]);
  });
});

describe('the time series', () => {
  const series = (query: string) =>
    described('/analytics/prompts/{name}/timeseries', `/analytics/prompts/tip/timeseries${query}`);

  test('has a point for each hour with calls, and the moves of labels', async () => {
    const answer = await series('?by=hour&segment=forced');

    expect(Date.parse(answer.to) - Date.parse(answer.from)).toBe(7 * 24 * HOUR_MS);
    const calls = answer.series.map(
      ({
        prompt_version: version,
        points,
      }: {
        prompt_version: string;
        points: { generations: number }[];
      }) => [version, points.reduce((sum, { generations }) => sum + generations, 0)],
    );
    expect(calls).toEqual([
      ['v1', 3],
      ['v2', 1],
    ]);
    expect(
      answer.label_moves.map(({ label, reason }: { label: string; reason: string }) => [label, reason]),
    ).toEqual(
      expect.arrayContaining([
        ['live', 'first value from the configuration'],
        ['live', 'v2 won'],
      ]),
    );
  });

  test('of versions that are asked for shows those alone, with traffic or without', async () => {
    const answer = await series('?version=v3,v1,v1');

    expect(answer.by).toBe('day');
    expect(answer.series.map(({ prompt_version: version }: { prompt_version: string }) => version)).toEqual([
      'v1',
      'v3',
    ]);
    expect(answer.series[1].points).toEqual([]);
  });

  test.each([
    ['?by=hour&from=2026-01-01&to=2026-06-01', 400, 'from', /3624 hours.*at most 41 days.*by=day/s],
    ['?by=day&from=2000-01-01', 400, 'from', /at most 1000 days/],
    ['?from=2999-01-01', 400, 'from', /future/],
    ['?metric=nope', 400, 'metric', /Known metrics: completed, reaction/],
    ['?version=,', 400, 'version', /not valid/],
    ['?segment=vip', 400, 'segment', /Known: forced, assigned/],
    ['?version=v9', 404, 'version', /v1/],
  ])('refuses %s with %d, saying how to ask instead', async (query, status, path, text) => {
    const problem = await series(query);

    expect(problem.status).toBe(status);
    expect(problem.errors.map((fault: { path: string }) => fault.path)).toEqual([path]);
    expect(problem.detail).toMatch(text);
  });
});

describe('the report', () => {
  const report = (query: string) =>
    described('/analytics/prompts/{name}/versions', `/analytics/prompts/tip/versions${query}`);
  const callsOf = (answer: { versions: { prompt_version: string; generations: number }[] }) =>
    Object.fromEntries(answer.versions.map((row) => [row.prompt_version, row.generations]));

  test('holds part of the calls when asked, and then only describes', async () => {
    const whole = await report('');
    const arm = (await gateway.get(`/generations/${ids[3]}`)).json.arm;

    expect(whole).toMatchObject({
      evidence: 'anytime-valid',
      filters: { model: null, source: null, segment: null },
      choices: { metrics: ['completed', 'reaction'], experiments: ['tone'] },
    });
    expect(callsOf(await report('?segment=assigned'))).toMatchObject({ v3: 0 });
    const calls = async (query: string) =>
      Object.values(callsOf(await report(query))).reduce((sum, generations) => sum + generations, 0);
    expect(await calls('')).toBe(6);
    expect(await calls('?segment=forced')).toBe(4);
    expect(await calls('?segment=assigned')).toBe(2);
    expect(await calls('?segment=experiment:tone')).toBe(1);
    expect(await calls(`?segment=arm:tone/${arm}`)).toBe(1);
    expect(await calls('?segment=arm:tone/none')).toBe(0);
    expect(await calls('?segment=model_answers')).toBe(1);
    expect(await calls('?source=env')).toBe(0);
    expect(await calls('?model=none')).toBe(0);
    expect((await report('?source=body')).evidence).toBe('descriptive');
  });
});

describe('the difference of two versions', () => {
  const diff = (query: string) => described('/prompts/{name}/diff', `/prompts/tip/diff${query}`);

  test('shows text, variables and settings', async () => {
    const answer = await diff('?from=v1&to=v2');

    expect(answer).toMatchObject({ prompt: 'tip', same: false, from: { prompt_version: 'v1' } });
    expect(answer.text).toMatch(/^--- .*\n\+\+\+ .*\n@@/);
    expect(await diff('?from=v1&to=v1')).toMatchObject({ same: true, text: '', variables: [] });
  });

  test.each([
    ['?from=v1', 400, 'invalid_request'],
    ['?from=v1&to=v99', 404, 'version_not_found'],
    ['?from=@live&to=v1', 404, 'version_not_found'],
  ])('refuses %s with %d', async (query, status, code) => {
    expect(await diff(query)).toMatchObject({ status, code });
  });
});
