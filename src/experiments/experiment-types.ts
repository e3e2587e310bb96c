/** One choice within an experiment. */
export interface Arm {
  readonly name: string;
  readonly version: string;
  /** Share under `fixed`, positive; normalised over the arms. */
  readonly weight: number;
}

export type PolicyKind = 'fixed' | 'epsilon_greedy' | 'thompson' | 'top_two_thompson';

export interface ExperimentPolicy {
  readonly kind: PolicyKind;
  /** `epsilon_greedy`: share of exploration. */
  readonly epsilon: number;
  /** `top_two_thompson`: chance of taking the leader. */
  readonly beta: number;
  /** Smallest probability of any arm, for ever. */
  readonly floor: number;
  /** Weight that all earlier rewards keep at each update; 1: no discounting. */
  readonly discount: number;
  readonly updateIntervalMs: number;
}

/**
 * A limit of harm: by how much the mean of an arm may be worse than that of the baseline, in numbers of the metric, or
 * by how much its share of failed calls may be greater.
 */
export type Guardrail =
  | { readonly kind: 'metric'; readonly metric: string; readonly maxLoss: number }
  | { readonly kind: 'error_rate'; readonly maxIncrease: number };

/** A named comparison of versions of one prompt, as configured. Immutable; a change makes a new revision. */
export interface Experiment {
  readonly name: string;
  /** `sha256:…` over the definition. */
  readonly revision: string;
  readonly prompt: string;
  readonly arms: readonly Arm[];
  /** Name of the arm that the others are compared with, and that calls without a unit get. */
  readonly baseline: string;
  readonly policy: ExperimentPolicy;
  /** Field of the call that names the unit. */
  readonly unit: 'user_id' | 'session_id';
  readonly metric: string;
  readonly salt: string;
  /** Before and after, every call gets the baseline and none is part of the experiment. Epoch ms; null: unbounded. */
  readonly startMs: number | null;
  readonly stopMs: number | null;
  /** How long after its attribution window an hour of decisions may still bring late outcomes before it is folded. */
  readonly graceMs: number;
  /** No part of the revision: another limit makes no other experiment. */
  readonly guardrails: readonly Guardrail[];
  readonly guardrailIntervalMs: number;
}

/** A policy's state, immutable; rows name it by `revision`. */
export interface PolicySnapshot {
  readonly experiment: string;
  /** `<experiment>-<sequence>`: one more at every change. */
  readonly revision: string;
  readonly sequence: number;
  readonly experimentRevision: string;
  readonly policy: PolicyKind;
  readonly computedAtMs: number;
  /** Arm → probability, floor included; sums to 1. */
  readonly propensities: Readonly<Record<string, number>>;
  /** Arm → what the probabilities were computed from. */
  readonly posteriors: Readonly<Record<string, ArmPosterior>>;
}

export interface ArmPosterior {
  /** Units whose reward is due. */
  readonly n: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** Parameters of the belief: alpha and beta, or mean and variance; empty for fixed weights. */
  readonly parameters: Readonly<Record<string, number>>;
}

/** What the units of an arm have earned. Counts units: the reward of a unit is that of its first delivered call. */
export interface RewardTotals {
  readonly arm: string;
  readonly outcomes: { readonly n: number; readonly sum: number; readonly sumOfSquares: number };
  /** Of decision hours whose attribution window is closed. */
  readonly closedOutcomes: { readonly n: number; readonly sum: number; readonly sumOfSquares: number };
  readonly closedUnits: number;
}

/** Where policies learn from; the report's reader of experiments is one. */
export interface RewardSource {
  armTotals(query: {
    readonly experiment: string;
    readonly metric: string;
    readonly closedBeforeMs: number;
    readonly experimentRevision: string;
  }): Promise<readonly RewardTotals[]>;
}

/** The first assignment of a unit: it keeps its arm, whatever becomes of the weights. */
export interface Assignment {
  readonly experiment: string;
  readonly experimentRevision: string;
  readonly unitKind: string;
  readonly unitKey: string;
  readonly arm: string;
  /** Of the arm and of all arms, at the moment of the assignment. */
  readonly propensity: number;
  readonly propensities: Readonly<Record<string, number>>;
  readonly policyRevision: string;
  readonly assignedAtMs: number;
}

export interface AssignmentStore {
  /** Null: not assigned yet. New assignments are appended with the first generation of the unit. */
  findAssignment(experiment: string, unitKind: string, unitKey: string): Promise<Assignment | null>;
}

export interface PolicySnapshotStore {
  latestSnapshot(experiment: string): Promise<PolicySnapshot | null>;
  /** Appends a snapshot; the same revision again is a no-op. */
  appendSnapshot(snapshot: PolicySnapshot): Promise<void>;
}
