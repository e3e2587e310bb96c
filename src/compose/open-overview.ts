import type { KeyRing, KeySpendStore } from '../access/index.ts';
import {
  createOverviewReports,
  type ExperimentReports,
  type KeyBudget,
  type OverviewReports,
  type VersionReports,
} from '../analytics/index.ts';
import type { ConfigStore, Environment, GatewayConfig } from '../config/index.ts';
import {
  defaultTarget,
  type Experiment,
  type ExperimentStops,
  type Labels,
  type RolloutHistory,
} from '../experiments/index.ts';
import type { Clock } from '../kernel/index.ts';
import type { PromptStore } from '../prompts/index.ts';
import type { Routes } from '../providers/index.ts';
import type { SqliteStorage } from '../storage/sqlite/index.ts';

const DAY_MS = 86_400_000;

/** What an admin sees first, from every room. */
export function openOverview(parts: {
  readonly storage: SqliteStorage;
  readonly store: Pick<ConfigStore, 'status'>;
  readonly config: Pick<GatewayConfig, 'metrics' | 'prompts'>;
  readonly environment: Pick<Environment, 'defaultPromptVersion'>;
  readonly prompts: PromptStore;
  readonly labels: Labels;
  readonly experiments: () => readonly Experiment[];
  readonly reports: VersionReports;
  readonly experimentReports: ExperimentReports;
  readonly stops: ExperimentStops;
  readonly history: RolloutHistory;
  readonly keys: Pick<KeyRing, 'list'>;
  readonly routes: Pick<Routes, 'health'>;
  readonly clock: Clock;
}): OverviewReports {
  const { storage, store, prompts, labels, experiments, clock } = parts;
  return createOverviewReports({
    reports: parts.reports,
    reader: storage.reportReader,
    prompts: () => prompts.current(),
    labels,
    defaultTarget: (family) =>
      defaultTarget(family, parts.environment.defaultPromptVersion, { labels, experiments }),
    experiments,
    experimentReports: parts.experimentReports,
    stops: parts.stops,
    rollouts: parts.history,
    health: () => {
      const lastReload = store.status().lastReload;
      return {
        ledger: storage.ledger.health(),
        configFaults: lastReload?.faults ?? [],
        configNeedsRestart: lastReload?.needsRestart ?? [],
        promptFaults: prompts.lastReload()?.failed ?? [],
        providers: parts.routes.health(),
      };
    },
    budgets: () => budgetsOf(parts.keys, storage.keySpend, clock.nowMs()),
    orphanOutcomes: async () => (await storage.storageInfo()).orphanOutcomes,
    config: parts.config,
    clock,
  });
}

/** Of the keys in force that have one. */
function budgetsOf(
  keys: Pick<KeyRing, 'list'>,
  spend: KeySpendStore,
  nowMs: number,
): Promise<readonly KeyBudget[]> {
  const inForce = keys
    .list()
    .filter(
      ({ revokedAtMs, expiresAtMs }) => revokedAtMs === null && (expiresAtMs === null || expiresAtMs > nowMs),
    );
  return Promise.all(
    inForce.flatMap(({ id: keyId, name, limits }) => {
      const limitNanoUsd = limits.nanoUsdPerDay;
      if (limitNanoUsd === null) return [];
      const spent = spend.spentOn(keyId, nowMs - (nowMs % DAY_MS));
      return [spent.then((spentNanoUsd) => ({ keyId, name, limitNanoUsd, spentNanoUsd }))];
    }),
  );
}
