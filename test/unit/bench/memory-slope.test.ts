import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { slopeMbPer100k } from '../../../bench/harness/memory-slope.ts';

test('the slope of memory is the growth per 100,000 requests, whatever it began with', () => {
  fc.assert(
    fc.property(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 0, max: 500 }), (growthMb, startMb) => {
      const samples = [0, 1, 2, 3, 4, 5].map((step) => ({
        requests: 300_000 + step * 50_000,
        rssMb: startMb + (step * growthMb) / 2,
      }));

      expect(slopeMbPer100k(samples)).toBeCloseTo(growthMb, 6);
    }),
  );
});

test('ups and downs around a level are no growth', () => {
  const samples = [250, 260, 255, 255, 260, 250].map((rssMb, index) => ({ requests: index * 10_000, rssMb }));

  expect(Math.abs(slopeMbPer100k(samples))).toBeLessThan(1e-9);
});
