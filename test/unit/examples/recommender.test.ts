import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createRecommender, type Recommender } from '../../../examples/recommender/src/create-recommender.ts';
import { serveRecommender } from '../../../examples/recommender/src/serve-recommender.ts';
import { openTipStore, type TipStore } from '../../../examples/recommender/src/tip-store.ts';
import { createGatewayClient } from '../../../src/client/index.ts';
import {
  GENERATION,
  json,
  problem,
  type ScriptedAnswer,
  type ScriptedGateway,
  startScriptedGateway,
} from '../client/scripted-gateway.ts';

const NOW_MS = Date.parse('2026-11-23T09:30:00Z');
const DAY_MS = 24 * 3_600_000;

const closers: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Running {
  readonly gateway: ScriptedGateway;
  readonly store: TipStore;
  readonly recommender: Recommender;
  readonly setNowMs: (nowMs: number) => void;
  post(path: string, body: unknown): Promise<{ status: number; body: Record<string, unknown> }>;
}

const stored = json(200, { accepted: 1, duplicates: 0, outcome_ids: ['x'] });

/** Chooses the walk. */
const ranked: ScriptedAnswer = (response, request) =>
  json(200, {
    id: `scr_${String(request.body['external_id'])}`,
    policy: 'tips',
    policy_revision: 'tips-1',
    chosen: 'walk',
    ranking: [{ id: 'walk', score: 0.5, propensity: 1 }],
    recorded: true,
  })(response, request);

const written: ScriptedAnswer = (response, request) =>
  json(200, {
    ...GENERATION,
    id: `gen_${String(request.body['external_id'])}`,
    prompt_version: request.body['prompt_version'] ?? 'v1',
  })(response, request);

/** Answers `/generate` with the version that was asked for, `/score` and `/feedback` by their scripts. */
function playing(feedback: () => ScriptedAnswer, score: ScriptedAnswer): ScriptedAnswer {
  return (response, request) => {
    if (request.path === '/feedback') return feedback()(response, request);
    return (request.path === '/score' ? score : written)(response, request);
  };
}

async function start(
  options: {
    readonly feedback?: () => ScriptedAnswer;
    readonly score?: ScriptedAnswer;
    readonly tipPromptVersion?: string;
  } = {},
): Promise<Running> {
  const gateway = await startScriptedGateway(
    playing(options.feedback ?? (() => stored), options.score ?? ranked),
  );
  const store = openTipStore(':memory:');
  let ids = 0;
  let nowMs = NOW_MS;
  const recommender = createRecommender({
    gateway: createGatewayClient({
      baseUrl: gateway.url,
      retries: 0,
      tipPromptVersion: options.tipPromptVersion ?? null,
    }),
    store,
    nowMs: () => nowMs,
    newId: () => {
      ids += 1;
      return `id-${ids}`;
    },
    random: () => 0.99,
  });
  const server = serveRecommender(recommender);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  closers.push(
    () => store.close(),
    () => gateway.close(),
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return {
    gateway,
    store,
    recommender,
    setNowMs: (at) => {
      nowMs = at;
    },
    post: async (path, body) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
  };
}

function bodiesOf(gateway: ScriptedGateway, path: string): readonly Readonly<Record<string, unknown>>[] {
  return gateway.requests.filter((request) => request.path === path).map(({ body }) => body);
}

describe('a tip', () => {
  test('ships profile features on every call and stores the version that was used', async () => {
    const { gateway, store, post } = await start({ tipPromptVersion: 'v3' });

    const answer = await post('/tips', { user_id: 'u1', goal: 'reading more' });

    expect(answer).toEqual({
      status: 201,
      body: {
        tip_id: 'id-1',
        text: 'Drink water.',
        idea: 'walk',
        ranked: true,
        prompt_version: 'v3',
        degraded: false,
      },
    });
    expect(bodiesOf(gateway, '/generate')).toEqual([
      {
        prompt: 'tip',
        prompt_version: 'v3',
        assignment: { method: 'client_fixed', unit: null, propensity: 1 },
        user_id: 'u1',
        external_id: 'id-1',
        variables: { goal: 'reading more, by taking a short walk', recent_tips: [] },
        profile_features: { tip_volume: 0 },
      },
    ]);
    expect(store.tipScores()).toMatchObject([
      {
        tipId: 'id-1',
        idea: 'walk',
        scoreId: 'scr_id-1',
        promptVersion: 'v3',
        generationId: 'gen_id-1',
        completed: null,
      },
    ]);
  });

  test('learns the profile from what the user did', async () => {
    const { gateway, post, setNowMs } = await start();
    setNowMs(NOW_MS - 8 * DAY_MS);
    const old = await post('/tips', { user_id: 'u1' });
    await post(`/tips/${String(old.body['tip_id'])}/reaction`, { completed: false });
    setNowMs(NOW_MS);
    const fresh = await post('/tips', { user_id: 'u1' });
    await post(`/tips/${String(fresh.body['tip_id'])}/reaction`, { completed: true, reaction: 'love' });
    await post('/tips', { user_id: 'u2' });

    await post('/tips', { user_id: 'u1' });

    const bodies = bodiesOf(gateway, '/generate');
    expect(bodies.at(-1)).toMatchObject({
      profile_features: { tip_volume: 1, completion_rate: 0.5, preferred_hour: 9 },
      variables: { recent_tips: ['Drink water.', 'Drink water.'] },
    });
    expect(bodies.at(-2)).toMatchObject({ user_id: 'u2', profile_features: { tip_volume: 0 } });
  });

  test('keeps a user on one version of a rotation', async () => {
    const { gateway, post } = await start({ tipPromptVersion: 'v1,v2' });

    for (let call = 0; call < 5; call += 1) await post('/tips', { user_id: 'u1' });

    const versions = bodiesOf(gateway, '/generate').map((body) => body['prompt_version']);
    expect(new Set(versions).size).toBe(1);
    expect(bodiesOf(gateway, '/generate')[0]?.['assignment']).toEqual({
      method: 'client_rotation',
      unit: 'user_id',
      propensity: 0.5,
    });
  });

  test('stores nothing when the gateway refuses, and says which call it was', async () => {
    const gateway = await startScriptedGateway(problem(503, 'overloaded', {}, { request_id: 'req_9' }));
    const store = openTipStore(':memory:');
    closers.push(
      () => store.close(),
      () => gateway.close(),
    );
    const recommender = createRecommender({
      gateway: createGatewayClient({ baseUrl: gateway.url, retries: 0, tipPromptVersion: null }),
      store,
      nowMs: () => NOW_MS,
      newId: () => 'id',
      random: () => 0,
    });

    await expect(
      recommender.recommend({ userId: 'u1', goal: null, mood: null }, new AbortController().signal),
    ).rejects.toMatchObject({ code: 'overloaded', requestId: 'req_9' });
    expect(store.tipScores()).toEqual([]);
  });
});

describe('an idea', () => {
  test('is ranked by features of its own and of the user; what was shown lately is less novel', async () => {
    const { gateway, post, setNowMs } = await start();
    await post('/tips', { user_id: 'u1' });
    setNowMs(NOW_MS + 3.5 * DAY_MS);

    await post('/tips', { user_id: 'u1' });

    const [first, second] = bodiesOf(gateway, '/score');
    expect(first).toMatchObject({
      policy: 'tips',
      user_id: 'u1',
      external_id: 'id-1',
      profile_features: { tip_volume: 0 },
    });
    expect(first?.['candidates']).toContainEqual({
      id: 'walk',
      features: { category: 'body', effort: 0.5, novelty: 1 },
    });
    expect(second?.['candidates']).toContainEqual({
      id: 'walk',
      features: { category: 'body', effort: 0.5, novelty: 0.5 },
    });
    expect(second?.['candidates']).toContainEqual({
      id: 'breathing',
      features: { category: 'calm', effort: 0.1, novelty: 1 },
    });
  });

  test.each<[string, ScriptedAnswer]>([
    ['has no such policy', problem(404, 'policy_not_found')],
    ['cannot record decisions', problem(503, 'storage_unavailable')],
    ['chooses what nobody knows', json(200, { id: 's', policy: 'p', policy_revision: 'p-1', chosen: 'x' })],
  ])('is drawn at random where the gateway %s: the user gets a tip all the same', async (_what, score) => {
    const { gateway, store, post } = await start({ score });

    const tip = await post('/tips', { user_id: 'u1' });
    await post('/tips/id-1/reaction', { completed: true });

    expect(tip).toMatchObject({ status: 201, body: { idea: 'promise', ranked: false } });
    expect(store.tipScores()).toMatchObject([{ idea: 'promise', scoreId: null }]);
    expect(bodiesOf(gateway, '/feedback')).toMatchObject([{ generation_id: 'gen_id-1' }]);
  });
});

describe('a reaction', () => {
  test('is reported against generation and score, with its time and ids of ours', async () => {
    const { gateway, store, post } = await start();
    await post('/tips', { user_id: 'u1' });

    const answer = await post('/tips/id-1/reaction', { completed: true, reaction: 'like' });

    expect(answer).toEqual({ status: 200, body: { tip_id: 'id-1', state: 'reported' } });
    const occurred_at = '2026-11-23T09:30:00.000Z';
    const completed = { metric: 'completed', value: true, occurred_at };
    const liked = { metric: 'reaction', value: 'like', occurred_at };
    expect(bodiesOf(gateway, '/feedback')).toEqual([
      {
        outcomes: [
          { ...completed, generation_id: 'gen_id-1', outcome_id: 'id-2' },
          { ...completed, score_id: 'scr_id-1', outcome_id: 'id-2-choice' },
        ],
      },
      {
        outcomes: [
          { ...liked, generation_id: 'gen_id-1', outcome_id: 'id-3' },
          { ...liked, score_id: 'scr_id-1', outcome_id: 'id-3-choice' },
        ],
      },
    ]);
    expect(store.tipScores()).toMatchObject([{ completed: true, reaction: 'like' }]);
  });

  test('survives an outage of the gateway and is reported once it is over', async () => {
    let isDown = true;
    const { gateway, store, recommender, post } = await start({
      feedback: () => (isDown ? problem(503, 'storage_unavailable') : stored),
    });
    await post('/tips', { user_id: 'u1' });

    expect(await post('/tips/id-1/reaction', { completed: true })).toMatchObject({
      status: 202,
      body: { state: 'pending' },
    });
    expect(store.tipScores()).toMatchObject([{ completed: true }]);

    isDown = false;
    expect(await recommender.reportOutcomes()).toBe(true);
    expect(store.pendingOutcomes(10)).toEqual([]);
    const [first, second] = bodiesOf(gateway, '/feedback');
    expect(first).toMatchObject({ outcomes: [{ outcome_id: 'id-2' }, { outcome_id: 'id-2-choice' }] });
    expect(second).toEqual(first);
  });

  test('that the gateway will never take does not block the others', async () => {
    let calls = 0;
    const { store, post } = await start({
      feedback: () => {
        calls += 1;
        return calls === 1 ? problem(422, 'outcome_invalid') : stored;
      },
    });
    await post('/tips', { user_id: 'u1' });

    const answer = await post('/tips/id-1/reaction', { completed: true, reaction: 'love' });

    expect(answer.status).toBe(200);
    expect(calls).toBe(2);
    expect(store.pendingOutcomes(10)).toEqual([]);
  });

  test('changed later wins over the earlier one', async () => {
    const { store, post } = await start();
    await post('/tips', { user_id: 'u1' });

    await post('/tips/id-1/reaction', { completed: false });
    await post('/tips/id-1/reaction', { completed: true });

    expect(store.tipScores()).toMatchObject([{ completed: true }]);
  });

  test('many at once during an outage share their passes', async () => {
    const { gateway, post } = await start({ feedback: () => problem(503, 'overloaded') });
    await post('/tips', { user_id: 'u1' });

    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post('/tips/id-1/reaction', { completed: true })),
    );

    expect(answers.every(({ status }) => status === 202)).toBe(true);
    expect(bodiesOf(gateway, '/feedback').length).toBeLessThan(20);
  });
});

describe('bad requests', () => {
  test.each<[string, string, unknown, number]>([
    ['a tip for nobody', '/tips', {}, 400],
    ['a tip for an empty user', '/tips', { user_id: '' }, 400],
    ['a tip for a number', '/tips', { user_id: 7 }, 400],
    ['an overlong goal', '/tips', { user_id: 'u', goal: 'x'.repeat(300) }, 400],
    ['a list', '/tips', '[]', 400],
    ['half an object', '/tips', '{', 400],
    ['a huge body', '/tips', { user_id: 'x'.repeat(20_000) }, 400],
    ['an empty reaction', '/tips/id-1/reaction', {}, 400],
    ['a completion in words', '/tips/id-1/reaction', { completed: 'yes' }, 400],
    ['an undeclared reaction', '/tips/id-1/reaction', { reaction: 'hate' }, 400],
    ['a reaction to an unknown tip', '/tips/unknown/reaction', { completed: true }, 404],
    ['another path', '/elsewhere', {}, 404],
  ])('%s is refused without asking the gateway', async (_what, path, body, status) => {
    const { gateway, post } = await start();

    expect((await post(path, body)).status).toBe(status);
    expect(gateway.requests).toHaveLength(0);
  });
});
