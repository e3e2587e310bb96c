import type { RetentionLedger, RetentionProgress } from '../../ledger/index.ts';
import type { WriterCalls } from './writer-calls.ts';

export function retentionLedger(writer: WriterCalls): RetentionLedger {
  return {
    // The writer answers each kind of command with its own kind of value.
    retain: async (step) => (await writer.submit({ kind: 'retain', step }, 0)) as RetentionProgress,
  };
}
