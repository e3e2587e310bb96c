import { afterEach, expect, test } from '@jest/globals';
import { startGatewayForTest, type TestGateway } from '../helpers/gateway-for-test.ts';

let gateway: TestGateway | null = null;
afterEach(() => gateway?.dispose());

const USERS = 120;

test('calls and outcomes become a verdict that counts each user once', async () => {
  gateway = await startGatewayForTest({
    config: {
      experiments: {
        tone: { prompt: 'tip', arms: { control: { version: 'v1' }, warm: { version: 'v2' } } },
      },
      labels: { tip: { live: { experiment: 'tone' } } },
    },
    environment: { DEFAULT_PROMPT_VERSION: '@live' },
  });
  const { post, get } = gateway;
  const ask = (user: number) =>
    post('/generate', { prompt: 'tip', variables: { mood: 'calm' }, user_id: `user-${user}` });

  const before = await get('/analytics/experiments/tone');
  const answers = await Promise.all(Array.from({ length: USERS }, (_, user) => ask(user)));
  const outcomes = answers.map(({ json }) => ({
    generation_id: json.id,
    metric: 'completed',
    value: json.arm === 'warm',
  }));
  await post('/feedback', { outcomes });
  // A user who comes back is a call more, and no unit more.
  await ask(0);
  const report = await get('/analytics/experiments/tone');
  const list = await get('/analytics/experiments');

  expect(before.json.verdict).toMatchObject({ state: 'no_data' });
  expect(report.json).toMatchObject({
    state: 'running',
    baseline: 'control',
    policy_revision: 'tone-1',
    sample_ratio: { alarm: false, units: USERS },
    verdict: { state: 'better', arm: 'warm' },
    policy_revisions: [{ policy_revision: 'tone-1' }],
  });
  const warm = answers.filter(({ json }) => json.arm === 'warm').length;
  expect(report.json.arms).toMatchObject([
    { arm: 'control', propensity: 0.5, units: USERS - warm, mature: USERS - warm, mean: 0 },
    { arm: 'warm', propensity: 0.5, units: warm, mature: warm, mean: 1, expected_units: USERS / 2 },
  ]);
  const calls = report.json.arms.map((arm: { readonly calls: number }) => arm.calls);
  expect(calls[0] + calls[1]).toBe(USERS + 1);
  expect(list.json.experiments).toMatchObject([{ experiment: 'tone', state: 'running' }]);
});
