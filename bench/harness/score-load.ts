/**
 * What a recommender sends to `/score`: 20 candidates of 12 features for one of 64 users. Also the configuration that
 * declares these features.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { FakeUpstream } from './fake-upstream.ts';
import type { RequestSet } from './load.ts';
import { ROOT } from './root.ts';
import { startBenchGateway } from './start-target.ts';
import type { Target } from './target.ts';

const CANDIDATES = 20;
const USERS = 64;
/** What the policy has learnt from before it is measured. */
const REWARDS = 200;
const NUMBERS = ['novelty', 'effort', 'length', 'recency', 'popularity', 'match', 'depth', 'price'];
const BOOLEANS = ['seasonal', 'sponsored'];
const CATEGORIES = {
  topic: ['focus', 'planning', 'body', 'calm', 'social'],
  format: ['text', 'image', 'audio'],
};

const SCORE_POLICY = {
  kind: 'squarecb',
  metric: 'completed',
  features: {
    candidate: {
      ...Object.fromEntries(NUMBERS.map((name) => [name, { type: 'number', min: 0, max: 1 }])),
      ...Object.fromEntries(BOOLEANS.map((name) => [name, { type: 'boolean' }])),
      ...Object.fromEntries(
        Object.entries(CATEGORIES).map(([name, values]) => [name, { type: 'category', values }]),
      ),
    },
    profile: {
      completion_rate: { type: 'number', min: 0, max: 1 },
      preferred_hour: { type: 'number', min: 0, max: 23 },
      tip_volume: { type: 'number', min: 0, max: 50 },
    },
  },
  interactions: [
    ['effort', 'completion_rate'],
    ['novelty', 'tip_volume'],
    ['topic', 'completion_rate'],
    ['topic', 'preferred_hour'],
    ['format', 'preferred_hour'],
  ],
  update_interval_seconds: 1,
};

/** The shipped configuration with the policy of this load; returns its path. */
function writeScoreConfig(directory: string): string {
  const config = JSON.parse(readFileSync(join(ROOT, 'gateway.config.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  const path = join(directory, 'gateway.config.json');
  const prompts = { ...(config['prompts'] as object), directory: join(ROOT, 'prompts') };
  writeFileSync(path, JSON.stringify({ ...config, prompts, policies: { bench: SCORE_POLICY } }));
  return path;
}

/** One body per user; the same ones at every run. */
const SCORE_BODIES: readonly string[] = Array.from({ length: USERS }, (_, user) => {
  // Any numbers with as many digits as computed features have.
  const share = (step: number): number => ((user + 1) * (step + 1) * 0.618_033_988_749) % 1;
  return JSON.stringify({
    policy: 'bench',
    candidates: Array.from({ length: CANDIDATES }, (_candidate, index) => ({
      id: `candidate-${index}`,
      features: {
        ...Object.fromEntries(NUMBERS.map((name, step) => [name, share(index * NUMBERS.length + step)])),
        seasonal: index % 2 === 0,
        sponsored: index % 7 === 0,
        topic: CATEGORIES.topic[index % CATEGORIES.topic.length],
        format: CATEGORIES.format[index % CATEGORIES.format.length],
      },
    })),
    profile_features: { completion_rate: share(1), preferred_hour: user % 24, tip_volume: user % 50 },
    user_id: `user-${user}`,
  });
});

export const SCORE_REQUESTS: RequestSet = {
  path: '/score',
  headers: { 'content-type': 'application/json' },
  bodies: SCORE_BODIES,
};

/** A gateway whose policy has learnt. */
export async function startScoreGateway(
  upstream: FakeUpstream,
  folder: string,
  nodeArguments: readonly string[] = [],
): Promise<Target> {
  const configPath = writeScoreConfig(folder);
  const target = await startBenchGateway(upstream, { name: 'gateway', folder, configPath, nodeArguments });
  await teach(target.server.url, REWARDS);
  return target;
}

/** Lets the policy learn from `rewards` outcomes, so that what is measured is a policy at work. */
async function teach(url: string, rewards: number): Promise<void> {
  const post = async (path: string, body: string): Promise<Record<string, unknown>> => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
    const response = await fetch(url + path, init);
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  };
  for (let decision = 0; decision < rewards; decision += 1) {
    const score = await post('/score', SCORE_BODIES[decision % USERS] ?? '');
    const value = Number(String(score['chosen']).slice('candidate-'.length)) % 3 === 0;
    await post('/feedback', JSON.stringify({ score_id: score['id'], metric: 'completed', value }));
  }
  for (;;) {
    const policy = (await (await fetch(`${url}/policies/bench`)).json()) as { rewards: number };
    if (policy.rewards >= rewards) return;
    await new Promise((later) => setTimeout(later, 100));
  }
}
