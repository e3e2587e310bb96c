import { rm } from 'node:fs/promises';
import { afterEach, describe, expect, test } from '@jest/globals';

import { openSqliteReader } from '../../src/storage/sqlite/index.ts';
import { startGatewayForTest, type TestGateway } from '../helpers/gateway-for-test.ts';
import { sendCompletion, startScriptedUpstream } from '../helpers/scripted-upstream.ts';

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const FIXED = {
  prompt: 'tip',
  arms: { control: { version: 'v1', weight: 3 }, warm: { version: 'v2', weight: 1 } },
};
const LIVE = { tip: { live: { experiment: 'tone' } } };

interface StartOptions {
  readonly experiment?: object;
  readonly labels?: object;
  readonly environment?: Readonly<Record<string, string>>;
  /** Of a gateway that was closed, to go on with its ledger. */
  readonly directory?: string;
}

async function start(options: StartOptions = {}): Promise<TestGateway> {
  const gateway = await startGatewayForTest({
    config: { experiments: { tone: options.experiment ?? FIXED }, labels: options.labels ?? LIVE },
    environment: { DEFAULT_PROMPT_VERSION: '@live', ...options.environment },
    ...(options.directory === undefined ? {} : { directory: options.directory }),
  });
  cleanups.push(() => gateway.close());
  if (options.directory === undefined) {
    cleanups.push(() => rm(gateway.directory, { recursive: true, force: true }));
  }
  return gateway;
}

function ask(gateway: TestGateway, userId: string | null, more: object = {}) {
  const user = userId === null ? {} : { user_id: userId };
  return gateway.post('/generate', { prompt: 'tip', variables: { mood: 'calm' }, ...user, ...more });
}

async function armsOf(gateway: TestGateway, users: number): Promise<ReadonlyMap<string, string>> {
  const arms = new Map<string, string>();
  for (let user = 0; user < users; user += 1) {
    const { json } = await ask(gateway, `user-${user}`);
    arms.set(`user-${user}`, json.arm);
  }
  return arms;
}

/** What the ledger in the gateway's folder holds of generations, in order. */
async function rowsOf(gateway: TestGateway): Promise<readonly Record<string, unknown>[]> {
  const { reader, close } = await openSqliteReader({ file: gateway.config.databaseFile });
  try {
    return (await reader.readRows('generations', 0, 1_000)).rows;
  } finally {
    await close();
  }
}

describe('a label that points to an experiment', () => {
  test('assigns by the weights, says so in the answer, and keeps every unit in its arm', async () => {
    const gateway = await start();

    const first = await armsOf(gateway, 120);
    const second = await armsOf(gateway, 120);

    expect(second).toEqual(first);
    const warm = [...first.values()].filter((arm) => arm === 'warm').length / first.size;
    // Four standard errors of a share of a quarter over 120 units.
    expect(Math.abs(warm - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / 120));
    const { json } = await ask(gateway, 'user-0');
    expect(json).toMatchObject({
      prompt_version: json.arm === 'warm' ? 'v2' : 'v1',
      version_source: 'env',
      label: 'live',
      experiment: 'tone',
      propensity: json.arm === 'warm' ? 0.25 : 0.75,
    });
  });

  test('moves nobody who is assigned when the weights change, across a restart', async () => {
    const before = await start();
    const arms = await armsOf(before, 40);
    await before.close();

    const turned = {
      ...FIXED,
      arms: { control: { version: 'v1', weight: 1 }, warm: { version: 'v2', weight: 9_999 } },
    };
    const after = await start({ experiment: turned, directory: before.directory });

    expect(await armsOf(after, 40)).toEqual(arms);
    const { json } = await ask(after, 'user-0');
    expect(json.propensity).toBe(json.arm === 'warm' ? 0.25 : 0.75);
    const newcomers = await Promise.all(Array.from({ length: 20 }, (_, n) => ask(after, `new-${n}`)));
    expect(newcomers.filter((answer) => answer.json.arm === 'warm').length).toBeGreaterThanOrEqual(19);
    const rows = await rowsOf(after);
    const [old, recent] = [rows.at(-21), rows.at(-1)];
    expect(old?.['assigned_policy_revision']).toBe('tone-1');
    expect(recent?.['assigned_policy_revision']).toBe('tone-2');
    expect([old?.['current_policy_revision'], recent?.['current_policy_revision']]).toEqual([
      'tone-2',
      'tone-2',
    ]);
    expect(old?.['experiment_revision']).not.toBe(recent?.['experiment_revision']);
  });

  test('gives concurrent first calls of a unit one arm', async () => {
    const gateway = await start();

    const answers = await Promise.all(Array.from({ length: 12 }, () => ask(gateway, 'ann')));

    expect(new Set(answers.map(({ json }) => json.arm)).size).toBe(1);
  });

  test('leaves calls without a unit, of a named version, and dry runs out', async () => {
    const gateway = await start();

    const without = await ask(gateway, null);
    const forced = await ask(gateway, 'ann', { prompt_version: 'v2' });
    const dry = await ask(gateway, 'ann', { dry_run: true });

    expect(without.json).toMatchObject({ prompt_version: 'v1', label: 'live', experiment: null, arm: null });
    expect(forced.json).toMatchObject({ prompt_version: 'v2', label: null, experiment: null });
    expect(dry.json).toMatchObject({
      label: 'live',
      experiment: 'tone',
      arm: dry.json.prompt_version === 'v2' ? 'warm' : 'control',
      propensity: dry.json.prompt_version === 'v2' ? 0.25 : 0.75,
    });
    expect((await rowsOf(gateway)).map((row) => [row['experiment'], row['forced']])).toEqual([
      [null, 0],
      [null, 1],
    ]);
  });

  test('begins with a move of the label, and ends with the move back', async () => {
    const gateway = await start({ labels: { tip: { live: 'v1' } } });
    const move = (to: object) => gateway.put('/prompts/tip/labels/live', { ...to, reason: 'a test' });

    const before = await ask(gateway, 'ann');
    expect((await move({ experiment: 'tone' })).status).toBe(200);
    const during = await ask(gateway, 'ann');
    expect((await move({ version: 'v3' })).status).toBe(200);
    const after = await ask(gateway, 'ann');

    expect([before, during, after].map(({ json }) => json.experiment)).toEqual([null, 'tone', null]);
    expect([before.json.prompt_version, after.json.prompt_version]).toEqual(['v1', 'v3']);
  });

  test('keeps fallbacks in the arm that was assigned', async () => {
    const upstream = await startScriptedUpstream((_call, response) => {
      response.writeHead(500).end();
    });
    cleanups.push(upstream.close);
    const gateway = await start({ environment: { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'k' } });

    const { json } = await ask(gateway, 'ann');

    expect(json).toMatchObject({ degraded: true, experiment: 'tone' });
    expect((await rowsOf(gateway))[0]).toMatchObject({ arm: json.arm, fell_back: 1, degraded: 1 });
  });

  test('takes in calls of the OpenAI surface as well', async () => {
    const upstream = await startScriptedUpstream((_call, response) => sendCompletion(response, 'Walk.'));
    cleanups.push(upstream.close);
    const gateway = await start({ environment: { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'k' } });

    const asked = await gateway.post('/v1/chat/completions', {
      model: 'prompt/tip@@live',
      user: 'ann',
      messages: [{ role: 'user', content: 'And now?' }],
      prompt_variables: { mood: 'calm' },
    });
    expect([asked.status, asked.text]).toEqual([200, expect.anything()]);
    await ask(gateway, 'ann');

    const [chat, direct] = await rowsOf(gateway);
    expect(chat).toMatchObject({ surface: 'chat', experiment: 'tone', arm: direct?.['arm'] });
    expect(chat?.['unit_key']).toBe(direct?.['unit_key']);
  });
});

describe('a policy that learns', () => {
  const learning = {
    ...FIXED,
    policy: { kind: 'thompson', update_interval_seconds: 1 },
  };

  test('shifts new units to the arm that earns, and nobody else', async () => {
    const gateway = await start({ experiment: learning });
    const arms = new Map<string, string>();
    for (let user = 0; user < 40; user += 1) {
      const { json } = await ask(gateway, `user-${user}`);
      arms.set(`user-${user}`, json.arm);
      const outcome = { generation_id: json.id, metric: 'completed', value: json.arm === 'warm' };
      expect((await gateway.post('/feedback', outcome)).status).toBe(200);
    }

    const propensities = await until(async () => {
      const probe = await ask(gateway, `probe-${Math.trunc(performance.now())}`, { tags: ['test'] });
      const row = (await rowsOf(gateway)).at(-1);
      const known = JSON.parse(String(row?.['propensities_json'])) as Record<string, number>;
      return probe.status === 200 && (known['warm'] ?? 0) > 0.9 ? known : null;
    });

    // The permanent floor of a tenth of an even split.
    expect(propensities['control']).toBeGreaterThanOrEqual(0.05);
    expect((propensities['control'] ?? 0) + (propensities['warm'] ?? 0)).toBeCloseTo(1, 12);
    for (const [user, arm] of arms) expect((await ask(gateway, user)).json.arm).toBe(arm);
  });

  test('goes on with its last snapshot after a restart', async () => {
    const before = await start({ experiment: learning });
    await ask(before, 'ann');
    await before.close();

    const after = await start({ experiment: learning, directory: before.directory });
    await ask(after, 'bob');

    const rows = await rowsOf(after);
    expect(rows.map((row) => row['assigned_policy_revision'])).toEqual(['tone-1', 'tone-1']);
  });
});

describe('the start', () => {
  test('is refused when an arm names a version that does not exist', async () => {
    const arms = { control: { version: 'v1' }, warm: { version: 'v-2' } };

    await expect(start({ experiment: { prompt: 'tip', arms } })).rejects.toMatchObject({
      code: 'config_invalid',
      faults: [{ path: 'experiments.tone.arms.warm.version' }],
    });
  });

  test('warns of a default label that is not set', async () => {
    const gateway = await start({ labels: {} });

    expect(gateway.warnings.map(({ message }) => message).join()).toContain('has no label "@live"');
    expect((await ask(gateway, 'ann')).json.code).toBe('label_not_found');
  });
});

/** Asks until there is an answer; the test's own deadline ends it. */
async function until<Value>(find: () => Promise<Value | null>): Promise<Value> {
  while (true) {
    const found = await find();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
