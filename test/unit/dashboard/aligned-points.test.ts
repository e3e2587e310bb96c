import { expect, test } from '@jest/globals';
import { alignedPoints } from '../../../src/dashboard/plot/aligned-points.ts';

test('puts all lines over the times that any of them has', () => {
  const at = (hour: number, value: number | null) => ({ at: `2026-11-23T0${hour}:00:00Z`, value });

  const aligned = alignedPoints([
    { name: 'v1', points: [at(2, 0.2), at(0, 0.1)] },
    { name: 'v2', points: [at(1, null), at(2, 0.4)] },
  ]);

  const zero = Date.parse('2026-11-23T00:00:00Z') / 1_000;
  expect(aligned).toEqual({
    timesSeconds: [zero, zero + 3_600, zero + 7_200],
    values: [
      [0.1, null, 0.2],
      [null, null, 0.4],
    ],
  });
});

test('is empty without lines', () => {
  expect(alignedPoints([])).toEqual({ timesSeconds: [], values: [] });
});
