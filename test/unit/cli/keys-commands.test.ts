import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';
import { runCaptured } from './captured-context.ts';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
  const config = {
    providers: { offline: { kind: 'offline' } },
    routes: { default: { targets: [{ provider: 'offline' }] } },
  };
  writeFileSync(join(folder.path, 'gateway.config.json'), JSON.stringify(config));
});
afterEach(() => folder.remove());

const run = (...args: readonly string[]) =>
  runCaptured(['keys', ...args, '--config', join(folder.path, 'gateway.config.json')], {
    DATABASE_URL: `sqlite:${join(folder.path, 'gateway.db')}`,
  });

const create = async (...args: readonly string[]) => {
  const { stdout } = await run('create', 'ops', '--json', ...args);
  return JSON.parse(stdout) as { readonly id: string; readonly key: string };
};

test.each(['', 'create', 'list', 'revoke'])(
  'help of "keys %s" shows examples and exit codes',
  async (command) => {
    const { stdout, exitCode } = await runCaptured(['keys', ...command.split(' ').filter(Boolean), '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Examples:');
    expect(stdout).toContain('78  the configuration');
  },
);

describe('keys create', () => {
  test('prints the key alone on standard output, for a pipe, and what it is beside it', async () => {
    const { stdout, stderr, exitCode } = await run('create', 'recommender', '--scopes', 'feedback,generate');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^pgw_[a-z2-9]{12}_[A-Za-z0-9_-]{43}\n$/);
    expect(stderr).toContain('"recommender" (generate, feedback)');
    expect(stderr).toContain('shown this once');
    expect(stderr).not.toContain(stdout.trim().split('_').slice(2).join('_'));
  });

  test('keeps scopes, expiry and limits', async () => {
    const before = Date.now();
    const key = await create(
      ...['--scopes', 'generate', '--expires', '12h'],
      ...['--requests-per-minute', '60', '--tokens-per-minute', '9000', '--usd-per-day', '2.5'],
    );
    expect(key).toMatchObject({
      ok: true,
      state: 'active',
      scopes: ['generate'],
      requests_per_minute: 60,
      tokens_per_minute: 9_000,
      usd_per_day: 2.5,
    });
    const { stdout } = await run('list', '--json');
    const [listed] = (JSON.parse(stdout) as { keys: { id: string; expires_at: string }[] }).keys;
    expect(listed).toMatchObject({ id: key.id, usd_per_day: 2.5 });
    const lifetimeMs = Date.parse(listed?.expires_at ?? '') - before;
    expect(lifetimeMs).toBeGreaterThanOrEqual(12 * 3_600_000);
    expect(lifetimeMs).toBeLessThan(12 * 3_600_000 + 60_000);
  });

  test.each([
    [['ops'], "'--scopes <list>' not specified"],
    [
      ['ops', '--scopes', 'generate,amdin'],
      'there is no scope "amdin"; known: generate, feedback, read, admin',
    ],
    [['ops', '--scopes', 'read', '--expires', 'soon'], 'expected a number with m, h or d, such as 90d'],
    [['ops', '--scopes', 'read', '--expires', '0d'], 'such as 90d'],
    [['ops', '--scopes', 'read', '--requests-per-minute', '0'], '--requests-per-minute'],
    [['ops', '--scopes', 'read', '--usd-per-day', '-1'], '--usd-per-day'],
    [['--scopes', 'read'], "missing required argument 'name'"],
  ])('refuses %j as wrong usage, before anything is made', async (args, message) => {
    const { exitCode, stderr, stdout } = await run('create', ...args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
    expect(stdout).toBe('');
    expect(existsSync(join(folder.path, 'gateway.db'))).toBe(false);
  });

  test('refuses a name that would steer a terminal', async () => {
    const { exitCode, stderr } = await run('create', '\u001b[2J', '--scopes', 'read');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('name');
    expect(stderr).not.toContain('\u001b');
  });
});

describe('keys list', () => {
  test('says that the gateway is open while there are none', async () => {
    expect(await run('list')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('no keys') });
    expect(JSON.parse((await run('list', '--json')).stdout)).toEqual({ ok: true, keys: [] });
  });

  test('shows every key, revoked ones too, and no secret', async () => {
    const first = await create('--scopes', 'read');
    const second = await create('--scopes', 'admin');
    await run('revoke', first.id, '--reason', 'leaked');
    const { stdout } = await run('list');
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines.find((line) => line.startsWith(first.id))).toContain('revoked');
    expect(lines.find((line) => line.startsWith(second.id))).toContain('active');
    for (const { key } of [first, second]) expect(stdout).not.toContain(key.split('_').slice(2).join('_'));
  });
});

describe('keys revoke', () => {
  test('ends a key, and doing it again changes nothing', async () => {
    const { id } = await create('--scopes', 'read');
    expect(await run('revoke', id, '--reason', 'leaked')).toMatchObject({
      exitCode: 0,
      stdout: `revoked: ${id} "ops"\n`,
    });
    const again = JSON.parse((await run('revoke', id, '--reason', 'again', '--json')).stdout);
    expect(again).toMatchObject({ ok: true, state: 'revoked', revoked_reason: 'leaked' });
  });

  test('names the nearest key when there is none of that id', async () => {
    const { id } = await create('--scopes', 'read');
    const wrong = `${id.slice(0, -1)}${id.endsWith('a') ? 'b' : 'a'}`;
    const { exitCode, stderr } = await run('revoke', wrong, '--reason', 'leaked');
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`did you mean ${id}?`);
    expect(JSON.parse((await run('revoke', wrong, '--reason', 'leaked', '--json')).stdout)).toMatchObject({
      ok: false,
      code: 'key_not_found',
    });
  });

  test('takes a whole key too, as one finds it where it leaked, and never repeats its secret', async () => {
    const { id, key } = await create('--scopes', 'read');
    const unknown = key.replace(id, 'aaaaaaaaaaaa');
    const refused = await run('revoke', unknown, '--reason', 'leaked');
    const revoked = await run('revoke', key, '--reason', 'leaked');

    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no key aaaaaaaaaaaa') });
    expect(revoked).toMatchObject({ exitCode: 0, stdout: `revoked: ${id} "ops"\n` });
    const secretStart = key.split('_').slice(2).join('_').slice(0, 8);
    expect(JSON.stringify([refused, revoked])).not.toContain(secretStart);
  });

  test('needs a reason', async () => {
    const { id } = await create('--scopes', 'read');
    expect(await run('revoke', id)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--reason'),
    });
    expect(await run('revoke', id, '--reason', ' ')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('says why'),
    });
  });
});
