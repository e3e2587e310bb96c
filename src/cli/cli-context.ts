import type { Readable, Writable } from 'node:stream';

import type { Clock } from '../kernel/index.ts';

/** What a command may touch of the process. */
export interface CliContext {
  /** What is piped in; not touched before it is called. */
  stdin(): Readable;
  /** Results. */
  readonly stdout: Writable & { readonly isTTY?: boolean };
  /** Faults and progress. */
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /** The environment variables. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Resolves on the first SIGINT or SIGTERM from now on; a second one ends the process at once. */
  untilStopped(): Promise<void>;
  /** Calls `listener` on every SIGHUP from now on. */
  onHangup(listener: () => void): void;
}
