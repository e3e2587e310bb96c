import type { ScorePolicyStore } from '../../ranking/index.ts';
import type { ReaderPort } from './reader-port.ts';
import type { WriterCalls } from './writer-calls.ts';

export function createScorePolicyStore(writer: WriterCalls, reader: ReaderPort): ScorePolicyStore {
  return {
    latestSnapshot: (policy) => reader.call('latestScoreSnapshot', { policy }),
    findState: (policy, modelRevision) => reader.call('findTrainingState', { policy, modelRevision }),
    trainingPage: (query) => reader.call('trainingPage', query),
    commit: async (training) => {
      await writer.submit({ kind: 'commit_score_training', training }, 0);
    },
  };
}
