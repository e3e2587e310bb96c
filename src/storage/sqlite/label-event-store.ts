import type { LabelEvent, LabelEventStore } from '../../experiments/index.ts';
import type { ReaderPort } from './reader-port.ts';
import type { WriterCalls } from './writer-calls.ts';

export function createLabelEventStore(writer: WriterCalls, reader: ReaderPort): LabelEventStore {
  return {
    appendMove: async (move) => {
      const value = await writer.submit({ kind: 'append_label_event', move }, move.reason.length);
      // The writer answers each kind of command with its own kind of value.
      return value as LabelEvent;
    },
    eventsAfter: (sequence, limit) => reader.call('labelEventsAfter', { sequence, limit }),
    history: (prompt, label, limit) => reader.call('labelHistory', { prompt, label, limit }),
  };
}
