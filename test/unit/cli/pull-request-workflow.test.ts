import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

import { runCaptured } from './captured-context.ts';
import { createPromptsFolder } from './prompts-folder.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const text = readFileSync(join(ROOT, 'docs/prompts-pull-request.yml'), 'utf8');
const workflow = parse(text) as {
  readonly jobs: {
    readonly prompts: { readonly steps: readonly { readonly name?: string; readonly run?: string }[] };
  };
};
const { steps } = workflow.jobs.prompts;
const commandLines = [...text.matchAll(/npm run --silent cli -- (.*)$/gm)].map(
  ([, line = '']) => line.split(/ 2>| \|\|/)[0]?.split(' ') ?? [],
);

describe('the workflow for pull requests', () => {
  test('calls the command line at least once for each of its promises', () => {
    const called = commandLines.map(([group, name]) => `${group} ${name}`);

    expect(called).toEqual(
      expect.arrayContaining([
        'prompts lint',
        'prompts test',
        'prompts diff',
        'prompts lock',
        'experiments check',
      ]),
    );
  });

  test.each(commandLines.map((words) => [words.join(' '), words] as const))(
    'calls a command and options that exist: %s',
    async (_line, words) => {
      const { exitCode, stdout } = await runCaptured([...words.slice(0, 2), '--help']);

      expect(exitCode).toBe(0);
      expect(stdout).toContain(`Usage: prompt-gateway ${words.slice(0, 2).join(' ')} `);
      for (const option of words.filter((word) => word.startsWith('--')))
        expect(stdout).toContain(` ${option} `);
    },
  );

  test('passes on the prompts of this repository', async () => {
    const config = ['--config', join(ROOT, 'gateway.config.json')];

    for (const [group = '', name = '', ...options] of commandLines.filter(([, name]) => name !== 'diff')) {
      expect(await runCaptured([group, name, ...options, ...config])).toMatchObject({ exitCode: 0 });
    }
  });

  test('hands nothing of a pull request to the shell but through the environment', () => {
    for (const { run = '' } of steps) expect(run).not.toContain('${{');
  });

  test('finds the prompts that a branch has changed, and no others', () => {
    const folder = createPromptsFolder();
    const git = (...args: string[]): string =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
        cwd: folder.path,
        encoding: 'utf8',
      });
    folder.write('same/v1.prompt', 'Same.');
    folder.write('tip/v1.prompt', 'One.');
    git('init', '--quiet');
    git('add', '.');
    git('commit', '--quiet', '-m', 'base');
    const base = git('rev-parse', 'HEAD').trim();
    folder.write('tip/v2.prompt', 'Two.');
    folder.write('new name/v1.prompt', 'Odd.');
    folder.write('_shared.prompt', 'Shared.');
    git('add', '.');
    git('commit', '--quiet', '-m', 'change');
    const outside = mkdtempSync(join(tmpdir(), 'gateway-workflow-'));
    const summary = join(outside, 'summary.md');
    writeFileSync(join(outside, 'npm'), '#!/bin/sh\necho "ran: $*"\nexit 1\n', { mode: 0o755 });
    const script = steps.find(({ name }) => name === 'Diff')?.run ?? '';

    execFileSync('bash', ['-e', '-o', 'pipefail', '-c', script], {
      cwd: folder.path,
      env: { PATH: `${outside}:${process.env['PATH']}`, BASE: base, GITHUB_STEP_SUMMARY: summary },
    });
    const told = readFileSync(summary, 'utf8');
    folder.remove();
    rmSync(outside, { recursive: true });

    expect(told.match(/^ran: .*$/gm)).toEqual([
      'ran: run --silent cli -- prompts diff new name',
      'ran: run --silent cli -- prompts diff tip',
    ]);
  });
});
