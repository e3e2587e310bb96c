import type { ApiKeyStore } from '../../access/index.ts';
import type { Clock } from '../../kernel/index.ts';
import { createApiKeyAppender, createApiKeyReads } from './api-key-rows.ts';
import { openWriteConnection, prepareForWriting } from './connection.ts';
import { checkSchema, loadMigrations, migrate } from './migrations.ts';
import { createFile } from './open-sqlite-storage.ts';
import { acquireServingLock } from './serving-lock.ts';
import { openFailure } from './sqlite-failure.ts';

interface SqliteKeys {
  readonly store: ApiKeyStore;
  close(): void;
}

/**
 * Opens the keys of a ledger for the command line, beside a serving process: each change is one short transaction, and
 * the gateway sees it with its next poll. Makes the file when there is none, so that a gateway can have its first key
 * before its first start. Fails with `storage_invalid`, also when a gateway of an earlier release serves the file: its
 * tables must not change under it.
 */
export function openSqliteKeys(options: { readonly file: string; readonly clock: Clock }): SqliteKeys {
  const { clock } = options;
  const file = createFile(options.file);
  try {
    const database = openWriteConnection(file);
    try {
      const migrations = loadMigrations();
      const applied = checkSchema(database, file, migrations);
      prepareForWriting(database, 'commit');
      if (applied.length < migrations.length) {
        const lock = acquireServingLock(file);
        try {
          migrate(database, file, migrations, clock.nowMs());
        } finally {
          lock.release();
        }
      }
    } catch (error) {
      database.close();
      throw error;
    }
    const appender = createApiKeyAppender(database);
    const reads = createApiKeyReads(database);
    const inTransaction = <Value>(work: () => Value): Value => database.transaction(work).immediate();
    return {
      store: {
        revision: async () => reads.apiKeyRevision({}),
        list: async () => reads.apiKeys({}),
        append: async (key) => inTransaction(() => appender.append(key)),
        revoke: async (revocation) => inTransaction(() => appender.revoke(revocation)),
        noteUse: async (uses) => inTransaction(() => appender.noteUse(uses)),
      },
      close: () => database.close(),
    };
  } catch (error) {
    throw openFailure(file, error);
  }
}
