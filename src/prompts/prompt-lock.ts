import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, errorMessage, type Fault, listNames, nearestName } from '../kernel/index.ts';
import { isPlainObject } from './picoschema.ts';
import { hasCode, LOCK_FILE } from './prompt-directory.ts';
import {
  didYouMean,
  FILE_START,
  faultAt,
  type Position,
  positionAt,
  type SourceFile,
} from './source-file.ts';
import type { PromptRegistry } from './types.ts';

/** `prompts.lock.json`: what was released, and what is no longer selectable. */
export interface PromptLock {
  /** Hash by `name@version`. */
  readonly versions: ReadonlyMap<string, string>;
  readonly retired: ReadonlySet<string>;
}

const EMPTY_LOCK: PromptLock = { versions: new Map(), retired: new Set() };

const LOCK_KEYS = ['versions', 'retired'];

export function parseLock(file: SourceFile | null, faults: Fault[]): PromptLock {
  if (file === null) return EMPTY_LOCK;
  const fault = (message: string, name?: string): void => {
    faults.push(faultAt(file, name === undefined ? FILE_START : positionOfText(file, name), message));
  };
  let content: unknown;
  try {
    content = JSON.parse(file.text);
  } catch (error) {
    const message = errorMessage(error);
    const offset = Number(/at position (\d+)/.exec(message)?.[1] ?? file.text.length);
    faults.push(
      faultAt(
        file,
        positionAt(file.text, offset),
        `is not valid JSON (${message}): restore it from version control`,
      ),
    );
    return EMPTY_LOCK;
  }
  if (!isPlainObject(content)) {
    fault('must be a map with "versions" and "retired": restore it from version control');
    return EMPTY_LOCK;
  }
  for (const key of Object.keys(content)) {
    if (!LOCK_KEYS.includes(key))
      fault(`unknown key "${key}"${didYouMean(nearestName(key, LOCK_KEYS))}`, key);
  }
  const { versions = {}, retired = [] } = content;
  const byName = new Map<string, string>();
  if (!isPlainObject(versions)) fault('"versions" must be a map of name@version and hash', 'versions');
  else {
    for (const [name, hash] of Object.entries(versions)) {
      if (typeof hash === 'string' && /^sha256:[0-9a-f]{64}$/.test(hash)) byName.set(name, hash);
      else fault(`"versions" gives "${name}" no hash of the form sha256:<64 hex digits>`, name);
    }
  }
  if (!Array.isArray(retired) || !retired.every((name) => typeof name === 'string')) {
    fault('"retired" must be a list of name@version', 'retired');
    return { versions: byName, retired: new Set() };
  }
  return { versions: byName, retired: new Set(retired.map(String)) };
}

/** Faults of a lock against the versions that exist (hash by `name@version`) and the file of each. */
export function checkLock(
  lock: PromptLock,
  file: SourceFile | null,
  hashes: ReadonlyMap<string, string>,
  pathOf: (name: string) => string,
): Fault[] {
  const faults: Fault[] = [];
  for (const [name, hash] of lock.versions) {
    const actual = hashes.get(name);
    if (actual === undefined) {
      faults.push({
        path: pathOf(name),
        message: `released version ${name} is missing: restore the file; to stop using a version, retire it`,
      });
    } else if (actual !== hash) {
      faults.push({
        path: `${pathOf(name)}:1:1`,
        message: `released version changed: add a new version instead, or restore the file and its partials (locked ${hash.slice(0, 19)}…, found ${actual.slice(0, 19)}…)`,
      });
    }
  }
  for (const name of lock.retired) {
    if (hashes.has(name) || file === null) continue;
    const hint = didYouMean(nearestName(name, hashes.keys()));
    faults.push(
      faultAt(file, positionOfText(file, name), `"retired" names "${name}", which does not exist${hint}`),
    );
  }
  return faults;
}

/** Where the lock last writes a name: `retired` stands behind `versions`. */
function positionOfText(file: SourceFile, name: string): Position {
  return positionAt(file.text, Math.max(0, file.text.lastIndexOf(JSON.stringify(name))));
}

/** Adds every version that is not locked yet; never changes or removes an entry. Returns what was added. */
export async function lockPrompts(options: {
  readonly directory: string;
  readonly registry: PromptRegistry;
}): Promise<readonly string[]> {
  const lock = await readLock(options.directory);
  const added: string[] = [];
  const versions = new Map(lock.versions);
  for (const version of options.registry.prompts.flatMap((family) => family.versions)) {
    const name = `${version.prompt}@${version.version}`;
    if (versions.has(name)) continue;
    versions.set(name, version.hash);
    added.push(name);
  }
  if (added.length > 0) await writeLock(options.directory, { versions, retired: lock.retired });
  return added;
}

/**
 * Marks a version as retired: readable and reported, no longer selectable. False when it was retired before. Fails with
 * `prompt_not_found` or `version_not_found`, and with `conflict` for a version that was never locked (delete that file).
 */
export async function retirePrompt(options: {
  readonly directory: string;
  readonly registry: PromptRegistry;
  readonly prompt: string;
  readonly version: string;
}): Promise<boolean> {
  const { prompt, version } = options.registry.version(options.prompt, options.version);
  const name = `${prompt}@${version}`;
  const lock = await readLock(options.directory);
  if (!lock.versions.has(name)) {
    throw new AppError('conflict', `${name} was never released: lock it first, or delete its file`);
  }
  if (lock.retired.has(name)) return false;
  await writeLock(options.directory, { versions: lock.versions, retired: new Set([...lock.retired, name]) });
  return true;
}

async function readLock(directory: string): Promise<PromptLock> {
  const path = join(directory, LOCK_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return EMPTY_LOCK;
    throw new AppError('prompts_invalid', `${LOCK_FILE} cannot be read: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  const faults: Fault[] = [];
  const lock = parseLock({ path: LOCK_FILE, displayPath: path, text }, faults);
  if (faults.length === 0) return lock;
  throw new AppError(
    'prompts_invalid',
    `${LOCK_FILE} is invalid: ${listNames(faults.map((each) => each.message))}`,
    {
      faults,
    },
  );
}

/** Whole or not at all: a reader never sees half a lock. */
async function writeLock(directory: string, lock: PromptLock): Promise<void> {
  const path = join(directory, LOCK_FILE);
  const temporary = join(directory, `.${LOCK_FILE}.${randomUUID()}`);
  try {
    await writeFile(temporary, lockText(lock), { flag: 'wx' });
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** In the layout of the repository's formatter, so that retiring a version does not fail the next check. */
function lockText(lock: PromptLock): string {
  const versions = Object.fromEntries([...lock.versions].sort(([a], [b]) => (a < b ? -1 : 1)));
  const retired = [...lock.retired].sort();
  const inline = `[${retired.map((name) => JSON.stringify(name)).join(', ')}]`;
  const whole = JSON.stringify({ versions, retired }, null, 2);
  const short = `${JSON.stringify({ versions }, null, 2).slice(0, -2)},\n  "retired": ${inline}\n}`;
  return `${inline.length < 90 ? short : whole}\n`;
}
