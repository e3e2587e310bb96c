import { AppError, type Clock, type Fault, type Logger } from '../kernel/index.ts';
import { type LoadMemory, loadWithMemory, type PromptLoadOptions } from './load-prompt-registry.ts';
import type { PromptRegistry, PromptStore, ReloadReport } from './types.ts';
import { pictureOf, watchDirectory } from './watch-directory.ts';

export interface PromptStoreOptions extends PromptLoadOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told after every reload, in the turn in which what it brought is in force. Must not fail. */
  readonly onReload?: (report: ReloadReport) => void;
}

/** Faults named in the message of a failed start; all of them are in `faults`. */
const FAULTS_IN_MESSAGE = 5;

/** Loads the directory. Fails with `prompts_invalid`, every fault of every file listed. */
export async function createPromptStore(options: PromptStoreOptions): Promise<PromptStore> {
  // Before the load: a change in between is seen once the directory is watched.
  const picture = await pictureOf(options.directory);
  const { load, memory } = await loadWithMemory(options, null);
  if (!load.ok) throw promptsInvalid(load.faults);
  for (const warning of load.registry.warnings) {
    options.logger.warn(
      { event: 'prompt_warning', place: warning.path, detail: warning.message },
      'prompt warning',
    );
  }
  return new FilePromptStore(options, load.registry, memory, picture);
}

class FilePromptStore implements PromptStore {
  readonly #options: PromptStoreOptions;
  readonly #picture: string;
  readonly #stop = new AbortController();
  #registry: PromptRegistry;
  #memory: LoadMemory;
  #lastReload: ReloadReport | null = null;
  /** The end of the line of reloads: two at once could swap an older state over a newer one. */
  #tail: Promise<unknown> = Promise.resolve();
  #watching: Promise<void> | null = null;

  constructor(options: PromptStoreOptions, registry: PromptRegistry, memory: LoadMemory, picture: string) {
    this.#options = options;
    this.#picture = picture;
    this.#registry = registry;
    this.#memory = memory;
  }

  current(): PromptRegistry {
    return this.#registry;
  }

  lastReload(): ReloadReport | null {
    return this.#lastReload;
  }

  reload(): Promise<ReloadReport> {
    const report = this.#tail.then(() => this.#reloadNow());
    this.#tail = report.catch(() => undefined);
    return report;
  }

  watch(): void {
    if (this.#stop.signal.aborted) return;
    this.#watching ??= watchDirectory({
      directory: this.#options.directory,
      clock: this.#options.clock,
      logger: this.#options.logger,
      signal: this.#stop.signal,
      known: this.#picture,
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

  async #reloadNow(): Promise<ReloadReport> {
    const { load, memory } = await loadWithMemory(this.#options, this.#memory);
    const at = new Date(this.#options.clock.nowMs()).toISOString();
    const report = load.ok
      ? { at, ...compareRegistries(this.#registry, load.registry), failed: [] }
      : { at, reloaded: [], unchanged: namesOf(this.#registry), failed: load.faults };
    if (load.ok) {
      this.#registry = load.registry;
      this.#memory = memory;
    }
    this.#lastReload = Object.freeze(report);
    this.#log(report);
    this.#options.onReload?.(report);
    return report;
  }

  #log(report: ReloadReport): void {
    const { logger } = this.#options;
    if (report.failed.length > 0) {
      const faults = report.failed.slice(0, FAULTS_IN_MESSAGE).map(faultText);
      logger.warn(
        { event: 'prompts_reload_failed', fault_count: report.failed.length, faults },
        'prompts not reloaded: the last good ones stay',
      );
    } else if (report.reloaded.length > 0) {
      logger.info({ event: 'prompts_reloaded', versions: report.reloaded }, 'prompts reloaded');
    }
  }
}

function compareRegistries(
  before: PromptRegistry,
  after: PromptRegistry,
): Pick<ReloadReport, 'reloaded' | 'unchanged'> {
  const known = new Map(
    versionsOf(before).map((version) => [`${version.prompt}@${version.version}`, version]),
  );
  const reloaded: string[] = [];
  const unchanged: string[] = [];
  for (const version of versionsOf(after)) {
    const name = `${version.prompt}@${version.version}`;
    // The same object is the same text under the same lock.
    (known.get(name) === version ? unchanged : reloaded).push(name);
  }
  return { reloaded, unchanged };
}

function versionsOf(registry: PromptRegistry): PromptRegistry['prompts'][number]['versions'] {
  return registry.prompts.flatMap((family) => family.versions);
}

function namesOf(registry: PromptRegistry): string[] {
  return versionsOf(registry).map((version) => `${version.prompt}@${version.version}`);
}

function promptsInvalid(faults: readonly Fault[]): AppError {
  const shown = faults.slice(0, FAULTS_IN_MESSAGE).map((fault) => `\n  ${faultText(fault)}`);
  const more = faults.length > shown.length ? `\n  and ${faults.length - shown.length} more` : '';
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  return new AppError('prompts_invalid', `the prompts have ${count}:${shown.join('')}${more}`, { faults });
}

function faultText(fault: Fault): string {
  return `${fault.path} ${fault.message}`;
}
