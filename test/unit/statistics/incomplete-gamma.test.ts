import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { lnRegularisedLowerGamma, lnScaledLowerGamma } from '../../../src/statistics/incomplete-gamma.ts';
import { lnGamma } from '../../../src/statistics/index.ts';

const positive = (least: number, most: number) =>
  fc.double({ min: Math.log(least), max: Math.log(most), noNaN: true }).map(Math.exp);

/** P(n, x) for a whole n: 1 - e^-x times the first n terms of e^x. */
function poissonTail(n: number, x: number): number {
  let term = Math.exp(-x);
  let sum = 0;
  for (let k = 0; k < n; k += 1) {
    sum += term;
    term *= x / (k + 1);
  }
  return 1 - sum;
}

describe('the incomplete gamma function', () => {
  test('P(1, x) is the exponential distribution', () => {
    for (const x of [1e-12, 0.3, 1.9, 2.1, 40]) {
      expect(lnRegularisedLowerGamma(1, x)).toBeCloseTo(Math.log(-Math.expm1(-x)), 12);
    }
  });

  test('P(1/2, x^2 / 2) is the two-sided normal probability', () => {
    // Abramowitz & Stegun, table 26.1.
    expect(Math.exp(lnRegularisedLowerGamma(0.5, 1.96 ** 2 / 2))).toBeCloseTo(0.950_004_209_703_559, 13);
    expect(Math.exp(lnRegularisedLowerGamma(0.5, 0.5))).toBeCloseTo(0.682_689_492_137_086, 13);
  });

  test('agrees with the Poisson distribution on both sides of the change of method', () => {
    for (const [a, x] of [
      [5, 5.9],
      [5, 6.1],
      [20, 12],
      [20, 45],
    ] as const) {
      expect(Math.exp(lnRegularisedLowerGamma(a, x))).toBeCloseTo(poissonTail(a, x), 13);
    }
  });

  test('is near one half at x = a for great a: 1/2 + 1 / (3 sqrt(2 pi a))', () => {
    for (const a of [1e4, 1e6, 1e8]) {
      const half = 0.5 + 1 / (3 * Math.sqrt(2 * Math.PI * a));

      expect(Math.abs(Math.exp(lnRegularisedLowerGamma(a, a)) - half)).toBeLessThan(1 / a);
    }
  });

  test('nothing lies below 0, and far tails keep their logarithm', () => {
    expect(lnRegularisedLowerGamma(3, 0)).toBe(Number.NEGATIVE_INFINITY);
    // x^a / (a Gamma(a)) (1 - a x / (a + 1)): P is near 1e-360.
    const [a, x] = [3, 1e-120];
    expect(lnRegularisedLowerGamma(a, x)).toBeCloseTo(a * Math.log(x) - Math.log(a) - lnGamma(a), 9);
  });

  test('the scaled function is P Gamma(a) e^x x^-a', () => {
    fc.assert(
      fc.property(positive(1e-3, 1e3), positive(1e-3, 1e3), (a, x) => {
        const expected = lnRegularisedLowerGamma(a, x) + lnGamma(a) + x - a * Math.log(x);
        const scale = 1 + Math.abs(x) + Math.abs(a * Math.log(x)) + Math.abs(lnGamma(a));

        expect(Math.abs(lnScaledLowerGamma(a, x) - expected)).toBeLessThan(1e-13 * scale);
      }),
    );
  });

  test('the scaled function obeys a g(a, x) = 1 + x g(a + 1, x), across both methods', () => {
    fc.assert(
      fc.property(positive(1e-2, 1e6), fc.double({ min: 0.5, max: 1.5, noNaN: true }), (a, share) => {
        const x = a * share;
        const left = Math.log(a) + lnScaledLowerGamma(a, x);
        const right = Math.log1p(x * Math.exp(lnScaledLowerGamma(a + 1, x)));
        fc.pre(Number.isFinite(right));

        expect(Math.abs(left - right)).toBeLessThan(1e-10 * Math.max(1, Math.abs(left)));
      }),
    );
  });
});
