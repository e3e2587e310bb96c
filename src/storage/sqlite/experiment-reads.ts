import type {
  ArmCell,
  ArmCellsQuery,
  ArmTotals,
  ArmTotalsQuery,
  RevisionUnits,
} from '../../analytics/index.ts';
import type { Assignment, PolicySnapshot } from '../../experiments/index.ts';
import { type AssignmentQuery, createAssignmentFinder } from './assignment-rows.ts';
import type { Connection } from './connection.ts';
import { createArmCells, createArmTotals, createRevisionUnits } from './experiment-totals.ts';
import { createOffPolicyReads, type OffPolicyReads } from './off-policy-reads.ts';
import { createSequenceReads, type SequenceReads } from './sequence-rows.ts';
import { createLatestSnapshot } from './snapshot-rows.ts';

/** What the reader can be asked about experiments. */
export interface ExperimentReads extends OffPolicyReads, SequenceReads {
  readonly armTotals: (query: ArmTotalsQuery) => readonly ArmTotals[];
  readonly armCells: (query: ArmCellsQuery) => readonly ArmCell[];
  readonly revisionUnits: (query: { readonly experiment: string }) => readonly RevisionUnits[];
  readonly findAssignment: (query: AssignmentQuery) => Assignment | null;
  readonly latestSnapshot: (query: { readonly experiment: string }) => PolicySnapshot | null;
}

export function createExperimentReads(database: Connection): ExperimentReads {
  return {
    armTotals: createArmTotals(database),
    armCells: createArmCells(database),
    revisionUnits: createRevisionUnits(database),
    findAssignment: createAssignmentFinder(database),
    latestSnapshot: createLatestSnapshot(database),
    ...createOffPolicyReads(database),
    ...createSequenceReads(database),
  };
}
