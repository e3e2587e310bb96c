import type { RewardSums } from './report-reader.ts';

/** Read model of off-policy evaluation over an experiment. Counts units, as {@link ExperimentReader} does. */
export interface OffPolicyReader {
  /** By policy revision and arm, from rollups: the number of rows does not matter. */
  rewardCells(query: RewardCellsQuery): Promise<readonly RewardCell[]>;
  /** Units by decision hour, ascending; from rollups. */
  unitHours(experiment: string): Promise<readonly UnitHour[]>;
  /** The raw decisions in decision order, a page at a time. Looks at `limit` rows of the prompt and may find none. */
  unitDecisions(query: UnitDecisionsQuery): Promise<UnitDecisionPage>;
  /** Arm → probability; null: no such revision. */
  revisionPropensities(
    experiment: string,
    revision: string,
  ): Promise<Readonly<Record<string, number>> | null>;
}

export interface RewardCellsQuery {
  readonly experiment: string;
  readonly metric: string;
  /** Decision hours that begin before this have a closed attribution window. */
  readonly closedBeforeMs: number;
}

/** Units of one arm that one policy revision assigned. */
export interface RewardCell {
  readonly policyRevision: string;
  readonly arm: string;
  /** Arm → probability under that revision; null: the revision is not known. */
  readonly propensities: Readonly<Record<string, number>> | null;
  readonly closedUnits: number;
  readonly outcomes: RewardSums;
  readonly closedOutcomes: RewardSums;
}

export interface UnitHour {
  readonly hourMs: number;
  readonly units: number;
}

/** Place of a decision in the order of decisions. */
export interface DecisionPlace {
  readonly createdAtMs: number;
  readonly sequence: number;
}

export interface UnitDecisionsQuery {
  readonly experiment: string;
  readonly prompt: string;
  readonly metric: string;
  /** Exclusive. */
  readonly after: DecisionPlace;
  /** Exclusive, epoch milliseconds. */
  readonly toMs: number;
  readonly limit: number;
}

export interface UnitDecisionPage {
  readonly decisions: readonly UnitDecision[];
  /** Where the next page begins; null: this was the last. */
  readonly next: DecisionPlace | null;
}

/** A unit's first delivered call. */
export interface UnitDecision {
  readonly createdAtMs: number;
  readonly policyRevision: string;
  readonly arm: string;
  /** Null: no counting outcome. */
  readonly reward: number | null;
}
