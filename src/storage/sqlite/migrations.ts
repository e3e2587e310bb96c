import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { sha256Hex } from '../../kernel/index.ts';
import { APPLICATION_ID, type Connection } from './connection.ts';
import { damagedFile, invalid } from './sqlite-failure.ts';

export interface Migration {
  /** File name, `NNNN_what.sql`: order and identity. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the text with LF line ends. */
  readonly checksum: string;
}

/** The same depth from `src/` and from `dist/`. */
const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../../migrations/sqlite', import.meta.url));

/** Small enough that checking every page of such a file stays well under a second. */
const QUICK_CHECK_LIMIT_BYTES = 67_108_864;

export function loadMigrations(folder: string = MIGRATIONS_FOLDER): readonly Migration[] {
  return readdirSync(folder)
    .filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name))
    .sort()
    .map((name) => {
      const sql = readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n');
      return { name, sql, checksum: sha256Hex(sql) };
    });
}

/**
 * Refuses, with `storage_invalid`, a file that is damaged, belongs to another program, was written by a newer release,
 * or went through a migration that has been edited since. Reads only. Returns the names already applied.
 */
export function checkSchema(
  database: Connection,
  file: string,
  migrations: readonly Migration[],
): readonly string[] {
  const tables = tableNames(database);
  const applicationId = database.pragma('application_id', { simple: true });
  if (!tables.includes('schema_migrations')) {
    if (tables.length === 0 && (applicationId === 0 || applicationId === APPLICATION_ID)) return [];
    throw invalid(
      file,
      'is a SQLite database of another program (no schema_migrations table): set DATABASE_URL to another file',
    );
  }
  if (applicationId !== APPLICATION_ID) {
    throw invalid(
      file,
      `is a SQLite database of another program (application_id ${String(applicationId)}): set DATABASE_URL to another file`,
    );
  }
  checkPages(database, file);
  const applied = appliedMigrations(database);
  applied.forEach((row, index) => {
    const known = migrations.find((migration) => migration.name === row.name);
    if (known === undefined) {
      throw invalid(
        file,
        `was written by a newer release (migration ${row.name} is unknown here): run that release, or restore the backup made before the upgrade`,
      );
    }
    if (known.checksum !== row.checksum) {
      throw invalid(
        file,
        `does not match migrations/sqlite/${row.name}: that file was edited after it had been applied; restore it and put the change into a new migration`,
      );
    }
    if (migrations[index]?.name !== row.name) {
      throw invalid(
        file,
        `skipped migration ${migrations[index]?.name ?? '?'}, which comes before the applied ${row.name}: give the new migration the next free number`,
      );
    }
  });
  return applied.map((row) => row.name);
}

/** Applies what is missing, one transaction each; `checkSchema` has passed. Returns how many were applied. */
export function migrate(
  database: Connection,
  file: string,
  migrations: readonly Migration[],
  nowMs: number,
): number {
  const applied = new Set(checkSchema(database, file, migrations));
  const missing = migrations.filter((migration) => !applied.has(migration.name));
  for (const migration of missing) {
    database
      .transaction(() => {
        if (applied.size === 0) createMigrationTable(database);
        database.exec(migration.sql);
        database
          .prepare('INSERT INTO schema_migrations (name, checksum, applied_at_ms) VALUES (?, ?, ?)')
          .run(migration.name, migration.checksum, nowMs);
      })
      .immediate();
    applied.add(migration.name);
  }
  return missing.length;
}

function createMigrationTable(database: Connection): void {
  database.pragma(`application_id = ${APPLICATION_ID}`);
  database.exec(
    `CREATE TABLE schema_migrations (
       name TEXT NOT NULL PRIMARY KEY, checksum TEXT NOT NULL, applied_at_ms INTEGER NOT NULL
     ) STRICT`,
  );
}

function tableNames(database: Connection): readonly string[] {
  // Row mapper: the query's only column is text.
  return database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .pluck()
    .all() as string[];
}

function appliedMigrations(database: Connection): readonly { name: string; checksum: string }[] {
  // Row mapper: both columns are NOT NULL text.
  return database.prepare('SELECT name, checksum FROM schema_migrations ORDER BY name').all() as {
    name: string;
    checksum: string;
  }[];
}

/** A larger file is checked page by page as it is used: its start must not wait for the whole disk. */
function checkPages(database: Connection, file: string): void {
  const pages = Number(database.pragma('page_count', { simple: true }));
  const pageBytes = Number(database.pragma('page_size', { simple: true }));
  if (pages * pageBytes > QUICK_CHECK_LIMIT_BYTES) return;
  const verdict = String(database.pragma('quick_check(1)', { simple: true }));
  if (verdict !== 'ok') throw damagedFile(file, verdict);
}
