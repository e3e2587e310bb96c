import type { Fault } from '../kernel/index.ts';
import type { LoadedConfig } from './load-config.ts';

/**
 * Asked before a reload comes into force, about the whole of what would be: any fault refuses it, and the last good
 * configuration stays. May be asked often and about the same configuration again: it changes nothing.
 */
export type ReloadCheck = (next: LoadedConfig, current: LoadedConfig) => Promise<readonly Fault[]>;

/**
 * Asked once more in the very turn in which a reload would come into force, after checks and preparations that took their
 * time: any fault refuses it.
 */
export type ReloadLastCheck = (next: LoadedConfig, current: LoadedConfig) => readonly Fault[];

/** What an operator should know of a change that is no reason to refuse it. */
export type ReloadWarning = (next: LoadedConfig, current: LoadedConfig) => readonly Fault[];

/**
 * Makes what the next configuration needs (a first snapshot, say) once every check has passed, and answers how to put it
 * in force. A failure refuses the reload. What it answers must neither wait nor fail: everything changes in one turn of
 * the event loop, so that no call sees half of it.
 */
export type ReloadPreparation = (next: LoadedConfig, current: LoadedConfig) => Promise<() => void>;

export interface ConfigReloadReport {
  /** ISO 8601. */
  readonly at: string;
  /** Hash of the configuration in force after this reload. */
  readonly hash: string;
  /** Sections that came into force. */
  readonly changed: readonly string[];
  /** `server.port`: values of the file that only a restart brings into force. */
  readonly needsRestart: readonly string[];
  readonly warnings: readonly Fault[];
  /** Not empty means: nothing changed, the last good configuration stays whole. */
  readonly faults: readonly Fault[];
}

export interface ConfigStatus {
  /** Null: not reloaded since the start. */
  readonly lastReload: ConfigReloadReport | null;
  /** Reloads since the start, by result; `unchanged` found the file as it is in force. */
  readonly counts: Readonly<Record<'changed' | 'unchanged' | 'failed', number>>;
}
