import { stat } from 'node:fs/promises';

import type { Clock } from '../kernel/index.ts';
import { fileStampOf } from './load-config.ts';

/** How often the file is looked at. One `stat` of one file costs less than being deaf where watches do not work. */
const POLL_MS = 500;
/** An editor writes in several steps: the file counts as written once it looked the same for this long. */
const QUIET_MS = 100;

export interface WatchFileOptions {
  readonly file: string;
  /** The file as it was when it was read last: later changes count from there. */
  readonly known: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called after a change has settled; the next look waits for it. Must not fail. */
  onChange(): Promise<void>;
}

/**
 * Calls `onChange` when the file was written, replaced by renaming, or removed, until the signal aborts. Follows symbolic
 * links, so that a volume whose link is turned to a new folder counts as a change.
 */
export async function watchFile(options: WatchFileOptions): Promise<void> {
  const { file, clock, signal } = options;
  let { known } = options;
  while (!signal.aborted) {
    await clock.sleep(POLL_MS, signal);
    let seen = await lookAt(file);
    if (seen === known) continue;
    for (let before = ''; before !== seen && !signal.aborted; ) {
      before = seen;
      await clock.sleep(QUIET_MS, signal);
      seen = await lookAt(file);
    }
    if (signal.aborted) return;
    // Replaced and put back in the meantime is no change.
    if (seen === known) continue;
    known = seen;
    await options.onChange();
  }
}

async function lookAt(file: string): Promise<string> {
  try {
    return fileStampOf(await stat(file));
  } catch {
    return 'unreadable';
  }
}
