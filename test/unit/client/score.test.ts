import { afterEach, describe, expect, test } from '@jest/globals';
import { createGatewayClient, type GatewayClientOptions, GatewayError } from '../../../src/client/index.ts';
import {
  GENERATION,
  generation,
  hangUp,
  json,
  problem,
  type ScriptedAnswer,
  type ScriptedGateway,
  startScriptedGateway,
} from './scripted-gateway.ts';

const SCORE = {
  id: 'scr_1',
  policy: 'tips',
  policy_revision: 'tips-4',
  chosen: 'walk',
  ranking: [
    { id: 'read', score: 0.61, propensity: 0.82 },
    { id: 'walk', score: 0.4, propensity: 0.18 },
  ],
  recorded: true,
  created_at: '2026-11-23T10:00:00.000Z',
} as const;
const ranked = json(200, SCORE);
const CANDIDATES = [{ id: 'read', features: { effort: 0.6, category: 'mind' } }, { id: 'walk' }];

let gateway: ScriptedGateway | undefined;

afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

async function setUp(script: readonly ScriptedAnswer[], options: Partial<GatewayClientOptions> = {}) {
  const started = await startScriptedGateway(...script);
  gateway = started;
  let ids = 0;
  const client = createGatewayClient({
    baseUrl: started.url,
    tipPromptVersion: null,
    newId: () => {
      ids += 1;
      return `id-${ids}`;
    },
    clock: { nowMs: () => 0, sleep: async () => {} },
    ...options,
  });
  return { client, requests: started.requests };
}

async function failureOf(promise: Promise<unknown>): Promise<GatewayError> {
  const outcome = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(outcome instanceof GatewayError)) throw new Error(`no GatewayError but ${String(outcome)}`);
  return outcome;
}

describe('score', () => {
  test('sends snake_case, answers camelCase', async () => {
    const { client, requests } = await setUp([ranked]);

    const score = await client.score({
      candidates: CANDIDATES,
      policy: 'tips',
      profileFeatures: { completion_rate: 0.4 },
      context: { hour: 9 },
      userId: 'u1',
      sessionId: 's1',
      externalId: 'tip-77',
      metadata: { place: 'home' },
      tags: ['test'],
    });

    expect(requests[0]).toMatchObject({ path: '/score', headers: { 'idempotency-key': 'id-1' } });
    expect(requests[0]?.body).toEqual({
      candidates: CANDIDATES,
      policy: 'tips',
      profile_features: { completion_rate: 0.4 },
      context: { hour: 9 },
      user_id: 'u1',
      session_id: 's1',
      external_id: 'tip-77',
      metadata: { place: 'home' },
      tags: ['test'],
    });
    expect(score).toEqual({
      id: 'scr_1',
      policy: 'tips',
      policyRevision: 'tips-4',
      chosen: 'walk',
      ranking: SCORE.ranking,
      ignoredFeatures: [],
      recorded: true,
      createdAt: '2026-11-23T10:00:00.000Z',
      replayed: false,
    });
  });

  test('tells what was ignored, what was not recorded and what was replayed', async () => {
    const answer = { ...SCORE, recorded: false, ignored_features: ['candidates[].features.colour'] };
    const { client } = await setUp([json(200, answer, { 'idempotency-replayed': 'true' })]);

    expect(await client.score({ candidates: CANDIDATES })).toMatchObject({
      recorded: false,
      replayed: true,
      ignoredFeatures: ['candidates[].features.colour'],
    });
  });

  test.each<[string, ScriptedAnswer]>([
    ['a lost connection', hangUp],
    ['503', problem(503, 'storage_unavailable')],
    ['409 while the first try runs', problem(409, 'idempotency_in_progress')],
  ])('tries again after %s, with the same key and the same body', async (_what, failure) => {
    const { client, requests } = await setUp([failure, ranked]);

    const score = await client.score({ candidates: CANDIDATES });

    expect(score.id).toBe('scr_1');
    expect(requests.map(({ headers }) => headers['idempotency-key'])).toEqual(['id-1', 'id-1']);
    expect(requests[1]?.body).toEqual(requests[0]?.body);
  });

  test('keeps the key of its caller, and a fresh one for each call without', async () => {
    const { client, requests } = await setUp([ranked]);

    await client.score({ candidates: CANDIDATES }, { idempotencyKey: 'tip-77' });
    await client.score({ candidates: CANDIDATES });
    await client.score({ candidates: CANDIDATES });

    expect(requests.map(({ headers }) => headers['idempotency-key'])).toEqual(['tip-77', 'id-1', 'id-2']);
  });

  test.each<[number, string]>([
    [400, 'invalid_request'],
    [404, 'policy_not_found'],
    [422, 'score_invalid'],
    [422, 'idempotency_mismatch'],
  ])('does not repeat %p %s', async (status, code) => {
    const { client, requests } = await setUp([problem(status, code)]);

    expect(await failureOf(client.score({ candidates: CANDIDATES }))).toMatchObject({ code, status });
    expect(requests).toHaveLength(1);
  });

  test('refuses numbers that JSON would turn into null, all at once and without a call', async () => {
    const { client, requests } = await setUp([ranked]);

    const error = await failureOf(
      client.score({
        candidates: [{ id: 'a', features: { effort: 0 / 0, novelty: 1 } }],
        profileFeatures: { tip_volume: Number.POSITIVE_INFINITY },
        context: { hour: Number.NaN, day: 'monday' },
      }),
    );

    expect(error).toMatchObject({ code: 'score_invalid', status: null });
    expect(error.errors).toEqual([
      { path: 'candidates[0].features.effort', message: 'must be a finite number, not NaN' },
      { path: 'profile_features.tip_volume', message: 'must be a finite number, not Infinity' },
      { path: 'context.hour', message: 'must be a finite number, not NaN' },
    ]);
    expect(requests).toHaveLength(0);
  });

  test.each<[string, object]>([
    ['no chosen candidate', { ...SCORE, chosen: undefined }],
    ['a candidate without its propensity', { ...SCORE, ranking: [{ id: 'read', score: 0.6 }] }],
  ])('does not take an answer with %s for a ranking', async (_what, answer) => {
    const { client } = await setUp([json(200, answer)]);

    expect((await failureOf(client.score({ candidates: CANDIDATES }))).code).toBe('invalid_response');
  });

  test('reports outcomes against the score', async () => {
    const { client, requests } = await setUp([
      json(200, { accepted: 1, duplicates: 0, outcome_ids: ['id-1'] }),
    ]);

    await client.feedback({ scoreId: 'scr_1', metric: 'completed', value: true });

    expect(requests[0]?.body).toEqual({
      score_id: 'scr_1',
      metric: 'completed',
      value: true,
      outcome_id: 'id-1',
    });
  });
});

describe('a label', () => {
  test('goes out as it is, and what comes back is the concrete version', async () => {
    const { client, requests } = await setUp([
      json(200, { ...GENERATION, label: 'live', prompt_version: 'v3' }),
    ]);

    const answer = await client.generate({ prompt: 'tip', promptVersion: '@live' });

    expect(requests[0]?.body).toEqual({ prompt: 'tip', prompt_version: '@live' });
    expect(answer).toMatchObject({ label: 'live', promptVersion: 'v3' });
  });

  test('of the deployment goes out without an assignment: the gateway knows how it chose', async () => {
    const { client, requests } = await setUp([generation], { tipPromptVersion: '@live' });

    await client.generate({ prompt: 'tip', userId: 'u1' });

    expect(requests[0]?.body).toEqual({ prompt: 'tip', prompt_version: '@live', user_id: 'u1' });
  });
});
