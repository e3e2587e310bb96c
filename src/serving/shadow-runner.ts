import { AppError, errorCode, type Logger } from '../kernel/index.ts';
import type { Ledger, ShadowLedger } from '../ledger/index.ts';
import type { PromptStore, PromptVersion } from '../prompts/index.ts';
import type { Routes } from '../providers/index.ts';
import { createShadowBudget } from './shadow-budget.ts';
import { runShadowCall, type ShadowCallParts } from './shadow-call.ts';
import { isSampled, shadowPair } from './shadow-pair.ts';
import { createShadowPlaces } from './shadow-places.ts';
import type {
  LiveCall,
  PromptShadowRule,
  ShadowActivity,
  ShadowDropReason,
  ShadowObserver,
  ShadowRule,
  ShadowSpendSource,
  ShadowTap,
} from './shadow-types.ts';

/** A turn of the event loop that comes this much late means that live calls wait for the processor. */
const LATE_LOOP_MS = 50;
/** Share of the ledger's queue from which on shadow rows stay out, so that there is room for the live ones. */
const MAX_QUEUE_SHARE = 0.5;

export interface ShadowRunnerOptions extends ShadowCallParts {
  /** The rules in force at the moment of a call. */
  readonly rules: () => readonly ShadowRule[];
  readonly prompts: Pick<PromptStore, 'current'>;
  readonly liveRoutes: Pick<Routes, 'health'>;
  readonly ledger: Pick<Ledger, 'health'>;
  readonly maxQueuedWrites: number;
  readonly shadowLedger: Pick<ShadowLedger, 'appendShadowGeneration'>;
  readonly spending: ShadowSpendSource;
  readonly observer: ShadowObserver;
  readonly logger: Logger;
  /** Runs something after the work at hand, the sending of the live answer included. */
  readonly defer: (run: () => void) => void;
  /** How long running shadow calls may take to end once the process is stopping, in milliseconds. */
  readonly drainTimeoutMs: number;
}

export interface ShadowRunner extends ShadowTap {
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

  /** Why the rule must not run the call now; null: it may. */
  const obstacle = (rule: PromptShadowRule, live: LiveCall): ShadowDropReason | null => {
    if (drainingSinceMs !== null) return 'draining';
    const current = rules().find(({ name, revision }) => name === rule.name && revision === rule.revision);
    if (current === undefined) return 'rule_changed';
    if (budget.spentTodayNanoUsd(rule.name) >= current.budgetNanoUsdPerDay) return 'budget';
    const { writable, queuedWrites } = options.ledger.health();
    if (!writable || queuedWrites > MAX_QUEUE_SHARE * options.maxQueuedWrites) return 'ledger';
    const liveRoute = live.call.route.name;
    const isSaturated = options.liveRoutes
      .health()
      .some(({ route, queued }) => route === liveRoute && queued > 0);
    return isSaturated ? 'live_saturated' : null;
  };

  const record = async (rule: PromptShadowRule, live: LiveCall, candidate: PromptVersion): Promise<void> => {
    const registryHash = options.prompts.current().hash;
    const shadow = await runShadowCall({ rule, live, candidate, registryHash }, stop.signal, options);
    if (shadow === null) {
      drop(rule.name, 'draining');
      return;
    }
    const { costNanoUsd, status } = shadow.record;
    budget.add(rule, costNanoUsd ?? (shadow.charged ? rule.assumedCostNanoUsd : 0));
    if (errorCode(shadow.end.error) === 'internal' && shadow.end.error !== null) {
      logger.error(
        { event: 'shadow_run_broke', rule: rule.name, generation_id: live.record.id, err: shadow.end.error },
        'a shadow run broke',
      );
    }
    try {
      await options.shadowLedger.appendShadowGeneration(shadow.record, shadowPair(rule, live, shadow));
      observer.shadowRun({ rule: rule.name, status, costNanoUsd });
    } catch (error) {
      observer.shadowRun({ rule: rule.name, status: 'unrecorded', costNanoUsd });
      logger.warn(
        { event: 'shadow_run_not_recorded', rule: rule.name, code: errorCode(error), err: error },
        'shadow run not recorded',
      );
    }
  };

  const run = async (rule: PromptShadowRule, live: LiveCall): Promise<void> => {
    try {
      const reason = obstacle(rule, live);
      const candidate = reason === null ? candidateOf(rule, live, options.prompts) : reason;
      if (typeof candidate === 'string') drop(rule.name, candidate);
      else await record(rule, live, candidate);
    } catch (error) {
      logger.error({ event: 'shadow_run_broke', rule: rule.name, err: error }, 'a shadow run broke');
    }
  };

  const admit = (rule: PromptShadowRule, live: LiveCall, offeredMs: number): void => {
    const isLate = clock.monotonicMs() - offeredMs > LATE_LOOP_MS;
    const reason = obstacle(rule, live) ?? (isLate ? 'event_loop_late' : null);
    if (reason !== null) drop(rule.name, reason);
    else if (!places.enter(rule, () => run(rule, live))) drop(rule.name, 'queue_full');
  };

  return {
    offer: (live) => {
      const sampled = rules().filter(
        (rule): rule is PromptShadowRule => rule.kind === 'prompt' && samples(rule, live),
      );
      if (sampled.length === 0) return;
      const offeredMs = clock.monotonicMs();
      options.defer(() => {
        for (const rule of sampled) admit(rule, live, offeredMs);
      });
    },
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

/** Test traffic, replays, calls without a prompt and calls whose caller left are never shadowed. */
function samples(rule: PromptShadowRule, { record }: LiveCall): boolean {
  return (
    record.prompt === rule.prompt &&
    (rule.onlyVersion === null || rule.onlyVersion === record.promptVersion) &&
    !record.test &&
    !record.replay &&
    record.shadowOf === null &&
    record.status !== 'client_closed' &&
    isSampled(rule.name, record.id, rule.sample)
  );
}

/** The version that the rule's candidate is for this live call, or why there is none. */
function candidateOf(
  rule: PromptShadowRule,
  { record, call }: LiveCall,
  prompts: Pick<PromptStore, 'current'>,
): PromptVersion | Extract<ShadowDropReason, 'version_unusable' | 'same_as_live'> {
  const version = rule.version ?? record.promptVersion ?? '';
  const isOtherRoute = rule.route !== null && rule.route !== call.route.name;
  const liveModel = record.modelRequested ?? call.routeCall.modelOverride;
  const isOtherModel = rule.model !== null && rule.model !== liveModel;
  if (version === record.promptVersion && !isOtherRoute && !isOtherModel) return 'same_as_live';
  try {
    const found = prompts.current().version(rule.prompt, version);
    return found.retired ? 'version_unusable' : found;
  } catch (error) {
    if (error instanceof AppError) return 'version_unusable';
    throw error;
  }
}
