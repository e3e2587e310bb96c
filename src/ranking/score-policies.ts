import {
  AppError,
  type Clock,
  errorCode,
  HOUR_MS,
  type Logger,
  listNames,
  nearestName,
} from '../kernel/index.ts';
import { ridgeModel } from '../statistics/index.ts';
import { freshState, type Learnt, learnPage } from './learn-page.ts';
import type {
  ScorePolicy,
  ScorePolicySnapshot,
  ScorePolicyStore,
  ScoreTrainingState,
  TrainingPageQuery,
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
  /**
   * Makes what the next definitions need, and answers how to put them in force, which takes no time; the definitions that
   * `policies` gives must change in the same turn. Fails with `storage_unavailable`; nothing has changed then.
   */
  prepare(next: readonly ScorePolicy[]): Promise<() => void>;
  close(): Promise<void>;
}

/** Decisions per step: a few milliseconds of arithmetic, so that serving goes on in between. */
const PAGE_ROWS = 200;

export function createScorePolicies(options: ScorePoliciesOptions): ScorePolicies {
  const { store, clock, logger } = options;
  const inForce = new Map<string, PolicyInForce>();
  const followers = new Map<string, Follower>();
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
    training: Learnt | null,
  ): Promise<PolicyInForce> => {
    const sequence = (latest?.sequence ?? 0) + 1;
    const { rewards, weight, coefficients } = learnt;
    const snapshot: ScorePolicySnapshot = {
      policy: policy.name,
      revision: `${policy.name}-${sequence}`,
      sequence,
      policyRevision: policy.revision,
      modelRevision: policy.modelRevision,
      computedAtMs: clock.nowMs(),
      rewards,
      weight,
      coefficients,
    };
    const state = training === null ? null : { ...training.state, snapshotSequence: sequence };
    await store.commit({ state, marks: training?.marks ?? [], snapshot });
    const { name } = policy;
    logger.info(
      { event: 'score_policy_updated', policy: name, policy_revision: snapshot.revision, rewards },
      'ranking policy updated',
    );
    return { policy, snapshot };
  };

  /** What a definition starts with. Null: it needs training first, and the one before it answers until then. */
  const firstOf = async (policy: ScorePolicy): Promise<PolicyInForce | null> => {
    const latest = await store.latestSnapshot(policy.name);
    if (latest?.policyRevision === policy.revision) return { policy, snapshot: latest };
    if (latest?.modelRevision === policy.modelRevision) return publish(policy, latest, latest, null);
    return inForce.has(policy.name) ? null : publish(policy, latest, NOTHING_LEARNT, null);
  };

  /** Learns one page; true when it was the last. */
  const step = async (policy: ScorePolicy): Promise<boolean> => {
    const { name, modelRevision, metric } = policy;
    const state = (await store.findState(name, modelRevision)) ?? freshState(policy);
    const page = await store.trainingPage({
      policy: name,
      modelRevision,
      metric,
      afterChange: state.changePosition,
      closed: closedQuery(policy, state, clock.nowMs()),
      limit: PAGE_ROWS,
    });
    const hasRows = page.changes.length > 0 || page.closed.length > 0;
    const learnt = hasRows ? learnPage(policy, state, page) : { state, marks: [] };
    const isStored = page.isLast && (await show(policy, learnt));
    if (hasRows && !isStored) await store.commit({ ...learnt, snapshot: null });
    return page.isLast;
  };

  /** Puts what is known in force: true when that was news, stored with its snapshot in one transaction. */
  const show = async (policy: ScorePolicy, learnt: Learnt): Promise<boolean> => {
    const latest = await store.latestSnapshot(policy.name);
    const { state } = learnt;
    const { rewards, ridge } = state;
    const isShown =
      latest?.policyRevision === policy.revision &&
      (state.snapshotSequence !== null || (rewards === 0 && latest.rewards === 0));
    const coefficients = rewards === 0 || isShown ? [] : ridgeModel(ridge).coefficients();
    const next = isShown
      ? { policy, snapshot: latest }
      : await publish(policy, latest, { rewards, weight: ridge.weight, coefficients }, learnt);
    if (isWanted(policy)) inForce.set(policy.name, next);
    return !isShown;
  };

  const update = async (name: string): Promise<void> => {
    while (true) {
      const policy = configured(name);
      // One turn per page: whoever else has to do with this policy waits for milliseconds, however long its history is.
      if (isClosed || policy === undefined || (await inTurn(name, () => step(policy)))) return;
    }
  };

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
    const revision = configured(name)?.revision ?? '';
    followers.set(name, { revision, stop, done: follow(name, stop.signal) });
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
    if (wanted === undefined) throw policyNotFound(name, known);
    return wanted;
  };

  return {
    list,
    find: (name) => found(name).policy,
    current: (name) => found(name).snapshot,
    restore: async () => {
      for (const policy of options.policies()) {
        const first = await inTurn(policy.name, () => firstOf(policy));
        if (first !== null) inForce.set(policy.name, first);
      }
    },
    start: () => {
      isStarted = true;
      for (const { name } of options.policies()) if (!followers.has(name)) startFollower(name);
    },
    update,
    prepare: async (next) => {
      const firsts: PolicyInForce[] = [];
      for (const policy of next) {
        if (inForce.get(policy.name)?.policy.revision === policy.revision) continue;
        const first = await inTurn(policy.name, () => firstOf(policy));
        if (first !== null) firsts.push(first);
      }
      return () => {
        const kept = new Map(next.map((policy) => [policy.name, policy.revision]));
        for (const name of [...inForce.keys()]) if (!kept.has(name)) inForce.delete(name);
        for (const name of [...followers.keys()]) {
          if (kept.get(name) !== followers.get(name)?.revision) void stopFollower(name);
        }
        for (const first of firsts) inForce.set(first.policy.name, first);
        if (!isStarted || isClosed) return;
        for (const { name } of next) if (!followers.has(name)) startFollower(name);
      };
    },
    close: async () => {
      isClosed = true;
      await Promise.all([...followers.keys()].map(stopFollower));
      await Promise.all(queues.values());
    },
  };
}

/** One loop of updates; a new definition gets a new one, which learns at once. */
interface Follower {
  readonly revision: string;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** Silence counts only where the metric says so, and then once the window of the decision has closed. */
function closedQuery(
  { declaration }: ScorePolicy,
  { closedPosition }: ScoreTrainingState,
  nowMs: number,
): TrainingPageQuery['closed'] {
  if (declaration.missing !== 'zero') return null;
  const windowMs = Math.round(declaration.attribution_window_hours * HOUR_MS);
  return { afterDecision: closedPosition, windowMs, nowMs };
}

const NOTHING_LEARNT = { rewards: 0, weight: 0, coefficients: [] } as const;

function policyNotFound(name: string | null, inForce: readonly PolicyInForce[]): AppError {
  const known = inForce.map(({ policy }) => policy.name);
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
