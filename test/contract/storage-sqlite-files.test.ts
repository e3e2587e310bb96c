import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { prepareForWriting } from '../../src/storage/sqlite/connection.ts';
import { openSqliteReader, type SqliteStorage } from '../../src/storage/sqlite/index.ts';
import { loadMigrations } from '../../src/storage/sqlite/migrations.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite-driver.ts';
import { generationRecord } from '../helpers/ledger-records.ts';
import { openSqliteOn } from '../helpers/open-sqlite-for-test.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

describe('the file of the ledger', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let file: string;
  const opened: { close(): Promise<void> }[] = [];
  beforeEach(() => {
    folder = temporaryFolder();
    file = join(folder.path, 'gateway.db');
  });
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
    folder.remove();
  });

  const open = async (at = file): Promise<SqliteStorage> => {
    const storage = await openSqliteOn(at);
    opened.push(storage);
    return storage;
  };
  const create = async (): Promise<void> => (await openSqliteOn(file)).close();
  const sql = (statement: string): unknown => {
    const database = openDatabase(file);
    try {
      return database.prepare(statement).reader
        ? database.prepare(statement).all()
        : database.prepare(statement).run();
    } finally {
      database.close();
    }
  };
  /** `storage_invalid`, on one line, naming the file and what to do. */
  const expectRefusal = async (opening: Promise<unknown>, ...texts: readonly string[]): Promise<void> => {
    const error = await opening.then(
      () => new Error('it was opened'),
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'storage_invalid' });
    const { message } = error as Error;
    expect(message).not.toContain('\n');
    for (const text of texts) expect(message).toContain(text);
  };

  test('is made with its folders, for its user alone', async () => {
    const nested = join(folder.path, 'a', 'b', 'gateway.db');

    await open(nested);

    expect(statSync(nested).mode & 0o777).toBe(0o600);
  });

  test('is marked as ours, gives space back and logs ahead', async () => {
    await create();

    expect(sql('PRAGMA application_id')).toEqual([{ application_id: 0x50475731 }]);
    expect(sql('PRAGMA auto_vacuum')).toEqual([{ auto_vacuum: 2 }]);
    expect(sql('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    expect(sql('SELECT name FROM schema_migrations ORDER BY name')).toEqual(
      loadMigrations().map(({ name }) => ({ name })),
    );
  });

  test.each([
    ['commit', 2],
    ['flush', 1],
  ] as const)('is synchronised as durability %s promises', (durability, synchronous) => {
    const database = openDatabase(file);
    prepareForWriting(database, durability);

    // 2 is FULL: every commit waits for the disk; 1 is NORMAL: only checkpoints do.
    expect(database.pragma('synchronous', { simple: true })).toBe(synchronous);
    database.close();
  });

  test('keeps its unit hash key for ever, and no two files share one', async () => {
    await create();
    const first = await open();
    const other = await open(join(folder.path, 'other.db'));
    const { unitHashKey } = first;
    expect(unitHashKey).toMatch(/^[0-9a-f]{64}$/);
    expect(other.unitHashKey).not.toBe(unitHashKey);
    await first.close();

    expect((await open()).unitHashKey).toBe(unitHashKey);
  });

  test('is served by one process at a time, also under another name', async () => {
    const first = await open();
    mkdirSync(join(folder.path, 'x'));

    await expectRefusal(openSqliteOn(file), file, 'served by another process', 'DATABASE_URL');
    await expectRefusal(
      openSqliteOn(join(folder.path, 'x', '..', 'gateway.db')),
      'served by another process',
    );

    await first.close();
    await open();
  });

  test('is refused when its lock file is something else, which may be deleted', async () => {
    writeFileSync(`${file}.lock`, 'not a lock. '.repeat(200));

    await expectRefusal(openSqliteOn(file), `${file}.lock`, 'delete it');
  });

  test('frees the leases of the process that served it before', async () => {
    const claim = (storage: SqliteStorage) =>
      storage.ledger.claimIdempotencyKey({
        apiKeyId: 'key-a',
        key: 'k1',
        requestHash: 'h',
        leaseId: 'run_1',
        leaseExpiresAtMs: 9_000_000_000_000,
        nowMs: 0,
      });
    const first = await openSqliteOn(file);
    await claim(first);
    await first.close();

    expect(await claim(await open())).toEqual({ kind: 'claimed' });
  });

  test('is refused when it holds no database', async () => {
    writeFileSync(file, 'this is not a database, however long it may be. '.repeat(200));

    await expectRefusal(openSqliteOn(file), file, 'not a SQLite database', 'restore a backup', 'cp BACKUP');
  });

  test('is refused when it was cut off', async () => {
    await create();
    truncateSync(file, 8_192);

    await expectRefusal(openSqliteOn(file), file, 'damaged', 'restore a backup');
  });

  test('is refused when pages in its middle are overwritten', async () => {
    const storage = await openSqliteOn(file);
    for (let index = 0; index < 50; index += 1) {
      const record = generationRecord({ id: `gen_${index}`, text: 'x'.repeat(3_000) });
      await storage.ledger.appendGeneration(record, null);
    }
    await storage.close();
    const bytes = readFileSync(file);
    bytes.fill(0xff, bytes.length - 100_000, bytes.length - 50_000);
    writeFileSync(file, bytes);

    await expectRefusal(openSqliteOn(file), file, 'damaged', 'restore a backup');
  });

  test('is left as it was when it belongs to another program', async () => {
    sql('CREATE TABLE songs (title TEXT)');
    const before = readFileSync(file);

    await expectRefusal(openSqliteOn(file), file, 'another program', 'DATABASE_URL');

    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('is refused when a newer release wrote it', async () => {
    await create();
    sql("INSERT INTO schema_migrations VALUES ('9999_later.sql', 'x', 0)");

    await expectRefusal(openSqliteOn(file), file, 'newer release', '9999_later.sql');
    await expectRefusal(openSqliteReader({ file }), '9999_later.sql');
  });

  test('is refused when an applied migration was edited', async () => {
    await create();
    sql("UPDATE schema_migrations SET checksum = 'other'");

    await expectRefusal(openSqliteOn(file), file, 'migrations/sqlite/0001_ledger.sql', 'new migration');
  });

  test('is refused when a folder stands in its place or in its way', async () => {
    mkdirSync(file);
    writeFileSync(join(folder.path, 'plain'), '');

    await expectRefusal(openSqliteOn(file), file, 'EISDIR', 'DATABASE_URL');
    await expectRefusal(openSqliteOn(join(folder.path, 'plain', 'gateway.db')), 'writable', 'DATABASE_URL');
  });

  (process.platform === 'linux' ? test : test.skip)(
    'is refused, and does not keep the process busy, where no folder can be made (below /proc, so on Linux only)',
    async () => {
      await expectRefusal(openSqliteOn('/proc/no-such-folder/gateway.db'), 'DATABASE_URL');
    },
  );

  test('is free for another opening after a refused one', async () => {
    sql('CREATE TABLE songs (title TEXT)');
    await expectRefusal(openSqliteOn(file), 'another program');
    sql('DROP TABLE songs');

    await open();
  });

  describe('read beside a serving process', () => {
    test('shows what is committed, also after the process has closed it', async () => {
      const storage = await openSqliteOn(file);
      const reader = await openSqliteReader({ file });
      opened.push(reader);
      await storage.ledger.appendGeneration(generationRecord({ id: 'gen_1' }), null);

      expect(await reader.reader.findGeneration('gen_1')).toMatchObject({ id: 'gen_1' });
      await storage.close();
      const again = await openSqliteReader({ file });
      opened.push(again);

      expect((await again.reader.readRows('generations', 0, 10)).rows).toHaveLength(1);
    });

    test('says what to do when there is no ledger', async () => {
      await expectRefusal(openSqliteReader({ file }), file, 'does not exist');
      writeFileSync(file, '');
      await expectRefusal(openSqliteReader({ file }), file, 'start the gateway once');
    });
  });
});
