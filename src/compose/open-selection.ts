import type { ConfigStore, Environment } from '../config/index.ts';
import {
  createLabels,
  createPolicyRunner,
  createSelector,
  createUnitAssigner,
  defaultVersionWarnings,
  type Experiment,
  type ExperimentsInForce,
  experimentWarnings,
  type Labels,
  type PolicyRunner,
  type RolloutGates,
  type Selector,
} from '../experiments/index.ts';
import type { Clock, Fault, Ids, Logger } from '../kernel/index.ts';
import type { PromptStore } from '../prompts/index.ts';
import type { SqliteStorage } from '../storage/sqlite/index.ts';

export interface SelectionOptions {
  readonly store: ConfigStore;
  readonly experiments: ExperimentsInForce;
  readonly gates: RolloutGates;
  /** Those in force, a stopped one ended at its stop. */
  readonly running: () => readonly Experiment[];
  readonly prompts: PromptStore;
  readonly storage: Pick<
    SqliteStorage,
    'labelEvents' | 'assignments' | 'policySnapshots' | 'experimentReader'
  >;
  readonly environment: Environment;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface SelectionParts {
  readonly labels: Labels;
  readonly policies: PolicyRunner;
  readonly selector: Selector;
  /** What will refuse calls although the start was sound. */
  readonly warnings: readonly Fault[];
  close(): Promise<void>;
}

/** Labels, policies and the choice of versions; they follow every reload of the configuration from now on. */
export async function openSelection(options: SelectionOptions): Promise<SelectionParts> {
  const { store, experiments, gates, running, prompts, storage, environment, ids, clock, logger } = options;
  const { config } = store.current();
  const registry = () => prompts.current();
  const labels = createLabels({
    store: storage.labelEvents,
    registry,
    experiments: experiments.namesOf,
    gates,
    ids,
    clock,
    logger,
  });
  const policies = createPolicyRunner({
    experiments: running,
    // Read at the start: the ledger keeps their declarations, and outcomes are checked against them.
    metrics: config.metrics,
    snapshots: storage.policySnapshots,
    rewards: storage.experimentReader,
    clock,
    logger,
  });
  const close = async (): Promise<void> => {
    await policies.close();
    await labels.close();
  };
  try {
    const labelWarnings = await labels.seed(config.labels);
    labels.start();
    await policies.restore();
    policies.start();
    experiments.follow({ labels, policies });
    const assigner = createUnitAssigner({ assignments: storage.assignments, snapshots: policies, clock });
    const wishes = { labels, experiments: running };
    return {
      labels,
      policies,
      selector: createSelector({ ...wishes, assigner, snapshots: policies, clock }),
      warnings: [
        ...labelWarnings,
        ...defaultVersionWarnings(registry(), environment.defaultPromptVersion, wishes),
        ...experimentWarnings(experiments.current(), registry()),
      ],
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
