import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadConfig, readEnvironment } from '../../../src/config/index.ts';
import { AppError } from '../../../src/kernel/index.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'prompt-gateway-config-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const EXPERIMENTS = {
  tone: { prompt: 'tip', arms: { warm: { version: 'v1' }, brisk: { version: 'v2' } } },
};

function load(labels: unknown) {
  const path = join(directory, 'gateway.config.json');
  const rest = {
    providers: { offline: { kind: 'offline' } },
    routes: { default: { targets: [{ provider: 'offline' }] } },
    experiments: EXPERIMENTS,
  };
  writeFileSync(path, JSON.stringify(labels === undefined ? rest : { ...rest, labels }));
  return loadConfig({ path, environment: readEnvironment({}).environment });
}

function faultsOf(labels: unknown): readonly string[] {
  try {
    load(labels);
  } catch (error) {
    if (error instanceof AppError) return error.faults.map(({ message }) => message);
  }
  throw new Error('nothing was refused');
}

describe('labels in the configuration', () => {
  test('are none when none are written', () => {
    expect(load(undefined).config.labels).toEqual({});
  });

  test('point to a version, in short or in full, or to an experiment', () => {
    const labels = { tip: { live: 'v1', canary: { version: 'v2' }, trial: { experiment: 'tone' } } };

    expect(load(labels).config.labels).toEqual(labels);
  });

  test.each([
    [{ tip: { live: 1 } }, 'labels.tip.live: must be a version ("v1"), {"version": "v1"} or'],
    [{ tip: { live: { versoin: 'v1' } } }, 'labels.tip.live: must be a version'],
    [{ tip: { live: { version: 'v1', experiment: 'tone' } } }, 'labels.tip.live: must be a version'],
    [{ tip: { live: '@stable' } }, 'labels.tip.live: a name has'],
    [{ tip: { '@live': 'v1' } }, 'labels.tip["@live"]: a label has'],
    [{ tip: { latest: 'v1' } }, 'labels.tip.latest: a label has'],
    [{ Tip: { live: 'v1' } }, 'labels.Tip: a name has'],
    [{ tip: 'v1' }, 'labels.tip: expected an object'],
    [[], 'labels: expected an object'],
    [
      { tip: { live: { experiment: 'tome' } } },
      'labels.tip.live.experiment: no experiment is named "tome" (did you mean "tone"?)',
    ],
    [
      { tip: { live: { experiment: 'constructor' } } },
      'labels.tip.live.experiment: no experiment is named "constructor"',
    ],
    [
      { digest: { live: { experiment: 'tone' } } },
      'labels.digest.live.experiment: experiment "tone" compares versions of prompt "tip", not of "digest"',
    ],
  ])('refuse %j with place and remedy', (labels, message) => {
    expect(faultsOf(labels)).toEqual([expect.stringContaining(message)]);
  });
});
