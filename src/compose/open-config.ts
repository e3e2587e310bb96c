import {
  type ConfigReloadReport,
  type ConfigStore,
  createConfigStore,
  type Environment,
  type LoadedConfig,
  loadConfig,
} from '../config/index.ts';
import { type Experiment, experimentWarnings } from '../experiments/index.ts';
import type { Clock, Logger } from '../kernel/index.ts';
import type { PromptRegistry, PromptStore, ReloadReport } from '../prompts/index.ts';

/** What came of a reload that somebody asked for. */
export interface GatewayReload {
  readonly prompts: ReloadReport;
  readonly config: ConfigReloadReport;
}

/** The configuration in force, read again from the file it was started from. */
export function openConfig(
  loaded: LoadedConfig,
  environment: Environment,
  clock: Clock,
  logger: Logger,
): ConfigStore {
  const load = () => loadConfig({ path: loaded.name, environment });
  return createConfigStore({ loaded, load, clock, logger });
}

/** Reads prompts and configuration again, when somebody asks and when one needs the other. */
export interface Reloads {
  /** Prompts first: the file may name a version that has just been written. */
  all(prompts: PromptStore): Promise<GatewayReload>;
  /** What has to be looked at again when the prompts have changed under a configuration. */
  afterPrompts(report: ReloadReport, experiments: readonly Experiment[], registry: PromptRegistry): void;
}

export function createReloads(store: ConfigStore, logger: Logger): Reloads {
  /** While somebody asks for both, the configuration is read after the prompts anyway. */
  let asked = 0;
  return {
    all: async (prompts) => {
      asked += 1;
      try {
        const promptReport = await prompts.reload();
        const configReport = await store.reload();
        // The stores log changes and faults; whoever asked wants an answer also when there were none.
        logger.info(
          { event: 'prompts_reload_requested', ...promptReport },
          'prompts were read again, as asked',
        );
        logger.info(
          { event: 'config_reload_requested', ...configReport },
          'the configuration was read again, as asked',
        );
        return { prompts: promptReport, config: configReport };
      } finally {
        asked -= 1;
      }
    },
    afterPrompts: (report, experiments, registry) => {
      for (const warning of experimentWarnings(experiments, registry)) {
        logger.warn(
          { event: 'experiment_warning', place: warning.path, detail: warning.message },
          'an experiment cannot serve one of its arms any more',
        );
      }
      // A refused file may have named a version that has only now arrived.
      const wasRefused = (store.status().lastReload?.faults.length ?? 0) > 0;
      if (asked === 0 && wasRefused && report.reloaded.length > 0) void store.reload();
    },
  };
}
