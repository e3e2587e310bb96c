import type { GuardrailFinding, PolicyKind } from '../experiments/index.ts';
import type { Interval } from '../statistics/index.ts';

/** `stopped` by its schedule · the other two: everybody gets the baseline until somebody resumes or changes it. */
export type ExperimentState =
  | 'not_started'
  | 'running'
  | 'stopped'
  | 'stopped_by_guardrail'
  | 'stopped_by_admin';

/** An experiment as it is configured. */
export interface ExperimentSummary {
  readonly experiment: string;
  readonly prompt: string;
  /** `sha256:…` over the definition. */
  readonly revision: string;
  readonly state: ExperimentState;
  /** ISO 8601; null: unbounded. */
  readonly start: string | null;
  readonly stop: string | null;
  /** Field of the call that names the unit. */
  readonly unit: 'user_id' | 'session_id';
  readonly metric: string;
  readonly policy: PolicyKind;
  readonly baseline: string;
  readonly arms: readonly { readonly arm: string; readonly promptVersion: string; readonly weight: number }[];
}

export interface ExperimentReport extends Omit<ExperimentSummary, 'arms'> {
  readonly floor: number;
  /** The policy's state in force; null before the first. */
  readonly policyRevision: string | null;
  readonly optimize: 'max' | 'min';
  readonly missing: 'exclude' | 'zero';
  readonly attributionWindowHours: number;
  /** Smallest and largest reward of the metric. */
  readonly scale: { readonly min: number; readonly max: number };
  /** ISO 8601. */
  readonly generatedAt: string;
  readonly verdict: ExperimentVerdict;
  /** Null: nothing but its schedule ends it. */
  readonly stopped: StopReport | null;
  /** Of the present definition, in its order. */
  readonly guardrails: readonly Omit<GuardrailFinding, 'key'>[];
  readonly sampleRatio: SampleRatioReport;
  /** Arms compared with the baseline; the differences of all of them hold together at their confidence. */
  readonly comparisons: number;
  /** Of the drift-safe intervals; null before the first closed hour. */
  readonly sequence: SequenceReport | null;
  readonly warnings: readonly ExperimentWarning[];
  /** In the order of the definition; arms that only traffic knows come last. */
  readonly arms: readonly ExperimentArmReport[];
  /** Oldest first, the newest ones only: how the probabilities moved. */
  readonly policyRevisions: readonly PolicyRevisionReport[];
}

/**
 * `better`, `worse` an arm certainly is, compared with the baseline · `no_difference_yet` none is certain ·
 * `assignment_broken` units do not arrive as the propensities say: nothing is concluded · `not_started` ·
 * `no_data` nothing to compare yet.
 */
export interface ExperimentVerdict {
  readonly state: 'better' | 'worse' | 'no_difference_yet' | 'assignment_broken' | 'not_started' | 'no_data';
  /** In plain words. */
  readonly text: string;
  /** The arm that `state` speaks of. */
  readonly arm: string | null;
  /** Every arm but the baseline; empty while nothing may be concluded. */
  readonly comparisons: readonly ArmVerdict[];
}

export interface ArmVerdict {
  readonly arm: string;
  readonly state: 'better' | 'worse' | 'no_difference_yet';
  /**
   * Outcomes of the arm and the baseline together that are likely still needed, at present means and shares; 0 once
   * certain, null when too far away to say.
   */
  readonly moreOutcomes: number | null;
}

export interface StopReport {
  readonly by: 'guardrail' | 'admin';
  /** ISO 8601. */
  readonly at: string;
  readonly reason: string;
  /** API key id; `gateway` for a guardrail. */
  readonly actor: string;
  readonly guardrail: string | null;
}

export interface SampleRatioReport {
  readonly method: string;
  /** Anytime-valid: may be read as often as wanted. */
  readonly pValue: number;
  /** Below this the alarm is on. */
  readonly alarmBelow: number;
  /** On, and on for ever once it has been noticed under this definition. */
  readonly alarm: boolean;
  /** ISO 8601, when it was first noticed; null: never, or not yet. */
  readonly alarmedAt: string | null;
  /** Units whose propensities are known, which the test is about. */
  readonly units: number;
}

/**
 * `several_definitions` units were assigned under different definitions · `unknown_arm` traffic of an arm the
 * definition lacks · `reward_out_of_range` rewards the metric's present declaration does not allow · `degraded_traffic`,
 * `failed_traffic` a notable share of an arm's calls ended in authored lines, or in an error · `unchecked_units` units
 * whose propensities are not known · `drift` the two intervals of an arm leave no mean in common · `unbalanced_rewards`
 * units with a reward do not come in the arms as the logged propensities say: no drift-safe interval holds then.
 */
export interface ExperimentWarning {
  readonly code:
    | 'several_definitions'
    | 'unknown_arm'
    | 'reward_out_of_range'
    | 'degraded_traffic'
    | 'failed_traffic'
    | 'unchecked_units'
    | 'drift'
    | 'unbalanced_rewards';
  readonly arm: string | null;
  readonly message: string;
}

/** Difference of the means, arm minus baseline, in the metric's own numbers whatever `optimize` says. */
export interface ArmDifference extends Interval {
  /** Null while one of the two has no mature reward. */
  readonly difference: number | null;
  /** Of all differences of the report together. */
  readonly confidence: number;
  readonly method: string;
}

/**
 * Average value, over the folded decisions, that everybody in this arm would have had: it may drift, and it may be
 * assigned by a policy that learns.
 */
export interface DriftSafeReport extends Interval {
  /** Augmented inverse-propensity estimate. */
  readonly mean: number;
  readonly confidence: number;
  /** Of all arms: each says something about every one of them. */
  readonly decisions: number;
  /** ISO 8601: decision hours before this are in it. */
  readonly foldedUntil: string;
  readonly method: string;
}

/** How far the decisions of the present definition have been folded. */
export interface SequenceReport {
  /** ISO 8601. An hour is folded once its attribution window and the grace are over. */
  readonly foldedUntil: string;
  /** ISO 8601: later folded hours wait for a correction; equal to `foldedUntil` unless one has just come. */
  readonly correctedThrough: string;
  /** Rewards that changed after their hour was claimed. */
  readonly corrections: number;
  readonly decisions: number;
  /** Left out for want of a reward. */
  readonly unanswered: number;
  /** Left out because their propensities are missing or impossible. */
  readonly unusable: number;
}

/** Shares are of all calls, 0 when there are none. */
export interface ExperimentArmReport {
  readonly arm: string;
  /** Null for an arm that the definition lacks. */
  readonly promptVersion: string | null;
  /** Chance of a new unit to get this arm; null when it is not known. */
  readonly propensity: number | null;
  readonly units: number;
  /** Units the propensities lead to expect, of those the sample-ratio test is about. */
  readonly expectedUnits: number;
  readonly calls: number;
  /** Units whose reward is settled: what `mean` averages over. */
  readonly mature: number;
  readonly pending: number;
  readonly sum: number;
  readonly mean: number | null;
  readonly lower: number;
  readonly upper: number;
  readonly confidence: number;
  readonly method: string;
  /** Null: nothing folded yet, or nothing that holds. */
  readonly driftSafe: DriftSafeReport | null;
  /** Null for the baseline and for arms the definition lacks. */
  readonly difference: ArmDifference | null;
  readonly errorShare: number;
  readonly degradedShare: number;
  readonly fallbackShare: number;
}

export interface PolicyRevisionReport {
  readonly policyRevision: string;
  readonly experimentRevision: string;
  /** ISO 8601, of the first unit assigned under it. */
  readonly firstUnitAt: string;
  readonly arms: readonly {
    readonly arm: string;
    readonly propensity: number | null;
    readonly units: number;
  }[];
}
