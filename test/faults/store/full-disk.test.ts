import { spawnSync } from 'node:child_process';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { verifySqliteFile } from '../../../src/storage/sqlite/index.ts';
import { openDatabase } from '../../../src/storage/sqlite/sqlite-driver.ts';
import { compileGateway } from '../../helpers/compiled-gateway.ts';
import { countsOf, gatewayCalls } from '../../helpers/gateway-calls.ts';
import { processBench } from '../../helpers/gateway-process.ts';

const DISK_BYTES = 8_388_608;
/** Enough for the file and its log, less than what the log grows to before it is emptied. */
const MOST_CALLS = 2_000;

const compiled = compileGateway();
const bench = processBench(() => [compiled.entry]);
const mounted: string[] = [];
afterEach(async () => {
  for (const folder of mounted) spawnSync('umount', ['-l', folder]);
  mounted.splice(0);
  await bench.cleanUp();
});
afterAll(compiled.remove);

async function folderWith(onFailure: 'fail' | 'serve'): Promise<string> {
  const folder = await bench.freshFolder();
  const configFile = join(folder, 'gateway.config.json');
  const config = JSON.parse(await readFile(configFile, 'utf8')) as object;
  await writeFile(configFile, JSON.stringify({ ...config, ledger: { on_failure: onFailure } }));
  await mkdir(join(folder, 'data'));
  return folder;
}

function mountSmallDisk(folder: string): boolean {
  const made = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', folder]);
  if (made.status === 0) mounted.push(folder);
  return made.status === 0;
}

const isRoot = process.getuid?.() === 0;
if (!isRoot) process.stderr.write('a small disk needs root to mount: the full disk is not tested\n');
const onSmallDisk = isRoot || process.env['REQUIRE_SERVICES'] === '1' ? test : test.skip;

describe('a disk that is full', () => {
  onSmallDisk.each(['fail', 'serve'] as const)(
    'with on_failure %s: loses nothing acknowledged and heals when there is space again',
    async (onFailure) => {
      const folder = await folderWith(onFailure);
      const data = join(folder, 'data');
      const file = join(data, 'gateway.db');
      expect(mountSmallDisk(data)).toBe(true);
      const gateway = bench.start(folder, { LOG_LEVEL: 'silent' });
      const url = await gateway.url;
      const calls = gatewayCalls(url);
      const first = String((await calls.generate('first')).json['id']);
      // Takes whatever is left, to the last byte.
      const filler = join(data, 'filler');
      await writeFile(filler, Buffer.alloc(DISK_BYTES)).catch(() => {});

      const acknowledged = [first];
      let refused = await calls.generate('next');
      for (let index = 0; index < MOST_CALLS && refused.json['recorded'] === true; index += 1) {
        acknowledged.push(String(refused.json['id']));
        refused = await calls.generate(`next-${index}`);
      }

      if (onFailure === 'fail') {
        expect(refused).toMatchObject({
          status: 503,
          retryAfter: '1',
          json: { code: 'storage_unavailable' },
        });
      } else {
        expect(refused).toMatchObject({ status: 200, json: { recorded: false, text: expect.any(String) } });
        expect((await calls.generate('keyed', { 'idempotency-key': 'k' })).status).toBe(503);
        expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^gateway_unrecorded_total [1-9]/m);
      }
      expect(await calls.feedback(first, 'outcome')).toMatchObject({ status: 503, retryAfter: '1' });
      const state = await calls.ready();
      expect(state).toMatchObject({
        status: onFailure === 'fail' ? 503 : 200,
        json: {
          status: onFailure === 'fail' ? 'not_ready' : 'degraded',
          parts: { database: { detail: expect.stringMatching(/disk/) } },
        },
      });
      expect((await calls.get(`/generations/${first}`)).status).toBe(200);

      await rm(filler);
      for (let tries = 0; tries < 100; tries += 1) {
        if ((await calls.ready()).json['status'] === 'ready') break;
        await new Promise((done) => setTimeout(done, 50));
      }
      expect((await calls.ready()).json['status']).toBe('ready');
      expect((await calls.feedback(first, 'outcome')).json).toMatchObject({ accepted: 1, duplicates: 0 });
      expect((await calls.feedback(first, 'outcome')).json).toMatchObject({ accepted: 0, duplicates: 1 });
      acknowledged.push(String((await calls.generate('healed')).json['id']));
      gateway.child.kill('SIGTERM');
      expect(await gateway.exit).toEqual({ code: 0, signal: null });

      const stored = countsOf(file, 'generations', 'id');
      expect(acknowledged.filter((id) => stored.get(id) !== 1)).toEqual([]);
      expect(countsOf(file, 'outcomes', 'outcome_id')).toEqual(new Map([['outcome', 1]]));
      expect(verifySqliteFile(file)).toMatchObject({ problems: [], differences: [] });
    },
    60_000,
  );
});

describe('a file that others touch while it is served', () => {
  test('moved away: refused until it is back, and nothing acknowledged is lost with it', async () => {
    const folder = await folderWith('fail');
    const file = join(folder, 'data/gateway.db');
    const gateway = bench.start(folder, { LOG_LEVEL: 'silent' });
    const calls = gatewayCalls(await gateway.url);
    const first = String((await calls.generate('first')).json['id']);

    await rename(file, `${file}.away`);
    expect(await calls.feedback(first, 'outcome')).toMatchObject({ status: 503, retryAfter: '1' });
    expect((await calls.ready()).json).toMatchObject({
      parts: { database: { status: 'failed', detail: expect.stringContaining('put it back') } },
    });
    await rename(`${file}.away`, file);
    await calls.untilReady(200);

    const { json } = await calls.feedback(first, 'outcome');
    expect(Number(json['accepted']) + Number(json['duplicates'])).toBe(1);
    gateway.child.kill('SIGKILL');
    await gateway.exit;
    expect(countsOf(file, 'outcomes', 'outcome_id')).toEqual(new Map([['outcome', 1]]));
  });

  test('deleted: nothing more is acknowledged', async () => {
    const folder = await folderWith('fail');
    const file = join(folder, 'data/gateway.db');
    const gateway = bench.start(folder, { LOG_LEVEL: 'silent' });
    const calls = gatewayCalls(await gateway.url);
    await calls.generate('first');

    await rm(file);

    for (let index = 0; index < 3; index += 1)
      expect((await calls.generate(`lost-${index}`)).status).toBe(503);
    expect((await calls.ready()).status).toBe(503);
  });

  test('locked by another writer: refused after five seconds, taken when the lock is gone', async () => {
    const folder = await folderWith('fail');
    const gateway = bench.start(folder, { LOG_LEVEL: 'silent' });
    const calls = gatewayCalls(await gateway.url);
    const other = openDatabase(join(folder, 'data/gateway.db'));
    other.exec('BEGIN EXCLUSIVE');

    const refused = await calls.generate('during');
    expect(refused).toMatchObject({ status: 503, retryAfter: '1', json: { code: 'storage_unavailable' } });
    expect((await calls.ready()).status).toBe(503);
    other.exec('ROLLBACK');
    other.close();

    await calls.untilReady(200);
    expect((await calls.generate('after')).json).toMatchObject({ recorded: true });
  });
});
