import { spawn } from 'node:child_process';
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';

import { openDatabase } from '../../../src/storage/sqlite/sqlite-driver.ts';
import { acknowledgedLoad } from '../../helpers/acknowledged-load.ts';
import { compileGateway } from '../../helpers/compiled-gateway.ts';
import { noteFigure } from '../../helpers/fault-figures.ts';
import { processBench } from '../../helpers/gateway-process.ts';

const CALLERS = 8;
const BACKUPS = 3;
const BETWEEN_MS = 300;

const compiled = compileGateway();
const bench = processBench(() => [compiled.entry]);
afterEach(bench.cleanUp);
afterAll(compiled.remove);

/** The command line as an operator uses it, beside the serving process. */
async function db(folder: string, args: readonly string[], databaseUrl?: string): Promise<number> {
  const child = spawn(process.execPath, [join(dirname(compiled.entry), 'cli/main.js'), 'db', ...args], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    },
    stdio: 'ignore',
  });
  return new Promise((done) => child.once('close', (code) => done(code ?? -1)));
}

function storedIds(file: string): ReadonlySet<string> {
  const database = openDatabase(file, { readonly: true });
  try {
    const rows = database
      .prepare(
        'SELECT id FROM generations UNION ALL SELECT id FROM scores UNION ALL SELECT outcome_id FROM outcomes',
      )
      .pluck()
      .all() as readonly string[];
    return new Set(rows);
  } finally {
    database.close();
  }
}

describe('a backup under load', () => {
  test('holds everything acknowledged before it began, verifies, and serves after the documented restore', async () => {
    const folder = await bench.freshFolder();
    const file = join(folder, 'data/gateway.db');
    const load = acknowledgedLoad();
    const gateway = bench.start(folder);
    const running = load.run(await gateway.url, CALLERS);
    const backups: { readonly file: string; readonly acknowledged: readonly string[] }[] = [];

    for (let number = 1; number <= BACKUPS; number += 1) {
      await new Promise((done) => setTimeout(done, BETWEEN_MS));
      const { generations, scores, outcomes } = load.acknowledged;
      const acknowledged = [...generations, ...scores, ...outcomes];
      const backup = join(folder, `backup-${number}.db`);
      expect(await db(folder, ['backup', backup])).toBe(0);
      backups.push({ file: backup, acknowledged });
    }
    load.stop();
    await running;
    gateway.child.kill('SIGTERM');
    await gateway.exit;

    expect(load.acknowledged.surprises).toEqual([]);
    for (const backup of backups) {
      const stored = storedIds(backup.file);
      expect(backup.acknowledged.filter((id) => !stored.has(id))).toEqual([]);
      expect(await db(folder, ['verify'], `sqlite:${backup.file}`)).toBe(0);
    }
    const newest = backups.at(-1);
    expect(newest?.acknowledged.length).toBeGreaterThan(100);
    noteFigure('backup', `the last of ${BACKUPS} held all ${newest?.acknowledged.length} ids`);

    // As docs/ledger.md says: move the database away, its log and index with it, copy the backup in its place.
    await rename(file, `${file}.old`);
    for (const suffix of ['-wal', '-shm']) await rm(`${file}${suffix}`, { force: true });
    await mkdir(dirname(file), { recursive: true });
    await copyFile(newest?.file ?? '', file);
    const restored = bench.start(folder);
    const url = await restored.url;
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const [someId = ''] = newest?.acknowledged ?? [];
    expect((await fetch(`${url}/generations/${someId}`)).status).toBe(200);
    const report = (await (await fetch(`${url}/analytics/prompts/tip/versions`)).json()) as {
      readonly versions: readonly { readonly generations: number }[];
    };
    const reported = report.versions.reduce((sum, { generations }) => sum + generations, 0);
    expect(reported).toBeGreaterThanOrEqual(
      newest?.acknowledged.filter((id) => id.startsWith('gen_')).length ?? Number.POSITIVE_INFINITY,
    );
  }, 90_000);
});
