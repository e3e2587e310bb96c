import { type Connection, openDatabase } from './sqlite-driver.ts';

export type { Connection } from './sqlite-driver.ts';

/** `commit`: synced to disk at every commit. `flush`: handed to the operating system; a power cut may take the last. */
export type Durability = 'commit' | 'flush';

/** Marks a file as ours in its header ("PGW1"): SQLite's `application_id`. */
export const APPLICATION_ID = 0x50475731;

/** A reader may hold the file for a checkpoint's length; longer means something is stuck. */
const BUSY_TIMEOUT_MS = 5_000;

/** After a burst the write-ahead log is cut back to this size at its next reset. */
const JOURNAL_SIZE_LIMIT_BYTES = 67_108_864;

/** Page cache of the writer: holds the index pages that appends touch. Negative means KiB. */
const CACHE_SIZE_KIB = 16_384;

/** Opens the file read-write and changes nothing yet: whose file it is must be known before {@link prepareForWriting}. */
export function openWriteConnection(file: string): Connection {
  return openDatabase(file, { timeout: BUSY_TIMEOUT_MS });
}

/** Sets what every writing connection needs. Throws when the file cannot have a write-ahead log. */
export function prepareForWriting(database: Connection, durability: Durability): void {
  // Before WAL and the first table: later it would need a VACUUM of the whole file.
  database.pragma('auto_vacuum = INCREMENTAL');
  const mode = database.pragma('journal_mode = WAL', { simple: true });
  if (mode !== 'wal') throw new Error(`no write-ahead log is possible here (journal mode ${String(mode)})`);
  // better-sqlite3 compiles WAL with NORMAL: a power cut may then lose commits that were acknowledged.
  database.pragma(`synchronous = ${durability === 'commit' ? 'FULL' : 'NORMAL'}`);
  database.pragma('foreign_keys = ON');
  database.pragma(`journal_size_limit = ${JOURNAL_SIZE_LIMIT_BYTES}`);
  database.pragma(`cache_size = -${CACHE_SIZE_KIB}`);
}

/** Opens the file read-only, beside whoever writes it. */
export function openReadConnection(file: string): Connection {
  const database = openDatabase(file, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  try {
    database.pragma('query_only = ON');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Leaves one file behind: everything in the log goes into the database, the log becomes empty. */
export function closeWriteConnection(database: Connection): void {
  if (!database.open) return;
  try {
    database.pragma('wal_checkpoint(TRUNCATE)');
  } catch {
    // Everything is committed already; the next opener replays the log.
  }
  database.close();
}
