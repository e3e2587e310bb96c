import { type FSWatcher, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, errorMessage, type Logger } from '../kernel/index.ts';

/** An editor writes a file in several steps: wait until nothing happened for this long. */
const QUIET_MS = 100;

/** How often the directory is compared where it cannot be watched, and how long a missed event can go unseen. */
const POLL_MS = 1_000;

export interface WatchOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** The directory as it was when it was read last ({@link pictureOf}): later changes count from there. */
  readonly known: string;
  /** Called after changes have settled; the next call waits for this one. */
  onChange(): Promise<void>;
}

/**
 * Calls `onChange` when something in the directory or one of its folders changes, until the signal aborts.
 *
 * Watches each folder by itself: Node 20's recursive watch on Linux follows files and not names, and is deaf to a file
 * from the moment an editor replaces it by renaming. Events only wake the loop up; what decides is the comparison of
 * names, sizes and times, so that a lost event costs a second and a spurious one costs nothing.
 */
export async function watchDirectory(options: WatchOptions): Promise<void> {
  const { clock, signal } = options;
  const events = new FolderEvents(options);
  try {
    let { known } = options;
    for (let seen = await events.refresh(); !signal.aborted; seen = await events.refresh()) {
      if (seen === known) {
        await events.next(clock);
        continue;
      }
      // Settled means that two looks, a quiet time apart, saw the same.
      for (let before = ''; before !== seen && !signal.aborted; ) {
        before = seen;
        await clock.sleep(QUIET_MS, signal);
        seen = await events.refresh();
      }
      if (signal.aborted) return;
      known = seen;
      await options.onChange().catch((error: unknown) => {
        options.logger.error(
          { event: 'prompts_reload_error', error: errorMessage(error) },
          'prompts reload failed',
        );
      });
    }
  } finally {
    events.close();
  }
}

/** One watcher per folder, made and dropped as folders come and go. */
class FolderEvents {
  readonly #options: WatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  #woken: AbortController = new AbortController();
  #warned = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', () => this.#woken.abort(), { once: true });
  }

  /** Resolves at the next event, at the next poll, or when the signal aborts. */
  async next(clock: Clock): Promise<void> {
    if (this.#options.signal.aborted) return;
    await clock.sleep(POLL_MS, this.#woken.signal);
    this.#woken = new AbortController();
  }

  /** Watches the folders there are now; returns a picture of all their files. */
  async refresh(): Promise<string> {
    const { folders, picture } = await look(this.#options.directory);
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) this.#watch(folder);
    return picture;
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watch(folder: string): void {
    if (this.#watchers.has(folder)) return;
    try {
      const watcher = watch(join(this.#options.directory, folder), { persistent: false }, () =>
        this.#woken.abort(),
      );
      watcher.on('error', (error) => {
        watcher.close();
        this.#watchers.delete(folder);
        this.#warn(error);
      });
      this.#watchers.set(folder, watcher);
    } catch (error) {
      this.#warn(error);
    }
  }

  /** Watches are a limited resource of the system: without one the poll still sees the change. */
  #warn(error: unknown): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#options.logger.warn(
      { event: 'prompts_watch_limited', error: errorMessage(error) },
      'prompts cannot be watched: comparing them every second',
    );
  }
}

/** Names, sizes and times of the directory's files, as comparable text. */
export async function pictureOf(directory: string): Promise<string> {
  return (await look(directory)).picture;
}

async function look(
  directory: string,
): Promise<{ readonly folders: ReadonlySet<string>; readonly picture: string }> {
  const folders = new Set<string>();
  const lines: string[] = [];
  await lookInto(directory, '', folders, lines);
  return { folders, picture: lines.join('\n') };
}

async function lookInto(
  directory: string,
  folder: string,
  folders: Set<string>,
  lines: string[],
): Promise<void> {
  folders.add(folder);
  const path = join(directory, folder);
  const names = await readdir(path).catch(() => []);
  for (const name of names.filter((each) => !each.startsWith('.')).sort()) {
    const stats = await stat(join(path, name)).catch(() => null);
    if (stats === null) continue;
    const inner = join(folder, name);
    if (!stats.isDirectory()) lines.push(`${inner} ${stats.size} ${stats.mtimeMs} ${stats.ino}`);
    // Prompts lie one folder deep: whatever is below is none of ours.
    else if (folder === '') await lookInto(directory, inner, folders, lines);
  }
}
