import type { ExperimentReader } from '../../analytics/index.ts';
import type { AssignmentStore, PolicySnapshotStore } from '../../experiments/index.ts';
import type { ReaderPort } from './reader-port.ts';
import type { WriterCalls } from './writer-calls.ts';

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
