import { resolve } from 'node:path';

export type DatabaseUrlReading =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'refused'; readonly message: string };

/**
 * Reads `sqlite:PATH` (also `sqlite:///absolute/path`). Messages never repeat the value: it may hold a password.
 */
export function readDatabaseUrl(databaseUrl: string): DatabaseUrlReading {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(databaseUrl)?.[1]?.toLowerCase();
  if (scheme === undefined) return refused('write it as sqlite:PATH, for example sqlite:data/gateway.db');
  if (scheme !== 'sqlite') return refused(`only sqlite: is supported by this build, not ${scheme}:`);
  const rest = databaseUrl.slice('sqlite:'.length);
  const path = rest.startsWith('//') ? rest.slice(2) : rest;
  if (rest.startsWith('//') && !path.startsWith('/')) {
    return refused(
      'sqlite:// takes an absolute path (sqlite:///var/lib/gateway.db); a relative one is sqlite:PATH',
    );
  }
  if (path.trim() === '') return refused('the path is missing, for example sqlite:data/gateway.db');
  if (path.includes(':memory:')) {
    return refused('a database in memory cannot be shared by the reader and the writer: name a file');
  }
  if (path.includes('\0')) return refused('the path holds a NUL character');
  if (path.includes('?')) return refused('options after "?" are not supported');
  if (path.endsWith('/')) return refused('the path names a folder: name a file');
  return { kind: 'sqlite', path };
}

/** Absolute path of the database file; relative ones count from the configuration file's folder. */
export function databaseFileOf(databaseUrl: string, directory: string): string | null {
  const reading = readDatabaseUrl(databaseUrl);
  return reading.kind === 'sqlite' ? resolve(directory, reading.path) : null;
}

function refused(message: string): DatabaseUrlReading {
  return { kind: 'refused', message };
}
