/**
 * Read model of an experiment. Counts units, not calls: the reward of a unit is that of its first delivered call within
 * the experiment. Forced calls, replays, shadow and test traffic are not part of it; fallbacks stay in their arm.
 * Implementations read rollups only.
 */
export interface ExperimentReader {
  /** Totals by arm; arms without a call are absent. One whose calls all failed has calls and no unit. */
  armTotals(query: ArmTotalsQuery): Promise<readonly ArmTotals[]>;
  /** The same counts by arm and time of the call, in steps of `stepMs` (whole hours, UTC); a step without one is absent. */
  armCells(query: ArmCellsQuery): Promise<readonly ArmCell[]>;
  /** Units by arm and policy revision: with the revisions' propensities, what the sample-ratio checks need. */
  unitsByRevision(experiment: string): Promise<readonly RevisionUnits[]>;
}

export interface ArmTotalsQuery {
  readonly experiment: string;
  readonly metric: string;
  /** Decision hours that begin before this have a closed attribution window. */
  readonly closedBeforeMs: number;
  /** Units assigned under this definition alone; absent: under all of them. */
  readonly experimentRevision?: string;
}

export interface ArmCellsQuery extends Omit<ArmTotalsQuery, 'experimentRevision'> {
  readonly stepMs: number;
}

/** What an arm's units of one step add to its totals. */
export interface ArmCell
  extends Pick<ArmTotals, 'arm' | 'units' | 'closedUnits' | 'outcomes' | 'closedOutcomes'> {
  readonly beginMs: number;
}

export interface ArmTotals {
  readonly arm: string;
  /** Units whose first delivered call is in the window. */
  readonly units: number;
  /** All calls of the arm, repeated ones and failures included. */
  readonly calls: number;
  readonly errors: number;
  readonly degraded: number;
  readonly fallbacks: number;
  /** First calls with a counting outcome of the metric. */
  readonly outcomes: { readonly n: number; readonly sum: number; readonly sumOfSquares: number };
  readonly closedOutcomes: { readonly n: number; readonly sum: number; readonly sumOfSquares: number };
  /** Units whose first call's window is closed. */
  readonly closedUnits: number;
}

export interface RevisionUnits {
  readonly policyRevision: string;
  readonly experimentRevision: string;
  readonly arm: string;
  readonly units: number;
  /** Arm → probability under that revision. */
  readonly propensities: Readonly<Record<string, number>>;
  /** When the revision came into force: no unit was assigned by it before. Orders the revisions. */
  readonly firstAtMs: number;
}
