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
    let known = await events.refresh();
    while (!signal.aborted) {
      await events.next(clock, signal);
      if (signal.aborted) return;
      let seen = await events.refresh();
      if (seen === known) continue;
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
  }

  /** Resolves at the next event, at the next poll, or when the signal aborts. */
  async next(clock: Clock, signal: AbortSignal): Promise<void> {
    await clock.sleep(POLL_MS, AbortSignal.any([signal, this.#woken.signal]));
    this.#woken = new AbortController();
  }

  /** Watches the folders there are now; returns a picture of all their files. */
  async refresh(): Promise<string> {
    const folders = new Set<string>();
    const picture: string[] = [];
    await this.#look('', folders, picture);
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) this.#watch(folder);
    return picture.join('\n');
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  async #look(folder: string, folders: Set<string>, picture: string[]): Promise<void> {
    folders.add(folder);
    const path = join(this.#options.directory, folder);
    const names = await readdir(path).catch(() => []);
    for (const name of names.filter((each) => !each.startsWith('.')).sort()) {
      const stats = await stat(join(path, name)).catch(() => null);
      if (stats === null) continue;
      const inner = join(folder, name);
      if (!stats.isDirectory()) picture.push(`${inner} ${stats.size} ${stats.mtimeMs} ${stats.ino}`);
      // Prompts lie one folder deep: whatever is below is none of ours.
      else if (folder === '') await this.#look(inner, folders, picture);
    }
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
