import { describe, expect, test } from '@jest/globals';

import { configSchema, type GatewayConfig } from '../../../src/config/index.ts';
import { experimentWarnings, loadExperiments } from '../../../src/experiments/index.ts';
import { AppError } from '../../../src/kernel/index.ts';
import { scriptedRegistry, scriptedVersion } from '../../fakes/scripted-prompts.ts';

const registry = scriptedRegistry([
  scriptedVersion('tip', 'v1'),
  scriptedVersion('tip', 'v2'),
  scriptedVersion('tip', 'v0', { retired: true }),
]);
const ARMS = { control: { version: 'v1' }, warm: { version: 'v2', weight: 3 } };

function config(tone: object, more: object = {}): GatewayConfig {
  return configSchema.parse({
    providers: { offline: { kind: 'offline' } },
    routes: { default: { targets: [{ provider: 'offline' }] } },
    metrics: { completed: { type: 'boolean' }, reaction: { type: 'float', min: 0, max: 5 } },
    experiments: { tone: { prompt: 'tip', arms: ARMS, ...tone } },
    ...more,
  });
}

describe('loadExperiments', () => {
  test('fills in what is not written', () => {
    expect(loadExperiments(config({}), registry)).toEqual([
      {
        name: 'tone',
        revision: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        prompt: 'tip',
        arms: [
          { name: 'control', version: 'v1', weight: 1 },
          { name: 'warm', version: 'v2', weight: 3 },
        ],
        baseline: 'control',
        policy: { kind: 'fixed', epsilon: 0, beta: 0, floor: 0.25, discount: 1, updateIntervalMs: 0 },
        unit: 'user_id',
        metric: 'completed',
        salt: 'tone',
        startMs: null,
        stopMs: null,
        guardrails: [],
        graceMs: 3_600_000,
        guardrailIntervalMs: 30_000,
      },
    ]);
  });

  test('takes what is written', () => {
    const [tone] = loadExperiments(
      config(
        {
          baseline: 'warm',
          policy: { kind: 'epsilon_greedy', epsilon: 0.3, update_interval_seconds: 5 },
          unit: 'session_id',
          salt: 'pepper',
          start: '2026-11-23T10:00:00Z',
          stop: '2026-11-23T13:00:00+02:00',
        },
        { prompts: { settings: { tip: { primary_metric: 'reaction' } } } },
      ),
      registry,
    );

    expect(tone).toMatchObject({
      baseline: 'warm',
      policy: { kind: 'epsilon_greedy', epsilon: 0.3, floor: 0.05, updateIntervalMs: 5_000 },
      unit: 'session_id',
      metric: 'reaction',
      salt: 'pepper',
      startMs: Date.UTC(2026, 10, 23, 10),
      stopMs: Date.UTC(2026, 10, 23, 11),
    });
  });

  test('cuts a floor to whole buckets of the hash, so that all arms fit', () => {
    const arms = { a: { version: 'v1' }, b: { version: 'v2' }, c: { version: 'v2' } };
    const [tone] = loadExperiments(config({ arms, policy: { kind: 'thompson', floor: 1 / 3 } }), registry);

    expect(tone?.policy.floor).toBe(0.3333);
  });

  test.each([
    ['arms', { arms: { ...ARMS, warm: { version: 'v1' } } }, {}],
    ['weights', { arms: { ...ARMS, warm: { version: 'v2', weight: 4 } } }, {}],
    ['the baseline', { baseline: 'warm' }, {}],
    ['the policy', { policy: { kind: 'thompson' } }, {}],
    ['the unit', { unit: 'session_id' }, {}],
    ['the salt', { salt: 'pepper' }, {}],
    ['the declaration of the metric', {}, { metrics: { completed: { type: 'boolean', missing: 'zero' } } }],
  ])('makes another revision of other %s', (_what, tone, more) => {
    const revisionOf = (written: GatewayConfig) => loadExperiments(written, registry)[0]?.revision;

    expect(revisionOf(config(tone, more))).not.toBe(revisionOf(config({})));
  });

  test('keeps the revision when only the end moves', () => {
    const [open] = loadExperiments(config({}), registry);
    const [ended] = loadExperiments(config({ stop: '2027-01-01T00:00:00Z' }), registry);

    expect(ended?.revision).toBe(open?.revision);
  });

  test('names every arm whose version does not exist, with the likely one', () => {
    const arms = { control: { version: 'v-1' }, warm: { version: 'summer' } };
    let error: unknown = null;
    try {
      loadExperiments(config({ arms }), registry);
    } catch (thrown) {
      error = thrown;
    }

    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({
      code: 'config_invalid',
      faults: [
        {
          path: 'experiments.tone.arms.control.version',
          message: expect.stringContaining('did you mean "v1"?'),
        },
        { path: 'experiments.tone.arms.warm.version', message: expect.stringContaining('known: v1') },
      ],
    });
  });

  test('names the prompt that does not exist', () => {
    expect(() => loadExperiments(config({ prompt: 'tipp' }), registry)).toThrow('one fault');
  });

  test('warns of arms whose version is retired', () => {
    const experiments = loadExperiments(config({ arms: { ...ARMS, old: { version: 'v0' } } }), registry);

    expect(experimentWarnings(experiments, registry).map(({ path }) => path)).toEqual([
      'experiments.tone.arms.old',
    ]);
  });
});
