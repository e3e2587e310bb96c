import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { openDatabase } from '../../src/storage/sqlite/sqlite-driver.ts';
import { startGatewayForTest, type TestGateway } from '../helpers/gateway-for-test.ts';
import { type CapturedRun, runCaptured } from '../unit/cli/captured-context.ts';

const CALLS = 40;

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGatewayForTest({
    config: {
      labels: { tip: { live: { experiment: 'tone' } } },
      experiments: { tone: { prompt: 'tip', arms: { plain: { version: 'v1' }, warm: { version: 'v2' } } } },
      shadow: { next: { prompt: 'tip', version: 'v3', sample: 1 } },
    },
  });
  await serveCalls(CALLS);
});
afterAll(() => gateway.dispose());

/** Rewards in every order: late, withdrawn, without a generation. */
async function serveCalls(calls: number): Promise<void> {
  for (let call = 0; call < calls; call += 1) {
    const body = { prompt_version: '@live', user_id: `u${call}` };
    const { json } = await gateway.post('/generate', body);
    const outcome = { metric: 'completed', value: call % 3 === 0, outcome_id: `o${call}-${json.id}` };
    await gateway.post('/feedback', { generation_id: json.id, ...outcome });
    if (call % 5 === 0) await gateway.post('/feedback', { generation_id: json.id, ...outcome, void: true });
    if (call % 7 === 0)
      await gateway.post('/feedback', {
        generation_id: `gen_none${call}`,
        ...outcome,
        outcome_id: `x${call}`,
      });
  }
}

const inFolder = (name: string): string => join(gateway.directory, name);
const db = (args: readonly string[], file?: string): Promise<CapturedRun> =>
  runCaptured(
    ['db', ...args, '--config', inFolder('gateway.config.json')],
    file === undefined ? {} : { DATABASE_URL: `sqlite:${file}` },
  );

async function backup(name: string): Promise<string> {
  const file = inFolder(name);
  expect(await db(['backup', file])).toMatchObject({ exitCode: 0 });
  return file;
}

function change(file: string, sql: string): void {
  const connection = openDatabase(file);
  connection.exec(sql);
  connection.close();
}

describe('db backup', () => {
  test('writes a whole copy beside a gateway that serves and writes', async () => {
    const writing = serveCalls(10);
    const { exitCode, stdout } = await db(['backup', inFolder('during.db'), '--json']);
    await writing;

    expect(exitCode).toBe(0);
    const printed = JSON.parse(stdout);
    expect(printed).toMatchObject({ ok: true, backup: inFolder('during.db') });
    expect(printed.generations).toBeGreaterThanOrEqual(CALLS);
    expect(statSync(inFolder('during.db'))).toMatchObject({ size: printed.bytes });
    expect(statSync(inFolder('during.db')).mode & 0o777).toBe(0o600);
    expect(existsSync(inFolder('during.db.part'))).toBe(false);
    expect(await db(['verify'], inFolder('during.db'))).toMatchObject({ exitCode: 0 });
  });

  test('serves a gateway that is started on it', async () => {
    const file = await backup('restored.db');
    const restored = await startGatewayForTest({ environment: { DATABASE_URL: `sqlite:${file}` } });

    const { json } = await restored.get('/analytics/prompts/tip/versions');
    await restored.dispose();

    const calls = json.versions.reduce(
      (sum: number, row: { generations: number }) => sum + row.generations,
      0,
    );
    expect(calls).toBeGreaterThanOrEqual(CALLS);
  });

  test('overwrites nothing', async () => {
    writeFileSync(inFolder('mine.txt'), 'mine');

    const { exitCode, stderr } = await db(['backup', inFolder('mine.txt')]);

    expect(exitCode).toBe(1);
    expect(stderr).toContain('exists already: a backup overwrites nothing');
    expect(readFileSync(inFolder('mine.txt'), 'utf8')).toBe('mine');
  });

  test('says where it cannot write', async () => {
    const { exitCode, stderr } = await db(['backup', inFolder('no/such/folder/b.db')]);

    expect(exitCode).toBe(1);
    expect(stderr).toContain('cannot write');
    expect(stderr).toContain('ENOENT');
  });
});

describe('db verify', () => {
  test('finds nothing wrong with a ledger that is served, and leaves nothing behind', async () => {
    const before = readdirSync(gateway.directory);

    const { exitCode, stdout } = await db(['verify']);

    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ok: .* is sound, and all \d+ derived tables are what its rows give\n$/);
    expect(readdirSync(gateway.directory)).toEqual(before);
  });

  test.each([
    ['outcome_rollups', 'UPDATE outcome_rollups SET reward_sum = reward_sum + 1, n = n + 1'],
    ['generation_rollups', 'UPDATE generation_rollups SET delivered = delivered - 1'],
    ['latency_rollups', 'DELETE FROM latency_rollups'],
    ['counting_outcomes', 'DELETE FROM counting_outcomes'],
  ])('says that %s differs from the rows, and how', async (table, sql) => {
    const file = await backup(`changed-${table}.db`);
    change(file, sql);

    const shown = await db(['verify'], file);
    const { exitCode, stdout } = await db(['verify', '--json'], file);

    expect(exitCode).toBe(1);
    expect(shown.stdout).toContain(`differs: ${table}: `);
    expect(shown.stdout).toContain('  must be: {');
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      problems: [],
      differences: [{ table, missing: expect.any(Number), example_missing: expect.stringContaining('{') }],
    });
  });

  test('says what is damaged', async () => {
    const file = await backup('damaged.db');
    const bytes = readFileSync(file);
    // Behind the first pages, which hold the schema.
    bytes.fill(0xff, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 20_000);
    writeFileSync(file, bytes);

    const { exitCode, stdout, stderr } = await db(['verify'], file);

    expect(exitCode === 1 || exitCode === 78).toBe(true);
    expect(stdout + stderr).toContain('restore a backup');
  });

  test.each([['no database at all\n'.repeat(300)], ['']])(
    'ends with 78 for a file that is none',
    async (text) => {
      writeFileSync(inFolder('none.db'), text);

      expect(await db(['verify'], inFolder('none.db'))).toMatchObject({ exitCode: 78, stdout: '' });
    },
  );

  test('ends with 78 where there is no file', async () => {
    const { exitCode, stderr } = await db(['verify'], inFolder('nowhere.db'));

    expect(exitCode).toBe(78);
    expect(stderr).toContain('does not exist');
  });
});

describe('db migrate', () => {
  test('refuses a file that is served', async () => {
    const { exitCode, stderr } = await db(['migrate']);

    expect(exitCode).toBe(78);
    expect(stderr).toContain('is served by another process');
  });

  test('makes a database and says once what it applied', async () => {
    const first = await db(['migrate', '--json'], inFolder('new/gateway.db'));
    const second = await db(['migrate'], inFolder('new/gateway.db'));

    expect(JSON.parse(first.stdout).applied).toContain('0001_ledger.sql');
    expect(second.stdout).toMatch(/^ok: .* has the schema of this release\n$/);
  });

  test('is what backup and verify of an older file ask for', async () => {
    const file = await backup('older.db');
    change(file, 'DELETE FROM schema_migrations WHERE name = (SELECT max(name) FROM schema_migrations)');

    const { exitCode, stderr } = await db(['verify'], file);

    expect(exitCode).toBe(78);
    expect(stderr).toContain('run `prompt-gateway db migrate` first');
  });

  test('leaves a database of another program alone', async () => {
    const file = inFolder('other.db');
    change(file, 'CREATE TABLE notes (text TEXT)');

    const { exitCode, stderr } = await db(['migrate'], file);

    expect(exitCode).toBe(78);
    expect(stderr).toContain('of another program');
  });
});
