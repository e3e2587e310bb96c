import type { Interval } from '../statistics/index.ts';
import type { OffPolicyReport } from './off-policy-report.ts';

/** What a ranking policy did, and what came of it. Rewards in the metric's own numbers. */
export interface PolicyReport extends PolicyFigures {
  readonly policy: string;
  readonly kind: 'squarecb' | 'uniform';
  /** `sha256:…` over the definition in force. */
  readonly policyDefinition: string;
  readonly metric: string;
  readonly optimize: 'max' | 'min';
  readonly missing: 'exclude' | 'zero';
  readonly attributionWindowHours: number;
  readonly scale: { readonly min: number; readonly max: number };
  /** ISO 8601. */
  readonly generatedAt: string;
  readonly recent: RecentDecisions;
  /** Hours or days, oldest first, the newest ones only. */
  readonly overTime: readonly (PolicyFigures & { readonly from: string; readonly hours: number })[];
  /** States of the policy, oldest first, the newest ones only. */
  readonly policyRevisions: readonly (PolicyFigures & {
    readonly policyRevision: string;
    readonly policyDefinition: string;
    /** ISO 8601, hour of its first decision. */
    readonly firstHour: string;
  })[];
  /** Where another policy was asked about. */
  readonly offPolicy?: OffPolicyReport;
}

/** Null where there is nothing to divide by. */
export interface PolicyFigures {
  readonly decisions: number;
  /** Decisions whose reward is settled: what `mean` averages over. */
  readonly mature: number;
  /** Decisions whose reward may still come. */
  readonly pending: number;
  readonly sum: number;
  readonly mean: number | null;
  /** Share of decisions that chose a candidate with the best estimate; the rest explored. */
  readonly chosenBestShare: number | null;
  readonly meanChosenPropensity: number | null;
  readonly meanCandidates: number | null;
}

/** Of the newest decisions alone. */
export interface RecentDecisions {
  readonly decisions: number;
  /** True: there are older ones. */
  readonly truncated: boolean;
  readonly mature: number;
  readonly mean: number | null;
  /** Null without a mature reward, or when one is off the scale. */
  readonly interval: (Interval & { readonly confidence: number; readonly method: string }) | null;
  /** Null without decisions. */
  readonly chosenPropensity: {
    readonly p01: number;
    readonly p10: number;
    readonly p50: number;
    readonly p90: number;
  } | null;
}
