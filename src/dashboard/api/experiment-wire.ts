import type { Interval, Label, Lift } from './wire-types.ts';

/** Experiments as the gateway answers them. The whole of each is in `/openapi.json`. */

export type ExperimentState =
  | 'not_started'
  | 'running'
  | 'stopped'
  | 'stopped_by_guardrail'
  | 'stopped_by_admin';

interface ExperimentDefinition {
  readonly experiment: string;
  readonly prompt: string;
  readonly revision: string;
  readonly state: ExperimentState;
  readonly start: string | null;
  readonly stop: string | null;
  readonly unit: 'user_id' | 'session_id';
  readonly metric: string;
  readonly policy: string;
  readonly baseline: string;
}

export interface ExperimentSummary extends ExperimentDefinition {
  readonly arms: readonly {
    readonly arm: string;
    readonly prompt_version: string;
    readonly weight: number;
  }[];
}

export interface ExperimentVerdict {
  readonly state: 'better' | 'worse' | 'no_difference_yet' | 'assignment_broken' | 'not_started' | 'no_data';
  readonly text: string;
  readonly arm: string | null;
  readonly comparisons: readonly {
    readonly arm: string;
    readonly state: 'better' | 'worse' | 'no_difference_yet';
    readonly more_outcomes: number | null;
  }[];
}

export interface ExperimentArm extends Interval {
  readonly arm: string;
  readonly prompt_version: string | null;
  readonly propensity: number | null;
  readonly units: number;
  readonly expected_units: number;
  readonly calls: number;
  readonly mature: number;
  readonly pending: number;
  readonly mean: number | null;
  readonly confidence: number;
  readonly method: string;
  readonly drift_safe: (Interval & { readonly mean: number; readonly decisions: number }) | null;
  readonly difference: (Lift & { readonly method: string }) | null;
  readonly error_share: number;
  readonly degraded_share: number;
  readonly fallback_share: number;
}

export interface ExperimentGuardrail {
  readonly guardrail: string;
  readonly limit: number;
  readonly confidence: number;
  readonly breached: boolean;
  readonly waived: boolean;
  readonly arms: readonly (Interval & {
    readonly arm: string;
    readonly loss: number | null;
    readonly breached: boolean;
  })[];
}

export interface PolicyRevision {
  readonly policy_revision: string;
  readonly experiment_revision: string;
  readonly first_unit_at: string;
  readonly arms: readonly {
    readonly arm: string;
    readonly propensity: number | null;
    readonly units: number;
  }[];
}

export interface OffPolicy {
  readonly policy: string;
  readonly text: string;
  readonly gate: {
    readonly concludes: boolean;
    readonly reasons: readonly { readonly fault: string; readonly message: string }[];
  };
  readonly decisions: number;
  readonly decisions_without_propensities: number;
  readonly interval: (Interval & { readonly confidence: number; readonly decisions: number }) | null;
  readonly on_policy: { readonly mean: number | null; readonly interval: Interval | null };
  readonly effective_sample_size: number;
  readonly max_weight: number;
  readonly share_without_support: number;
}

export interface ExperimentReport extends ExperimentDefinition {
  readonly floor: number;
  readonly policy_revision: string | null;
  readonly optimize: 'max' | 'min';
  readonly missing: 'exclude' | 'zero';
  readonly attribution_window_hours: number;
  readonly scale: { readonly min: number; readonly max: number };
  readonly generated_at: string;
  readonly verdict: ExperimentVerdict;
  readonly stopped: {
    readonly by: 'guardrail' | 'admin';
    readonly at: string;
    readonly reason: string;
    readonly actor: string;
    readonly guardrail: string | null;
  } | null;
  readonly guardrails: readonly ExperimentGuardrail[];
  readonly sample_ratio: {
    readonly method: string;
    readonly p_value: number;
    readonly alarm_below: number;
    readonly alarm: boolean;
    readonly alarmed_at: string | null;
    readonly units: number;
  };
  readonly warnings: readonly {
    readonly code: string;
    readonly arm: string | null;
    readonly message: string;
  }[];
  readonly arms: readonly ExperimentArm[];
  readonly policy_revisions: readonly PolicyRevision[];
  readonly off_policy?: OffPolicy;
}

export interface HistoryPoint extends Interval {
  readonly until: string;
  readonly units: number;
  readonly mature: number;
  readonly mean: number | null;
}

export interface ExperimentHistory {
  readonly by: 'hour' | 'day';
  readonly scale: { readonly min: number; readonly max: number };
  readonly arms: readonly { readonly arm: string; readonly points: readonly HistoryPoint[] }[];
}

/** A label with what the rollout gate said to its last move. */
export interface GatedLabel extends Label {
  readonly gate: { readonly state: string; readonly override_reason: string | null };
}

export interface RolloutEvent {
  readonly sequence: number;
  readonly at: string;
  readonly subject_kind: 'label' | 'experiment' | 'policy';
  readonly subject: string;
  readonly from: string | null;
  readonly to: string;
  readonly decision: 'allowed' | 'exempt' | 'overridden' | 'refused' | 'stopped' | 'resumed' | 'alarmed';
  readonly reason: string;
  readonly actor: string;
}

export interface ShadowRule {
  readonly shadow: string;
  readonly prompt: string | null;
  readonly version: string | null;
  readonly runs: number;
  readonly dropped: readonly { readonly reason: string; readonly calls: number }[];
  readonly budget_usd_per_day: number;
  readonly spent_today_usd: number;
}

export interface ShadowReport extends ShadowRule {
  readonly summary: string;
}
