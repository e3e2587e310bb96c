import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { runCaptured } from './captured-context.ts';

let directory: string;
let file: string;
let faulty: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'gateway-cli-'));
  file = join(directory, 'sound.json');
  faulty = join(directory, 'faulty.json');
  const config = {
    providers: {
      offline: { kind: 'offline' },
      up: { kind: 'openai', base_url: 'http://a.example', base_url_env: 'UP_URL', api_key_env: 'UP_KEY' },
    },
    routes: {
      default: { targets: [{ provider: 'up', model: 'm1', model_env: 'UP_MODEL' }, { provider: 'offline' }] },
    },
  };
  writeFileSync(file, JSON.stringify(config));
  writeFileSync(faulty, '{\n  "metircs": {},\n  "providers": {},\n  "routes": {}\n}');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('help', () => {
  const commands = [
    '',
    'serve',
    'demo',
    'config',
    'config check',
    'config print',
    'prompts',
    'prompts list',
    'prompts test',
    'prompts lock',
    'prompts retire',
    'prompts new',
    'prompts import',
    'prompts lint',
    'prompts diff',
    'prompts render',
    'report',
    'db',
    'db migrate',
    'db backup',
    'db verify',
    'experiments',
    'experiments check',
    'labels',
    'labels list',
    'labels set',
    'labels history',
    'labels rollback',
    'ledger',
    'ledger export',
    'analyze',
    'off-policy',
    'plan',
    'docs',
    'docs generate',
  ];

  test.each(commands)('of "%s" shows examples and exit codes', async (command) => {
    const run = await runCaptured([...command.split(' ').filter(Boolean), '--help']);

    expect(run.exitCode).toBe(0);
    expect(run.stderr).toBe('');
    expect(run.stdout).toContain('Examples:');
    expect(run.stdout).toContain('78  the configuration, the prompts or the database cannot be used');
  });

  test('does not list the commands of developers', async () => {
    const { stdout } = await runCaptured(['--help']);

    expect(stdout).toContain('demo [options]');
    expect(stdout).not.toContain('docs');
  });

  test('--version prints a version', async () => {
    expect(await runCaptured(['--version'])).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    });
  });
});

describe('wrong usage', () => {
  test.each([
    [['chek'], 'unknown command'],
    [['config', 'chek'], 'Did you mean check?'],
    [['config', 'check', '--jsn'], 'Did you mean --json?'],
    [['config', 'check', 'extra'], 'too many arguments'],
    [['ledger', 'export'], "required option '--table <table>'"],
    [['ledger', 'export', '--table', 'users'], 'Allowed choices are generations, outcomes'],
    [['demo', '--users', '0'], 'expected a whole number from 1 to 20000'],
    [['demo', '--seed', '1.5'], 'expected a whole number'],
    [[], 'Usage:'],
    [['config'], 'Usage:'],
  ])('%j ends with 2 and says what is wrong', async (args, message) => {
    const run = await runCaptured(args);

    expect(run.exitCode).toBe(2);
    expect(run.stdout).toBe('');
    expect(run.stderr).toContain(message);
  });

  test.each([
    [['config', 'chek', '--json'], "unknown command 'chek' (Did you mean check?)"],
    [['prompts', 'diff', '--json'], "missing required argument 'prompt'"],
    [['prompts', '--json'], "unknown option '--json'"],
    [['report', 'tip', '--csv', '--json'], '--csv and --json are two forms: choose one'],
  ])('%j prints its refusal as JSON', async (args, message) => {
    const run = await runCaptured(args);

    expect(run).toMatchObject({ exitCode: 2, stderr: '' });
    expect(JSON.parse(run.stdout)).toEqual({ ok: false, code: 'invalid_request', message, faults: [] });
  });
});

describe('config check', () => {
  test('says ok with counts', async () => {
    const run = await runCaptured(['config', 'check', '--config', file]);

    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).toContain('2 providers, 1 route, 2 targets, 1 metric');
  });

  test('takes the file of GATEWAY_CONFIG, and --config wins over it', async () => {
    expect((await runCaptured(['config', 'check'], { GATEWAY_CONFIG: file })).exitCode).toBe(0);
    expect((await runCaptured(['config', 'check', '-c', file], { GATEWAY_CONFIG: faulty })).exitCode).toBe(0);
  });

  test('prints counts as JSON', async () => {
    const { stdout } = await runCaptured(['config', 'check', '--config', file, '--json']);

    expect(JSON.parse(stdout)).toMatchObject({ ok: true, file, providers: 2, targets: 2, warnings: [] });
  });

  test('checks what experiments, labels and shadow rules say about versions against the prompts', async () => {
    const config = {
      providers: { offline: { kind: 'offline' } },
      routes: { default: { targets: [{ provider: 'offline' }] } },
      prompts: { directory: resolve(import.meta.dirname, '../../../prompts') },
      labels: { tip: { live: { experiment: 'tone' }, next: 'v99' } },
      experiments: { tone: { prompt: 'tip', arms: { a: { version: 'v1' }, b: { version: 'v2' } } } },
    };
    const path = join(directory, 'versions.json');
    writeFileSync(path, JSON.stringify(config));

    const refused = await runCaptured(['config', 'check', '--config', path, '--json']);
    const { next: _gone, ...sound } = config.labels.tip;
    writeFileSync(path, JSON.stringify({ ...config, labels: { tip: sound } }));
    const accepted = await runCaptured(['config', 'check', '--config', path]);
    const arms = { a: { version: 'v1' }, b: { version: 'v22' } };
    const shadow = { candidate: { prompt: 'tip', version: 'v33' } };
    const faultyConfig = { ...config, experiments: { tone: { prompt: 'tip', arms } }, shadow };
    writeFileSync(path, JSON.stringify(faultyConfig));
    const both = await runCaptured(['config', 'check', '--config', path]);

    expect(refused).toMatchObject({ exitCode: 78, stderr: '' });
    expect(JSON.parse(refused.stdout)).toMatchObject({
      ok: false,
      code: 'config_invalid',
      faults: [{ path: 'labels.tip.next', message: expect.stringContaining('no version "v99"') }],
    });
    expect(accepted).toMatchObject({ exitCode: 0, stderr: '' });
    expect(accepted.stdout).toContain('1 experiment');
    expect(both.exitCode).toBe(78);
    expect(both.stderr).toContain('experiments.tone.arms.b.version  prompt "tip" has no version "v22"');
    expect(both.stderr).toContain('labels.tip.next');
    expect(both.stderr).toContain('shadow.candidate.version  prompt "tip" has no version "v33"');
  });

  test('ends with 78 and every fault of file and environment on standard error', async () => {
    const run = await runCaptured(['config', 'check', '--config', faulty], { PORT: 'x' });

    expect(run).toMatchObject({ exitCode: 78, stdout: '' });
    expect(run.stderr).toContain('PORT  expected a whole number');
    expect(run.stderr).toContain(`${faulty}:2:3  metircs: unknown key "metircs" (did you mean "metrics"?)`);
  });

  test('prints faults as JSON with their parts', async () => {
    const run = await runCaptured(['config', 'check', '--config', faulty, '--json']);

    expect(run).toMatchObject({ exitCode: 78, stderr: '' });
    expect(JSON.parse(run.stdout)).toMatchObject({
      ok: false,
      code: 'config_invalid',
      faults: expect.arrayContaining([
        { path: `${faulty}:2:3`, message: expect.any(String), json_path: 'metircs', line: 2, column: 3 },
      ]),
    });
  });
});

describe('config print', () => {
  const variables = {
    UP_KEY: 'hunter2-key',
    UP_URL: 'http://user:hunter2@upstream.example/v1?token=hunter2',
    UP_MODEL: 'm2',
    PORT: '1234',
  };

  test('shows values in force with their origins and no secret', async () => {
    const run = await runCaptured(['config', 'print', '--config', file], variables);

    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/^server\.port +1234 {2}\(environment PORT\)$/m);
    expect(run.stdout).toMatch(/^routes\.default\.targets\[0\]\.model +"m2" {2}\(environment UP_MODEL\)$/m);
    expect(run.stdout).toMatch(/^providers\.up\.base_url +"\(set\)" {2}\(environment UP_URL\)$/m);
    expect(run.stdout).toMatch(/^log\.level +"info"$/m);
    expect(run.stdout).toMatch(/^UP_KEY +\(set\) +providers\.up\.api_key$/m);
    expect(run.stdout).not.toContain('hunter2');
  });

  test('prints the same as JSON', async () => {
    const run = await runCaptured(['config', 'print', '--config', file, '--json'], variables);

    const printed = JSON.parse(run.stdout);
    expect(printed.values).toContainEqual({ path: 'server.port', value: 1234, origin: 'environment PORT' });
    expect(printed.variables).toContainEqual({ name: 'UP_KEY', set: true, purpose: 'providers.up.api_key' });
    expect(run.stdout).not.toContain('hunter2');
  });
});

describe('ledger export', () => {
  test('ends with 78 when there is no database yet', async () => {
    const run = await runCaptured(['ledger', 'export', '--table', 'outcomes', '--config', file]);

    expect(run).toMatchObject({ exitCode: 78, stdout: '' });
    expect(run.stderr).toContain(join(directory, 'data/gateway.db'));
  });
});

describe('docs/cli.md', () => {
  const page = readFileSync(resolve(import.meta.dirname, '../../../docs/cli.md'), 'utf8');
  const names = async (...group: string[]): Promise<readonly string[]> => {
    const { stdout } = await runCaptured([...group, '--help']);
    const [list = ''] = (stdout.split('Commands:\n')[1] ?? '').split('\n\n');
    return [...list.matchAll(/^ {2}([a-z-]+)/gm)]
      .map(([, name = '']) => name)
      .filter((name) => name !== 'help');
  };

  test('names every group and command that --help lists', async () => {
    const missing: string[] = [];
    for (const name of await names()) {
      for (const inner of [null, ...(await names(name))]) {
        const isTold =
          inner === null ? page.includes(`\`${name}`) : new RegExp(`${name}\`? .*${inner}`).test(page);
        if (!isTold) missing.push(`${name} ${inner ?? ''}`);
      }
    }

    expect(missing).toEqual([]);
  });

  test('names no example that the command line does not know', async () => {
    const lines = [...page.matchAll(/^(?:\$ )?prompt-gateway ((?:[a-z-]+ ?)+)/gm)].map(([, words = '']) =>
      words.trim(),
    );
    for (const line of new Set(lines)) {
      const [group = '', name = ''] = line.split(' ');
      const known = (await names(group)).includes(name) ? [group, name] : [group];
      expect({ line, exitCode: (await runCaptured([...known, '--help'])).exitCode }).toEqual({
        line,
        exitCode: 0,
      });
    }
  });
});
