import type { KeyRing } from '../access/index.ts';
import {
  createEvaluationQueue,
  createExperimentOffPolicy,
  createExperimentReports,
  createPolicyReports,
  createSequenceFolds,
  createTimeSeriesReports,
  createVersionReports,
} from '../analytics/index.ts';
import type { ConfigStore, Environment, GatewayConfig } from '../config/index.ts';
import type { ExperimentsInForce, Labels } from '../experiments/index.ts';
import type { Clock, Logger } from '../kernel/index.ts';
import type { PromptStore } from '../prompts/index.ts';
import type { Routes } from '../providers/index.ts';
import type { ScorePolicies } from '../ranking/index.ts';
import type { SqliteStorage } from '../storage/sqlite/index.ts';
import { openOverview } from './open-overview.ts';
import type { Rollouts } from './open-rollouts.ts';

/** Everything that is asked of the ledger, by the names the edge has for it. Folds decisions in the background until closed. */
export function openReports(parts: {
  readonly storage: SqliteStorage;
  readonly store: Pick<ConfigStore, 'status'>;
  readonly config: GatewayConfig;
  readonly environment: Pick<Environment, 'defaultPromptVersion'>;
  readonly prompts: PromptStore;
  readonly labels: Labels;
  readonly experiments: ExperimentsInForce['current'];
  readonly rollouts: Pick<Rollouts, 'stops' | 'health' | 'history'>;
  readonly policies: ScorePolicies;
  readonly keys: Pick<KeyRing, 'list'>;
  readonly routes: Pick<Routes, 'health'>;
  readonly clock: Clock;
  readonly logger: Logger;
}) {
  const { storage, config, labels, experiments, rollouts, policies, clock, logger } = parts;
  const prompts = () => parts.prompts.current();
  const reports = createVersionReports({ reader: storage.reportReader, prompts, config, clock });
  const experimentReports = createExperimentReports({
    reader: storage.experimentReader,
    experiments,
    stops: rollouts.stops,
    health: rollouts.health,
    snapshots: storage.policySnapshots,
    sequences: storage.sequences,
    config,
    clock,
  });
  const folds = createSequenceFolds({
    experiments,
    metrics: config.metrics,
    store: storage.sequences,
    clock,
    logger,
  });
  folds.start();
  const queue = createEvaluationQueue();
  return {
    services: {
      reports,
      timeSeries: createTimeSeriesReports({ reader: storage.reportReader, prompts, labels, config, clock }),
      overview: openOverview({
        ...parts,
        reports,
        experimentReports,
        stops: rollouts.stops,
        history: rollouts.history,
      }),
      experimentReports,
      experimentOffPolicy: createExperimentOffPolicy({ reader: storage.offPolicyReader, queue }),
      policyReports: createPolicyReports({ reader: storage.policyReader, queue, policies, clock }),
    },
    close: () => folds.close(),
  };
}
