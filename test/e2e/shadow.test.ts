import { readFile, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';

import { openSqliteReader } from '../../src/storage/sqlite/index.ts';
import { startGatewayForTest, type TestAnswer, type TestGateway } from '../helpers/gateway-for-test.ts';
import {
  type Reply,
  type ScriptedUpstream,
  sendCompletion,
  sendError,
  startScriptedUpstream,
} from '../helpers/scripted-upstream.ts';

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const CANDIDATE = { prompt: 'tip', version: 'v2', model: 'candidate', sample: 1 };

interface Started {
  readonly gateway: TestGateway;
  readonly upstream: ScriptedUpstream;
}

/** A gateway with one shadow rule; the upstream tells candidates from live calls by the model they ask for. */
async function start(
  rule: object,
  onCandidate: Reply,
  config: object = {},
  onLive: Reply = (_call, response) => sendCompletion(response, 'Live.'),
): Promise<Started> {
  const upstream = await startScriptedUpstream((call, response) =>
    call.body['model'] === 'candidate' ? onCandidate(call, response) : onLive(call, response),
  );
  cleanups.push(() => upstream.close());
  const gateway = await startGatewayForTest({
    config: {
      // Candidates that hang must not hold up the end of a test.
      server: { port: 0, drain_timeout_ms: 300 },
      shadow: { candidate: { ...CANDIDATE, ...rule } },
      ...config,
    },
    environment: { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: upstream.url },
  });
  cleanups.push(() => gateway.dispose());
  return { gateway, upstream };
}

function ask(gateway: TestGateway, more: object = {}) {
  return gateway.post('/generate', { prompt: 'tip', variables: { mood: 'calm' }, route: 'strict', ...more });
}

/** The rule's report once `until` holds of it. */
async function reportOnce(
  gateway: TestGateway,
  until: (report: Record<string, unknown>) => boolean,
  rule = 'candidate',
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
): Promise<any> {
  const deadlineMs = Date.now() + 10_000;
  for (;;) {
    const { json } = await gateway.get(`/analytics/shadow/${rule}`);
    if (until(json)) return json;
    if (Date.now() > deadlineMs) throw new Error(`the report never came: ${JSON.stringify(json)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/**
 * A live call that was sampled and not dropped for a busy machine: asks again where the event loop came late, which is
 * right of the gateway and nothing that this test is about.
 */
async function askShadowed(gateway: TestGateway): Promise<TestAnswer> {
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
  const seenBy = (report: any): number =>
    report.runs +
    report.running +
    report.queued +
    report.dropped.reduce((sum: number, { calls }: { calls: number }) => sum + calls, 0);
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
  const lateIn = (report: any): number =>
    report.dropped.find(({ reason }: { reason: string }) => reason === 'event_loop_late')?.calls ?? 0;
  for (;;) {
    const before = await reportOnce(gateway, () => true);
    const answer = await ask(gateway);
    const after = await reportOnce(gateway, (report) => seenBy(report) > seenBy(before));
    if (lateIn(after) === lateIn(before)) return answer;
  }
}

async function rowsOf(gateway: TestGateway): Promise<readonly Record<string, unknown>[]> {
  const { reader, close } = await openSqliteReader({ file: gateway.config.databaseFile });
  try {
    return (await reader.readRows('generations', 0, 1_000)).rows;
  } finally {
    await close();
  }
}

describe('a shadow run', () => {
  test('that hangs keeps no live answer waiting, and shows in none', async () => {
    const held: ServerResponse[] = [];
    const { gateway, upstream } = await start({}, (_call, response) => {
      held.push(response);
    });

    const first = await askShadowed(gateway);
    const second = await askShadowed(gateway);
    const running = await reportOnce(gateway, (report) => report['running'] === 2);

    expect([first.status, second.status]).toEqual([200, 200]);
    expect(first.json).toMatchObject({ text: 'Live.', prompt_version: 'v1' });
    expect(running).toMatchObject({ runs: 0, summary: expect.stringMatching(/^No shadow run yet/) });
    const shadowCalls = upstream.calls.filter(({ body }) => body['model'] === 'candidate');
    expect(shadowCalls).toHaveLength(2);
    for (const answer of [first, second]) {
      const shown = JSON.stringify([answer.json, ...answer.headers]);
      expect(shown).not.toMatch(/shadow|candidate/i);
    }

    for (const response of held) sendCompletion(response, 'Shadow.');
    const report = await reportOnce(gateway, ({ runs }) => runs === 2);

    expect(report).toMatchObject({
      shadow: 'candidate',
      changes: ['model', 'version'],
      running: 0,
      errors: { live: { of: 2, count: 0 }, shadow: { of: 2, count: 0 } },
      latency: { pairs: 2 },
      tokens: { pairs: 2, live: { input: 31, output: 18 }, shadow: { input: 31, output: 18 } },
      versions: [{ live_version: 'v1', shadow_version: 'v2', runs: 2 }],
    });
    expect(report.latency.ratio.value).toBeGreaterThan(0);
    const rows = await rowsOf(gateway);
    const live = rows.filter((row) => row['shadow_of'] === null);
    const shadows = rows.filter((row) => row['shadow_of'] !== null);
    expect(new Set(shadows.map((row) => row['shadow_of']))).toEqual(new Set([first.json.id, second.json.id]));
    expect(live.map((row) => row['id'])).toEqual(expect.arrayContaining([first.json.id, second.json.id]));
    expect(
      shadows.map((row) => [row['delivered'], row['forced'], row['prompt_version'], row['text']]),
    ).toEqual([
      [0, 0, 'v2', 'Shadow.'],
      [0, 0, 'v2', 'Shadow.'],
    ]);
    const versions = await gateway.get('/analytics/prompts/tip/versions');
    const counted = versions.json.versions.filter(
      ({ generations }: { generations: number }) => generations > 0,
    );
    expect(counted).toMatchObject([{ prompt_version: 'v1', generations: live.length }]);
    const metrics = await gateway.get('/metrics');
    expect(metrics.text).toContain('gateway_shadow_runs_total{rule="candidate",status="ok"} 2');
    expect(metrics.text).not.toMatch(/gateway_generations_total\{[^}]*prompt_version="v2"/);
  });

  test('is looked up as what it is', async () => {
    const { gateway } = await start({}, (_call, response) => sendCompletion(response, 'Shadow.'));
    const live = await askShadowed(gateway);
    await reportOnce(gateway, ({ runs }) => runs === 1);
    const shadow = (await rowsOf(gateway)).at(-1);

    const found = await gateway.get(`/generations/${String(shadow?.['id'])}`);

    expect(found.json).toMatchObject({ shadow_of: live.json.id, delivered: false, prompt_version: 'v2' });
  });

  test('that fails opens no circuit of live calls', async () => {
    const { gateway } = await start({ route: 'strict', max_queue: 100 }, (_call, response) =>
      sendError(response, 500, 'the candidate is broken'),
    );

    for (let call = 0; call < 25; call += 1) expect((await askShadowed(gateway)).status).toBe(200);
    const report = await reportOnce(gateway, ({ runs }) => runs === 25);

    expect(report.errors).toMatchObject({
      live: { count: 0 },
      shadow: { count: 25 },
      difference: { value: 1, shadow_only: 25, live_only: 0 },
    });
    expect(report.errors.difference.lower).toBeGreaterThan(0.5);
    expect(report.summary).toContain(
      'v2 (route strict, model candidate) failed in 100.0 % of 25 shadow runs, the live calls in 0.0 %',
    );
    const attempts = (await rowsOf(gateway)).map((row) => String(row['attempts_json']));
    // The candidate's own circuit did open: it was spared the last calls.
    expect(attempts.some((text) => text.includes('skipped_open_circuit'))).toBe(true);
    const metrics = await gateway.get('/metrics');
    expect(metrics.text).toMatch(/gateway_circuit_state\{provider_route="strict"[^}]*state="closed"\} 1/);
  });

  test('is dropped and counted when the queue of its rule is full', async () => {
    const { gateway } = await start({ max_concurrency: 1, max_queue: 1 }, () => {});

    for (let call = 0; call < 4; call += 1) expect((await askShadowed(gateway)).status).toBe(200);
    const report = await reportOnce(gateway, () => true);

    expect(report).toMatchObject({ running: 1, queued: 1 });
    expect(report.dropped).toContainEqual({ reason: 'queue_full', calls: 2 });
    expect(report.summary).toMatch(/^No shadow run yet; sampled calls were dropped: .*queue_full 2/);
    expect((await gateway.get('/metrics')).text).toContain(
      'gateway_shadow_dropped_total{rule="candidate",reason="queue_full"} 2',
    );
  });

  test('that hangs keeps no stopping process longer than the time of the drain', async () => {
    const { gateway, upstream } = await start({}, () => {});
    await askShadowed(gateway);
    await reportOnce(gateway, ({ running }) => running === 1);

    const startedMs = performance.now();
    await gateway.close();
    const tookMs = performance.now() - startedMs;

    expect(upstream.abortedCalls()).toBe(1);
    // Not before its time is over, and not as long as a call may take.
    expect(tookMs).toBeGreaterThan(250);
    expect(tookMs).toBeLessThan(5_000);
    expect((await rowsOf(gateway)).filter((row) => row['shadow_of'] !== null)).toEqual([]);
  });

  test('stops at the budget of the day, across a restart', async () => {
    const usage = { usage: { prompt_tokens: 31, completion_tokens: 18, total_tokens: 49 } };
    const { gateway, upstream } = await start(
      { budget_usd_per_day: 0.002, assumed_cost_usd: 0.0015 },
      (_call, response) => sendCompletion(response, 'Shadow.', usage),
    );
    for (let call = 0; call < 2; call += 1) {
      await askShadowed(gateway);
      await reportOnce(gateway, ({ runs }) => runs === call + 1);
    }
    await gateway.close();

    const restarted = await startGatewayForTest({
      config: {
        shadow: { candidate: { ...CANDIDATE, budget_usd_per_day: 0.002, assumed_cost_usd: 0.0015 } },
      },
      environment: { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: upstream.url },
      directory: gateway.directory,
    });
    cleanups.push(() => restarted.close());
    await ask(restarted);
    // The budget is looked at before the lateness of the loop.
    const report = await reportOnce(restarted, ({ dropped }) => JSON.stringify(dropped) !== '[]');

    expect(report).toMatchObject({
      runs: 2,
      spent_today_usd: 0.003,
      dropped: [{ reason: 'budget', calls: 1 }],
      cost: { runs_of_unknown_cost: 2 },
    });
  });
});

describe('a shadow ranking', () => {
  const POLICIES = {
    tips: { kind: 'uniform', features: { candidate: { pace: { type: 'number', min: 0, max: 1 } } } },
    learner: { kind: 'squarecb', features: { candidate: { pace: { type: 'number', min: 0, max: 1 } } } },
    narrow: { kind: 'squarecb', features: { candidate: { mood: { type: 'boolean' } } } },
  };

  test('is decided by the candidate policy beside the live one, and teaches nobody', async () => {
    const { gateway } = await start({}, () => {}, {
      policies: POLICIES,
      shadow: {
        candidate: { policy: 'learner', of: 'tips', sample: 1 },
        refusing: { policy: 'narrow', of: 'tips', sample: 1 },
      },
    });
    const candidates = ['a', 'b', 'c'].map((id, index) => ({ id, features: { pace: index / 2 } }));

    const other = await gateway.post('/score', { policy: 'learner', candidates });
    const test = await gateway.post('/score', { policy: 'tips', candidates, tags: ['test'] });
    // A busy machine may drop some: asked until both have run.
    const ranked = async (rule: string) => {
      for (;;) {
        const answer = await gateway.post('/score', { policy: 'tips', candidates });
        expect(answer.json).toMatchObject({ policy: 'tips' });
        const report = await reportOnce(
          gateway,
          ({ runs, dropped }) => runs !== 0 || JSON.stringify(dropped) !== '[]',
          rule,
        );
        if (report.runs > 0) return report;
      }
    };
    const report = await ranked('candidate');
    const refusing = await ranked('refusing');

    expect([other.status, test.status]).toEqual([200, 200]);
    expect(report).toMatchObject({
      kind: 'policy',
      policy: 'learner',
      of: 'tips',
      changes: ['policy'],
      errors: { shadow: { count: 0 } },
      choices: { pairs: report.runs },
      cost: { pairs: 0, ratio: null },
    });
    expect(report.summary).toMatch(/^learner ranked \d+ calls? and chose what the live policy chose in /);
    expect(refusing).toMatchObject({ errors: { shadow: { count: refusing.runs } }, choices: null });
    const policies = await gateway.get('/analytics/policies/learner');
    // Its own live decision alone.
    expect(JSON.stringify(policies.json)).toContain('"decisions":1');
  });
});

describe('shadow rules', () => {
  test('are listed, and an unknown one is refused with the known ones', async () => {
    const { gateway } = await start({ sample: 0.25 }, () => {});

    const list = await gateway.get('/analytics/shadow');
    const unknown = await gateway.get('/analytics/shadow/candidat');

    expect(list.json.shadow).toMatchObject([
      { shadow: 'candidate', kind: 'prompt', prompt: 'tip', version: 'v2', sample: 0.25, runs: 0 },
    ]);
    expect(unknown.status).toBe(404);
    expect(unknown.json).toMatchObject({ code: 'shadow_not_found' });
    expect(unknown.json.detail).toContain('Did you mean candidate?');
  });

  test('follow the configuration while the gateway serves; a missing version changes nothing', async () => {
    const { gateway } = await start({}, (_call, response) => sendCompletion(response, 'Shadow.'), {
      watch_config: false,
    });
    const path = join(gateway.directory, 'gateway.config.json');
    const written = JSON.parse(await readFile(path, 'utf8'));
    const reloadWith = async (shadow: object) => {
      await writeFile(path, JSON.stringify({ ...written, shadow }));
      return (await gateway.reload()).config;
    };

    const refused = await reloadWith({ candidate: { ...CANDIDATE, version: 'v9' } });
    await askShadowed(gateway);
    const kept = await reportOnce(gateway, ({ runs }) => runs === 1);
    const changed = await reloadWith({ candidate: { ...CANDIDATE, version: 'v3' } });
    const after = await reportOnce(gateway, () => true);
    const removed = await reloadWith({});

    expect(refused.faults.map((fault) => fault.path)).toEqual(['shadow.candidate.version']);
    expect(kept).toMatchObject({ version: 'v2' });
    expect(changed.faults).toEqual([]);
    expect(after).toMatchObject({ version: 'v3', runs: 0, earlier_runs: 1 });
    expect(removed.faults).toEqual([]);
    expect((await gateway.get('/analytics/shadow')).json).toEqual({ shadow: [] });
  });

  test('refuse the start when they name a version that does not exist', async () => {
    const { gateway } = await start({}, () => {});
    await gateway.close();

    await expect(
      startGatewayForTest({
        config: { shadow: { candidate: { ...CANDIDATE, version: 'v9' } } },
        directory: gateway.directory,
      }),
    ).rejects.toMatchObject({
      code: 'config_invalid',
      faults: [{ path: 'shadow.candidate.version', message: expect.stringContaining('no version "v9"') }],
    });
  });
});
