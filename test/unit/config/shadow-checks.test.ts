import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { loadConfig, loadEnvironment } from '../../../src/config/index.ts';
import { AppError } from '../../../src/kernel/index.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'gateway-config-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Every fault of a shadow rule, as shown; empty when it is sound. */
function faultsOf(rule: object): readonly string[] {
  const path = join(directory, 'gateway.config.json');
  const document = {
    providers: { offline: { kind: 'offline' } },
    routes: {
      default: { targets: [{ provider: 'offline' }] },
      cheap: { targets: [{ provider: 'offline' }] },
    },
    policies: { tips: { kind: 'uniform' }, learner: { kind: 'uniform' } },
    shadow: { candidate: rule },
  };
  writeFileSync(path, JSON.stringify(document));
  try {
    loadConfig({ path, environment: loadEnvironment({}) });
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.faults.map((fault) => fault.message);
  }
}

describe('the configuration of a shadow rule', () => {
  test.each([
    ['a version', { prompt: 'tip', version: 'v3' }],
    ['a route and a model', { prompt: 'tip', route: 'cheap', model: 'small', only_version: 'v1' }],
    [
      'every limit',
      { prompt: 'tip', version: 'v3', sample: 1, max_queue: 0, timeout_ms: 1, assumed_cost_usd: 0 },
    ],
    ['a policy', { policy: 'learner' }],
    ['a policy of one live one', { policy: 'learner', of: 'tips', sample: 0.5 }],
  ])('accepts %s', (_name, rule) => {
    expect(faultsOf(rule)).toEqual([]);
  });

  test.each([
    ['no candidate', { prompt: 'tip' }, 'needs "version", "route" or "model"'],
    ['no prompt', { version: 'v3' }, 'needs "prompt"'],
    [
      'the version it is limited to',
      { prompt: 'tip', version: 'v3', only_version: 'v3' },
      'shadow.candidate.only_version: "version" is "v3" too',
    ],
    [
      'a route that is not declared',
      { prompt: 'tip', route: 'chaep' },
      'shadow.candidate.route: no route is named "chaep" (did you mean "cheap"?)',
    ],
    ['a share of nothing', { prompt: 'tip', version: 'v3', sample: 0 }, 'shadow.candidate.sample'],
    ['more than all', { prompt: 'tip', version: 'v3', sample: 1.5 }, 'shadow.candidate.sample'],
    ['a budget of nothing', { prompt: 'tip', version: 'v3', budget_usd_per_day: 0 }, 'budget_usd_per_day'],
    ['a misspelt key', { prompt: 'tip', version: 'v3', smaple: 1 }, 'smaple'],
    ['a policy beside a prompt', { prompt: 'tip', policy: 'learner' }, 'not to one with "policy"'],
    [
      'a policy that is not declared',
      { policy: 'lerner' },
      'shadow.candidate.policy: no policy is named "lerner" (did you mean "learner"?)',
    ],
    ['a policy of itself', { policy: 'learner', of: 'learner' }, 'there is nothing to compare'],
    ['a live policy without a candidate', { prompt: 'tip', version: 'v3', of: 'tips' }, 'candidate.of'],
  ])('refuses %s', (_name, rule, message) => {
    const faults = faultsOf(rule);

    expect(faults.join('\n')).toContain(message);
    expect(faults).toHaveLength(1);
  });
});
