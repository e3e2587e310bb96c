import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';

import { compileGateway } from '../../helpers/compiled-gateway.ts';
import { eventually, processBench } from '../../helpers/gateway-process.ts';
import { temporaryFolder } from '../../helpers/temporary-folder.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const USER_ID = 1_000;

/**
 * What a container engine does with `read_only`, `cap_drop` and a user of its own: every file system read-only but the
 * volume, no capabilities, no way to get any. Needs root to give all of that away.
 */
const AS_IN_THE_CONTAINER = `
  mount --make-rprivate /
  mount --bind "$0" "$0"
  mount -o remount,bind,ro /
  exec setpriv --reuid ${USER_ID} --regid ${USER_ID} --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all "$@"`;

function wrapperFor(volume: string): readonly string[] {
  return ['unshare', '--mount', 'sh', '-ec', AS_IN_THE_CONTAINER, volume];
}

function isPossible(): boolean {
  const folder = temporaryFolder();
  const [program = '', ...words] = [...wrapperFor(folder.path), 'test', '-r', join(ROOT, 'package.json')];
  const { status } = spawnSync(program, words);
  folder.remove();
  if (status !== 0 && process.env['REQUIRE_SERVICES'] === '1') {
    throw new Error('needs root, unshare and setpriv, and sources that others may read');
  }
  return status === 0;
}

const testIfPossible = isPossible() ? test : test.skip;
const compiled = compileGateway();
const bench = processBench(() => [join(dirname(compiled.entry), 'cli/main.js'), 'serve']);
const volume = temporaryFolder();
afterEach(bench.cleanUp);
afterAll(() => {
  compiled.remove();
  volume.remove();
});

/** The command that the image is checked with. */
function healthCheck(port: string): number {
  const dockerfile = readFileSync(join(ROOT, 'deploy/Dockerfile'), 'utf8').replaceAll('\\\n', ' ');
  const [, command = '[]'] = /HEALTHCHECK.* CMD (\[.*\])/.exec(dockerfile) ?? [];
  const [, ...words] = JSON.parse(command) as readonly string[];
  return spawnSync(process.execPath, words, { env: { PORT: port } }).status ?? -1;
}

describe('the gateway as its image runs it', () => {
  testIfPossible(
    'needs no right but to write its volume: without a key it refuses to start, with one it serves and stops',
    async () => {
      const folder = await bench.freshFolder();
      chmodSync(folder, 0o755);
      chmodSync(dirname(compiled.entry), 0o755);
      chownSync(volume.path, USER_ID, USER_ID);
      const environment = {
        HOST: '0.0.0.0',
        DATABASE_URL: `sqlite:${volume.path}/gateway.db`,
        NODE_ENV: 'production',
      };
      const wrapper = wrapperFor(volume.path);

      const refused = bench.start(folder, environment, { wrapper });
      await expect(refused.url).rejects.toThrow('refusing to listen on 0.0.0.0: there are no API keys');
      const [program = '', ...words] = [
        ...wrapper,
        process.execPath,
        join(dirname(compiled.entry), 'cli/main.js'),
        ...['keys', 'create', 'ops', '--scopes', 'admin'],
      ];
      const made = spawnSync(program, words, {
        cwd: folder,
        env: { PATH: process.env['PATH'] ?? '', ...environment },
        encoding: 'utf8',
      });
      expect(made.stdout).toMatch(/^pgw_/);

      const gateway = bench.start(folder, environment, { wrapper });
      const { port } = new URL(await gateway.url);
      const answer = await fetch(`http://127.0.0.1:${port}/generate`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${made.stdout.trim()}` },
        body: JSON.stringify({ variables: {} }),
      });

      expect(await answer.json()).toMatchObject({ recorded: true });
      expect(statSync(join(volume.path, 'gateway.db'))).toMatchObject({ uid: USER_ID });
      expect(existsSync(join(folder, 'data'))).toBe(false);
      expect(healthCheck(port)).toBe(0);
      gateway.child.kill('SIGTERM');
      expect(await gateway.exit).toMatchObject({ code: 0 });
      await eventually(async () => healthCheck(port) === 1);
    },
    60_000,
  );
});
