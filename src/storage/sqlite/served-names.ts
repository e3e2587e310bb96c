import { type Stats, statSync } from 'node:fs';

/**
 * Whether the names of an open database still lead to its files. SQLite writes on to files that were removed, moved or
 * replaced, and everything acknowledged from then on would be gone with the process. Asked after a commit and before its
 * acknowledgement; two looks at the file system, some microseconds. Null: they do.
 */
export function watchServedNames(file: string): () => string | null {
  const names = [file, `${file}-wal`];
  // The log is made with the first transaction: whatever is there at the first look belongs to the database.
  const known = new Map<string, Stats>();
  const own = look(file);
  if (own !== null) known.set(file, own);

  return () => {
    for (const name of names) {
      const found = look(name);
      const expected = known.get(name);
      if (expected === undefined) {
        if (found !== null) known.set(name, found);
        continue;
      }
      if (found === null || found.ino !== expected.ino || found.dev !== expected.dev) {
        return `${name} was removed, moved or replaced while it is served: put it back, or restart the gateway`;
      }
    }
    return null;
  };
}

function look(name: string): Stats | null {
  try {
    return statSync(name, { throwIfNoEntry: false }) ?? null;
  } catch {
    // A folder on the way is gone or closed: so is the file, for the next start.
    return null;
  }
}
