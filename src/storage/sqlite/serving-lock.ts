import { type Connection, openDatabase } from './sqlite-driver.ts';
import { invalid, openFailure, sqliteCode } from './sqlite-failure.ts';

export interface ServingLock {
  release(): void;
}

/**
 * Takes the right to serve a file, or fails with `storage_invalid` at once. The lock is an exclusive transaction on an
 * empty database beside the file: the operating system releases it when the process dies, however it dies, so there is
 * nothing to clean up after `kill -9`. The empty lock file stays behind and means nothing.
 */
export function acquireServingLock(file: string): ServingLock {
  const lockFile = `${file}.lock`;
  let database: Connection | null = null;
  try {
    database = openDatabase(lockFile, { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    const code = sqliteCode(error) ?? '';
    if (code.startsWith('SQLITE_BUSY')) {
      throw invalid(
        file,
        'is served by another process: stop that one first (one process per SQLite file), or set DATABASE_URL to another file',
        error,
      );
    }
    if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
      throw invalid(lockFile, `is not a lock file (${code}): delete it, it holds nothing`, error);
    }
    throw openFailure(lockFile, error);
  }
  const held = database;
  return {
    release: () => {
      if (held.open) held.close();
    },
  };
}
