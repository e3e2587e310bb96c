import { createRequire } from 'node:module';
import type BetterSqlite from 'better-sqlite3';

import { AppError } from '../../kernel/index.ts';

export type Connection = BetterSqlite.Database;

/** First Node-API that better-sqlite3 13 can be loaded on: Node 22.14 has it, Node 20 never will. */
const NODE_API_OF_13 = 10;

/**
 * No one release of better-sqlite3 runs on all of Node 20 to 24. Up to 12 it aborts the process on Node 24.19 and later,
 * whenever a statement is garbage-collected outside a context (`RemoveEnvironmentCleanupHook`); from 13 on it crashes on
 * Node 20 at the first open (WiseLibs/better-sqlite3 1514). Both are installed, 13 only where it can run.
 */
export function driverPackage(nodeApiVersion: number): 'better-sqlite3' | 'better-sqlite3-13' {
  return nodeApiVersion >= NODE_API_OF_13 ? 'better-sqlite3-13' : 'better-sqlite3';
}

let loaded: typeof BetterSqlite | null = null;

/** Opens a database. Fails with `storage_invalid` when the driver was installed for another version of Node. */
export function openDatabase(file: string, options: BetterSqlite.Options = {}): Connection {
  loaded ??= loadDriver();
  try {
    return new loaded(file, options);
  } catch (error) {
    throw isForeignBinary(error) ? driverMissing(error) : error;
  }
}

function loadDriver(): typeof BetterSqlite {
  try {
    const name = driverPackage(Number(process.versions['napi'] ?? '0'));
    return createRequire(import.meta.url)(name) as typeof BetterSqlite;
  } catch (error) {
    throw driverMissing(error);
  }
}

/** The driver loads its binary with the first database. */
function isForeignBinary(error: unknown): boolean {
  const hasCode = typeof error === 'object' && error !== null && 'code' in error;
  return hasCode && (error.code === 'ERR_DLOPEN_FAILED' || error.code === 'MODULE_NOT_FOUND');
}

function driverMissing(cause: unknown): AppError {
  return new AppError(
    'storage_invalid',
    `the SQLite driver cannot be loaded on Node ${process.versions.node}: run \`npm ci\` again with this version of Node`,
    { cause },
  );
}
