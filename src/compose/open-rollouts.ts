import { createExperimentHealth, createShadowEvidence } from '../analytics/index.ts';
import type { ConfigStore, GatewayConfig, LoadedConfig } from '../config/index.ts';
import {
  createDefinitionGates,
  createExperimentStops,
  createGuardrailWatch,
  createRolloutGates,
  createRolloutHistory,
  type Experiment,
  type ExperimentHealth,
  type ExperimentStops,
  gatedPromptFaults,
  type LabelView,
  loadExperiments,
  type RolloutDefinitions,
  type RolloutGates,
  type RolloutHistory,
} from '../experiments/index.ts';
import { AppError, type Clock, errorCode, type Fault, type Ids, type Logger } from '../kernel/index.ts';
import type { PromptRegistry } from '../prompts/index.ts';
import { loadScorePolicies } from '../ranking/index.ts';
import type { SqliteStorage } from '../storage/sqlite/index.ts';

export interface RolloutsOptions {
  readonly store: ConfigStore;
  readonly storage: Pick<SqliteStorage, 'rolloutEvents' | 'experimentReader' | 'shadowReader'>;
  readonly registry: () => PromptRegistry;
  /** Those in force, whatever stops them. */
  readonly experiments: () => readonly Experiment[];
  readonly ids: Ids;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Rollouts {
  readonly history: RolloutHistory;
  readonly gates: RolloutGates;
  readonly stops: ExperimentStops;
  readonly health: ExperimentHealth;
  /** The experiments in force, a stopped one ended at its stop. */
  running(): readonly Experiment[];
  /**
   * Holds the definitions of the start to their gates, those of every reload from now on, and looks after running
   * experiments. Fails with `config_invalid` and `storage_unavailable`.
   */
  guard(labels: LabelView): Promise<void>;
  close(): Promise<void>;
}

/** Gates, stops and alarms, with their history read whole. Fails with `storage_unavailable`. */
export async function openRollouts(options: RolloutsOptions): Promise<Rollouts> {
  const { store, storage, registry, experiments, clock, logger } = options;
  const history = createRolloutHistory({ store: storage.rolloutEvents, clock, logger });
  await history.catchUp();
  history.start();
  const config = (): GatewayConfig => store.current().config;
  const gates = createRolloutGates({
    ...options,
    gates: () => config().rollout_gates,
    evidence: createShadowEvidence({ reader: storage.shadowReader, prompts: registry }),
    history,
  });
  const stops = createExperimentStops({ experiments, history, gates, logger });
  const health = createExperimentHealth({
    reader: storage.experimentReader,
    config,
    waived: stops.waived,
    clock,
  });
  const watch = createGuardrailWatch({ experiments, health, stops, clock, logger });

  return {
    history,
    gates,
    stops,
    health,
    running: () => stops.apply(experiments()),
    guard: async (labels) => {
      const definitions = createDefinitionGates({ gates, history, labels });
      const now = definitionsOf(store.current(), registry());
      const faults = [...gatedPromptFaults(now.gates, registry()), ...(await definitions.check(now))];
      if (faults.length > 0) throw refusedStart(faults);
      await definitions.adopt(now);
      store.addCheck(async (next) => {
        const loaded = soundDefinitions(next, registry());
        const unknown = gatedPromptFaults(next.config.rollout_gates, registry());
        return loaded === null ? unknown : [...unknown, ...(await definitions.check(loaded))];
      });
      store.addPreparation(async (next) => {
        await definitions.adopt(definitionsOf(next, registry()));
        return () => undefined;
      });
      watch.start();
    },
    close: async () => {
      await watch.close();
      await history.close();
    },
  };
}

function definitionsOf({ config }: LoadedConfig, registry: PromptRegistry): RolloutDefinitions {
  return {
    experiments: loadExperiments(config, registry),
    policies: loadScorePolicies(config),
    gates: config.rollout_gates,
  };
}

/** Null: another check names what is wrong with the experiments. */
function soundDefinitions(next: LoadedConfig, registry: PromptRegistry): RolloutDefinitions | null {
  try {
    return definitionsOf(next, registry);
  } catch (error) {
    if (errorCode(error) === 'config_invalid') return null;
    throw error;
  }
}

function refusedStart(faults: readonly Fault[]): AppError {
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  return new AppError('config_invalid', `the rollout gates refuse the start: ${count}`, { faults });
}
