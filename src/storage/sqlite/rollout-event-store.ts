import type { RolloutEvent, RolloutEventStore } from '../../experiments/index.ts';
import type { ReaderPort } from './reader-port.ts';
import type { WriterCalls } from './writer-calls.ts';

export function createRolloutEventStore(writer: WriterCalls, reader: ReaderPort): RolloutEventStore {
  return {
    appendRollout: async (event) => {
      const value = await writer.submit({ kind: 'append_rollout', event }, event.reason.length);
      // The writer answers each kind of command with its own kind of value.
      return value as RolloutEvent;
    },
    rolloutsAfter: (sequence, limit) => reader.call('rolloutsAfter', { sequence, limit }),
    rolloutPage: (query) => reader.call('rolloutPage', query),
  };
}
