import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { runCaptured } from './captured-context.ts';
import { createPromptsFolder, type PromptsFolder } from './prompts-folder.ts';

const TONE = { prompt: 'tip', arms: { plain: { version: 'v1' }, warm: { version: 'v2' } } };

let folder: PromptsFolder;
beforeEach(() => {
  folder = createPromptsFolder({
    experiments: { tone: TONE },
    labels: { tip: { live: { experiment: 'tone' } } },
  });
  folder.write('tip/v1.prompt', 'One.');
  folder.write('tip/v2.prompt', 'Two.');
});
afterEach(() => folder.remove());

const check = (...args: string[]) =>
  runCaptured(['experiments', 'check', ...args, '--config', folder.config]);

function reconfigure(changes: object): void {
  writeFileSync(
    folder.config,
    JSON.stringify({ ...JSON.parse(readFileSync(folder.config, 'utf8')), ...changes }),
  );
}

describe('experiments check', () => {
  test('shows every experiment with its arms and the labels that lead to it', async () => {
    const { exitCode, stdout, stderr } = await check();

    expect(exitCode).toBe(0);
    expect(stdout).toBe('tone  running  tip  plain=v1 warm=v2  completed  fixed  @live\nok: 1 experiment\n');
    expect(stderr).toContain('does not exist yet: labels are taken from the configuration');
  });

  test('prints the same as JSON', async () => {
    const { stdout } = await check('--json');

    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      database: null,
      experiments: [
        {
          experiment: 'tone',
          prompt: 'tip',
          state: 'running',
          metric: 'completed',
          baseline: 'plain',
          arms: [
            { arm: 'plain', prompt_version: 'v1' },
            { arm: 'warm', prompt_version: 'v2' },
          ],
          labels: ['live'],
        },
      ],
      faults: [],
      warnings: [],
    });
  });

  test('names versions that do not exist and labels that lead nowhere, with exit code 1', async () => {
    reconfigure({
      experiments: { tone: { ...TONE, arms: { plain: { version: 'v1' }, warm: { version: 'v22' } } } },
      labels: { tip: { live: { experiment: 'tone' }, next: 'v9' } },
    });

    const { exitCode, stdout } = await check();

    expect(exitCode).toBe(1);
    expect(stdout).toContain('experiments.tone.arms.warm.version  prompt "tip" has no version "v22"');
    expect(stdout).toContain('labels.tip.next  prompt "tip" has no version "v9"');
    expect(stdout).toMatch(/failed: 2 faults\n$/);
  });

  test('refuses a metric that is not declared as the configuration does', async () => {
    reconfigure({ experiments: { tone: { ...TONE, metric: 'joy' } } });

    const { exitCode, stderr } = await check();

    expect(exitCode).toBe(78);
    expect(stderr).toContain('joy');
  });

  test('warns of an experiment that no label leads to', async () => {
    reconfigure({ labels: {} });

    const { exitCode, stderr } = await check();

    expect(exitCode).toBe(0);
    expect(stderr).toContain('experiments.tone  assigns nobody: no label of tip points to it');
  });

  test('warns of a label that still points to an experiment which is over', async () => {
    reconfigure({ experiments: { tone: { ...TONE, stop: '2026-01-01T00:00:00Z' } } });

    const { stdout, stderr } = await check();

    expect(stdout).toContain('tone  over');
    expect(stderr).toContain('was over at 2026-01-01T00:00:00.000Z, and @live still points to it');
  });

  test('warns of an arm whose version is retired', async () => {
    await folder.run('lock');
    await folder.run('retire', 'tip@v2');

    expect((await check()).stderr).toContain('version "v2" of prompt "tip" is retired');
  });
});
