import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { loadConfig, loadEnvironment } from '../../src/config/index.ts';
import { startGatewayForTest, type TestGateway } from '../helpers/gateway-for-test.ts';
import { eventually, processBench } from '../helpers/gateway-process.ts';
import { generationRecord } from '../helpers/ledger-records.ts';
import { openSqliteOn } from '../helpers/open-sqlite-for-test.ts';
import {
  type Reply,
  sendCompletion,
  sendError,
  startScriptedUpstream,
} from '../helpers/scripted-upstream.ts';

const bench = processBench();
const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  await bench.cleanUp();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface StartOptions {
  readonly config?: object;
  readonly reply?: Reply;
  /** Of a gateway that was closed, to go on with its ledger. */
  readonly directory?: string;
}

async function start({ config = {}, reply, directory }: StartOptions = {}): Promise<TestGateway> {
  const upstream = await startScriptedUpstream(reply);
  cleanups.push(upstream.close);
  const gateway = await startGatewayForTest({
    config,
    environment: { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'k' },
    ...(directory === undefined ? {} : { directory }),
  });
  cleanups.push(gateway.dispose);
  return gateway;
}

const ask = (gateway: TestGateway, userId: string, more: object = {}) =>
  gateway.post('/generate', {
    prompt: 'tip',
    prompt_version: '@live',
    variables: {},
    user_id: userId,
    route: 'strict',
    ...more,
  });

const GATED = {
  labels: { tip: { live: 'v1' } },
  rollout_gates: { prompts: { tip: { min_shadow_runs: 3, max_error_rate: 0.1 } } },
  shadow: { next: { prompt: 'tip', version: 'v2', sample: 1 } },
};
const TO_V2 = { version: 'v2', reason: 'v2 is warmer' };

describe('the rollout gate of a label', () => {
  test('is closed, opens with shadow runs, lets a rollback pass, and keeps all of it', async () => {
    const gateway = await start({ config: GATED });

    const refused = await gateway.put('/prompts/tip/labels/live', TO_V2);
    // A busy machine drops shadow runs: ask until enough have run.
    await eventually(async () => {
      await ask(gateway, 'u1');
      return (await gateway.put('/prompts/tip/labels/live', TO_V2)).status === 200;
    });
    const back = await gateway.put('/prompts/tip/labels/live', { version: 'v1', reason: 'v2 is too warm' });

    expect(refused).toMatchObject({
      status: 409,
      json: {
        code: 'rollout_gate_closed',
        gate: {
          state: 'closed',
          targets: [
            {
              prompt_version: 'v2',
              conditions: [
                { condition: 'min_shadow_runs', required: 3, actual: 0, holds: false },
                { condition: 'max_error_rate', required: 0.1, actual: null, holds: false },
              ],
            },
          ],
        },
        override: { override: { reason: expect.any(String) } },
      },
    });
    expect(back).toMatchObject({ status: 200, json: { gate: { state: 'exempt' } } });
    const { json: label } = await gateway.get('/prompts/tip/labels/live');
    expect(label.history.map(({ gate }: { gate: { state: string } }) => gate.state)).toEqual([
      'exempt',
      'held',
      'exempt',
    ]);
    const [runs] = label.history[1].gate.targets[0].conditions;
    expect(runs).toMatchObject({ condition: 'min_shadow_runs', required: 3, holds: true });
    expect(runs.actual).toBeGreaterThanOrEqual(3);
    const { json: history } = await gateway.get('/analytics/rollouts?subject=tip@live');
    expect(
      history.rollouts.map(({ from, to, decision }: Record<string, string>) => [from, to, decision]),
    ).toEqual([
      ['version v2', 'version v1', 'exempt'],
      ['version v1', 'version v2', 'allowed'],
      ['version v1', 'version v2', 'refused'],
      [null, 'version v1', 'exempt'],
    ]);
    expect(history.next_before).toBeNull();
  });

  test('gives way to an override with a reason, which the history keeps', async () => {
    const gateway = await start({ config: GATED });

    const without = await gateway.put('/prompts/tip/labels/live', { ...TO_V2, override: { reason: ' ' } });
    const moved = await gateway.put('/prompts/tip/labels/live', {
      ...TO_V2,
      override: { reason: 'v1 insults people' },
    });

    expect(without).toMatchObject({ status: 400, json: { errors: [{ path: 'override.reason' }] } });
    expect(moved).toMatchObject({
      status: 200,
      json: { gate: { state: 'overridden', override_reason: 'v1 insults people' } },
    });
    expect((await ask(gateway, 'u1')).json.prompt_version).toBe('v2');
    const { json: page } = await gateway.get('/analytics/rollouts?limit=1');
    expect(page).toMatchObject({
      rollouts: [
        { decision: 'overridden', to: 'version v2', gate: { override_reason: 'v1 insults people' } },
      ],
      next_before: expect.any(Number),
    });
  });
});

const TWO_ARMS = { control: { version: 'v1' }, warm: { version: 'v2' } };
const TONE = { prompt: 'tip', arms: TWO_ARMS };
const WITH_V3 = { ...TONE, arms: { ...TWO_ARMS, brief: { version: 'v3' } } };
const RUNNING = {
  labels: { tip: { live: { experiment: 'tone' } } },
  rollout_gates: GATED.rollout_gates,
  experiments: { tone: TONE },
};

async function edit(gateway: TestGateway, changes: object): Promise<void> {
  const file = join(gateway.directory, 'gateway.config.json');
  const written = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...written, ...changes }));
}

describe('a definition that would lead users to what has not been shown', () => {
  test('is refused on reload with path and remedy, and passes with just that remedy', async () => {
    const gateway = await start({ config: { ...RUNNING, watch_config: false } });

    await edit(gateway, { experiments: { tone: WITH_V3 } });
    const { config: refused } = await gateway.reload();
    const override = /overrides: (\{.*\})/.exec(refused.faults[0]?.message ?? '')?.[1] ?? '{}';
    await edit(gateway, {
      rollout_gates: {
        ...RUNNING.rollout_gates,
        overrides: [{ ...(JSON.parse(override) as object), reason: 'urgent' }],
      },
    });
    const { config: passed } = await gateway.reload();

    expect(refused.faults).toEqual([
      {
        path: 'experiments.tone',
        message: expect.stringContaining('version v3 needs min_shadow_runs 3 and has 0'),
      },
    ]);
    expect(passed.faults).toEqual([]);
    const { json: listed } = await gateway.get('/analytics/experiments');
    expect(listed.experiments[0].arms).toHaveLength(3);
    const { json } = await gateway.get('/analytics/rollouts?subject=tone&kind=experiment');
    expect(json.rollouts.map(({ decision }: { decision: string }) => decision)).toEqual([
      'overridden',
      'refused',
      'allowed',
    ]);
  });

  test('is refused where the gate names a prompt that does not exist', async () => {
    const misspelt = { ...RUNNING, rollout_gates: { prompts: { tpi: { min_shadow_runs: 3 } } } };

    await expect(start({ config: misspelt })).rejects.toMatchObject({
      code: 'config_invalid',
      faults: [{ path: 'rollout_gates.prompts.tpi', message: expect.stringContaining('did you mean "tip"') }],
    });
  });

  test('refuses the start, while weights of versions that were live may change', async () => {
    const first = await start({ config: RUNNING });
    await first.close();

    const refused = start({
      config: { ...RUNNING, experiments: { tone: WITH_V3 } },
      directory: first.directory,
    });
    await expect(refused).rejects.toMatchObject({
      code: 'config_invalid',
      faults: [{ path: 'experiments.tone', message: expect.stringContaining('version v3') }],
    });
    const weighted = { ...TONE, arms: { control: { version: 'v1' }, warm: { version: 'v2', weight: 9 } } };
    const second = await start({
      config: { ...RUNNING, experiments: { tone: weighted } },
      directory: first.directory,
    });
    expect((await ask(second, 'u1')).status).toBe(200);
  });
});

const GUARDED = {
  ...RUNNING,
  rollout_gates: {},
  experiments: {
    tone: {
      ...TONE,
      guardrails: [{ metric: 'error_rate', max_increase: 0.05 }],
      guardrail_interval_seconds: 1,
    },
  },
};

/** The model refuses every call of the second version. */
const refuseWarm: Reply = ({ body }, response) => {
  if (JSON.stringify(body).includes('warm, encouraging')) sendError(response, 400, 'not this one');
  else sendCompletion(response, 'Take a walk.');
};

async function stoppedBy(gateway: TestGateway): Promise<string> {
  return (await gateway.get('/analytics/experiments/tone')).json.state;
}

describe('a guardrail that is certainly breached', () => {
  test('stops the experiment, says so everywhere, holds over a restart, and ends with another definition', async () => {
    const gateway = await start({ config: GUARDED, reply: refuseWarm });
    await Promise.all(Array.from({ length: 60 }, (_, user) => ask(gateway, `u${user}`)));

    await eventually(async () => (await stoppedBy(gateway)) === 'stopped_by_guardrail');

    const answers = await Promise.all(Array.from({ length: 20 }, (_, user) => ask(gateway, `u${user}`)));
    for (const { status, json } of answers) {
      expect([status, json.prompt_version, json.experiment]).toEqual([200, 'v1', null]);
    }
    const { json: report } = await gateway.get('/analytics/experiments/tone');
    expect(report.verdict.text).toMatch(
      /^Stopped by its guardrail at 20.*Z, every call gets control: error_rate of warm/,
    );
    expect(report.stopped).toMatchObject({ by: 'guardrail', guardrail: 'error_rate', actor: 'gateway' });
    expect(report.guardrails).toMatchObject([
      {
        guardrail: 'error_rate',
        limit: 0.05,
        breached: true,
        waived: false,
        arms: [{ arm: 'warm', loss: 1 }],
      },
    ]);
    expect((await gateway.get('/metrics')).text).toContain(
      'gateway_experiment_stopped{experiment="tone",guardrail="error_rate"} 1',
    );
    await gateway.close();

    const restarted = await start({ config: GUARDED, reply: refuseWarm, directory: gateway.directory });
    expect(await stoppedBy(restarted)).toBe('stopped_by_guardrail');
    expect((await ask(restarted, 'u1')).json).toMatchObject({ prompt_version: 'v1', experiment: null });
    await restarted.close();

    const changed = {
      ...GUARDED.experiments.tone,
      arms: { ...TWO_ARMS, warm: { version: 'v2', weight: 2 } },
    };
    const again = await start({
      config: { ...GUARDED, experiments: { tone: changed } },
      directory: gateway.directory,
    });
    expect(await stoppedBy(again)).toBe('running');
  });
});

describe('stopping by hand', () => {
  test('gives everybody the baseline with the next call, until somebody resumes', async () => {
    const gateway = await start({ config: GUARDED });
    const armOf = async (): Promise<string | null> => (await ask(gateway, 'u1')).json.arm;
    const before = await armOf();

    const stop = await gateway.post('/experiments/tone/stop', { reason: 'complaints' });
    const during = await armOf();
    const resumed = await gateway.post('/experiments/tone/resume', { reason: 'a misunderstanding' });
    const after = await armOf();

    expect(stop).toMatchObject({
      status: 200,
      json: { experiment: 'tone', stopped: { by: 'admin', reason: 'complaints', actor: 'local' } },
    });
    expect(resumed).toMatchObject({ status: 200, json: { stopped: null, waived: [] } });
    expect([during, after]).toEqual([null, before]);
    expect(before).not.toBeNull();
    expect(await gateway.post('/experiments/tone/resume', { reason: 'again' })).toMatchObject({
      status: 409,
      json: { code: 'conflict' },
    });
    expect(await gateway.post('/experiments/tune/stop', { reason: 'x' })).toMatchObject({
      status: 404,
      json: { code: 'experiment_not_found', known: ['tone'] },
    });
    expect(await gateway.post('/experiments/tone/stop', {})).toMatchObject({
      status: 400,
      json: { errors: [{ path: 'reason' }] },
    });
  });
});

describe('in a process of its own', () => {
  test('a stop outlives a crash', async () => {
    const folder = await bench.freshFolder();
    const file = join(folder, 'gateway.config.json');
    const shipped = JSON.parse(await readFile(file, 'utf8')) as object;
    const { labels, experiments } = RUNNING;
    await writeFile(file, JSON.stringify({ ...shipped, labels, experiments }));
    const first = bench.start(folder);
    const stopped = await fetch(`${await first.url}/experiments/tone/stop`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'complaints' }),
    });
    first.child.kill('SIGKILL');
    await first.exit;

    const second = bench.start(folder);
    const report = await (await fetch(`${await second.url}/analytics/experiments/tone`)).json();

    expect(stopped.status).toBe(200);
    expect(report).toMatchObject({ state: 'stopped_by_admin', stopped: { reason: 'complaints' } });
  });
});

describe('the configuration of gates and guardrails', () => {
  test.each([
    [
      { rollout_gates: { policies: { nope: { min_shadow_runs: 1 } } } },
      'rollout_gates.policies.nope: no policy is named "nope"',
    ],
    [
      { rollout_gates: { overrides: [{ revision: `sha256:${'a'.repeat(64)}`, reason: 'x' }] } },
      'names either "experiment" or "policy"',
    ],
    [
      { experiments: { tone: { ...TONE, guardrails: [{ metric: 'error_rate', max_loss: 0.1 }] } } },
      'takes "max_increase"',
    ],
    [{ experiments: { tone: { ...TONE, guardrails: [{ metric: 'completed' }] } } }, 'takes "max_loss"'],
    [
      { experiments: { tone: { ...TONE, guardrails: [{ metric: 'complted', max_loss: 0.1 }] } } },
      'did you mean "completed"',
    ],
    [
      {
        experiments: {
          tone: {
            ...TONE,
            guardrails: [
              { metric: 'completed', max_loss: 0.1 },
              { metric: 'completed', max_loss: 0.2 },
            ],
          },
        },
      },
      'has a guardrail already',
    ],
  ])('names the fault of %j', async (config, text) => {
    const folder = await bench.freshFolder();
    const path = join(folder, 'gateway.config.json');
    const shipped = JSON.parse(await readFile(path, 'utf8')) as object;
    await writeFile(path, JSON.stringify({ ...shipped, ...config }));
    const environment = loadEnvironment({});

    expect(() => loadConfig({ path, environment })).toThrow(
      expect.objectContaining({
        faults: [expect.objectContaining({ message: expect.stringContaining(text) })],
      }),
    );
  });
});

const EFFORT = { candidate: { effort: { type: 'number', min: 0, max: 1 } } };
const BOLD = { kind: 'squarecb', metric: 'completed', features: EFFORT };
const CAREFUL = { ...BOLD, floor_share: 0.5 };

describe('a policy of /score with a gate', () => {
  test('changes only to a definition that has ranked in shadow, or back to one that was in force', async () => {
    const config = {
      watch_config: false,
      policies: { tips: BOLD, next: CAREFUL },
      shadow: { careful: { policy: 'next', of: 'tips', sample: 1 } },
      rollout_gates: { policies: { tips: { min_shadow_runs: 3, max_error_rate: 0 } } },
    };
    const gateway = await start({ config });
    const change = async (tips: object) => {
      await edit(gateway, { policies: { tips, next: CAREFUL } });
      return (await gateway.reload()).config.faults;
    };

    const refused = await change(CAREFUL);
    await eventually(async () => {
      const candidates = [0.1, 0.9].map((effort) => ({ id: `c${effort}`, features: { effort } }));
      await gateway.post('/score', { policy: 'tips', candidates, user_id: 'u1' });
      return (await change(CAREFUL)).length === 0;
    });
    const back = await change(BOLD);
    const unseen = await change({ ...BOLD, floor_share: 0.9 });

    expect(refused).toEqual([
      { path: 'policies.tips', message: expect.stringContaining('min_shadow_runs 3 and has 0') },
    ]);
    expect(back).toEqual([]);
    expect(unseen).toEqual([
      { path: 'policies.tips', message: expect.stringContaining('needs min_shadow_runs') },
    ]);
    const { json } = await gateway.get('/analytics/rollouts?subject=tips&kind=policy');
    expect(json.rollouts.map(({ decision }: { decision: string }) => decision)).toEqual([
      'refused',
      'exempt',
      'allowed',
      'refused',
      'exempt',
    ]);
  });
});

const WATCHED = {
  ...RUNNING,
  rollout_gates: {},
  experiments: { tone: { ...TONE, guardrail_interval_seconds: 1 } },
};

/** Units that were all given one arm by even chances, written past the assignment: as a fault would. */
async function giveAll(
  { config, directory }: TestGateway,
  { arm, units, revision }: { readonly arm: string; readonly units: number; readonly revision: string },
): Promise<void> {
  const { ledger, close } = await openSqliteOn(config.databaseFile);
  for (let unit = 0; unit < units; unit += 1) {
    await ledger.appendGeneration(
      generationRecord({
        id: `gen_${arm}_${unit}`,
        createdAtMs: Date.now(),
        experiment: 'tone',
        experimentRevision: revision,
        arm,
        propensity: 0.5,
        propensities: { control: 0.5, warm: 0.5 },
        assignedPolicyRevision: 'tone-1',
        currentPolicyRevision: 'tone-1',
        unitKey: `${directory}-${arm}-${unit}`,
      }),
      null,
    );
  }
  await close();
}

describe('a broken assignment', () => {
  test('raises an alarm that stays on when sound traffic dilutes it, and no verdict comes', async () => {
    const first = await start({ config: WATCHED });
    const { revision } = (await first.get('/analytics/experiments')).json.experiments[0];
    await first.close();
    await giveAll(first, { arm: 'warm', units: 60, revision });
    const second = await start({ config: WATCHED, directory: first.directory });
    const reportOf = async (gateway: TestGateway) => (await gateway.get('/analytics/experiments/tone')).json;

    await eventually(async () => (await reportOf(second)).sample_ratio.alarmed_at !== null);
    expect((await second.get('/metrics')).text).toContain(
      'gateway_experiment_assignment_broken{experiment="tone"} 1',
    );
    await second.close();
    await giveAll(first, { arm: 'control', units: 60, revision });
    const third = await start({ config: WATCHED, directory: first.directory });

    const report = await reportOf(third);
    expect(report.sample_ratio.p_value).toBeGreaterThan(report.sample_ratio.alarm_below);
    expect(report.sample_ratio).toMatchObject({ alarm: true, alarmed_at: expect.stringMatching(/Z$/) });
    expect(report.verdict.state).toBe('assignment_broken');
    const { json } = await third.get('/analytics/rollouts?subject=tone');
    expect(json.rollouts[0]).toMatchObject({ decision: 'alarmed', actor: 'gateway', facts: { units: 60 } });
  });
});
