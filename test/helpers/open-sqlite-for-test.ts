import { join } from 'node:path';

import { silentLogger, systemClock } from '../../src/kernel/index.ts';
import {
  openSqliteStorage,
  type SqliteStorage,
  type SqliteStorageOptions,
} from '../../src/storage/sqlite/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

const TEST_SETTINGS: SqliteStorageOptions['settings'] = {
  metrics: [
    { metric: 'completed', type: 'boolean', optimize: 'max', windowMs: 604_800_000, missing: 'exclude' },
    { metric: 'reaction', type: 'categorical', optimize: 'max', windowMs: 604_800_000, missing: 'zero' },
  ],
  primaryMetrics: { tip: 'completed' },
  defaultPrimaryMetric: 'completed',
};

/** A ledger on `file`, without syncing to disk and without threads unless asked for. */
export function openSqliteOn(
  file: string,
  overrides: Partial<SqliteStorageOptions> = {},
): Promise<SqliteStorage> {
  return openSqliteStorage({
    file,
    durability: 'flush',
    maxQueuedWrites: 20_000,
    settings: TEST_SETTINGS,
    clock: systemClock,
    logger: silentLogger,
    threads: false,
    ...overrides,
  });
}

/** A ledger in a folder of its own, which goes with it when it is closed. */
export async function openTemporarySqlite(
  overrides: Partial<SqliteStorageOptions> = {},
): Promise<SqliteStorage> {
  const folder = temporaryFolder();
  const storage = await openSqliteOn(join(folder.path, 'gateway.db'), overrides);
  return {
    ...storage,
    close: async () => {
      await storage.close();
      folder.remove();
    },
  };
}
