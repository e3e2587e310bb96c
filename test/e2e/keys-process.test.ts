import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually, type GatewayProcess, processBench } from '../helpers/gateway-process.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const JSON_TYPE = { 'content-type': 'application/json' };

const bench = processBench();
afterEach(() => bench.cleanUp());

/** `prompt-gateway <args>` in the folder of a gateway, to its end. */
async function command(folder: string, ...args: readonly string[]): Promise<string> {
  const program = ['--import', import.meta.resolve('tsx'), join(ROOT, 'src/cli/main.ts'), ...args];
  const environment = { PATH: process.env['PATH'] ?? '' };
  const { stdout } = await promisify(execFile)(process.execPath, program, { cwd: folder, env: environment });
  return stdout.trim();
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const idOf = (key: string) => key.split('_')[1] ?? '';
const secretOf = (key: string) => key.split('_').slice(2).join('_');

function signInToken(started: GatewayProcess): string {
  const link = /sign in\s+(http\S+)#(\S+)/.exec(started.output());
  expect(link?.[1]).toMatch(/\/admin\/sign-in$/);
  return link?.[2] ?? '';
}

const signIn = (url: string, body: object): Promise<Response> =>
  fetch(`${url}/admin/sign-in`, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body) });

describe('beyond loopback', () => {
  test('the start is refused without keys, with the command that makes one; that command lets it start', async () => {
    const folder = await bench.freshFolder();
    // An address of the loopback network that is not known as one stands for any other.
    const refused = bench.start(folder, { HOST: '127.0.0.2' });

    expect(await refused.exit).toEqual({ code: 78, signal: null });
    const remedy = /`prompt-gateway (keys create[^`]+)`/.exec(refused.output())?.[1];
    expect(remedy).toBe('keys create admin --scopes admin');

    const key = await command(folder, ...(remedy ?? '').split(' '));
    const started = bench.start(folder, { HOST: '127.0.0.2' });
    const url = await started.url;

    expect(started.output()).toContain('access     API keys');
    expect((await fetch(`${url}/prompts`)).status).toBe(401);
    expect((await fetch(`${url}/prompts`, { headers: bearer(key) })).status).toBe(200);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

describe('the command line beside a serving gateway', () => {
  test('closes an open one with its first key, and ends a key within a second', async () => {
    const folder = await bench.freshFolder();
    const url = await bench.start(folder).url;
    const status = async (headers = {}) => (await fetch(`${url}/prompts`, { headers })).status;
    expect(await status()).toBe(200);

    const key = await command(folder, 'keys', 'create', 'ops', '--scopes', 'read');
    await eventually(async () => (await status()) === 401);
    expect(await status(bearer(key))).toBe(200);

    await command(folder, 'keys', 'revoke', idOf(key), '--reason', 'left the team');
    const revokedMs = performance.now();
    await eventually(async () => (await status(bearer(key))) === 401);
    expect(performance.now() - revokedMs).toBeLessThan(1_000);
    expect(await status()).toBe(401);
    expect(JSON.parse(await command(folder, 'keys', 'list', '--json'))).toMatchObject({
      keys: [{ id: idOf(key), state: 'revoked', revoked_reason: 'left the team', scopes: ['read'] }],
    });
  });
});

describe('the sign-in link of a start', () => {
  test('works once, and says so the second time; what it opened may do everything', async () => {
    const folder = await bench.freshFolder();
    await command(folder, 'keys', 'create', 'ops', '--scopes', 'admin');
    const started = bench.start(folder);
    const url = await started.url;
    const token = signInToken(started);

    const first = await signIn(url, { token });
    const second = await signIn(url, { token });

    expect(first.status).toBe(200);
    expect(await first.json()).toMatchObject({
      signed_in: true,
      key_id: 'local',
      scopes: expect.arrayContaining(['admin']),
    });
    expect(second.status).toBe(401);
    expect(await second.json()).toMatchObject({ detail: expect.stringContaining('was used before') });
    expect(second.headers.get('set-cookie')).toBeNull();
    const cookie = (first.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    expect((await fetch(`${url}/keys`, { headers: { cookie } })).status).toBe(200);
    expect((await fetch(`${url}/keys`)).status).toBe(401);
  });
});

test('a secret is in nothing that is printed, logged, measured, answered or stored', async () => {
  const folder = await bench.freshFolder();
  const key = await command(folder, 'keys', 'create', 'ops', '--scopes', 'admin');
  const started = bench.start(folder, { LOG_LEVEL: 'debug' });
  const url = await started.url;
  const token = signInToken(started);
  const wrong = `${key.slice(0, -6)}wrong0`;
  const answers = await Promise.all([
    fetch(`${url}/generate`, {
      method: 'POST',
      headers: { ...JSON_TYPE, ...bearer(key) },
      body: '{"prompt":"tip","variables":{}}',
    }),
    fetch(`${url}/prompts`, { headers: bearer(wrong) }),
    fetch(`${url}/v1/models`, { headers: bearer(wrong) }),
    signIn(url, { key }),
    signIn(url, { key: wrong }),
    signIn(url, { key: `${key}\n` }),
    signIn(url, { token }),
    fetch(`${url}/keys`, { headers: bearer(key) }),
    fetch(`${url}/metrics`, { headers: bearer(key) }),
    fetch(`${url}/readyz`),
  ]);
  const texts = [await command(folder, 'keys', 'list'), await command(folder, 'keys', 'list', '--json')];
  for (const answer of answers) texts.push(await answer.text());
  started.child.kill('SIGTERM');
  await started.exit;
  const files = await readdir(join(folder, 'data'));
  for (const file of files) texts.push(await readFile(join(folder, 'data', file), 'latin1'));
  const logged = started.output();

  expect(answers.map(({ status }) => status)).toEqual([200, 401, 401, 200, 401, 401, 200, 200, 200, 200]);
  expect(files).toContain('gateway.db');
  // The search would find it: the id of the key is there.
  expect(texts.filter((text) => text.includes(idOf(key))).length).toBeGreaterThan(3);
  expect(logged).toContain(`"key_id":"${idOf(key)}"`);
  for (const text of [...texts, logged]) {
    expect(text).not.toContain(secretOf(key));
    expect(text).not.toContain(secretOf(wrong));
  }
  // The banner alone shows the link.
  expect(logged.split(token)).toHaveLength(2);
  for (const text of texts) expect(text).not.toContain(token);
});
