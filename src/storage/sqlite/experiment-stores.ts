import type { ArmTotals, ArmTotalsQuery, ExperimentReader, RevisionUnits } from '../../analytics/index.ts';
import type {
  Assignment,
  AssignmentStore,
  PolicySnapshot,
  PolicySnapshotStore,
} from '../../experiments/index.ts';
import { type AssignmentQuery, createAssignmentFinder } from './assignment-rows.ts';
import type { Connection } from './connection.ts';
import { createArmTotals, createRevisionUnits } from './experiment-totals.ts';
import type { ReaderPort } from './reader-port.ts';
import { createLatestSnapshot } from './snapshot-rows.ts';
import type { WriterCalls } from './writer-calls.ts';

/** What the reader can be asked about experiments. */
export interface ExperimentReads {
  readonly armTotals: (query: ArmTotalsQuery) => readonly ArmTotals[];
  readonly revisionUnits: (query: { readonly experiment: string }) => readonly RevisionUnits[];
  readonly findAssignment: (query: AssignmentQuery) => Assignment | null;
  readonly latestSnapshot: (query: { readonly experiment: string }) => PolicySnapshot | null;
}

export function createExperimentReads(database: Connection): ExperimentReads {
  return {
    armTotals: createArmTotals(database),
    revisionUnits: createRevisionUnits(database),
    findAssignment: createAssignmentFinder(database),
    latestSnapshot: createLatestSnapshot(database),
  };
}

export function experimentReader(reader: ReaderPort): ExperimentReader {
  return {
    armTotals: (query) => reader.call('armTotals', query),
    unitsByRevision: (experiment) => reader.call('revisionUnits', { experiment }),
  };
}

export function assignmentStore(reader: ReaderPort): AssignmentStore {
  return {
    findAssignment: (experiment, unitKind, unitKey) =>
      reader.call('findAssignment', { experiment, unitKind, unitKey }),
  };
}

export function policySnapshotStore(writer: WriterCalls, reader: ReaderPort): PolicySnapshotStore {
  return {
    latestSnapshot: (experiment) => reader.call('latestSnapshot', { experiment }),
    appendSnapshot: async (snapshot) => {
      await writer.submit({ kind: 'append_snapshot', snapshot }, 0);
    },
  };
}
