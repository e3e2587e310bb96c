import type { MetricConfig } from '../config/index.ts';
import { AppError, type Clock, errorCode, HOUR_MS, hourOf, type Logger } from '../kernel/index.ts';
import type { Experiment, PolicySnapshot, PolicySnapshotStore, RewardSource } from './experiment-types.ts';
import { nextSnapshot } from './policy-snapshot.ts';

export interface PolicyRunnerOptions {
  readonly experiments: readonly Experiment[];
  readonly metrics: Readonly<Record<string, MetricConfig>>;
  readonly snapshots: PolicySnapshotStore;
  readonly rewards: RewardSource;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Keeps the snapshot in force of every experiment. One per database: it is the one that recomputes them. */
export interface PolicyRunner {
  /** Restores or makes the snapshot of every experiment. Fails with `storage_unavailable`. */
  restore(): Promise<void>;
  /** Recomputes each learning policy at its interval until closed. */
  start(): void;
  current(experiment: string): PolicySnapshot;
  /** Recomputes one now; stored before it is in force. Fails with `storage_unavailable`; the old one stays then. */
  update(experiment: string): Promise<PolicySnapshot>;
  close(): Promise<void>;
}

export function createPolicyRunner(options: PolicyRunnerOptions): PolicyRunner {
  const { experiments, metrics, snapshots, rewards, clock, logger } = options;
  const inForce = new Map<string, PolicySnapshot>();
  const stop = new AbortController();
  let running: Promise<unknown> | null = null;

  const current = (name: string): PolicySnapshot => {
    const snapshot = inForce.get(name);
    if (snapshot === undefined) throw new AppError('internal', `experiment "${name}" has no snapshot`);
    return snapshot;
  };

  const advance = async (experiment: Experiment, latest: PolicySnapshot | null): Promise<PolicySnapshot> => {
    const { name, revision, metric } = experiment;
    const declared = metrics[metric];
    if (declared === undefined) throw new AppError('internal', `metric "${metric}" is not declared`);
    const nowMs = clock.nowMs();
    const totals = await rewards.armTotals({
      experiment: name,
      metric,
      experimentRevision: revision,
      closedBeforeMs: hourOf(nowMs - declared.attribution_window_hours * HOUR_MS),
    });
    const next = nextSnapshot({ experiment, metric: declared, latest, totals, nowMs });
    if (next === null) {
      if (latest === null) throw new AppError('internal', `experiment "${name}" got no first snapshot`);
      inForce.set(name, latest);
      return latest;
    }
    // Stored first: a row must never name a revision that nobody can look up.
    await snapshots.appendSnapshot(next);
    inForce.set(name, next);
    logger.info(
      {
        event: 'policy_updated',
        experiment: name,
        policy_revision: next.revision,
        propensities: next.propensities,
      },
      'policy updated',
    );
    return next;
  };

  const update = async (name: string): Promise<PolicySnapshot> => {
    const experiment = experiments.find((candidate) => candidate.name === name);
    if (experiment === undefined) throw new AppError('internal', `there is no experiment "${name}"`);
    return advance(experiment, current(name));
  };

  const follow = async (experiment: Experiment): Promise<void> => {
    while (true) {
      await clock.sleep(experiment.policy.updateIntervalMs, stop.signal);
      if (stop.signal.aborted) return;
      const nowMs = clock.nowMs();
      // Nobody is assigned any more; late rewards show in the report.
      if (experiment.stopMs !== null && nowMs >= experiment.stopMs) continue;
      try {
        await update(experiment.name);
      } catch (error) {
        logger.warn(
          { event: 'policy_update_failed', experiment: experiment.name, code: errorCode(error), err: error },
          'policy not updated; the last snapshot stays in force',
        );
      }
    }
  };

  return {
    restore: async () => {
      for (const experiment of experiments) {
        await advance(experiment, await snapshots.latestSnapshot(experiment.name));
      }
    },
    start: () => {
      const learning = experiments.filter((experiment) => experiment.policy.kind !== 'fixed');
      running ??= Promise.all(learning.map(follow));
    },
    current,
    update,
    close: async () => {
      stop.abort();
      await running;
    },
  };
}
