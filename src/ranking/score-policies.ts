import { AppError, type Clock, errorCode, type Logger, listNames, nearestName } from '../kernel/index.ts';
import { ridgeModel } from '../statistics/index.ts';
import { freshState, learnPage } from './learn-page.ts';
import type {
  ScorePolicy,
  ScorePolicySnapshot,
  ScorePolicyStore,
  ScoreTrainingState,
} from './ranking-types.ts';

export interface ScorePoliciesOptions {
  /** As configured now. */
  readonly policies: () => readonly ScorePolicy[];
  readonly store: ScorePolicyStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A definition and what it has learnt, always of one model. */
export interface PolicyInForce {
  readonly policy: ScorePolicy;
  readonly snapshot: ScorePolicySnapshot;
}

/** Keeps every policy in force, and trains it. One per database: it is the one that learns. */
export interface ScorePolicies {
  /** In the order of the configuration. */
  list(): readonly PolicyInForce[];
  /**
   * The definition in force; null asks for the first one. A new definition with other inputs is in force once it has
   * been trained: until then the one before it answers. Fails with `policy_not_found`, naming the known ones.
   */
  find(name: string | null): ScorePolicy;
  /** What the definition in force has learnt. Fails with `policy_not_found`. */
  current(name: string): ScorePolicySnapshot;
  /** Puts every configured policy in force with what is stored of it. Fails with `storage_unavailable`. */
  restore(): Promise<void>;
  /** Learns at each policy's interval until closed, beginning now. */
  start(): void;
  /** Learns now what is new. Fails with `storage_unavailable`; what was in force stays then. */
  update(name: string): Promise<void>;
  /** Follows the configuration: to be called when it has changed. Does not wait for training. */
  reconcile(): Promise<void>;
  close(): Promise<void>;
}

/** Decisions per step: a few milliseconds of arithmetic, so that serving goes on in between. */
const PAGE_ROWS = 200;

export function createScorePolicies(options: ScorePoliciesOptions): ScorePolicies {
  const { store, clock, logger } = options;
  const inForce = new Map<string, PolicyInForce>();
  const followers = new Map<string, { readonly stop: AbortController; readonly done: Promise<void> }>();
  const queues = new Map<string, Promise<unknown>>();
  let isStarted = false;
  let isClosed = false;

  const configured = (name: string): ScorePolicy | undefined =>
    options.policies().find((policy) => policy.name === name);
  const isWanted = ({ name, revision }: ScorePolicy): boolean =>
    !isClosed && configured(name)?.revision === revision;

  /** One at a time per policy: two that learn the same page would count it twice. */
  const inTurn = <Value>(name: string, work: () => Promise<Value>): Promise<Value> => {
    const result = (queues.get(name) ?? Promise.resolve()).then(work);
    queues.set(
      name,
      result.catch(() => undefined),
    );
    return result;
  };

  /** Stored first: a row must never name a revision that nobody can look up. */
  const publish = async (
    policy: ScorePolicy,
    latest: ScorePolicySnapshot | null,
    learnt: Pick<ScorePolicySnapshot, 'rewards' | 'weight' | 'coefficients'>,
    state: ScoreTrainingState | null,
  ): Promise<ScoreTrainingState | null> => {
    const sequence = (latest?.sequence ?? 0) + 1;
    const snapshot: ScorePolicySnapshot = {
      policy: policy.name,
      revision: `${policy.name}-${sequence}`,
      sequence,
      policyRevision: policy.revision,
      modelRevision: policy.modelRevision,
      computedAtMs: clock.nowMs(),
      ...learnt,
    };
    const shown = state === null ? null : { ...state, snapshotSequence: sequence };
    await store.commit({ state: shown, marks: [], snapshot });
    if (isWanted(policy)) inForce.set(policy.name, { policy, snapshot });
    logger.info(
      {
        event: 'score_policy_updated',
        policy: policy.name,
        policy_revision: snapshot.revision,
        rewards: snapshot.rewards,
      },
      'ranking policy updated',
    );
    return shown;
  };

  const adopt = async (policy: ScorePolicy): Promise<void> => {
    const before = inForce.get(policy.name);
    const latest = await store.latestSnapshot(policy.name);
    if (latest?.policyRevision === policy.revision) {
      inForce.set(policy.name, { policy, snapshot: latest });
    } else if (latest?.modelRevision === policy.modelRevision) {
      await publish(policy, latest, latest, null);
    } else if (before === undefined) {
      await publish(policy, latest, NOTHING_LEARNT, null);
    }
  };

  const learn = async (policy: ScorePolicy): Promise<void> => {
    const { name, modelRevision, metric, declaration } = policy;
    let state = (await store.findState(name, modelRevision)) ?? freshState(policy);
    while (isWanted(policy)) {
      const page = await store.trainingPage({
        policy: name,
        modelRevision,
        metric,
        afterChange: state.changePosition,
        closed:
          declaration.missing === 'zero'
            ? {
                afterDecision: state.closedPosition,
                windowMs: declaration.attribution_window_hours * 3_600_000,
                nowMs: clock.nowMs(),
              }
            : null,
        limit: PAGE_ROWS,
      });
      if (page.changes.length > 0 || page.closed.length > 0) {
        const learnt = learnPage(policy, state, page);
        await store.commit({ state: learnt.state, marks: learnt.marks, snapshot: null });
        state = learnt.state;
      }
      if (page.isLast) return show(policy, state);
    }
  };

  /** A new snapshot, when what is known differs from what is in force. */
  const show = async (policy: ScorePolicy, state: ScoreTrainingState): Promise<void> => {
    const latest = await store.latestSnapshot(policy.name);
    const isSame = latest?.policyRevision === policy.revision;
    if (isSame && (state.snapshotSequence !== null || (state.rewards === 0 && latest.rewards === 0))) {
      if (isWanted(policy)) inForce.set(policy.name, { policy, snapshot: latest });
      return;
    }
    const { rewards, ridge } = state;
    const coefficients = rewards === 0 ? [] : ridgeModel(ridge).coefficients();
    await publish(policy, latest, { rewards, weight: ridge.weight, coefficients }, state);
  };

  const update = (name: string): Promise<void> =>
    inTurn(name, async () => {
      const policy = configured(name);
      if (policy !== undefined) await learn(policy);
    });

  const follow = async (name: string, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        await update(name);
      } catch (error) {
        logger.warn(
          { event: 'score_policy_update_failed', policy: name, code: errorCode(error), err: error },
          'ranking policy not updated; the last snapshot stays in force',
        );
      }
      await clock.sleep(configured(name)?.updateIntervalMs ?? 0, signal);
    }
  };

  const startFollower = (name: string): void => {
    const stop = new AbortController();
    followers.set(name, { stop, done: follow(name, stop.signal) });
  };

  const stopFollower = (name: string): Promise<void> => {
    const follower = followers.get(name);
    followers.delete(name);
    follower?.stop.abort();
    return follower?.done ?? Promise.resolve();
  };

  const list = (): readonly PolicyInForce[] =>
    options.policies().flatMap(({ name }) => inForce.get(name) ?? []);

  const found = (name: string | null): PolicyInForce => {
    const known = list();
    const wanted = name === null ? known[0] : known.find(({ policy }) => policy.name === name);
    if (wanted === undefined)
      throw policyNotFound(
        name,
        known.map(({ policy }) => policy.name),
      );
    return wanted;
  };

  return {
    list,
    find: (name) => found(name).policy,
    current: (name) => found(name).snapshot,
    restore: async () => {
      for (const policy of options.policies()) await inTurn(policy.name, () => adopt(policy));
    },
    start: () => {
      isStarted = true;
      for (const { name } of options.policies()) if (!followers.has(name)) startFollower(name);
    },
    update,
    reconcile: async () => {
      const policies = options.policies();
      const names = policies.map(({ name }) => name);
      for (const name of [...inForce.keys()]) {
        if (names.includes(name)) continue;
        inForce.delete(name);
        void stopFollower(name);
      }
      for (const policy of policies) {
        if (inForce.get(policy.name)?.policy.revision === policy.revision) continue;
        // The update that is running gives way: its definition is not wanted any more.
        const stopped = stopFollower(policy.name);
        await inTurn(policy.name, () => adopt(policy));
        await stopped;
        if (isStarted && !isClosed) startFollower(policy.name);
      }
    },
    close: async () => {
      isClosed = true;
      await Promise.all([...followers.keys()].map(stopFollower));
      await Promise.all(queues.values());
    },
  };
}

const NOTHING_LEARNT = { rewards: 0, weight: 0, coefficients: [] } as const;

function policyNotFound(name: string | null, known: readonly string[]): AppError {
  if (known.length === 0) {
    return new AppError(
      'policy_not_found',
      'No policy of ranking is configured: declare one under "policies" of gateway.config.json.',
      { details: { known } },
    );
  }
  const nearest = nearestName(name ?? '', known);
  const hint = nearest === null ? '' : ` (did you mean "${nearest}"?)`;
  return new AppError(
    'policy_not_found',
    `There is no policy "${name}"${hint}; known: ${listNames(known)}.`,
    {
      details: { policy: name, known },
    },
  );
}
