import type { RewardSums } from './report-reader.ts';

/** Read model of ranking policies. Test traffic and shadows are left out. */
export interface PolicyReader {
  /** By state of the policy and by hour, from rollups: the number of rows does not matter. */
  policyTotals(query: PolicyTotalsQuery): Promise<PolicyTotals>;
  /**
   * Sequence after which the newest `decisions` rows of the policy come; 0: it has no more than that. Reads an index.
   */
  newestDecisions(policy: string, decisions: number): Promise<number>;
  /** The raw decisions in the order they were recorded, a page at a time. */
  policyDecisions(query: PolicyDecisionsQuery): Promise<PolicyDecisionPage>;
  /** The same without candidates, and with larger pages. */
  policyChoices(query: Omit<PolicyDecisionsQuery, 'withFeatures'>): Promise<PolicyChoicePage>;
}

export interface PolicyTotalsQuery {
  readonly policy: string;
  readonly metric: string;
  /** Decision hours that begin before this have a closed attribution window. */
  readonly closedBeforeMs: number;
}

export interface PolicyTotals {
  /** By definition and revision, in the order of their first decision. */
  readonly revisions: readonly (PolicyCell & {
    readonly policyDefinition: string;
    readonly policyRevision: string;
    readonly firstHourMs: number;
  })[];
  /** Ascending. */
  readonly hours: readonly (PolicyCell & { readonly hourMs: number })[];
}

/** What a policy did, and what came of it. */
export interface PolicyCell {
  readonly decisions: number;
  readonly closedDecisions: number;
  /** Sum over the decisions. */
  readonly candidates: number;
  /** Decisions that chose a candidate with the best estimate of all. */
  readonly chosenBest: number;
  readonly chosenPropensitySum: number;
  readonly outcomes: RewardSums;
  readonly closedOutcomes: RewardSums;
}

export interface PolicyDecisionsQuery {
  readonly policy: string;
  readonly metric: string;
  /** Exclusive. */
  readonly afterSequence: number;
  readonly limit: number;
  /** Also the features, as stored: for policies that read them. */
  readonly withFeatures: boolean;
}

export interface PolicyDecisionPage {
  readonly decisions: readonly PolicyDecision[];
  /** Null: this was the last. */
  readonly nextSequence: number | null;
}

export interface PolicyDecision {
  readonly createdAtMs: number;
  /** Null: no counting outcome. */
  readonly reward: number | null;
  /** Index of the chosen candidate; -1: the row does not say. */
  readonly chosen: number;
  /** Of all candidates, in the order of the request. */
  readonly propensities: readonly number[];
  /** Predicted rewards on [0, 1] with 1 the best. */
  readonly estimates: readonly number[];
  /**
   * Null: not asked for. JSON: most targets never look, and the others read it where there is time; `candidatesOfJson` of
   * the ledger reads the first.
   */
  readonly features: {
    readonly candidatesJson: string;
    readonly profileJson: string | null;
    readonly contextJson: string | null;
  } | null;
}

export interface PolicyChoicePage {
  readonly choices: readonly PolicyChoice[];
  readonly nextSequence: number | null;
}

export interface PolicyChoice {
  readonly createdAtMs: number;
  readonly reward: number | null;
  readonly chosenPropensity: number;
}
