import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { shownValueRange } from '../../../src/dashboard/plot/value-range.ts';

const SHARE = { min: 0, max: 1 };

test.each([
  ['in the middle', 0.4, [0, 0.8]],
  ['at the lower end', 0, [0, 1]],
  ['at the upper end', 1, [0, 1]],
])('a single value %s of its scale is drawn within the scale', (_place, value, range) => {
  expect(shownValueRange(value, value, SHARE)).toEqual(range);
});

test('nothing to draw leaves a range that has a length', () => {
  expect(shownValueRange(null, null, { min: 0, max: null })).toEqual([0, 1]);
});

test('every value within the limits is drawn, between limits, on a range that has a length', () => {
  const value = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(value, value, (a, b) => {
      const [least, most] = [Math.min(a, b), Math.max(a, b)];
      const [min, max] = shownValueRange(least, most, SHARE);
      expect(min).toBeLessThanOrEqual(least);
      expect(max).toBeGreaterThanOrEqual(most);
      expect(min).toBeGreaterThanOrEqual(0);
      expect(max).toBeLessThanOrEqual(1);
      expect(max).toBeGreaterThan(min);
    }),
  );
});

test('values from before the limits were declared are drawn where they are', () => {
  expect(shownValueRange(-1, 3, SHARE)).toEqual([-1, 3]);
});
