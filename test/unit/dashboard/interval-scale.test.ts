import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { intervalScale, positionPercent } from '../../../src/dashboard/plot/interval-scale.ts';

const UNIT = { min: 0, max: 1 };

test('spans the intervals, to round ends', () => {
  const scale = intervalScale(
    [
      { lower: 0.144, upper: 0.236 },
      { lower: 0.476, upper: 0.534 },
    ],
    UNIT,
  );

  expect(scale).toEqual({ min: 0.1, max: 0.6, ticks: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6] });
});

test('shows the whole scale of the metric without an interval', () => {
  expect(intervalScale([], { min: 0, max: 5 })).toEqual({ min: 0, max: 5, ticks: [0, 1, 2, 3, 4, 5] });
});

test('holds every interval, never leaves the scale, and has few ticks in order', () => {
  const interval = fc.tuple(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  );
  fc.assert(
    fc.property(fc.array(interval, { minLength: 1, maxLength: 6 }), (pairs) => {
      const intervals = pairs.map(([a, b]) => ({ lower: Math.min(a, b), upper: Math.max(a, b) }));
      const { min, max, ticks } = intervalScale(intervals, UNIT);

      expect(min).toBeGreaterThanOrEqual(0);
      expect(max).toBeLessThanOrEqual(1);
      for (const { lower, upper } of intervals) {
        expect(lower).toBeGreaterThanOrEqual(min - 1e-9);
        expect(upper).toBeLessThanOrEqual(max + 1e-9);
      }
      expect(ticks.length).toBeLessThanOrEqual(8);
      expect([...ticks].sort((a, b) => a - b)).toEqual(ticks);
    }),
  );
});

test('comes to an end for an interval that is narrower than numbers are fine', () => {
  expect(intervalScale([{ lower: 0.5, upper: 0.5000000000000001 }], UNIT).ticks).toEqual([0.5]);
});

test('has a scale for the narrowest interval there is', () => {
  const { min, max, ticks } = intervalScale([{ lower: 0, upper: Number.MIN_VALUE }], UNIT);

  expect(min).toBe(0);
  expect(max).toBeCloseTo(0);
  expect(ticks[0]).toBe(0);
});

test('puts values in percent of the width, and those outside at its ends', () => {
  const scale = { min: 0.1, max: 0.6 };

  expect(positionPercent(0.35, scale)).toBeCloseTo(50);
  expect(positionPercent(0, scale)).toBe(0);
  expect(positionPercent(2, scale)).toBe(100);
  expect(positionPercent(1, { min: 1, max: 1 })).toBe(50);
});
