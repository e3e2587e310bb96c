import { rm } from 'node:fs/promises';
import { afterEach, expect, test } from '@jest/globals';
import { type Clock, HOUR_MS, systemClock } from '../../src/kernel/index.ts';
import { startGatewayForTest, type TestGateway } from '../helpers/gateway-for-test.ts';

let gateway: TestGateway | null = null;
let directory: string | null = null;
afterEach(async () => {
  await gateway?.close();
  if (directory !== null) await rm(directory, { recursive: true, force: true });
});

const USERS = 150;
const CONFIG = {
  metrics: { completed: { type: 'boolean', attribution_window_hours: 1, missing: 'zero' } },
  experiments: {
    tone: { prompt: 'tip', arms: { control: { version: 'v1' }, warm: { version: 'v2' } } },
  },
  labels: { tip: { live: { experiment: 'tone' } } },
};

/** The machine's time, some hours later. */
function laterBy(hours: number): Clock {
  return { ...systemClock, nowMs: () => systemClock.nowMs() + hours * HOUR_MS };
}

async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const deadlineMs = systemClock.monotonicMs() + 20_000;
  while (true) {
    const value = await read();
    if (holds(value) || systemClock.monotonicMs() > deadlineMs) return value;
    await systemClock.sleep(20);
  }
}

test('a verdict follows once the hours of the calls are closed and folded', async () => {
  const options = { config: CONFIG, environment: { DEFAULT_PROMPT_VERSION: '@live' } };
  gateway = await startGatewayForTest(options);
  directory = gateway.directory;
  const first = gateway;
  const answers = await Promise.all(
    Array.from({ length: USERS }, (_, user) =>
      first.post('/generate', { prompt: 'tip', variables: { mood: 'calm' }, user_id: `user-${user}` }),
    ),
  );
  const warm = answers.filter(({ json }) => json.arm === 'warm');
  const outcomes = warm.map(({ json }) => ({ generation_id: json.id, metric: 'completed', value: true }));
  await first.post('/feedback', { outcomes });
  const open = await first.get('/analytics/experiments/tone');
  await first.close();

  gateway = await startGatewayForTest({ ...options, directory, clock: laterBy(4) });
  const second = gateway;
  const closed = await until(
    () => second.get('/analytics/experiments/tone'),
    ({ json }) => json.sequence?.decisions === USERS,
  );
  const csv = await second.get('/analytics/experiments/tone?format=csv');

  expect(open.json.sequence === null || open.json.sequence.decisions === 0).toBe(true);
  expect(open.json.verdict.state).toBe('no_data');
  expect(closed.json.sequence).toMatchObject({
    decisions: USERS,
    corrections: 0,
    unanswered: 0,
    unusable: 0,
  });
  expect(closed.json.sequence.corrected_through).toBe(closed.json.sequence.folded_until);
  expect(closed.json.verdict).toMatchObject({ state: 'better', arm: 'warm' });
  expect(closed.json.arms[1]).toMatchObject({
    drift_safe: { decisions: USERS, method: 'gamma-exponential confidence sequence on logged propensities' },
    difference: { method: 'direct difference sequence on logged propensities' },
  });
  expect(closed.json.arms[1].drift_safe.lower).toBeGreaterThan(closed.json.arms[0].drift_safe.upper);
  expect(csv.text).toContain('drift_safe_lower');
});
