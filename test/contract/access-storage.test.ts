import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createKeyRing, type StoredApiKey } from '../../src/access/index.ts';
import { silentLogger, systemClock } from '../../src/kernel/index.ts';
import { openSqliteKeys, type SqliteStorage } from '../../src/storage/sqlite/index.ts';
import { loadMigrations, migrate } from '../../src/storage/sqlite/migrations.ts';
import { acquireServingLock } from '../../src/storage/sqlite/serving-lock.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite-driver.ts';
import { memoryApiKeys } from '../fakes/memory-api-keys.ts';
import { eventually } from '../helpers/gateway-process.ts';
import { generationRecord } from '../helpers/ledger-records.ts';
import { openSqliteOn, openTemporarySqlite } from '../helpers/open-sqlite-for-test.ts';
import { shadowGeneration, shadowPair } from '../helpers/shadow-pairs.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const KEY: StoredApiKey = {
  id: 'abcdefgh2345',
  name: 'recommender',
  scopes: ['generate', 'feedback'],
  limits: { requestsPerMinute: 60, tokensPerMinute: null, nanoUsdPerDay: 5_000_000_000 },
  createdAtMs: 1_000,
  createdBy: 'local',
  expiresAtMs: 9_000,
  revokedAtMs: null,
  revokedReason: null,
  lastUsedAtMs: null,
  secretSha256: 'ab'.repeat(32),
};
const REVOCATION = { id: KEY.id, revokedAtMs: 5_000, reason: 'leaked', actor: 'abcdefgh2346' };
const DAY_MS = 86_400_000;
const NOON_MS = Date.UTC(2026, 10, 23, 12);

function commandLineKeys(): Pick<SqliteStorage, 'apiKeys' | 'close'> {
  const folder = temporaryFolder();
  const opened = openSqliteKeys({ file: join(folder.path, 'gateway.db'), clock: systemClock });
  return {
    apiKeys: opened.store,
    close: async () => {
      opened.close();
      folder.remove();
    },
  };
}

describe.each([
  ['SQLite, in process', async () => openTemporarySqlite()],
  ['SQLite, with its threads', async () => openTemporarySqlite({ threads: true })],
  ['SQLite, from the command line', async () => commandLineKeys()],
  ['the fake of the tests', async () => ({ apiKeys: memoryApiKeys(), close: async () => {} })],
] as const)('keys in %s', (_name, open) => {
  let storage: Pick<SqliteStorage, 'apiKeys' | 'close'>;
  beforeEach(async () => {
    storage = await open();
  });
  afterEach(() => storage.close());

  test('are given back as they were put in, by creation', async () => {
    const { apiKeys } = storage;
    await apiKeys.append(KEY);
    await apiKeys.append({ ...KEY, id: 'bbbbbbbbbbbb', createdAtMs: 2_000, expiresAtMs: null });
    expect(await apiKeys.list()).toEqual([
      KEY,
      { ...KEY, id: 'bbbbbbbbbbbb', createdAtMs: 2_000, expiresAtMs: null },
    ]);
  });

  test('of an id that exists are a conflict, and the first one stays', async () => {
    const { apiKeys } = storage;
    await apiKeys.append(KEY);
    await expect(apiKeys.append({ ...KEY, name: 'another' })).rejects.toMatchObject({ code: 'conflict' });
    expect(await apiKeys.list()).toEqual([KEY]);
  });

  test('raise the revision with every change, and with nothing else', async () => {
    const { apiKeys } = storage;
    const revisions = [await apiKeys.revision()];
    await apiKeys.append(KEY);
    revisions.push(await apiKeys.revision());
    await apiKeys.noteUse({ [KEY.id]: 4_000 });
    revisions.push(await apiKeys.revision());
    await apiKeys.revoke(REVOCATION);
    revisions.push(await apiKeys.revision());
    await apiKeys.revoke({ ...REVOCATION, reason: 'again' });
    revisions.push(await apiKeys.revision());

    const [none = 0, made = 0, used, revoked = 0, again] = revisions;
    expect([made > none, used === made, revoked > made, again === revoked]).toEqual([true, true, true, true]);
  });

  test('are revoked once: a second time changes nothing, and one that does not exist is told', async () => {
    const { apiKeys } = storage;
    await apiKeys.append(KEY);
    expect(await apiKeys.revoke(REVOCATION)).toBe(true);
    expect(await apiKeys.revoke({ ...REVOCATION, revokedAtMs: 6_000, reason: 'again' })).toBe(true);
    expect(await apiKeys.revoke({ ...REVOCATION, id: 'zzzzzzzzzzzz' })).toBe(false);
    expect(await apiKeys.list()).toEqual([{ ...KEY, revokedAtMs: 5_000, revokedReason: 'leaked' }]);
  });

  test('keep their latest use, whatever the order it is told in', async () => {
    const { apiKeys } = storage;
    await apiKeys.append(KEY);
    await apiKeys.noteUse({ [KEY.id]: 4_000, zzzzzzzzzzzz: 1 });
    await apiKeys.noteUse({ [KEY.id]: 3_000 });
    expect(await apiKeys.list()).toEqual([{ ...KEY, lastUsedAtMs: 4_000 }]);
  });
});

describe.each([
  ['in process', false],
  ['with its threads', true],
])('SQLite, %s', (_name, threads) => {
  let storage: SqliteStorage;
  beforeEach(async () => {
    storage = await openTemporarySqlite({ threads });
  });
  afterEach(() => storage.close());

  test('a one-time token signs in once, however many use it at once', async () => {
    const { signInTokens } = storage;
    await signInTokens.appendToken({ tokenSha256: 'aa', createdAtMs: 0, expiresAtMs: 600_000 });
    const uses = await Promise.all(Array.from({ length: 20 }, () => signInTokens.useToken('aa', 1_000)));
    expect(uses.filter((use) => use === 'signed_in')).toHaveLength(1);
    expect(uses.filter((use) => use === 'used')).toHaveLength(19);
  });

  test('a token that is too old, and one that never was, are told apart', async () => {
    const { signInTokens } = storage;
    await signInTokens.appendToken({ tokenSha256: 'aa', createdAtMs: 0, expiresAtMs: 600_000 });
    expect(await signInTokens.useToken('aa', 600_000)).toBe('expired');
    expect(await signInTokens.useToken('bb', 1_000)).toBe('unknown');
  });

  test('what a key spent is summed by UTC day and key; unknown costs and shadow runs are left out', async () => {
    const { ledger, keySpend, shadowLedger } = storage;
    const call = (id: string, changes: object) =>
      ledger.appendGeneration(generationRecord({ id, ...changes }), null);
    await call('gen_1', { createdAtMs: NOON_MS, costNanoUsd: 100 });
    await call('gen_2', { createdAtMs: NOON_MS + 1, costNanoUsd: 20 });
    await call('gen_3', { createdAtMs: NOON_MS + 2, costNanoUsd: null });
    await call('gen_4', { createdAtMs: NOON_MS + DAY_MS, costNanoUsd: 3 });
    await call('gen_5', { createdAtMs: NOON_MS, costNanoUsd: 7, apiKeyId: 'key-b' });
    await call('gen_1', { createdAtMs: NOON_MS, costNanoUsd: 100 });
    const pair = shadowPair(1, { shadow: { costNanoUsd: 5_000 } });
    await shadowLedger.appendShadowGeneration(
      { ...shadowGeneration(pair), apiKeyId: 'key-a', createdAtMs: NOON_MS, costNanoUsd: 5_000 },
      pair,
    );
    const dayMs = NOON_MS - DAY_MS / 2;
    const spent = () =>
      Promise.all([
        keySpend.spentOn('key-a', dayMs),
        keySpend.spentOn('key-a', dayMs + DAY_MS),
        keySpend.spentOn('key-b', dayMs),
        keySpend.spentOn('key-c', dayMs),
      ]);

    expect(await spent()).toEqual([120, 3, 7, 0]);
    await ledger.rebuildRollups();
    expect(await spent()).toEqual([120, 3, 7, 0]);
  });

  test('keys survive a rebuild of what is derived', async () => {
    await storage.apiKeys.append(KEY);
    await storage.ledger.rebuildRollups();
    expect(await storage.apiKeys.list()).toEqual([KEY]);
  });
});

describe('the command line beside a serving gateway', () => {
  const folder = temporaryFolder();
  afterAll(() => folder.remove());
  const file = join(folder.path, 'gateway.db');

  test('makes and revokes keys that the gateway follows within a second', async () => {
    const storage = await openSqliteOn(file, { threads: true });
    const serving = createKeyRing({ store: storage.apiKeys, clock: systemClock, logger: silentLogger });
    await serving.load();
    serving.start();
    const opened = openSqliteKeys({ file, clock: systemClock });
    const beside = createKeyRing({ store: opened.store, clock: systemClock, logger: silentLogger });
    try {
      await beside.load();
      expect(serving.isOpen()).toBe(true);
      const { key, text } = await beside.create({
        name: 'admin',
        scopes: ['admin'],
        expiresAtMs: null,
        limits: { requestsPerMinute: null, tokensPerMinute: null, nanoUsdPerDay: null },
        actor: 'local',
      });
      await eventually(async () => !serving.isOpen());
      expect(serving.authenticate(text)).toMatchObject({ keyId: key.id, scopes: ['admin'] });

      // The gateway goes on writing in between.
      await Promise.all(
        Array.from({ length: 50 }, (_, n) =>
          storage.ledger.appendGeneration(generationRecord({ id: `gen_${n}` }), null),
        ),
      );
      const revokedMs = performance.now();
      await beside.revoke(key.id, 'left the team', 'local');
      await eventually(async () => serving.principal(key.id) === null);
      expect(performance.now() - revokedMs).toBeLessThan(1_000);
    } finally {
      opened.close();
      await serving.close();
      await storage.close();
    }
  });

  test('makes the database when there is none, and the gateway then starts with its key', async () => {
    const fresh = join(folder.path, 'new/folder/gateway.db');
    const opened = openSqliteKeys({ file: fresh, clock: systemClock });
    await opened.store.append(KEY);
    opened.close();

    const storage = await openSqliteOn(fresh);
    try {
      expect(await storage.apiKeys.list()).toEqual([KEY]);
    } finally {
      await storage.close();
    }
  });

  test('leaves the tables alone that a gateway of an earlier release serves', () => {
    const served = join(folder.path, 'served.db');
    const database = openDatabase(served, {});
    migrate(database, served, loadMigrations().slice(0, 5), 1);
    const lock = acquireServingLock(served);
    try {
      expect(() => openSqliteKeys({ file: served, clock: systemClock })).toThrow(
        /is served by another process/,
      );
    } finally {
      lock.release();
    }
    expect(database.prepare('SELECT count(*) FROM schema_migrations').pluck().get()).toBe(5);
    database.close();

    // Once nobody serves it, it is brought up to date.
    openSqliteKeys({ file: served, clock: systemClock }).close();
  });
});
