import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createRecommender } from '../../examples/recommender/src/create-recommender.ts';
import { serveRecommender } from '../../examples/recommender/src/serve-recommender.ts';
import { openTipStore } from '../../examples/recommender/src/tip-store.ts';
import { createGatewayClient, GatewayError, type StreamEvent } from '../../src/client/index.ts';
import { startGatewayForTest, type TestGateway } from '../helpers/gateway-for-test.ts';
import { startScriptedUpstream } from '../helpers/scripted-upstream.ts';

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** The policy of the shipped configuration, in a hurry. */
const { policies } = JSON.parse(
  readFileSync(new URL('../../gateway.config.json', import.meta.url), 'utf8'),
) as { readonly policies: { readonly tips: object } };
const RANKING = { policies: { tips: { ...policies.tips, update_interval_seconds: 1 } } };

async function startGateway(config: object = {}): Promise<TestGateway> {
  const upstream = await startScriptedUpstream();
  cleanups.push(upstream.close);
  const gateway = await startGatewayForTest({
    environment: { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'k' },
    config,
  });
  cleanups.push(gateway.dispose);
  return gateway;
}

async function startRecommender(gateway: TestGateway, tipPromptVersion = 'v1,v2,v3') {
  const store = openTipStore(':memory:');
  const recommender = createRecommender({
    gateway: createGatewayClient({ baseUrl: gateway.url, tipPromptVersion }),
    store,
    nowMs: () => Date.now(),
    newId: randomUUID,
    random: Math.random,
  });
  const server = serveRecommender(recommender);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => new Promise((done) => server.close(() => done())));
  cleanups.push(() => server.closeAllConnections());
  const address = server.address();
  const url = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
  const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const response = await fetch(url + path, { method: 'POST', body: JSON.stringify(body) });
    return (await response.json()) as Record<string, unknown>;
  };
  return { store, post };
}

describe('the example recommender against the gateway', () => {
  test('keeps each user on one version, ships profile features, and both sides store the same version', async () => {
    const gateway = await startGateway();
    const { store, post } = await startRecommender(gateway);

    for (let user = 0; user < 12; user += 1) {
      for (let tip = 0; tip < 2; tip += 1) {
        const shown = await post('/tips', { user_id: `user-${user}` });
        await post(`/tips/${String(shown['tip_id'])}/reaction`, { completed: user % 2 === 0 });
      }
    }

    const scores = store.tipScores();
    expect(scores).toHaveLength(24);
    const versionsByUser = new Map<string, Set<string>>();
    for (const score of scores) {
      versionsByUser.set(
        score.userId,
        (versionsByUser.get(score.userId) ?? new Set()).add(score.promptVersion),
      );
      const row = (await gateway.get(`/generations/${score.generationId}`)).json;
      expect(row).toMatchObject({
        prompt_version: score.promptVersion,
        forced: false,
        assignment: { method: 'client_rotation', unit: 'user_id' },
        outcomes: [{ metric: 'completed', value: score.completed, counts: true }],
      });
      expect(row.profile_features).toHaveProperty('tip_volume');
      expect(JSON.stringify(row)).not.toContain(score.userId);
    }
    expect([...versionsByUser.values()].every((versions) => versions.size === 1)).toBe(true);
    expect(new Set(scores.map((score) => score.promptVersion)).size).toBeGreaterThan(1);
    const { json } = await gateway.get('/analytics/prompts/tip/versions');
    const mature = json.versions.reduce((sum: number, row: { mature: number }) => sum + row.mature, 0);
    expect(mature).toBe(24);
  });
});

describe('the example recommender with a policy and a label', () => {
  test('shows what the policy chose, writes it with the live version, and teaches both', async () => {
    const gateway = await startGateway({ ...RANKING, labels: { tip: { live: 'v2' } } });
    const { store, post } = await startRecommender(gateway, '@live');

    for (let user = 0; user < 6; user += 1) {
      const shown = await post('/tips', { user_id: `user-${user}` });
      expect(shown).toMatchObject({ ranked: true, prompt_version: 'v2' });
      await post(`/tips/${String(shown['tip_id'])}/reaction`, { completed: user % 2 === 0 });
    }
    await gateway.put('/prompts/tip/labels/live', { version: 'v3', reason: 'v3 reads better' });
    await post('/tips', { user_id: 'user-0' });

    const tips = store.tipScores();
    expect(tips.map(({ promptVersion }) => promptVersion)).toEqual([...Array(6).fill('v2'), 'v3']);
    for (const { generationId, scoreId, idea, completed } of tips.slice(0, 6)) {
      const outcomes = [{ metric: 'completed', value: completed, counts: true }];
      const generation = (await gateway.get(`/generations/${generationId}`)).json;
      expect(generation).toMatchObject({ label: 'live', forced: false, outcomes });
      const score = (await gateway.get(`/scores/${String(scoreId)}`)).json;
      expect(score).toMatchObject({
        policy: 'tips',
        chosen: idea,
        external_id: generation.external_id,
        outcomes,
      });
      expect(score.profile_features).toHaveProperty('tip_volume');
    }
    let rewards = 0;
    while (rewards < 6) {
      rewards = (await gateway.get('/policies/tips')).json.rewards;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(rewards).toBe(6);
  }, 30_000);
});

describe('the client against the gateway', () => {
  test('streams the head, the deltas and the whole generation', async () => {
    const gateway = await startGatewayForTest();
    cleanups.push(gateway.dispose);
    const client = createGatewayClient({ baseUrl: gateway.url, tipPromptVersion: null });

    const events: StreamEvent[] = [];
    for await (const event of client.stream({ prompt: 'tip', variables: {} })) events.push(event);

    const last = events.at(-1);
    expect(events[0]).toMatchObject({ kind: 'start', head: { promptVersion: 'v1' } });
    if (last?.kind !== 'end') throw new Error('no end');
    const streamed = events.map((event) => (event.kind === 'delta' ? event.text : '')).join('');
    expect(last.generation).toMatchObject({
      text: streamed,
      provider: 'offline',
      degraded: true,
      recorded: true,
    });
  });

  test('throws typed errors that say what is known', async () => {
    const gateway = await startGatewayForTest();
    cleanups.push(gateway.dispose);
    const client = createGatewayClient({ baseUrl: gateway.url, tipPromptVersion: 'v77' });

    const error = await client.generate({ prompt: 'tip', variables: {} }).catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({
      code: 'version_not_found',
      status: 404,
      message: expect.stringContaining('v1, v2, v3'),
    });
  });
});
