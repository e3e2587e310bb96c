import { AppError, type Clock, errorMessage, type Fault, type Logger } from '../kernel/index.ts';
import {
  changedSections,
  configInForce,
  mixtureFaults,
  needsRestart,
  newWarnings,
  unreadSeeds,
} from './config-in-force.ts';
import type {
  ConfigReloadReport,
  ConfigStatus,
  ReloadCheck,
  ReloadLastCheck,
  ReloadPreparation,
  ReloadWarning,
} from './config-types.ts';
import type { LoadedConfig } from './load-config.ts';
import { watchFile } from './watch-file.ts';

export interface ConfigStoreOptions {
  /** In force at the start. */
  readonly loaded: LoadedConfig;
  /** Reads the file again. Fails with `config_invalid`. */
  readonly load: () => LoadedConfig;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Holds the configuration in force and swaps its live sections whole. */
export interface ConfigStore {
  current(): LoadedConfig;
  status(): ConfigStatus;
  /** Reads the file again. Never fails for a faulty file: the report names what is wrong. One after another. */
  reload(): Promise<ConfigReloadReport>;
  addCheck(check: ReloadCheck): void;
  addLastCheck(check: ReloadLastCheck): void;
  addWarning(warning: ReloadWarning): void;
  addPreparation(preparation: ReloadPreparation): void;
  /** Reloads when the file changes, until closed. */
  watch(): void;
  close(): Promise<void>;
}

export function createConfigStore(options: ConfigStoreOptions): ConfigStore {
  return new FileConfigStore(options);
}

class FileConfigStore implements ConfigStore {
  readonly #options: ConfigStoreOptions;
  readonly #checks: ReloadCheck[] = [];
  readonly #lastChecks: ReloadLastCheck[] = [];
  readonly #warnings: ReloadWarning[] = [];
  readonly #preparations: ReloadPreparation[] = [];
  readonly #stop = new AbortController();
  readonly #counts = { changed: 0, unchanged: 0, failed: 0 };
  #current: LoadedConfig;
  #lastReload: ConfigReloadReport | null = null;
  /** What was wrong at the last reload, as text: the same again is no news. */
  #wrong = '[[],[]]';
  /** The end of the line of reloads: two at once could swap an older state over a newer one. */
  #tail: Promise<unknown> = Promise.resolve();
  #watching: Promise<void> | null = null;

  constructor(options: ConfigStoreOptions) {
    this.#options = options;
    this.#current = options.loaded;
  }

  current(): LoadedConfig {
    return this.#current;
  }

  status(): ConfigStatus {
    return { lastReload: this.#lastReload, counts: this.#counts };
  }

  addCheck(check: ReloadCheck): void {
    this.#checks.push(check);
  }

  addLastCheck(check: ReloadLastCheck): void {
    this.#lastChecks.push(check);
  }

  addWarning(warning: ReloadWarning): void {
    this.#warnings.push(warning);
  }

  addPreparation(preparation: ReloadPreparation): void {
    this.#preparations.push(preparation);
  }

  reload(): Promise<ConfigReloadReport> {
    const report = this.#tail.then(() => this.#reloadAndTell());
    this.#tail = report.catch(() => undefined);
    return report;
  }

  watch(): void {
    if (this.#stop.signal.aborted) return;
    const { loaded, clock } = this.#options;
    this.#watching ??= watchFile({
      file: loaded.file,
      known: loaded.fileStamp,
      clock,
      signal: this.#stop.signal,
      onChange: async () => {
        await this.reload();
      },
    });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
    await this.#tail;
  }

  async #reloadAndTell(): Promise<ConfigReloadReport> {
    const attempted = await attempt(() => this.#reloadNow(), this.#current.name);
    const outcome = attempted.kind === 'done' ? attempted.value : refused(attempted.faults);
    const report: ConfigReloadReport = Object.freeze({
      at: new Date(this.#options.clock.nowMs()).toISOString(),
      hash: this.#current.hash,
      ...outcome,
    });
    this.#lastReload = report;
    this.#counts[resultOf(report)] += 1;
    this.#log(report);
    return report;
  }

  async #reloadNow(): Promise<ReloadOutcome> {
    const current = this.#current;
    if (this.#stop.signal.aborted) return refused([]);
    const file = await attempt(this.#options.load, current.name);
    if (file.kind === 'failed') return refused(file.faults);
    const next = configInForce(current, file.value);
    const restart = needsRestart(file.value, next);
    const changed = changedSections(next, current);
    const warnings = [...newWarnings(next, current), ...unreadSeeds(next, current)];
    if (changed.length === 0) {
      // Labels and warnings of the file are taken over: there is nothing to check in them.
      this.#current = next;
      return { changed, needsRestart: restart, warnings, faults: [] };
    }
    const mixed = mixtureFaults(next, restart);
    const asked = await Promise.all(
      this.#checks.map((check) => attempt(() => check(next, current), current.name)),
    );
    const faults = [
      ...mixed,
      ...asked.flatMap((answer) => (answer.kind === 'done' ? answer.value : answer.faults)),
    ];
    if (faults.length > 0) return refused(faults);
    const odd = await attempt(
      () => this.#warnings.flatMap((warning) => warning(next, current)),
      current.name,
    );
    if (odd.kind === 'failed') return refused(odd.faults);
    const commits: (() => void)[] = [];
    for (const prepare of this.#preparations) {
      const prepared = await attempt(() => prepare(next, current), current.name);
      if (prepared.kind === 'failed') return refused(prepared.faults);
      commits.push(prepared.value);
    }
    // No `await` from here on: nothing changes under the last checks, nobody sees one section new and another old.
    const lastFaults = this.#lastChecks.flatMap((check) => check(next, current));
    if (lastFaults.length > 0) return refused(lastFaults);
    this.#current = next;
    for (const commit of commits) this.#follow(commit);
    return { changed, needsRestart: restart, warnings: [...warnings, ...odd.value], faults: [] };
  }

  #follow(commit: () => void): void {
    try {
      commit();
    } catch (error) {
      this.#options.logger.error(
        { event: 'config_commit_failed', error: errorMessage(error), err: error },
        'a part did not follow the new configuration',
      );
    }
  }

  #log(report: ConfigReloadReport): void {
    const { logger } = this.#options;
    const { changed, hash, needsRestart: needs_restart, warnings, faults } = report;
    const wrong = JSON.stringify([faults, needs_restart]);
    const isNews = wrong !== this.#wrong || warnings.length > 0;
    this.#wrong = wrong;
    if (faults.length > 0) {
      if (!isNews) return;
      logger.warn(
        { event: 'config_reload_failed', fault_count: faults.length, faults: faults.map(faultText) },
        'configuration not reloaded: the last good one stays',
      );
      return;
    }
    if (changed.length === 0 && !isNews) return;
    const fields = { changed, hash, needs_restart, warnings: warnings.map(faultText) };
    const level = needs_restart.length + warnings.length > 0 ? 'warn' : 'info';
    if (changed.length > 0) {
      logger[level]({ event: 'config_reloaded', ...fields }, 'configuration reloaded');
    } else {
      logger[level]({ event: 'config_unchanged', ...fields }, 'nothing of the file came into force');
    }
  }
}

type ReloadOutcome = Omit<ConfigReloadReport, 'at' | 'hash'>;

function refused(faults: readonly Fault[]): ReloadOutcome {
  return { changed: [], needsRestart: [], warnings: [], faults };
}

type Attempt<Value> =
  | { readonly kind: 'done'; readonly value: Value }
  | { readonly kind: 'failed'; readonly faults: readonly Fault[] };

/** Whatever fails refuses the reload; a gateway that serves must go on serving. */
async function attempt<Value>(work: () => Value | Promise<Value>, place: string): Promise<Attempt<Value>> {
  try {
    return { kind: 'done', value: await work() };
  } catch (error) {
    const faults = error instanceof AppError ? error.faults : [];
    return {
      kind: 'failed',
      faults: faults.length > 0 ? faults : [{ path: place, message: errorMessage(error) }],
    };
  }
}

function resultOf(report: ConfigReloadReport): keyof ConfigStatus['counts'] {
  if (report.faults.length > 0) return 'failed';
  return report.changed.length > 0 ? 'changed' : 'unchanged';
}

function faultText(fault: Fault): string {
  return `${fault.path} ${fault.message}`;
}
