import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { lnBeta, lnGamma } from '../../../src/statistics/index.ts';

const RELATIVE = 1e-13;

function expectClose(actual: number, expected: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(RELATIVE * Math.max(1, Math.abs(expected)));
}

describe('lnGamma', () => {
  test.each([
    [0.5, Math.log(Math.PI) / 2],
    [1, 0],
    [2, 0],
    [10, Math.log(362_880)],
    [21, Math.log(2_432_902_008_176_640_000)],
    [100, 359.134_205_369_575_4],
    [1e-10, 23.025_850_929_882_73],
    [1e-300, 690.775_527_898_213_7],
  ])('of %p', (x, expected) => {
    expectClose(lnGamma(x), expected);
  });

  test('rises by ln x from x to x + 1', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (x) => {
        expectClose(lnGamma(x + 1), lnGamma(x) + Math.log(x));
      }),
    );
  });
});

describe('lnBeta', () => {
  test.each([
    [1, 1, 0],
    [2, 3, -Math.log(12)],
    [0.5, 0.5, Math.log(Math.PI)],
    [1e9, 1, -Math.log(1e9)],
    [1e9, 2, -Math.log(1e9) - Math.log(1e9 + 1)],
  ])('of %p and %p', (x, y, expected) => {
    expectClose(lnBeta(x, y), expected);
  });

  test('is symmetric and agrees with lnGamma where that keeps its digits', () => {
    const positive = fc.double({ min: 0.01, max: 500, noNaN: true });
    fc.assert(
      fc.property(positive, positive, (x, y) => {
        expect(lnBeta(x, y)).toBe(lnBeta(y, x));
        expect(Math.abs(lnBeta(x, y) - (lnGamma(x) + lnGamma(y) - lnGamma(x + y)))).toBeLessThan(1e-11);
      }),
    );
  });
});
