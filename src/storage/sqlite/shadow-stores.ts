import type { ShadowReader } from '../../analytics/index.ts';
import type { ShadowLedger } from '../../ledger/index.ts';
import type { ShadowSpendSource } from '../../serving/index.ts';
import { toGenerationValues } from './generation-columns.ts';
import type { ReaderPort } from './reader-port.ts';
import { toShadowPairValues } from './shadow-pair-columns.ts';
import type { WriterCalls } from './writer-calls.ts';

export function shadowReader(reader: ReaderPort): ShadowReader & ShadowSpendSource {
  return {
    shadowTotals: (query) => reader.call('shadowTotals', query),
    shadowLatency: (query) => reader.call('shadowLatency', query),
    shadowSpend: (sinceMs) => reader.call('shadowSpend', { sinceMs }),
  };
}

export function shadowLedger(writer: WriterCalls): Pick<ShadowLedger, 'appendShadowGeneration'> {
  return {
    appendShadowGeneration: async (record, pair) => {
      const values = toGenerationValues(record);
      let characters = 0;
      for (const value of values) characters += typeof value === 'string' ? value.length : 8;
      await writer.submit(
        { kind: 'append_shadow_generation', values, pair: toShadowPairValues(pair) },
        characters,
      );
    },
  };
}
