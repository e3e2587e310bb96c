import type { GatewayConfig } from './config/index.ts';
import {
  createRolloutGates,
  createRolloutHistory,
  type Experiment,
  type GateEvidence,
  type RolloutEventStore,
  type RolloutGates,
  type RolloutHistory,
} from './experiments/index.ts';
import type { Clock, Ids, Logger } from './kernel/index.ts';
import type { PromptRegistry } from './prompts/index.ts';

export interface RolloutsOptions {
  readonly store: RolloutEventStore;
  readonly evidence: GateEvidence;
  readonly config: () => GatewayConfig;
  readonly registry: () => PromptRegistry;
  readonly experiments: () => readonly Experiment[];
  readonly ids: Ids;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Rollouts {
  readonly history: RolloutHistory;
  readonly gates: RolloutGates;
  close(): Promise<void>;
}

/** Gates and their history, read whole. Fails with `storage_unavailable`. */
export async function openRollouts(options: RolloutsOptions): Promise<Rollouts> {
  const { store, config, clock, logger } = options;
  const history = createRolloutHistory({ store, clock, logger });
  await history.catchUp();
  history.start();
  const gates = createRolloutGates({ ...options, gates: () => config().rollout_gates, history });
  return { history, gates, close: () => history.close() };
}
