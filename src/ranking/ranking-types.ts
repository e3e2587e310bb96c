import type { MetricConfig } from '../config/index.ts';
import type { RidgeState } from '../statistics/index.ts';

/** Where a feature comes from: the candidate itself, the profile of the user, or the context of the request. */
export type FeatureSource = 'candidate' | 'profile' | 'context';

/** A declared input of a policy. Names are unique over the three sources. */
export type FeatureDefinition =
  | {
      readonly kind: 'number';
      readonly name: string;
      readonly source: FeatureSource;
      /** Scaled from here to [0, 1]; values beyond are cut. */
      readonly min: number;
      readonly max: number;
      /** Taken when the request does not have it. */
      readonly default: number;
    }
  | {
      readonly kind: 'boolean';
      readonly name: string;
      readonly source: FeatureSource;
      readonly default: boolean;
    }
  | {
      readonly kind: 'category';
      readonly name: string;
      readonly source: FeatureSource;
      readonly values: readonly string[];
      /** Null: none of them. */
      readonly default: string | null;
    };

/** A rule that ranks candidates and states the propensity of each; as configured, immutable. */
export interface ScorePolicy {
  readonly name: string;
  /** `sha256:…` over the definition without its name: the same rule under another name is the same rule. */
  readonly revision: string;
  /**
   * `sha256:…` over what shapes the learning alone: features, interactions, lambda, discount, metric. What was learnt
   * stays of use while this stays the same, whatever becomes of gamma and the floor.
   */
  readonly modelRevision: string;
  readonly kind: 'squarecb' | 'uniform';
  readonly metric: string;
  /** The metric as it was declared together with this policy. */
  readonly declaration: MetricConfig;
  readonly features: readonly FeatureDefinition[];
  /** Pairs of feature names whose products are inputs too: what differs between users changes a ranking only so. */
  readonly interactions: readonly (readonly [string, string])[];
  /** What a request with a feature that is not declared gets. */
  readonly unknownFeatures: 'refuse' | 'ignore';
  /** SquareCB: gamma = gammaScale * t ^ gammaExponent. */
  readonly gammaScale: number;
  readonly gammaExponent: number;
  /** Penalty of the ridge regression. */
  readonly lambda: number;
  /** Share of an even split that every candidate keeps for ever: the floor of K candidates is floorShare / K. */
  readonly floorShare: number;
  /** Weight that all earlier rewards keep at each update that brings new ones; 1: no discounting. */
  readonly discount: number;
  readonly updateIntervalMs: number;
  readonly maxCandidates: number;
}

/** What a policy has learnt, immutable; rows name it by `revision`. */
export interface ScorePolicySnapshot {
  readonly policy: string;
  /** `<policy>-<sequence>`: one more at every change. */
  readonly revision: string;
  readonly sequence: number;
  readonly policyRevision: string;
  readonly modelRevision: string;
  readonly computedAtMs: number;
  /** Rewards that it has learnt from, a silence that counts as 0 included. */
  readonly rewards: number;
  /** What is left of them after discounting; the same without it. */
  readonly weight: number;
  /** Of the encoded features, in their order; empty before the first reward. */
  readonly coefficients: readonly number[];
}

export interface ScoreCandidate {
  readonly id: string;
  readonly features: Readonly<Record<string, unknown>>;
}

/** A candidate as it was ranked. */
export interface RankedCandidate {
  readonly id: string;
  /** Predicted reward, in the metric's own numbers. */
  readonly score: number;
  /** Probability that this one is chosen, floor included; all of a decision sum to 1. */
  readonly propensity: number;
}

/** What the features of one candidate are read from. */
export interface FeatureSources {
  readonly candidate: Readonly<Record<string, unknown>>;
  readonly profile: Readonly<Record<string, unknown>> | null;
  readonly context: Readonly<Record<string, unknown>> | null;
}

/** How far a policy has read the ledger, and what it has kept of it. One per policy and model revision. */
export interface ScoreTrainingState {
  readonly policy: string;
  readonly modelRevision: string;
  readonly ridge: RidgeState;
  readonly rewards: number;
  /** Discounts applied so far: the age of a reward is counted in them. */
  readonly updates: number;
  /** Interval of the last news, epoch milliseconds over the update interval; 0 before any. */
  readonly lastInterval: number;
  /** Every change of a reward up to this one of the log has been learnt. */
  readonly changePosition: number;
  /** With `missing: zero`: every decision up to this one of the ledger is closed and learnt. */
  readonly closedPosition: number;
  /** Snapshot that shows this state; null: none yet. */
  readonly snapshotSequence: number | null;
}

/** Where the update `update` ended: tells how much discounting a reward that was learnt before it has seen. */
export interface ScoreTrainingMark {
  readonly update: number;
  readonly changePosition: number;
  readonly closedPosition: number;
}

/** What the chosen candidate of a decision looked like. */
export interface LoggedChoice {
  /** Order of insertion of the decision. */
  readonly sequence: number;
  /** As it was encoded at the decision, when that was under the model asked for. */
  readonly input: readonly number[] | null;
  /** Else the features as stored. */
  readonly features: FeatureSources | null;
}

/** A change of the reward of a decision, as the ledger has logged it. */
export interface RewardChange {
  readonly sequence: number;
  /** The change before, of the same decision and metric; null: this is the first. */
  readonly previousSequence: number | null;
  readonly changedAtMs: number;
  /** Null: none. */
  readonly before: number | null;
  readonly after: number | null;
  readonly choice: LoggedChoice;
  /** Updates after which `before` was learnt, and after which the silence of the decision was; null: not marked. */
  readonly beforeUpdate: number | null;
  readonly closedUpdate: number | null;
}

/** A decision whose attribution window has closed. */
export interface ClosedDecision {
  readonly closedAtMs: number;
  /** The reward that counts after every change of the page; null: silence. */
  readonly reward: number | null;
  readonly choice: LoggedChoice;
}

export interface TrainingPageQuery {
  readonly policy: string;
  readonly modelRevision: string;
  readonly metric: string;
  readonly afterChange: number;
  /** Null: silence counts nothing, no decision is asked for. */
  readonly closed: {
    readonly afterDecision: number;
    readonly windowMs: number;
    readonly nowMs: number;
  } | null;
  readonly limit: number;
}

/** One consistent read. Decisions are in it only when its changes are the last ones. */
export interface TrainingPage {
  readonly changes: readonly RewardChange[];
  readonly closed: readonly ClosedDecision[];
  /** Nothing is left to read. */
  readonly isLast: boolean;
}

/** Where policies keep what they learn, and learn from. Every method fails with `storage_unavailable`. */
export interface ScorePolicyStore {
  latestSnapshot(policy: string): Promise<ScorePolicySnapshot | null>;
  findState(policy: string, modelRevision: string): Promise<ScoreTrainingState | null>;
  trainingPage(query: TrainingPageQuery): Promise<TrainingPage>;
  /** Stores all of it or nothing. A snapshot that is there already stays as it is. */
  commit(training: {
    readonly state: ScoreTrainingState | null;
    readonly marks: readonly ScoreTrainingMark[];
    readonly snapshot: ScorePolicySnapshot | null;
  }): Promise<void>;
}
