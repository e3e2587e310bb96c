import { afterEach, expect, test } from '@jest/globals';
import { startGatewayForTest, type TestGateway } from '../helpers/gateway-for-test.ts';

let gateway: TestGateway | null = null;
afterEach(() => gateway?.dispose());

const USERS = 300;

test('calls and outcomes become an answer to what if', async () => {
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
  const answers = await Promise.all(
    Array.from({ length: USERS }, (_, user) =>
      post('/generate', { prompt: 'tip', variables: { mood: 'calm' }, user_id: `user-${user}` }),
    ),
  );
  await post('/feedback', {
    outcomes: answers.map(({ json }) => ({
      generation_id: json.id,
      metric: 'completed',
      value: json.arm === 'warm',
    })),
  });
  // The second call of a user, a forced one and a test are no decisions of the experiment.
  await post('/generate', { prompt: 'tip', variables: { mood: 'calm' }, user_id: 'user-1' });
  await post('/generate', { prompt: 'tip', variables: { mood: 'calm' }, user_id: 'x', prompt_version: 'v1' });
  await post('/generate', { prompt: 'tip', variables: { mood: 'calm' }, user_id: 'y', tags: ['test'] });

  const { json } = await get('/analytics/experiments/tone?policy=arm:warm');
  const warm = answers.filter((answer) => answer.json.arm === 'warm').length;

  expect(json.off_policy).toMatchObject({
    gate: { concludes: true },
    decisions: USERS,
    estimators: { ips: { value: warm / USERS / 0.5 }, snips: { value: 1 }, dm: { value: 1 } },
    on_policy: { mean: warm / USERS },
    interval: { decisions: USERS, upper: 1 },
    max_weight: 2,
  });
  expect(json.off_policy.estimators.dr.value).toBeCloseTo(1, 12);
  expect(json.off_policy.interval.lower).toBeGreaterThan(0.7);
  expect(json.off_policy.text).toMatch(
    /^Everybody on warm would have earned 0\.\d\d to 1\.00 \(now 0\.\d\d\)\.$/,
  );
});

test('ranking decisions and their outcomes become an answer to what if', async () => {
  gateway = await startGatewayForTest({
    config: {
      policies: {
        tips: {
          kind: 'squarecb',
          metric: 'completed',
          features: { candidate: { novelty: { type: 'number', min: 0, max: 1 } } },
        },
        any: { kind: 'uniform', metric: 'completed' },
      },
    },
  });
  const { post, get } = gateway;
  const candidates = [
    { id: 'old', features: { novelty: 0.1 } },
    { id: 'new', features: { novelty: 0.9 } },
  ];
  const answers = await Promise.all(
    Array.from({ length: USERS }, (_, user) =>
      post('/score', { policy: 'tips', candidates, user_id: `user-${user}` }),
    ),
  );
  await post('/score', { policy: 'tips', candidates, tags: ['test'] });
  await post('/feedback', {
    outcomes: answers.map(({ json }) => ({
      score_id: json.id,
      metric: 'completed',
      value: json.chosen === 'old',
    })),
  });

  const [plain, first, learner] = await Promise.all([
    get('/analytics/policies/tips'),
    get('/analytics/policies/tips?policy=first'),
    get('/analytics/policies/tips?policy=policy:any'),
  ]);

  expect(plain.json).toMatchObject({ policy: 'tips', decisions: USERS, mature: USERS, pending: 0 });
  expect(first.json.off_policy).toMatchObject({
    gate: { concludes: true },
    decisions: USERS,
    estimators: { snips: { value: 1 } },
  });
  expect(first.json.off_policy.interval.lower).toBeGreaterThan(0.7);
  // Before it has learnt anything the policy splits evenly, as `any` always does.
  expect(learner.json.off_policy.estimators.ips.value).toBeCloseTo(plain.json.mean, 1);
});
