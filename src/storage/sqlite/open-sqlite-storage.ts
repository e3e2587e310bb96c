import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';

import type { ReportReader } from '../../analytics/index.ts';
import type { Clock, Logger } from '../../kernel/index.ts';
import type { Ledger, LedgerReader } from '../../ledger/index.ts';
import {
  type Connection,
  closeWriteConnection,
  type Durability,
  openReadConnection,
  openWriteConnection,
  prepareForWriting,
} from './connection.ts';
import { createIdempotencyKeys } from './idempotency-keys.ts';
import { checkSchema, loadMigrations, migrate } from './migrations.ts';
import { ledgerReader, reportReader } from './open-sqlite-reader.ts';
import type { StorageFacts } from './reader-core.ts';
import { openInlineReader, openReaderThread } from './reader-port.ts';
import { acquireServingLock } from './serving-lock.ts';
import { openFailure } from './sqlite-failure.ts';
import { createSqliteLedger } from './sqlite-ledger.ts';
import { type StorageSettings, syncSettings, unitHashKey } from './storage-settings.ts';
import { openInlineWriter, openWriterThread } from './writer-port.ts';

export interface SqliteStorageOptions {
  /** Created with its folder when it does not exist. */
  readonly file: string;
  readonly durability: Durability;
  readonly maxQueuedWrites: number;
  readonly settings: StorageSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** False: everything on the calling thread, one transaction per write. For tests and small tools. */
  readonly threads: boolean;
}

export interface SqliteStorage {
  readonly ledger: Ledger;
  readonly ledgerReader: LedgerReader;
  readonly reportReader: ReportReader;
  /** 64 hex digits, the same for as long as the file lives. */
  readonly unitHashKey: string;
  /** Sizes and counts for operators. */
  storageInfo(): Promise<StorageInfo>;
  /** Commits what is queued, closes the file, frees the serving lock. May be called twice. */
  close(): Promise<void>;
}

export interface StorageInfo extends StorageFacts {
  readonly file: string;
  readonly durability: Durability;
}

/** Readable by the gateway's user alone: the file holds generated texts and profile features. */
const FILE_MODE = 0o600;

/**
 * Opens the ledger for serving: lock, checks, migrations, then a writer and a reader. Fails with `storage_invalid`, one
 * line that says what to do, when the file is served by another process, damaged, foreign, newer, or not writable.
 */
export async function openSqliteStorage(options: SqliteStorageOptions): Promise<SqliteStorage> {
  const { durability, maxQueuedWrites, clock, logger } = options;
  const file = createFile(options.file);
  const lock = acquireServingLock(file);
  const closers: (() => Promise<void>)[] = [async () => lock.release()];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const { database, key } = prepareFile(file, options);
    if (options.threads) closeWriteConnection(database);
    const writer = options.threads
      ? await openWriterThread({ data: { file, durability }, maxQueuedWrites, clock, logger })
      : openInlineWriter(database);
    const ledger = createSqliteLedger({ writer, clock, logger });
    closers.push(ledger.close);
    const reader = options.threads
      ? await openReaderThread({ file, clock, logger })
      : openInlineReader(openReadConnection(file), file);
    closers.push(reader.close);
    return {
      ledger,
      ledgerReader: ledgerReader(reader),
      reportReader: reportReader(reader),
      unitHashKey: key,
      storageInfo: async () => ({ file, durability, ...(await reader.call('storageFacts', {})) }),
      close,
    };
  } catch (error) {
    await close();
    throw openFailure(file, error);
  }
}

/** The real path: two names of one file must meet at one lock. */
function createFile(file: string): string {
  try {
    mkdirSync(dirname(file), { recursive: true });
    closeSync(openSync(file, 'a', FILE_MODE));
    return realpathSync(file);
  } catch (error) {
    throw openFailure(file, error);
  }
}

function prepareFile(file: string, options: SqliteStorageOptions): { database: Connection; key: string } {
  const database = openWriteConnection(file);
  try {
    const migrations = loadMigrations();
    checkSchema(database, file, migrations);
    prepareForWriting(database, options.durability);
    const applied = migrate(database, file, migrations, options.clock.nowMs());
    if (applied > 0) options.logger.info({ file, applied }, 'the ledger was migrated');
    syncSettings(database, options.settings);
    // One serving process per file, and it is starting: whoever held a lease is gone.
    createIdempotencyKeys(database).releaseAll();
    return { database, key: unitHashKey(database, () => randomBytes(32).toString('hex')) };
  } catch (error) {
    database.close();
    throw error;
  }
}
