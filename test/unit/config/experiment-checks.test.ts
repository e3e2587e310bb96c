import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { loadConfig, loadEnvironment } from '../../../src/config/index.ts';
import { AppError } from '../../../src/kernel/index.ts';

const ARMS = { control: { version: 'v1' }, warm: { version: 'v2' } };

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'gateway-config-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function soundDocument(): object {
  return {
    providers: { offline: { kind: 'offline' } },
    routes: { default: { targets: [{ provider: 'offline' }] } },
    metrics: {
      completed: { type: 'boolean' },
      seen: { type: 'categorical', values: { yes: 1, no: 1 } },
      tapped: { type: 'categorical', values: { yes: 1 }, missing: 'zero' },
    },
  };
}

/** `jsonPath: message` of every fault of an experiment; empty when it is sound. */
function faultsOf(tone: object): readonly string[] {
  const path = join(directory, 'gateway.config.json');
  const document = { ...soundDocument(), experiments: { tone: { prompt: 'tip', arms: ARMS, ...tone } } };
  writeFileSync(path, JSON.stringify(document));
  try {
    loadConfig({ path, environment: loadEnvironment({}) });
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.faults.map((fault) => fault.message);
  }
}

describe('the configuration of an experiment', () => {
  test.each([
    ['the smallest one', {}],
    ['every policy', { policy: { kind: 'top_two_thompson', beta: 0.6, floor: 0.5, discount: 0.99 } }],
    ['a window', { start: '2026-11-23T10:00:00Z', stop: '2026-11-23T10:00:01Z' }],
    ['a fixed split on a metric without a range', { metric: 'seen' }],
    ['a policy that learns from one value and silence', { metric: 'tapped', policy: { kind: 'thompson' } }],
  ])('accepts %s', (_name, tone) => {
    expect(faultsOf(tone)).toEqual([]);
  });

  test.each([
    ['one arm', { arms: { control: { version: 'v1' } } }, 'experiments.tone.arms: has one arm'],
    [
      'a baseline that is no arm',
      { baseline: 'warn' },
      'experiments.tone.baseline: no arm is named "warn" (did you mean "warm"?)',
    ],
    [
      'a weight of nothing',
      { arms: { ...ARMS, warm: { version: 'v2', weight: 0 } } },
      'experiments.tone.arms.warm.weight',
    ],
    [
      'a weight that no unit would get',
      { arms: { ...ARMS, warm: { version: 'v2', weight: 0.0001 } } },
      'experiments.tone.arms.warm.weight: is 0.0001 of 1.0001, less than 1 in 10000',
    ],
    [
      'floors of more than 1 in all',
      { arms: { ...ARMS, cold: { version: 'v1' } }, policy: { kind: 'thompson', floor: 0.4 } },
      'experiments.tone.policy.floor: 0.4 for each of 3 arms is more than 1 in all',
    ],
    [
      'a metric nobody declared',
      { metric: 'complete' },
      'experiments.tone.metric: no metric is named "complete" (did you mean "completed"?)',
    ],
    [
      'a metric without a range under a policy that learns',
      { metric: 'seen', policy: { kind: 'thompson' } },
      'experiments.tone.metric: metric "seen" has the same reward for every value',
    ],
    [
      'an end before its beginning',
      { start: '2026-11-23T10:00:00Z', stop: '2026-11-23T10:00:00Z' },
      'experiments.tone.stop: 2026-11-23T10:00:00Z is not after "start"',
    ],
    [
      'a time without its zone',
      { start: '2026-11-23T10:00:00' },
      'experiments.tone.start: must be a time with its zone',
    ],
    [
      'a parameter of another policy',
      { policy: { kind: 'thompson', epsilon: 0.1 } },
      'experiments.tone.policy.epsilon',
    ],
    ['an unknown policy', { policy: { kind: 'ucb' } }, 'experiments.tone.policy.kind'],
    [
      'a share that has to leave something',
      { policy: { kind: 'top_two_thompson', beta: 1 } },
      'experiments.tone.policy.beta: must be below 1, got 1',
    ],
    [
      'a guardrail whose metric is misspelt',
      { guardrails: [{ metric: 'error_rte', max_increase: 0.1 }] },
      'experiments.tone.guardrails[0].metric: no metric is named "error_rte" (did you mean "error_rate"?)',
    ],
  ])('refuses %s', (_name, tone, beginning) => {
    const faults = faultsOf(tone);

    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(beginning);
  });

  test('warns that two arms leave top-two Thompson sampling nothing to choose', () => {
    const path = join(directory, 'gateway.config.json');
    const warningsOf = (policy: object) => {
      const document = { ...soundDocument(), experiments: { tone: { prompt: 'tip', arms: ARMS, policy } } };
      writeFileSync(path, JSON.stringify(document));
      return loadConfig({ path, environment: loadEnvironment({}) }).warnings.map(({ message }) => message);
    };

    expect(warningsOf({ kind: 'top_two_thompson' }).join()).toContain('an even split for ever');
    expect(warningsOf({ kind: 'top_two_thompson', beta: 0.6 }).join()).not.toContain('even split');
  });

  test('says which arm is the baseline where numbers as names come before the first of the file', () => {
    const path = join(directory, 'gateway.config.json');
    const warningsOf = (tone: object) => {
      const arms = { control: { version: 'v1' }, 2: { version: 'v2' } };
      const experiments = { tone: { prompt: 'tip', arms, ...tone } };
      writeFileSync(path, JSON.stringify({ ...soundDocument(), experiments }));
      return loadConfig({ path, environment: loadEnvironment({}) }).warnings.map(({ message }) => message);
    };

    expect(warningsOf({}).join()).toContain('experiments.tone.baseline: is "2"');
    expect(warningsOf({ baseline: 'control' }).join()).not.toContain('baseline');
    expect(warningsOf({ arms: ARMS }).join()).not.toContain('baseline');
  });

  test('warns of weights that the policy does not use', () => {
    const path = join(directory, 'gateway.config.json');
    const warningsOf = (kind: string, weights: readonly number[]) => {
      const arms = Object.fromEntries(weights.map((weight, n) => [`a${n}`, { version: 'v1', weight }]));
      const experiments = { tone: { prompt: 'tip', arms, policy: { kind } } };
      writeFileSync(path, JSON.stringify({ ...soundDocument(), experiments }));
      return loadConfig({ path, environment: loadEnvironment({}) }).warnings.map(({ message }) => message);
    };

    expect(warningsOf('thompson', [9, 1]).join()).toContain('weights are not used by "thompson"');
    expect(warningsOf('thompson', [2, 2]).join()).not.toContain('weights are not used');
    expect(warningsOf('fixed', [9, 1]).join()).not.toContain('weights are not used');
  });

  test('names what is wrong with the number of arms', () => {
    const arms = Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`a${n}`, { version: 'v1' }]));

    expect(faultsOf({ arms })[0]).toContain('has 51 arms: a comparison has 2 to 50');
  });
});
