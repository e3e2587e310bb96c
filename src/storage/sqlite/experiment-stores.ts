import type { ExperimentReader, OffPolicyReader, PolicyReader } from '../../analytics/index.ts';
import type { AssignmentStore, PolicySnapshotStore } from '../../experiments/index.ts';
import type { ReaderPort } from './reader-port.ts';
import type { WriterCalls } from './writer-calls.ts';

export function experimentReader(reader: ReaderPort): ExperimentReader {
  return {
    armTotals: (query) => reader.call('armTotals', query),
    armCells: (query) => reader.call('armCells', query),
    unitsByRevision: (experiment) => reader.call('revisionUnits', { experiment }),
  };
}

export function offPolicyReader(reader: ReaderPort): OffPolicyReader {
  return {
    rewardCells: (query) => reader.call('rewardCells', query),
    unitHours: (experiment) => reader.call('unitHours', { experiment }),
    unitDecisions: (query) => reader.call('unitDecisions', query),
    revisionPropensities: (experiment, revision) =>
      reader.call('revisionPropensities', { experiment, revision }),
  };
}

export function policyReader(reader: ReaderPort): PolicyReader {
  return {
    policyTotals: (query) => reader.call('policyTotals', query),
    newestDecisions: (policy, decisions) => reader.call('newestDecisions', { policy, decisions }),
    policyDecisions: (query) => reader.call('policyDecisions', query),
    policyChoices: (query) => reader.call('policyChoices', query),
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
