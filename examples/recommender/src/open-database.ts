import { createRequire } from 'node:module';
import type BetterSqlite from 'better-sqlite3';

/** better-sqlite3 13 needs Node-API 10 (Node 22.14); 12 aborts on Node 24.19 and later. */
const DRIVER = Number(process.versions['napi'] ?? '0') >= 10 ? 'better-sqlite3-13' : 'better-sqlite3';

export function openDatabase(file: string): BetterSqlite.Database {
  const Driver = createRequire(import.meta.url)(DRIVER) as typeof BetterSqlite;
  return new Driver(file);
}
