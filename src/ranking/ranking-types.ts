/** Where a feature comes from: the candidate itself, the profile of the user, or the context of the request. */
export type FeatureSource = 'candidate' | 'profile' | 'context';

/** A declared input of a policy. */
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
  readonly kind: 'squarecb' | 'uniform';
  readonly metric: string;
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
  readonly computedAtMs: number;
  /** Rewards that it has learnt from. */
  readonly rewards: number;
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
