import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { eventually, processBench } from '../helpers/gateway-process.ts';
import { endStream, sendDelta, startScriptedUpstream } from '../helpers/scripted-upstream.ts';

const bench = processBench();
const { freshFolder, start } = bench;
const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  await bench.cleanUp();
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function postGenerate(url: string, body: object = { variables: {} }): Promise<Response> {
  return fetch(`${url}/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

describe('the first start', () => {
  test('prints at most 20 lines with everything a newcomer needs, and the printed commands work', async () => {
    const folder = await freshFolder();
    const started = start(folder);
    const url = await started.url;
    await new Promise((done) => setImmediate(done));

    const lines = started.output().trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(20);
    for (const text of [
      '/docs',
      '/metrics',
      'data/gateway.db',
      'durability: commit',
      'offline',
      '/admin/sign-in#',
      'curl -s',
    ]) {
      expect(started.output()).toContain(text);
    }
    const curls = [...started.output().matchAll(/curl -s (\S+) -H '(\S+): (\S+)' -d '(.*)'/g)];
    expect(curls).toHaveLength(2);
    for (const [, target = '', , type = '', body = ''] of curls) {
      const response = await fetch(target, { method: 'POST', headers: { 'content-type': type }, body });
      expect([target, response.status]).toEqual([target, 200]);
    }
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  test.each([
    ['LITELLM_BASE_URL', { LITELLM_API_KEY: 'k', LITELLM_MODEL: 'm' }, 'litellm'],
    ['OPENAI_BASE_URL', { OPENAI_API_KEY: 'k' }, 'openai'],
    ['OLLAMA_BASE_URL', {}, 'ollama'],
  ])('uses %s without an edit of the configuration', async (variable, environment, provider) => {
    const upstream = await startScriptedUpstream();
    cleanups.push(upstream.close);
    const started = start(await freshFolder(), {
      ...environment,
      [variable]: upstream.url.replace('/v1', ''),
    });

    const answer = await (await postGenerate(await started.url)).json();

    expect(answer).toMatchObject({ provider, degraded: false, text: 'Take a walk.' });
    expect(started.output()).toContain(`providers  ${provider}`);
  });
});

describe('a stop', () => {
  test('lets running streams end and exits 0', async () => {
    const upstream = await startScriptedUpstream((_call, response) => {
      sendDelta(response, 'Take');
      setTimeout(() => {
        sendDelta(response, ' a walk.');
        endStream(response);
      }, 400);
    });
    cleanups.push(upstream.close);
    const started = start(await freshFolder(), { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'k' });
    const response = await postGenerate(await started.url, { variables: {}, stream: true });
    const reader = response.body?.getReader();
    await reader?.read();

    started.child.kill('SIGTERM');

    let rest = '';
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
      rest += new TextDecoder().decode(part.value);
    }
    expect(rest).toContain('event: end');
    expect(await started.exit).toEqual({ code: 0, signal: null });
  });

  test('keeps what was acknowledged through a kill -9, and starts again', async () => {
    const folder = await freshFolder();
    const first = start(folder);
    const { id } = (await (await postGenerate(await first.url)).json()) as { id: string };
    first.child.kill('SIGKILL');
    await first.exit;

    const second = start(folder);

    expect((await fetch(`${await second.url}/generations/${id}`)).status).toBe(200);
  });
});

describe('prompts on a running gateway', () => {
  test('are reloaded on SIGHUP, whole or not at all', async () => {
    const folder = await freshFolder();
    const started = start(folder, { LOG_LEVEL: 'info' });
    const url = await started.url;
    const v1 = await readFile(join(folder, 'prompts/tip/v1.prompt'), 'utf8');

    await writeFile(join(folder, 'prompts/tip/v4.prompt'), v1);
    await eventually(
      async () => (await postGenerate(url, { prompt_version: 'v4', variables: {} })).status === 200,
      () => started.child.kill('SIGHUP'),
    );
    await writeFile(join(folder, 'prompts/tip/v5.prompt'), '---\ninput:\n  schema: [\n---\nHello');
    await eventually(
      async () => {
        const listed = (await (await fetch(`${url}/prompts`)).json()) as {
          last_reload: { failed: unknown[] } | null;
        };
        return (listed.last_reload?.failed.length ?? 0) > 0;
      },
      () => started.child.kill('SIGHUP'),
    );

    expect((await postGenerate(url, { prompt_version: 'v4', variables: {} })).status).toBe(200);
    expect((await postGenerate(url, { prompt_version: 'v5', variables: {} })).status).toBe(404);
    const asked = started
      .output()
      .split('\n')
      .filter((line) => line.includes('"prompts_reload_requested"'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(asked.at(-1)).toMatchObject({
      level: 30,
      reloaded: [],
      unchanged: expect.arrayContaining(['tip@v4']),
      failed: [{ path: expect.stringContaining('tip/v5.prompt') }],
    });
  });
});

describe('a start that cannot be', () => {
  test.each([
    [
      'a broken configuration',
      async (folder: string) =>
        writeFile(
          join(folder, 'gateway.config.json'),
          '{"metircs":{},"providers":{},"routes":{"default":{"targets":[{"provider":"nope"}]}}}',
        ),
      ['metrics', 'nope'],
    ],
    [
      'malformed JSON',
      async (folder: string) => writeFile(join(folder, 'gateway.config.json'), '{\n  "providers": {,}'),
      ['gateway.config.json:2'],
    ],
    [
      'a broken prompt',
      async (folder: string) => writeFile(join(folder, 'prompts/tip/v9.prompt'), 'Hello {{#if}}'),
      ['tip/v9.prompt:1'],
    ],
    [
      'a released prompt that was edited',
      async (folder: string) =>
        writeFile(
          join(folder, 'prompts/tip/v1.prompt'),
          `${await readFile(join(folder, 'prompts/tip/v1.prompt'), 'utf8')}\nMore.`,
        ),
      ['tip/v1.prompt', 'add a new version'],
    ],
    [
      'a corrupt database file',
      async (folder: string) => {
        await mkdir(join(folder, 'data'));
        await writeFile(
          join(folder, 'data/gateway.db'),
          'this is not a database, whatever its name says'.repeat(100),
        );
      },
      ['gateway.db'],
    ],
  ])('refuses %s with code 78 and says what to do', async (_name, spoil, texts) => {
    const folder = await freshFolder();
    await spoil(folder);

    const started = start(folder);

    expect(await started.exit).toEqual({ code: 78, signal: null });
    for (const text of texts) expect(started.output()).toContain(text);
    expect(started.output()).not.toMatch(/^\s+at /m);
    const lines = started.output().trim().split(/\n\s*/);
    expect(lines.map((line) => line.replaceAll(/\s+/g, ' '))).toEqual([
      ...new Set(lines.map((line) => line.replaceAll(/\s+/g, ' '))),
    ]);
  });

  test('names the port that is in use', async () => {
    const blocker = createServer();
    await new Promise<void>((done) => blocker.listen(0, '127.0.0.1', done));
    cleanups.push(() => new Promise((done) => blocker.close(() => done())));
    const address = blocker.address();
    const port = String(address !== null && typeof address === 'object' ? address.port : 0);

    const started = start(await freshFolder(), { PORT: port });

    expect((await started.exit).code).toBe(78);
    expect(started.output()).toContain(port);
    expect(started.output().trim().split('\n')).toHaveLength(1);
  });

  test('leaves a file alone that another process serves', async () => {
    const folder = await freshFolder();
    await start(folder).url;

    const second = start(folder);

    expect((await second.exit).code).toBe(78);
    expect(second.output()).toContain('another process');
  });

  test('does not open the network without keys', async () => {
    const started = start(await freshFolder(), { HOST: '0.0.0.0' });

    expect((await started.exit).code).toBe(78);
    expect(started.output()).toContain('127.0.0.1');
  });
});
