import type { MetricConfig } from '../config/index.ts';
import { AppError, type Clock, errorCode, HOUR_MS, hourOf, type Logger } from '../kernel/index.ts';
import type { Experiment, PolicySnapshot, PolicySnapshotStore, RewardSource } from './experiment-types.ts';
import { nextSnapshot } from './policy-snapshot.ts';

export interface PolicyRunnerOptions {
  /** Those in force. */
  readonly experiments: () => readonly Experiment[];
  readonly metrics: Readonly<Record<string, MetricConfig>>;
  readonly snapshots: PolicySnapshotStore;
  readonly rewards: RewardSource;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Keeps the snapshot in force of every experiment. One per database: it is the one that recomputes them. */
export interface PolicyRunner {
  /** Restores or makes the snapshot of every experiment in force. Fails with `storage_unavailable`. */
  restore(): Promise<void>;
  /**
   * Stores the snapshots that other definitions need, and answers how to put them in force, to be called in the turn in
   * which the definitions are. Fails with `storage_unavailable`; what is in force stays as it is then.
   */
  prepare(next: readonly Experiment[]): Promise<() => void>;
  /** Recomputes each learning policy at its interval until closed. */
  start(): void;
  current(experiment: string): PolicySnapshot;
  /** Recomputes one now; stored before it is in force. Fails with `storage_unavailable`; the old one stays then. */
  update(experiment: string): Promise<PolicySnapshot>;
  close(): Promise<void>;
}

/** The timer of one learning definition. */
interface Timer {
  readonly revision: string;
  readonly stop: AbortController;
}

export function createPolicyRunner(options: PolicyRunnerOptions): PolicyRunner {
  const { experiments, metrics, snapshots, rewards, clock, logger } = options;
  const inForce = new Map<string, PolicySnapshot>();
  /** Newest stored sequence by experiment: one that was prepared and refused is stored and never in force. */
  const stored = new Map<string, number>();
  const timers = new Map<string, Timer>();
  const running = new Set<Promise<void>>();
  /** The end of the line: two computations at once would give two snapshots one revision. */
  let tail: Promise<unknown> = Promise.resolve();
  let isStarted = false;
  let isClosed = false;

  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = tail.then(work);
    tail = result.catch(() => undefined);
    return result;
  };

  const current = (name: string): PolicySnapshot => {
    const snapshot = inForce.get(name);
    if (snapshot === undefined) throw new AppError('internal', `experiment "${name}" has no snapshot`);
    return snapshot;
  };

  /** The snapshot that follows `latest`, stored; `latest` itself where nothing changes. */
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
    const sequence = Math.max(latest?.sequence ?? 0, stored.get(name) ?? 0);
    const next = nextSnapshot({
      experiment,
      metric: declared,
      latest: latest === null ? null : { ...latest, sequence },
      totals,
      nowMs,
    });
    if (next === null) {
      if (latest === null) throw new AppError('internal', `experiment "${name}" got no first snapshot`);
      return latest;
    }
    // Stored first: a row must never name a revision that nobody can look up.
    await snapshots.appendSnapshot(next);
    stored.set(name, next.sequence);
    return next;
  };

  const putInForce = (snapshot: PolicySnapshot): void => {
    const { experiment, revision, propensities } = snapshot;
    if (inForce.get(experiment) === snapshot) return;
    inForce.set(experiment, snapshot);
    // One that was made before this start is no news.
    if (stored.get(experiment) !== snapshot.sequence) return;
    logger.info(
      { event: 'policy_updated', experiment, policy_revision: revision, propensities },
      'policy updated',
    );
  };

  const update = (name: string): Promise<PolicySnapshot> =>
    inTurn(async () => {
      const experiment = experiments().find((candidate) => candidate.name === name);
      if (experiment === undefined) throw new AppError('internal', `there is no experiment "${name}"`);
      const before = current(name);
      const next = await advance(experiment, before);
      // Another definition may have come into force meanwhile: its snapshot is not to be pushed out by one of the old.
      if (inForce.get(name) === before) putInForce(next);
      return next;
    });

  const prepare = (next: readonly Experiment[]): Promise<() => void> =>
    inTurn(async () => {
      const prepared: PolicySnapshot[] = [];
      for (const experiment of next) {
        const known = inForce.get(experiment.name);
        if (known?.experimentRevision === experiment.revision) continue;
        prepared.push(await advance(experiment, await snapshots.latestSnapshot(experiment.name)));
      }
      return () => {
        const names = new Set(next.map(({ name }) => name));
        for (const name of inForce.keys()) if (!names.has(name)) inForce.delete(name);
        for (const snapshot of prepared) putInForce(snapshot);
        followDefinitions(next);
      };
    });

  const follow = async ({ name, policy }: Experiment, signal: AbortSignal): Promise<void> => {
    while (true) {
      await clock.sleep(policy.updateIntervalMs, signal);
      if (signal.aborted) return;
      const stopMs = experiments().find((candidate) => candidate.name === name)?.stopMs ?? null;
      // Nobody is assigned any more; late rewards show in the report.
      if (stopMs !== null && clock.nowMs() >= stopMs) continue;
      try {
        await update(name);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn(
          { event: 'policy_update_failed', experiment: name, code: errorCode(error), err: error },
          'policy not updated; the last snapshot stays in force',
        );
      }
    }
  };

  /** One timer for each learning definition; another definition has another interval, or none. */
  const followDefinitions = (definitions: readonly Experiment[]): void => {
    if (!isStarted || isClosed) return;
    const learning = definitions.filter((experiment) => experiment.policy.kind !== 'fixed');
    const wanted = new Map(learning.map((experiment) => [experiment.name, experiment]));
    for (const [name, timer] of timers) {
      if (wanted.get(name)?.revision === timer.revision) continue;
      timer.stop.abort();
      timers.delete(name);
    }
    for (const experiment of learning) {
      if (timers.has(experiment.name)) continue;
      const stop = new AbortController();
      timers.set(experiment.name, { revision: experiment.revision, stop });
      const loop = follow(experiment, stop.signal);
      running.add(loop);
      void loop.finally(() => running.delete(loop));
    }
  };

  return {
    restore: async () => {
      const commit = await prepare(experiments());
      commit();
    },
    prepare,
    start: () => {
      if (isStarted) return;
      isStarted = true;
      followDefinitions(experiments());
    },
    current,
    update,
    close: async () => {
      isClosed = true;
      for (const timer of timers.values()) timer.stop.abort();
      await Promise.all(running);
      await tail;
    },
  };
}
