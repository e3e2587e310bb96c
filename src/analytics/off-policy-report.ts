import type { Estimate, Interval, OffPolicyFault } from '../statistics/index.ts';

/** What another policy would have earned, in the metric's own numbers. */
export interface OffPolicyReport {
  /** As asked. */
  readonly policy: string;
  /** The answer in words. */
  readonly text: string;
  readonly gate: {
    /** False: the numbers must not be acted on. */
    readonly concludes: boolean;
    readonly reasons: readonly OffPolicyReason[];
  };
  /** Decisions with a settled reward and known propensities: what the estimators are over. */
  readonly decisions: number;
  /** Settled ones left out, because nobody knows how they were chosen. */
  readonly decisionsWithoutPropensities: number;
  readonly estimators: OffPolicyEstimators;
  /** Of the value, at every moment at once; null where there is none. */
  readonly interval: OffPolicyInterval | null;
  /** What was earned in truth by the same decisions. */
  readonly onPolicy: { readonly mean: number | null; readonly interval: OffPolicyInterval | null };
  /** Decisions by the target itself that would tell as much. */
  readonly effectiveSampleSize: number;
  readonly maxWeight: number;
  /** 1, if the propensities are true; null without decisions. */
  readonly meanWeight: Estimate | null;
  /** Share of the target's probability on choices that could not be made. */
  readonly shareWithoutSupport: number;
}

export interface OffPolicyReason {
  readonly fault: OffPolicyFault | 'assignment_broken' | 'reward_out_of_range' | 'no_interval';
  readonly message: string;
}

/** Null: cannot be computed from these decisions. */
export interface OffPolicyEstimators {
  readonly ips: Estimate | null;
  readonly snips: Estimate | null;
  readonly dm: Estimate | null;
  readonly dr: Estimate | null;
  readonly sndr: Estimate | null;
  readonly switchDr: Estimate | null;
  readonly drOs: Estimate | null;
}

export interface OffPolicyInterval extends Interval {
  readonly confidence: number;
  readonly method: string;
  /** Decisions it is over. */
  readonly decisions: number;
  /** True: older decisions were left out, because there are more than one evaluation reads. */
  readonly truncated: boolean;
}
