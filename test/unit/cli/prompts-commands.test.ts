import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { runCaptured } from './captured-context.ts';

let folder: string;
let config: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gateway-cli-prompts-'));
  config = join(folder, 'gateway.config.json');
  writeFileSync(
    config,
    JSON.stringify({
      providers: { offline: { kind: 'offline' } },
      routes: { default: { targets: [{ provider: 'offline' }] } },
    }),
  );
  mkdirSync(join(folder, 'prompts/tip'), { recursive: true });
  writeFileSync(lockFile(), JSON.stringify({ versions: {}, retired: [] }));
  writePrompt('v1', 'One tip, please.');
  writePrompt('v2', 'One warm tip, please.');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lockFile = (): string => join(folder, 'prompts/prompts.lock.json');

function writePrompt(version: string, text: string): void {
  writeFileSync(
    join(folder, `prompts/tip/${version}.prompt`),
    `---\ndescription: ${version}\n---\n${text}\n`,
  );
}

function writeCase(version: string, content: string): void {
  writeFileSync(
    join(folder, 'prompts/tip/cases.yaml'),
    `- name: plain\n  versions: [${version}]\n  input: {}\n  messages:\n    - role: user\n      content: ${JSON.stringify(content)}\n`,
  );
}

const run = (...args: string[]) => runCaptured(['prompts', ...args, '--config', config]);

describe('prompts list', () => {
  test('lists versions with their state', async () => {
    await run('lock');
    await run('retire', 'tip@v1');
    writePrompt('v3', 'A new one.');

    const { exitCode, stdout } = await run('list', '--json');

    expect(exitCode).toBe(0);
    const [tip] = JSON.parse(stdout).prompts;
    expect(
      tip.versions.map((each: { version: string; state: string }) => [each.version, each.state]),
    ).toEqual([
      ['v1', 'retired'],
      ['v2', 'locked'],
      ['v3', 'draft'],
    ]);
    expect((await run('list')).stdout).toMatch(/tip .* v2 .* locked/);
  });

  test('ends with 78 and every fault of faulty files', async () => {
    writePrompt('v2', 'One {{#if x}} tip.');
    writePrompt('v3', '{{>nowhere}}');

    const { exitCode, stdout, stderr } = await run('list');

    expect(exitCode).toBe(78);
    expect(stdout).toBe('');
    expect(stderr).toContain('v2.prompt');
    expect(stderr).toContain('v3.prompt');
  });

  test('ends with 78 when the folder is not there', async () => {
    rmSync(join(folder, 'prompts'), { recursive: true });

    expect((await run('list')).exitCode).toBe(78);
  });
});

describe('prompts lock', () => {
  test('adds what is missing and says so once', async () => {
    expect((await run('lock', '--check')).exitCode).toBe(1);

    expect((await run('lock')).stdout).toBe('locked: tip@v1\nlocked: tip@v2\n');
    expect((await run('lock')).stdout).toBe('ok: every version is locked\n');
    expect(await run('lock', '--check')).toMatchObject({ exitCode: 0 });
    expect(JSON.parse((await run('lock', '--json')).stdout)).toEqual({ ok: true, locked: [] });
  });

  test('--check changes nothing', async () => {
    const before = readFileSync(lockFile(), 'utf8');

    const { stdout } = await run('lock', '--check', '--json');

    expect(JSON.parse(stdout)).toEqual({ ok: false, unlocked: ['tip@v1', 'tip@v2'] });
    expect(readFileSync(lockFile(), 'utf8')).toBe(before);
  });

  test('refuses with 78 when a released version was changed', async () => {
    await run('lock');
    writePrompt('v1', 'Another text.');

    const { exitCode, stderr } = await run('lock');

    expect(exitCode).toBe(78);
    expect(stderr).toContain('v1.prompt');
  });
});

describe('prompts retire', () => {
  test('warns when calls that name no version would be refused', async () => {
    await run('lock');

    expect((await run('retire', 'tip@v2')).stderr).toBe('');
    const { exitCode, stderr } = await run('retire', 'tip@v1');

    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^warning: v1 is what a call of tip gets .*DEFAULT_PROMPT_VERSION=tip=/);
  });

  test('retires once and says when it was done before', async () => {
    await run('lock');

    expect((await run('retire', 'tip@v1')).stdout).toBe('retired: tip@v1\n');
    expect((await run('retire', 'tip@v1')).stdout).toBe('ok: tip@v1 was retired before\n');
  });

  test.each([
    ['tip', 2],
    ['tip@', 2],
    ['tip@v1@v2', 2],
    ['tip@v9', 1],
    ['tap@v1', 1],
    ['tip@v1', 1],
  ])('refuses %s with %d when nothing is locked', async (name, code) => {
    const { exitCode, stderr } = await run('retire', name);

    expect(exitCode).toBe(code);
    expect(stderr).not.toBe('');
  });
});

describe('prompts test', () => {
  test('ends with 1 and names versions without a case', async () => {
    writeCase('v1', 'One tip, please.');

    const { exitCode, stdout } = await run('test');

    expect(exitCode).toBe(1);
    expect(stdout).toContain('no case: tip@v2');
  });

  test('ends with 0 when every case holds', async () => {
    rmSync(join(folder, 'prompts/tip/v2.prompt'));
    writeCase('v1', 'One tip, please.\n');

    expect(await run('test')).toEqual({ exitCode: 0, stdout: 'ok: 1 case passed\n', stderr: '' });
  });

  test('ends with 1 and shows what differs', async () => {
    rmSync(join(folder, 'prompts/tip/v2.prompt'));
    writeCase('v1', 'Two tips, please.');

    const { exitCode, stdout } = await run('test', '--json');

    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      passed: 0,
      failed: [{ prompt: 'tip', version: 'v1' }],
    });
  });

  test('takes one prompt, and refuses an unknown one', async () => {
    cpSync(join(folder, 'prompts/tip'), join(folder, 'prompts/other'), { recursive: true });
    writeCase('v1, v2', 'One tip, please.\n');
    writePrompt('v2', 'One tip, please.');

    expect(await run('test', 'tip')).toMatchObject({ exitCode: 0 });
    expect(await run('test')).toMatchObject({ exitCode: 1 });
    expect(await run('test', 'tips')).toMatchObject({ exitCode: 1, stdout: '' });
  });
});
