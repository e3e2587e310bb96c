import { errorCode, type Logger } from '../kernel/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { Routes } from '../providers/index.ts';
import { createShadowBudget } from './shadow-budget.ts';
import { createShadowPlaces } from './shadow-places.ts';
import type {
  ScoreShadowTap,
  ShadowActivity,
  ShadowDropReason,
  ShadowObserver,
  ShadowRule,
  ShadowSpendSource,
  ShadowTap,
} from './shadow-types.ts';
import {
  callWork,
  type ShadowResult,
  type ShadowWork,
  type ShadowWorkParts,
  samplesCall,
  samplesScore,
  scoreWork,
} from './shadow-work.ts';

/** Share of the ledger's queue from which on shadow rows stay out, so that there is room for the live ones. */
const MAX_QUEUE_SHARE = 0.5;

export interface ShadowRunnerOptions extends ShadowWorkParts {
  /** The rules in force at the moment of a call. */
  readonly rules: () => readonly ShadowRule[];
  readonly liveRoutes: Pick<Routes, 'health'>;
  readonly ledger: Pick<Ledger, 'health'>;
  readonly maxQueuedWrites: number;
  readonly spending: ShadowSpendSource;
  readonly observer: ShadowObserver;
  readonly logger: Logger;
  /** Runs something after the work at hand, the sending of the live answer included. */
  readonly defer: (run: () => void) => void;
  /** How long running shadow calls may take to end once the process is stopping, in milliseconds. */
  readonly drainTimeoutMs: number;
}

export interface ShadowRunner extends ShadowTap, ScoreShadowTap {
  /** Takes today's spending from the ledger. */
  restore(): Promise<void>;
  activity(rule: string): ShadowActivity;
  /** From now on nothing new is run; what waits is dropped, and the time of what runs is limited. */
  beginDrain(): void;
  /** Waits for running shadow calls until the drain's time is over, then stops them. Idempotent. */
  close(): Promise<void>;
}

/** Runs a sample of the live calls on candidates, after their answers and beside everything else. */
export function createShadowRunner(options: ShadowRunnerOptions): ShadowRunner {
  const { rules, clock, observer, logger } = options;
  const budget = createShadowBudget(clock);
  const places = createShadowPlaces();
  const stop = new AbortController();
  const droppedByRule = new Map<string, Map<ShadowDropReason, number>>();
  let drainingSinceMs: number | null = null;

  const drop = (rule: string, reason: ShadowDropReason): void => {
    const counts = droppedByRule.get(rule) ?? new Map<ShadowDropReason, number>();
    droppedByRule.set(rule, counts);
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
    observer.shadowDropped({ rule, reason });
  };

  /** Why the work must not be done now; null: it may. */
  const obstacle = ({ rule, liveRoute }: ShadowWork): ShadowDropReason | null => {
    if (drainingSinceMs !== null) return 'draining';
    const current = rules().find(({ name, revision }) => name === rule.name && revision === rule.revision);
    if (current === undefined) return 'rule_changed';
    if (budget.spentTodayNanoUsd(rule.name) >= current.budgetNanoUsdPerDay) return 'budget';
    const { writable, queuedWrites } = options.ledger.health();
    if (!writable || queuedWrites > MAX_QUEUE_SHARE * options.maxQueuedWrites) return 'ledger';
    const isSaturated =
      liveRoute !== null &&
      options.liveRoutes.health().some(({ route, queued }) => route === liveRoute && queued > 0);
    return isSaturated ? 'live_saturated' : null;
  };

  const spend = (rule: ShadowRule, nanoUsd: number): void => {
    const limit = rule.budgetNanoUsdPerDay;
    const wasLeft = budget.spentTodayNanoUsd(rule.name) < limit;
    budget.add(rule, nanoUsd);
    if (!wasLeft || budget.spentTodayNanoUsd(rule.name) < limit) return;
    logger.info({ event: 'shadow_budget_spent', rule: rule.name }, 'no more shadow runs of this rule today');
  };

  const finish = async ({ rule, liveId }: ShadowWork, result: ShadowResult): Promise<void> => {
    const { status, costNanoUsd, charged, error } = result;
    spend(rule, costNanoUsd ?? (charged ? rule.assumedCostNanoUsd : 0));
    if (error !== null && errorCode(error) === 'internal') logBroken(rule, liveId, error);
    try {
      await result.record();
      observer.shadowRun({ rule: rule.name, status, costNanoUsd });
    } catch (failure) {
      observer.shadowRun({ rule: rule.name, status: 'unrecorded', costNanoUsd });
      logger.warn(
        { event: 'shadow_run_not_recorded', rule: rule.name, code: errorCode(failure), err: failure },
        'shadow run not recorded',
      );
    }
  };

  const logBroken = (rule: ShadowRule, liveId: string, err: unknown): void => {
    logger.error({ event: 'shadow_run_broke', rule: rule.name, live_id: liveId, err }, 'a shadow run broke');
  };

  /** Never fails: nobody waits for it. */
  const run = async (work: ShadowWork): Promise<void> => {
    try {
      const result = obstacle(work) ?? (await work.run(stop.signal));
      if (typeof result === 'string') drop(work.rule.name, result);
      else await finish(work, result);
    } catch (error) {
      logBroken(work.rule, work.liveId, error);
    }
  };

  const admit = (work: ShadowWork, offeredMs: number): void => {
    const isLate = clock.monotonicMs() - offeredMs > work.maxLateMs;
    const reason = obstacle(work) ?? (isLate ? 'event_loop_late' : null);
    if (reason !== null) drop(work.rule.name, reason);
    else if (!places.enter(work.rule, () => run(work))) drop(work.rule.name, 'queue_full');
  };

  const admitLater = (sampled: readonly ShadowWork[]): void => {
    if (sampled.length === 0) return;
    const offeredMs = clock.monotonicMs();
    options.defer(() => {
      for (const work of sampled) admit(work, offeredMs);
    });
  };

  return {
    offer: (live) =>
      admitLater(rules().flatMap((rule) => (samplesCall(rule, live) ? [callWork(rule, live, options)] : []))),
    offerScore: (live) =>
      admitLater(
        rules().flatMap((rule) => (samplesScore(rule, live) ? [scoreWork(rule, live, options)] : [])),
      ),
    restore: async () => {
      // The budgets of a day hold across restarts.
      budget.restore(await options.spending.shadowSpend(budget.startOfDayMs()), rules());
    },
    activity: (rule) => ({
      ...places.activity(rule),
      spentTodayNanoUsd: budget.spentTodayNanoUsd(rule),
      dropped: Object.fromEntries(droppedByRule.get(rule) ?? []),
    }),
    beginDrain: () => {
      drainingSinceMs ??= clock.monotonicMs();
    },
    close: async () => {
      drainingSinceMs ??= clock.monotonicMs();
      const settled = places.settled();
      const calledOff = new AbortController();
      const leftMs = Math.max(0, drainingSinceMs + options.drainTimeoutMs - clock.monotonicMs());
      await Promise.race([settled, clock.sleep(leftMs, calledOff.signal)]);
      calledOff.abort();
      stop.abort();
      await settled;
    },
  };
}
