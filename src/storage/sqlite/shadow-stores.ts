import type { ShadowReader } from '../../analytics/index.ts';
import type { ShadowLedger } from '../../ledger/index.ts';
import type { ShadowSpendSource } from '../../serving/index.ts';
import type { SqlValue } from './column-codec.ts';
import { toGenerationValues } from './generation-columns.ts';
import type { ReaderPort } from './reader-port.ts';
import { scoreCharacters, toScoreValues } from './score-columns.ts';
import { toShadowPairValues } from './shadow-pair-columns.ts';
import type { WriterCalls } from './writer-calls.ts';

export function shadowReader(reader: ReaderPort): ShadowReader & ShadowSpendSource {
  return {
    shadowTotals: (query) => reader.call('shadowTotals', query),
    shadowLatency: (query) => reader.call('shadowLatency', query),
    shadowSpend: (sinceMs) => reader.call('shadowSpend', { sinceMs }),
  };
}

export function shadowLedger(writer: WriterCalls): ShadowLedger {
  return {
    appendShadowGeneration: async (record, pair) => {
      const values = toGenerationValues(record);
      await writer.submit(
        { kind: 'append_shadow_generation', values, pair: toShadowPairValues(pair) },
        charactersOf(values),
      );
    },
    appendShadowScore: async (record, pair) => {
      const values = record === null ? null : toScoreValues(record);
      await writer.submit(
        { kind: 'append_shadow_score', values, pair: toShadowPairValues(pair) },
        values === null ? 0 : scoreCharacters(values),
      );
    },
  };
}

function charactersOf(values: readonly SqlValue[]): number {
  return values.reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 8), 0);
}
