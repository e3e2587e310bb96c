import {
  type ConfigReloadReport,
  type ConfigStore,
  createConfigStore,
  type Environment,
  type LoadedConfig,
  loadConfig,
} from '../config/index.ts';
import { type ExperimentsInForce, experimentWarnings } from '../experiments/index.ts';
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

/** Prompts first: the file may name a version that has just been written. */
export async function reloadAll(
  prompts: PromptStore,
  store: ConfigStore,
  logger: Logger,
): Promise<GatewayReload> {
  const promptReport = await prompts.reload();
  const configReport = await store.reload();
  // The stores log changes and faults; whoever asked wants an answer also when there were none.
  logger.info({ event: 'prompts_reload_requested', ...promptReport }, 'prompts were read again, as asked');
  logger.info(
    { event: 'config_reload_requested', ...configReport },
    'the configuration was read again, as asked',
  );
  return { prompts: promptReport, config: configReport };
}

/** What has to be looked at again when the prompts have changed under a configuration. */
export function onPromptsReloaded(
  store: ConfigStore,
  experiments: Pick<ExperimentsInForce, 'current'>,
  registry: PromptRegistry,
  logger: Logger,
): void {
  for (const warning of experimentWarnings(experiments.current(), registry)) {
    logger.warn(
      { event: 'experiment_warning', place: warning.path, detail: warning.message },
      'an experiment cannot serve one of its arms any more',
    );
  }
  // It may have named a version that has only now arrived.
  if ((store.status().lastReload?.faults.length ?? 0) > 0) void store.reload();
}
