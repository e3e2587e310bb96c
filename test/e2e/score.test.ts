import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  startGatewayForTest,
  type TestGateway,
  type TestGatewayOptions,
} from '../helpers/gateway-for-test.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const TIPS = {
  kind: 'squarecb',
  metric: 'completed',
  features: {
    candidate: { effort: { type: 'number', min: 0, max: 1 }, short: { type: 'boolean' } },
    profile: { completion_rate: { type: 'number', min: 0, max: 1 } },
  },
  interactions: [['effort', 'completion_rate']],
  update_interval_seconds: 1,
};
const CANDIDATES = [
  { id: 'easy', features: { effort: 0.1, short: true } },
  { id: 'hard', features: { effort: 0.9 } },
];

async function start(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const gateway = await startGatewayForTest({ config: { policies: { tips: TIPS } }, ...options });
  cleanups.push(gateway.dispose);
  return gateway;
}

/** Asks until the answer pleases; the time limit of the test bounds it. */
async function until<Value>(ask: () => Promise<Value>, pleases: (value: Value) => boolean): Promise<Value> {
  for (;;) {
    const value = await ask();
    if (pleases(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const policyOf = (gateway: TestGateway) => async () => (await gateway.get('/policies/tips')).json;

describe('a ranking policy in the running gateway', () => {
  test('learns from outcomes reported against its scores, and keeps it over a restart', async () => {
    const gateway = await start();
    const chosen: string[] = [];
    for (let user = 0; user < 40; user += 1) {
      const { status, json } = await gateway.post('/score', { candidates: CANDIDATES, user_id: `u${user}` });
      expect(status).toBe(200);
      chosen.push(json.chosen);
      const receipt = await gateway.post('/feedback', {
        score_id: json.id,
        metric: 'completed',
        value: json.chosen === 'easy',
        outcome_id: `o${user}`,
      });
      expect(receipt.json).toEqual({ accepted: 1, duplicates: 0, outcome_ids: [`o${user}`] });
    }
    expect(new Set(chosen)).toEqual(new Set(['easy', 'hard']));

    const learnt = await until(policyOf(gateway), ({ rewards }) => rewards === 40);
    const { json: after } = await gateway.post('/score', { candidates: CANDIDATES });

    expect(after.policy_revision).toBe(learnt.policy_revision);
    expect(after.ranking.map(({ id }: { id: string }) => id)).toEqual(['easy', 'hard']);
    expect(after.ranking[0].propensity).toBeGreaterThan(0.6);
    expect(after.ranking[1].propensity).toBeGreaterThanOrEqual(0.05);
    const coefficients = new Map(
      learnt.learnt.map((entry: { input: string; coefficient: number }) => [entry.input, entry.coefficient]),
    );
    expect(coefficients.get('effort')).toBeLessThan(0);
    expect(coefficients.get('short')).toBeGreaterThan(0);

    await gateway.close();
    const again = await startGatewayForTest({
      config: { policies: { tips: TIPS } },
      directory: gateway.directory,
    });
    cleanups.push(() => again.close());
    expect((await again.get('/policies/tips')).json).toEqual(learnt);
    const { json: restarted } = await again.post('/score', { candidates: CANDIDATES });
    expect(restarted.ranking).toEqual(after.ranking);
  }, 30_000);

  test('shows a decision whole, with the outcomes about it', async () => {
    const gateway = await start();
    const { json: score } = await gateway.post('/score', {
      candidates: CANDIDATES,
      profile_features: { completion_rate: 0.4 },
      user_id: 'u1',
      external_id: 'tip-77',
    });
    const outcome = { score_id: score.id, metric: 'completed' };
    await gateway.post('/feedback', { ...outcome, value: false, occurred_at: new Date().toISOString() });
    await gateway.post('/feedback', {
      ...outcome,
      value: true,
      occurred_at: new Date(Date.now() + 1_000).toISOString(),
    });

    const { status, json, text } = await gateway.get(`/scores/${score.id}`);

    expect(status).toBe(200);
    expect(json).toMatchObject({
      id: score.id,
      policy: 'tips',
      policy_revision: score.policy_revision,
      chosen: score.chosen,
      profile_features: { completion_rate: 0.4 },
      external_id: 'tip-77',
      outcomes: [
        { value: false, counts: false },
        { value: true, counts: true },
      ],
    });
    expect(json.candidates.map(({ features }: { features: object }) => features)).toEqual(
      CANDIDATES.map(({ features }) => features),
    );
    for (const { id, propensity } of score.ranking) {
      expect(json.candidates.find((candidate: { id: string }) => candidate.id === id).propensity).toBe(
        propensity,
      );
    }
    expect(text).not.toContain('"u1"');
  });

  test('decides once for a key, whatever is repeated', async () => {
    const gateway = await start();
    const headers = { 'idempotency-key': 'tip-77' };
    const body = { candidates: CANDIDATES, user_id: 'u1' };

    const first = await gateway.post('/score', body, headers);
    const repeated = await Promise.all(
      Array.from({ length: 8 }, () => gateway.post('/score', body, headers)),
    );
    const other = await gateway.post('/score', { ...body, user_id: 'u2' }, headers);
    const elsewhere = await gateway.post('/generate', { prompt: 'tip' }, headers);

    expect(first.headers.get('idempotency-replayed')).toBeNull();
    for (const { status, text, headers: sent } of repeated) {
      expect([status, text, sent.get('idempotency-replayed')]).toEqual([200, first.text, 'true']);
    }
    expect([other.status, other.json.code]).toEqual([422, 'idempotency_mismatch']);
    expect([elsewhere.status, elsewhere.json.code]).toEqual([422, 'idempotency_mismatch']);
  });

  test('a refused request leaves its key free for the corrected one', async () => {
    const gateway = await start();
    const headers = { 'idempotency-key': 'tip-78' };

    const refused = await gateway.post('/score', { candidates: [] }, headers);
    const corrected = await gateway.post('/score', { candidates: CANDIDATES }, headers);

    expect([refused.status, corrected.status]).toEqual([422, 200]);
  });

  test('comes and goes with a reload of the configuration', async () => {
    const gateway = await start({ config: {} });
    const refused = await gateway.post('/score', { candidates: CANDIDATES });
    expect([refused.status, refused.json.code]).toEqual([404, 'policy_not_found']);
    expect(refused.json.detail).toContain('policies');
    const file = join(gateway.directory, 'gateway.config.json');
    const config = JSON.parse(await readFile(file, 'utf8'));

    await writeFile(file, JSON.stringify({ ...config, policies: { tips: TIPS } }));
    await gateway.reload();
    const { status, json } = await gateway.post('/score', { candidates: CANDIDATES, policy: 'tips' });
    await writeFile(file, JSON.stringify(config));
    await gateway.reload();
    const gone = await gateway.post('/score', { candidates: CANDIDATES, policy: 'tips' });

    expect([status, json.policy]).toEqual([200, 'tips']);
    expect(gone.status).toBe(404);
    // What was decided can still be looked at, and rewarded.
    expect((await gateway.get(`/scores/${json.id}`)).status).toBe(200);
    const receipt = await gateway.post('/feedback', { score_id: json.id, metric: 'completed', value: true });
    expect(receipt.status).toBe(200);
  });

  test('1,000 candidates are decided, recorded and read back', async () => {
    const gateway = await start();
    const candidates = Array.from({ length: 1_000 }, (_, index) => ({
      id: `c${index}`,
      features: { effort: index / 1_000, short: index % 2 === 0 },
    }));

    const { status, json } = await gateway.post('/score', { candidates });
    const tooMany = await gateway.post('/score', { candidates: [...candidates, { id: 'one-more' }] });

    expect(status).toBe(200);
    expect((await gateway.get(`/scores/${json.id}`)).json.candidates).toHaveLength(1_000);
    expect(tooMany.status).toBe(422);
  });
});
