import type { GenerationRecord, ScoreRecord } from '../ledger/index.ts';
import type { CallEnd } from './generation-record.ts';
import type { PreparedCall } from './prepare-call.ts';
import type { ScoreRequest } from './score-types.ts';

interface ShadowLimits {
  readonly name: string;
  /** `sha256:…` over what is compared; limits, share and budget are no part of it. */
  readonly revision: string;
  /** Sorted and joined by `+`. */
  readonly changes: string;
  /** Share of the live calls, in (0, 1]. */
  readonly sample: number;
  readonly maxConcurrency: number;
  readonly maxQueue: number;
  readonly budgetNanoUsdPerDay: number;
  /** Counts against the budget where the cost of a call is unknown. */
  readonly assumedCostNanoUsd: number;
}

/** A candidate for the calls of a prompt. Null: as the live call. */
export interface PromptShadowRule extends ShadowLimits {
  readonly kind: 'prompt';
  readonly prompt: string;
  readonly version: string | null;
  readonly route: string | null;
  readonly model: string | null;
  /** Shadows live calls of this version alone; null: of every version. */
  readonly onlyVersion: string | null;
  /** Null: the limits of the route alone. */
  readonly timeoutMs: number | null;
}

/** A candidate for `POST /score`. */
export interface PolicyShadowRule extends ShadowLimits {
  readonly kind: 'policy';
  readonly policy: string;
  /** Live policy that is shadowed; null: every one but the candidate. */
  readonly of: string | null;
}

export type ShadowRule = PromptShadowRule | PolicyShadowRule;

/** A live call that is answered and recorded. */
export interface LiveCall {
  readonly call: PreparedCall;
  readonly end: CallEnd;
  readonly record: GenerationRecord;
}

/** A live ranking that is decided and recorded. */
export interface LiveScore {
  readonly request: ScoreRequest;
  readonly record: ScoreRecord;
  readonly rankMs: number;
}

/** Where live calls are offered. Returns at once and never fails: whatever comes of it happens after the live answer. */
export interface ShadowTap {
  offer(live: LiveCall): void;
}

/** The same for rankings. */
export interface ScoreShadowTap {
  offerScore(live: LiveScore): void;
}

/**
 * Why a sampled call was not run: the rule's queue is full · its budget of the UTC day is spent · the ledger takes no
 * writes or falls behind · live calls wait for a place at their route · the event loop is late · the process is
 * stopping · the rule was changed or removed while the call waited · the candidate version is missing or retired · the
 * candidate is what served the live call.
 */
export type ShadowDropReason =
  | 'queue_full'
  | 'budget'
  | 'ledger'
  | 'live_saturated'
  | 'event_loop_late'
  | 'draining'
  | 'rule_changed'
  | 'version_unusable'
  | 'same_as_live';

/** Something to count; implemented by the metrics of the edge. */
export interface ShadowObserver {
  shadowRun(observation: {
    readonly rule: string;
    /** How the shadow call ended, or `unrecorded`. */
    readonly status: string;
    readonly costNanoUsd: number | null;
  }): void;
  shadowDropped(observation: { readonly rule: string; readonly reason: ShadowDropReason }): void;
}

/** What has been spent on shadow calls, for the budget of the day across restarts. */
export interface ShadowSpendSource {
  /** By rule, over shadow calls that began at or after `sinceMs` (counted in whole hours). */
  shadowSpend(sinceMs: number): Promise<readonly ShadowSpend[]>;
}

export interface ShadowSpend {
  readonly rule: string;
  readonly costNanoUsd: number;
  /** Calls that may have been charged for and whose cost is unknown. */
  readonly unknownCost: number;
}

/** A rule as it stands, for reports. */
export interface ShadowActivity {
  readonly running: number;
  readonly queued: number;
  readonly spentTodayNanoUsd: number;
  /** Since the process started. */
  readonly dropped: Readonly<Partial<Record<ShadowDropReason, number>>>;
}
