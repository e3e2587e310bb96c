import { expect, test } from '@jest/globals';

import { expireKeys } from '../../../src/compose/ledger-settings.ts';
import { silentLogger } from '../../../src/kernel/index.ts';
import { manualClock } from '../../fakes/manual-clock.ts';
import { recordingLedger } from '../../fakes/recording-ledger.ts';

test('drops as many idempotency keys as have aged, a batch at a time, then rests for a minute', async () => {
  const clock = manualClock();
  let aged = 1_700;
  const batches: number[] = [];
  const ledger = {
    ...recordingLedger(),
    expireIdempotencyKeys: async (_beforeMs: number, limit: number) => {
      const dropped = Math.min(aged, limit);
      aged -= dropped;
      batches.push(dropped);
      return dropped;
    },
  };
  const stop = expireKeys(ledger, 24, clock, silentLogger);

  await clock.advance(1_000);
  const atFirst = [...batches];
  await clock.advance(60_000);

  expect(atFirst).toEqual([500, 500, 500, 200]);
  expect(batches).toHaveLength(5);
  await stop();
});
