import type { SequenceStore } from '../../analytics/index.ts';
import type { ReaderPort } from './reader-port.ts';
import type { WriterCalls } from './writer-calls.ts';

export function sequenceStore(writer: WriterCalls, reader: ReaderPort): SequenceStore {
  return {
    sequenceHead: (key) => reader.call('sequenceHead', key),
    soundCheckpoint: (key) => reader.call('soundCheckpoint', key),
    decisionPage: (query) => reader.call('decisionPage', query),
    claim: async (key, untilMs) =>
      Number(await writer.submit({ kind: 'claim_sequence', sequence: key, untilMs }, 0)),
    commit: async (commit) => Number(await writer.submit({ kind: 'commit_sequence', commit }, 0)) === 1,
  };
}
