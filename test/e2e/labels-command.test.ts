import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { startGatewayForTest, type TestGateway } from '../helpers/gateway-for-test.ts';
import { eventually } from '../helpers/gateway-process.ts';
import { type CapturedRun, runCaptured } from '../unit/cli/captured-context.ts';

const TONE = { prompt: 'tip', arms: { plain: { version: 'v1' }, warm: { version: 'v2' } } };

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGatewayForTest({
    config: {
      labels: { tip: { live: 'v1', next: 'v1', fresh: 'v1', gated: 'v1' }, digest: { live: 'v1' } },
      experiments: { tone: TONE },
      rollout_gates: { prompts: { tip: { min_shadow_runs: 3, labels: ['gated'] } } },
    },
  });
});
afterAll(() => gateway.dispose());

const labels = (...args: string[]): Promise<CapturedRun> =>
  runCaptured(['labels', ...args, '--url', gateway.url]);
const because = ['--reason', 'it is better'];

describe('labels on the command line', () => {
  test('moves, lists, tells the history and goes back', async () => {
    const moved = await labels('set', 'tip', '@live', 'v2', ...because);
    const listed = await labels('list', 'tip');
    const back = await labels('rollback', 'tip', 'live', '--reason', 'more complaints');
    const history = await labels('history', 'tip', 'live', '--limit', '2', '--json');

    expect(moved).toMatchObject({ exitCode: 0, stderr: '' });
    expect(moved.stdout).toMatch(/^moved: @live of tip to v2, before v1 \(sequence \d+\)\n$/);
    expect(listed.stdout).toMatch(/tip +│ @live +│ v2 +│ +\d+ │ .* │ local +│ it is better/);
    expect(back.stdout).toMatch(/^moved: @live of tip to v1, before v2/);
    expect(JSON.parse(history.stdout)).toMatchObject({
      ok: true,
      prompt: 'tip',
      label: 'live',
      history: [
        { target: { version: 'v1' }, reason: 'more complaints' },
        { target: { version: 'v2' }, reason: 'it is better' },
      ],
    });
  });

  test('lists the labels of every prompt', async () => {
    const { stdout } = await labels('list', '--json');

    const names = JSON.parse(stdout).labels.map(
      ({ prompt, label }: Record<string, string>) => `${prompt}@${label}`,
    );
    expect(names).toEqual(expect.arrayContaining(['tip@live', 'digest@live']));
  });

  test('points to an experiment, and goes back from it', async () => {
    const moved = await labels('set', 'tip', 'next', '--experiment', 'tone', ...because, '--json');
    const back = await labels('rollback', 'tip', 'next', ...because);

    expect(JSON.parse(moved.stdout)).toMatchObject({ ok: true, target: { experiment: 'tone' } });
    expect(back.stdout).toContain('to v1, before experiment tone');
  });

  test('refuses a move when somebody has moved the label meanwhile', async () => {
    const { exitCode, stdout } = await labels(
      ...['set', 'tip', 'next', 'v2', ...because, '--expect-sequence', '0', '--json'],
    );

    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, code: 'conflict' });
  });

  test('says what the gate lacks, and passes it with a reason', async () => {
    const refused = await labels('set', 'tip', 'gated', 'v2', ...because);
    const passed = await labels(
      'set',
      'tip',
      'gated',
      'v2',
      ...because,
      '--override-gate',
      'an incident',
      '--json',
    );

    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('min_shadow_runs');
    expect(JSON.parse(passed.stdout)).toMatchObject({
      ok: true,
      gate: { state: 'overridden', override_reason: 'an incident' },
    });
  });

  test.each([
    [['set', 'tip', 'live', 'v9', ...because], 1, 'no version "v9"'],
    [['set', 'tap', 'live', 'v1', ...because], 1, 'there is no prompt "tap"'],
    [['set', 'tip', 'live', ...because], 2, 'a version, or --experiment NAME'],
    [['set', 'tip', 'live', 'v1', '--experiment', 'tone', ...because], 2, 'a version, or --experiment NAME'],
    [['set', 'tip', 'live', 'v1'], 2, "required option '--reason <text>'"],
    [['history', 'tip', 'nope'], 1, 'nope'],
    [['rollback', 'tip', 'fresh', ...because], 1, '@fresh of tip has pointed to v1 only'],
    [['history', '../generations', 'x'], 1, 'there is no prompt "../generations"'],
  ])('%j ends with %d and says why', async (args, code, message) => {
    const { exitCode, stdout, stderr } = await labels(...args);

    expect(exitCode).toBe(code);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
  });

  test('takes address and key from the environment, and says when a key is missing or too weak', async () => {
    const guarded = await startGatewayForTest();
    const config = join(guarded.directory, 'gateway.config.json');
    const keyOf = async (name: string, scope: string): Promise<string> => {
      const args = ['keys', 'create', name, '--scopes', scope, '--config', config];
      return (await runCaptured(args)).stdout.trim();
    };
    const admin = await keyOf('ops', 'admin');
    const reader = await keyOf('eyes', 'read');
    const move = ['labels', 'set', 'tip', 'live', 'v2', ...because];
    // A gateway that serves knows a key within a second.
    await eventually(async () => (await fetch(`${guarded.url}/prompts`)).status === 401);
    const without = await runCaptured(move, { PROMPT_GATEWAY_URL: guarded.url });
    const weak = await runCaptured(move, {
      PROMPT_GATEWAY_URL: `${guarded.url}/`,
      PROMPT_GATEWAY_KEY: reader,
    });
    const good = await runCaptured([...move, '--key', admin], { PROMPT_GATEWAY_URL: guarded.url });
    await guarded.dispose();

    expect(without).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('PROMPT_GATEWAY_KEY') });
    expect(weak).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('admin') });
    expect(good).toMatchObject({ exitCode: 0, stderr: '' });
    for (const { stdout, stderr } of [without, weak, good]) {
      for (const key of [admin, reader]) expect(stdout + stderr).not.toContain(key);
    }
  });

  test('says that nothing listens there', async () => {
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    await new Promise((closed) => server.close(closed));

    const run = await runCaptured(['labels', 'list', '--url', `http://127.0.0.1:${port}`]);

    expect(run).toMatchObject({ exitCode: 1, stdout: '' });
    expect(run.stderr).toBe(
      `no gateway answers at http://127.0.0.1:${port} (ECONNREFUSED): start one with \`prompt-gateway serve\`, or name another with --url or PROMPT_GATEWAY_URL\n`,
    );
  });

  test('says that something else listens there, and takes no key elsewhere', async () => {
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      if (request.url === '/moved/prompts') response.writeHead(302, { location: '/caught' });
      response.end('<p>hello</p>');
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

    const other = await runCaptured(['labels', 'list', '--url', url]);
    const moved = await runCaptured(['labels', 'list', '--url', `${url}/moved`, '--key', 'pgw_a_b']);
    await new Promise((closed) => server.close(closed));

    expect(other.stderr).toContain('is no prompt gateway (status 200): check --url');
    expect(moved.stderr).toContain('no gateway answers');
    expect(asked).toEqual(['/prompts', '/moved/prompts']);
  });

  test.each(['ftp://example.org', 'not a url', 'http://user:hunter2@127.0.0.1:1'])(
    'refuses %s as an address without repeating it',
    async (url) => {
      const { exitCode, stderr } = await runCaptured(['labels', 'list', '--url', url]);

      expect(exitCode).toBe(2);
      expect(stderr).toContain('must be the address of a gateway');
      expect(stderr).not.toContain('hunter2');
    },
  );
});
