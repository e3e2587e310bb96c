import { AppError } from '../../kernel/index.ts';

/** How long a caller should wait after a write the database could not take: long enough for a disk to be noticed. */
export const RETRY_AFTER_MS = 1_000;

/** Result codes that say "the file or the disk cannot serve this now", as opposed to "this statement is wrong". */
const UNAVAILABLE =
  /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|BUSY|LOCKED|NOMEM|PROTOCOL|CORRUPT|NOTADB|PERM|AUTH)(_|$)/;

/** SQLite's extended result code (`SQLITE_FULL`), or null when the error is not SQLite's. */
export function sqliteCode(error: unknown): string | null {
  const code = codeOf(error);
  return code.startsWith('SQLITE_') ? code : null;
}

/** Read by shape, not by class: an error that crossed a thread or a realm has lost its class. */
function codeOf(error: unknown): string {
  const hasCode = typeof error === 'object' && error !== null && 'code' in error;
  return hasCode && typeof error.code === 'string' ? error.code : '';
}

function textOf(error: unknown): string {
  const hasText = typeof error === 'object' && error !== null && 'message' in error;
  return hasText ? String(error.message) : String(error);
}

/** True when another moment or a repaired disk would let the same statement pass. */
export function isStorageUnavailable(error: unknown): boolean {
  const code = sqliteCode(error);
  return code !== null && UNAVAILABLE.test(code);
}

/** What an operator reads in `/readyz` and the log. */
export function unavailableReason(error: unknown): string {
  const code = sqliteCode(error) ?? '';
  if (code.startsWith('SQLITE_FULL')) return `the disk is full (${code})`;
  if (code.startsWith('SQLITE_READONLY')) return `the database file is read-only (${code})`;
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return `the database file is damaged (${code}): stop the gateway and restore a backup`;
  }
  return `${textOf(error)} (${code})`;
}

export function storageUnavailable(reason: string, cause?: unknown): AppError {
  return new AppError('storage_unavailable', `The ledger cannot be written: ${reason}. Try again.`, {
    retryAfterMs: RETRY_AFTER_MS,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** One line for a file that cannot be served, with what to do about it. */
export function openFailure(file: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  const code = codeOf(error);
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return damagedFile(file, code, error);
  if (/^(SQLITE_(CANTOPEN|READONLY|PERM|AUTH)|EACCES|EPERM|EROFS|ENOTDIR|EISDIR|EEXIST|ENOENT)/.test(code)) {
    return invalid(
      file,
      `cannot be opened for writing (${code}): make the folder and the file writable for this user, or set DATABASE_URL to another file`,
      error,
    );
  }
  if (/^(SQLITE_FULL|ENOSPC|EDQUOT)/.test(code)) {
    return invalid(
      file,
      `cannot be opened: the disk is full (${code}); free some space and start again`,
      error,
    );
  }
  return invalid(file, `cannot be opened: ${textOf(error)}${code === '' ? '' : ` (${code})`}`, error);
}

export function damagedFile(file: string, what: string, cause?: unknown): AppError {
  return invalid(
    file,
    `is damaged or not a SQLite database (${what}): restore a backup with ` +
      `mv '${file}' '${file}.damaged'; rm -f '${file}-wal' '${file}-shm'; cp BACKUP '${file}'`,
    cause,
  );
}

/** `storage_invalid` on one line that begins with the file. */
export function invalid(file: string, problem: string, cause?: unknown): AppError {
  const message = `${file} ${problem}`.replace(/\s*\n\s*/g, ' ');
  return new AppError('storage_invalid', message, cause === undefined ? {} : { cause });
}
