import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

import { AppError, type Clock, errorMessage } from '../../kernel/index.ts';
import {
  type Connection,
  closeWriteConnection,
  openReadConnection,
  openWriteConnection,
  prepareForWriting,
} from './connection.ts';
import { checkSchema, loadMigrations, migrate } from './migrations.ts';
import { createFile } from './open-sqlite-storage.ts';
import { compareWithRebuild, type TableDifference } from './rebuild-comparison.ts';
import { acquireServingLock } from './serving-lock.ts';
import { damagedFile, invalid, openFailure } from './sqlite-failure.ts';

/** Problems that a damaged file lists; the first ones say enough. */
const MAX_PROBLEMS = 20;
/** As the ledger itself: it holds generated texts and profile features. */
const FILE_MODE = 0o600;

/**
 * Brings a file to the schema of this release, and makes it where there is none. Returns the names of what was applied.
 * Fails with `storage_invalid`, also while a gateway serves the file.
 */
export function migrateSqliteFile(options: {
  readonly file: string;
  readonly clock: Clock;
}): readonly string[] {
  const file = createFile(options.file);
  const lock = acquireServingLock(file);
  try {
    const database = openWriteConnection(file);
    try {
      const migrations = loadMigrations();
      const applied = checkSchema(database, file, migrations);
      prepareForWriting(database, 'commit');
      migrate(database, file, migrations, options.clock.nowMs());
      return migrations.map(({ name }) => name).filter((name) => !applied.includes(name));
    } finally {
      closeWriteConnection(database);
    }
  } catch (error) {
    throw openFailure(file, error);
  } finally {
    lock.release();
  }
}

export interface SqliteBackup {
  readonly generations: number;
  readonly outcomes: number;
  readonly scores: number;
  readonly bytes: number;
}

/**
 * Writes a consistent copy beside whoever serves the file, and checks it page by page before it gets its name. Fails
 * with `conflict` where the target exists, and with `storage_invalid`.
 */
export function backupSqliteFile(file: string, target: string): SqliteBackup {
  const copy = resolve(target);
  if (existsSync(copy)) throw exists(target);
  const unfinished = `${copy}.part`;
  copyFile(file, unfinished);
  try {
    const facts = readChecked(unfinished, (database) => ({
      generations: countRows(database, 'generations'),
      outcomes: countRows(database, 'outcomes'),
      scores: countRows(database, 'scores'),
      bytes:
        Number(database.pragma('page_count', { simple: true })) *
        Number(database.pragma('page_size', { simple: true })),
    }));
    sync(unfinished);
    giveName(unfinished, copy, target);
    sync(dirname(copy));
    return facts;
  } catch (error) {
    throw error instanceof AppError ? error : cannotWrite(target, error);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

export interface SqliteVerification {
  /** What SQLite finds wrong with pages, indexes and references; empty: nothing. */
  readonly problems: readonly string[];
  /** Derived tables that are not what the rows of the ledger give; none are compared when there are problems. */
  readonly differences: readonly TableDifference[];
  readonly tablesCompared: number;
}

/**
 * Checks every page and index, then builds everything derived anew on a copy in the system's temporary folder and
 * compares. Changes nothing of the file; works beside whoever serves it. Fails with `storage_invalid` when it is none.
 */
export function verifySqliteFile(file: string): SqliteVerification {
  const problems = reading(file, findProblems);
  if (problems.length > 0) return { problems, differences: [], tablesCompared: 0 };
  const folder = mkdtempSync(join(tmpdir(), 'prompt-gateway-verify-'));
  try {
    const copy = join(folder, basename(file));
    copyFile(file, copy);
    const database = openWriteConnection(copy);
    try {
      return { problems, ...compareWithRebuild(database) };
    } finally {
      database.close();
    }
  } catch (error) {
    throw openFailure(file, error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `VACUUM INTO` reads one snapshot: no writer waits for it, and none changes what it copies. */
function copyFile(file: string, copy: string): void {
  reading(file, (database) => {
    requireSchema(database, file);
    try {
      closeSync(openSync(copy, 'wx', FILE_MODE));
    } catch (error) {
      throw cannotWrite(copy, error);
    }
    try {
      // The copy is not the database that may only be read.
      database.pragma('query_only = OFF');
      database.prepare('VACUUM INTO ?').run(copy);
    } catch (error) {
      rmSync(copy, { force: true });
      throw cannotWrite(copy, error);
    }
  });
}

/** Unlike a rename, a link never takes the place of a file that somebody made meanwhile; not every file system has them. */
function giveName(unfinished: string, copy: string, shown: string): void {
  try {
    linkSync(unfinished, copy);
  } catch (error) {
    if (existsSync(copy)) throw exists(shown);
    if (errorMessage(error).startsWith('ENOENT')) throw error;
    renameSync(unfinished, copy);
  }
}

function exists(target: string): AppError {
  return new AppError(
    'conflict',
    `${target} exists already: a backup overwrites nothing, choose another name`,
  );
}

function readChecked<Facts>(file: string, read: (database: Connection) => Facts): Facts {
  return reading(file, (database) => {
    const [problem] = findProblems(database);
    if (problem !== undefined) throw damagedFile(file, problem);
    requireSchema(database, file);
    return read(database);
  });
}

function reading<Value>(file: string, work: (database: Connection) => Value): Value {
  if (!existsSync(file)) {
    throw invalid(file, 'does not exist: start the gateway once, or set DATABASE_URL to the file it serves');
  }
  try {
    const database = openReadConnection(file);
    try {
      return work(database);
    } finally {
      database.close();
    }
  } catch (error) {
    throw openFailure(file, error);
  }
}

function requireSchema(database: Connection, file: string): void {
  const migrations = loadMigrations();
  const next = migrations[checkSchema(database, file, migrations).length];
  if (next === undefined) return;
  throw invalid(file, `has an older schema (lacks ${next.name}): run \`prompt-gateway db migrate\` first`);
}

function findProblems(database: Connection): readonly string[] {
  // Row mapper: one column of text, `ok` alone when nothing is wrong.
  const rows = database.prepare(`PRAGMA integrity_check(${MAX_PROBLEMS})`).pluck().all() as string[];
  const references = database.pragma('foreign_key_check') as readonly { readonly table: string }[];
  return [
    ...rows.filter((row) => row !== 'ok'),
    ...references
      .slice(0, MAX_PROBLEMS)
      .map(({ table }) => `a row of ${table} refers to one that does not exist`),
  ];
}

function countRows(database: Connection, table: 'generations' | 'outcomes' | 'scores'): number {
  return Number(database.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function cannotWrite(path: string, error: unknown): AppError {
  return new AppError('invalid_request', `cannot write ${path}: ${errorMessage(error)}`, { cause: error });
}
