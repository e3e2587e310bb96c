import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { LedgerTable } from '../../src/ledger/index.ts';
import type { SqliteStorage } from '../../src/storage/sqlite/index.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite-driver.ts';
import { generationRecord, outcomeRecord } from '../helpers/ledger-records.ts';
import { openSqliteOn } from '../helpers/open-sqlite-for-test.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { derivedState } from '../helpers/writer-core-in-memory.ts';

const LOAD_SCRIPT = fileURLToPath(new URL('../helpers/ledger-load.ts', import.meta.url));

describe('the ledger with its threads', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let file: string;
  let storage: SqliteStorage | null = null;
  beforeEach(() => {
    folder = temporaryFolder();
    file = join(folder.path, 'gateway.db');
  });
  afterEach(async () => {
    await storage?.close();
    storage = null;
    folder.remove();
  });

  const allIds = async (table: LedgerTable, column: string): Promise<readonly string[]> => {
    const ids: string[] = [];
    let after: number | null = 0;
    while (after !== null) {
      const page: Awaited<ReturnType<SqliteStorage['ledgerReader']['readRows']>> | undefined =
        await storage?.ledgerReader.readRows(table, after, 1_000);
      ids.push(...(page?.rows ?? []).map((row) => String(row[column])));
      after = page?.nextSequence ?? null;
    }
    return ids;
  };

  test('writes many calls of one moment in few transactions, and reads them back', async () => {
    storage = await openSqliteOn(file, { durability: 'commit', threads: true });
    const { ledger, ledgerReader, reportReader } = storage;

    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        ledger.appendGeneration(generationRecord({ id: `gen_${index}` }), null),
      ),
    );
    await ledger.appendOutcomes({
      apiKeyId: 'key-a',
      entries: [{ kind: 'outcome', outcome: outcomeRecord({ outcomeId: 'out_1' }) }],
    });

    expect(ledger.health()).toMatchObject({ writable: true, committedWrites: 201 });
    // At most one for each share of eight that the thread is sent: 1 + 25 for the calls, one for the outcome.
    expect(ledger.health().commits).toBeLessThanOrEqual(27);
    expect((await ledgerReader.findGeneration('gen_1'))?.outcomes).toMatchObject([{ counts: true }]);
    const query = { prompt: 'tip', metric: 'completed', fromMs: null, toMs: null, closedBeforeMs: 0 };
    expect(await reportReader.versionTotals(query)).toMatchObject([{ generations: 200, outcomes: { n: 1 } }]);
    expect(await storage.storageInfo()).toMatchObject({
      orphanOutcomes: 0,
      schema: expect.stringMatching(/^\d{4}_\w+\.sql$/),
    });
  });

  test('passes a conflict on and keeps the neighbours of the same moment', async () => {
    storage = await openSqliteOn(file, { threads: true });
    const { ledger } = storage;
    const report = (outcomeId: string, value: boolean) =>
      ledger.appendOutcomes({
        apiKeyId: 'key-a',
        entries: [{ kind: 'outcome', outcome: outcomeRecord({ outcomeId, value, reward: value ? 1 : 0 }) }],
      });

    const results = await Promise.allSettled([
      report('out_1', true),
      report('out_1', false),
      report('out_2', true),
    ]);

    expect(results).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'conflict', details: { outcome_ids: ['out_1'] } } },
      { status: 'fulfilled' },
    ]);
  });

  test('refuses more writes than may wait, stores nothing of them, and recovers', async () => {
    storage = await openSqliteOn(file, { threads: true, maxQueuedWrites: 10 });
    const { ledger } = storage;

    const results = await Promise.allSettled(
      Array.from({ length: 15 }, (_, index) =>
        ledger.appendGeneration(generationRecord({ id: `gen_${index}` }), null),
      ),
    );

    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(5);
    expect(refused).toMatchObject(
      refused.map(() => ({ reason: { code: 'storage_unavailable', retryAfterMs: 1_000 } })),
    );
    expect(await allIds('generations', 'id')).toHaveLength(10);
    await ledger.appendGeneration(generationRecord({ id: 'gen_again' }), null);
  });

  test('commits what is queued when it is closed, and leaves one plain file behind', async () => {
    storage = await openSqliteOn(file, { durability: 'commit', threads: true });
    const { ledger } = storage;
    const appended = Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        ledger.appendGeneration(generationRecord({ id: `gen_${index}` }), null),
      ),
    );

    await storage.close();
    await appended;

    expect(readdirSync(folder.path).sort()).toEqual(['gateway.db', 'gateway.db.lock']);
    const database = openDatabase(file, { readonly: true });
    expect(database.prepare('SELECT count(*) FROM generations').pluck().get()).toBe(300);
    database.close();
  });

  test('answers a report while an export pages through the ledger', async () => {
    storage = await openSqliteOn(file, { threads: true });
    const { ledger, ledgerReader, reportReader } = storage;
    await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        ledger.appendGeneration(generationRecord({ id: `gen_${index}`, text: 'x'.repeat(20_000) }), null),
      ),
    );
    const order: string[] = [];

    const page = ledgerReader.readRows('generations', 0, 1_000).then((found) => {
      order.push('page');
      return found;
    });
    await reportReader
      .versionTotals({ prompt: 'tip', metric: 'completed', fromMs: null, toMs: null, closedBeforeMs: 0 })
      .then(() => order.push('report'));

    // A page ends at about a million characters, however many rows were asked for.
    expect((await page).rows.length).toBeLessThan(100);
    expect((await page).nextSequence).not.toBeNull();
    expect(order).toEqual(['page', 'report']);
  });

  test('has every acknowledged row once after kill -9 under load, three times over', async () => {
    const acknowledged: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const child = spawn(process.execPath, ['--import', 'tsx', LOAD_SCRIPT, file, String(round)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      const isLoaded = new Promise<void>((resolve, reject) => {
        child.once('exit', () => reject(new Error('the load ended by itself')));
        child.stdout.on('data', (chunk: Buffer) => {
          output += chunk.toString('utf8');
          if (output.length > 10_000 + round * 5_000) resolve();
        });
      });
      await isLoaded;
      const ended = once(child, 'close');

      await expect(openSqliteOn(file)).rejects.toMatchObject({
        code: 'storage_invalid',
        message: expect.stringContaining('served by another process'),
      });
      child.kill('SIGKILL');
      await ended;

      // The last line may have been cut by the kill.
      acknowledged.push(...output.split('\n').slice(0, -1));
    }

    storage = await openSqliteOn(file);

    const stored = [...(await allIds('generations', 'id')), ...(await allIds('outcomes', 'outcome_id'))];
    expect(new Set(stored).size).toBe(stored.length);
    const known = new Set(stored);
    expect(acknowledged.filter((id) => !known.has(id))).toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(1_000);

    const state = () => {
      const database = openDatabase(file, { readonly: true });
      const derived = derivedState(database);
      database.close();
      return derived;
    };
    const before = state();
    await storage.ledger.rebuildRollups();
    expect(JSON.stringify(state())).toBe(JSON.stringify(before));
  }, 120_000);
});
