import { copyFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { verifySqliteFile } from '../../../src/storage/sqlite/index.ts';
import { openDatabase } from '../../../src/storage/sqlite/sqlite-driver.ts';
import { compileGateway } from '../../helpers/compiled-gateway.ts';
import { countsOf, gatewayCalls } from '../../helpers/gateway-calls.ts';
import { processBench } from '../../helpers/gateway-process.ts';

/** Rights do not bind root: the gateway runs as nobody then. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
/** The promise is one second on a machine of its own. */
const REFUSED_WITHIN_MS = 5_000;

const compiled = compileGateway();
const bench = processBench(() => [compiled.entry]);
afterEach(bench.cleanUp);
afterAll(compiled.remove);

const user = isRoot ? { user: { uid: NOBODY, gid: NOBODY } } : {};

async function servedFolder(): Promise<{ readonly folder: string; readonly file: string }> {
  const folder = await bench.freshFolder();
  const file = join(folder, 'data/gateway.db');
  await mkdir(join(folder, 'data'));
  if (isRoot) {
    await chmod(folder, 0o755);
    await chown(join(folder, 'data'), NOBODY, NOBODY);
  }
  const gateway = bench.start(folder, {}, user);
  const calls = gatewayCalls(await gateway.url);
  for (let index = 0; index < 20; index += 1) await calls.generate(`call-${index}`);
  gateway.child.kill('SIGTERM');
  await gateway.exit;
  return { folder, file };
}

const edit = (file: string, statement: string): void => {
  const database = openDatabase(file);
  database.exec(statement);
  database.close();
};

describe('a file that cannot be served', () => {
  test.each([
    ['of rubbish', (file: string) => writeFileSync(file, 'no database. '.repeat(1_000)), 'restore a backup'],
    ['cut off', (file: string) => truncateSync(file, 40_960), 'restore a backup'],
    [
      'with torn pages',
      (file: string) => {
        const bytes = readFileSync(file);
        bytes.fill(0xff, 8_192, bytes.length / 2);
        writeFileSync(file, bytes);
      },
      'restore a backup',
    ],
    [
      'of a newer release',
      (file: string) => edit(file, "INSERT INTO schema_migrations VALUES ('9999_x.sql', 'x', 0)"),
      'newer release',
    ],
    ['of another program', (file: string) => edit(file, 'PRAGMA application_id = 7'), 'another program'],
    ['that is read-only', (file: string) => chmod(file, 0o444), 'writable for this user'],
    ['that it may not read', (file: string) => chmod(file, 0o000), 'writable for this user'],
  ] as const)(
    '%s ends the start with code 78 and one line that says what to do',
    async (_what, spoil, advice) => {
      const { folder, file } = await servedFolder();
      await spoil(file);
      const startedMs = performance.now();

      const refused = bench.start(folder, {}, user);

      expect(await refused.exit).toEqual({ code: 78, signal: null });
      expect(performance.now() - startedMs).toBeLessThan(REFUSED_WITHIN_MS);
      expect(refused.output()).toContain('gateway.db');
      expect(refused.output()).toContain(advice);
      expect(refused.output().trim().split('\n')).toHaveLength(1);
    },
    30_000,
  );

  test('in a folder that is read-only ends the start in the same way', async () => {
    const { folder } = await servedFolder();
    await chmod(join(folder, 'data'), 0o555);

    const refused = bench.start(folder, {}, user);

    expect(await refused.exit).toEqual({ code: 78, signal: null });
    expect(refused.output()).toContain('writable for this user');
    await chmod(join(folder, 'data'), 0o755);
  });

  test('because another process serves it ends the start of the second one, and the first goes on', async () => {
    const { folder } = await servedFolder();
    const first = bench.start(folder, {}, user);
    const calls = gatewayCalls(await first.url);
    const startedMs = performance.now();

    const second = bench.start(folder, {}, user);

    expect(await second.exit).toEqual({ code: 78, signal: null });
    const refusedMs = performance.now() - startedMs;
    expect(refusedMs).toBeLessThan(REFUSED_WITHIN_MS);
    process.stderr.write(`a second process is refused after ${refusedMs.toFixed(0)} ms\n`);
    expect(second.output()).toContain('served by another process');
    expect(second.output().trim().split('\n')).toHaveLength(1);
    expect((await calls.generate('still')).json).toMatchObject({ recorded: true });
  });
});

describe('a write-ahead log that was cut off after a kill', () => {
  test('costs the rows behind the cut and nothing before it', async () => {
    const { folder, file } = await servedFolder();
    const gateway = bench.start(folder, {}, user);
    const calls = gatewayCalls(await gateway.url);
    for (let index = 0; index < 10; index += 1) await calls.generate(`logged-${index}`);
    gateway.child.kill('SIGKILL');
    await gateway.exit;
    const log = `${file}-wal`;
    expect(existsSync(log)).toBe(true);
    copyFileSync(log, `${log}.whole`);
    truncateSync(log, readFileSync(log).length - 1_000);

    const again = bench.start(folder, {}, user);
    await again.url;
    again.child.kill('SIGTERM');
    await again.exit;

    const stored = countsOf(file, 'generations', 'external_id');
    expect(stored.get('call-19')).toBe(1);
    expect(stored.get('logged-8')).toBe(1);
    expect(verifySqliteFile(file)).toMatchObject({ problems: [], differences: [] });
  });
});
