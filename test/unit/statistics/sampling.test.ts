import { describe, expect, test } from '@jest/globals';
import { type Random, seededRandom } from '../../../src/kernel/index.ts';
import { lnRegularisedLowerGamma } from '../../../src/statistics/incomplete-gamma.ts';
import { sampleBeta, sampleGamma, sampleNormal } from '../../../src/statistics/index.ts';

const DRAWS = 20_000;

/** Kolmogorov-Smirnov distance of DRAWS numbers from a distribution; below this in 99.99 % of samples. */
const GREATEST_DISTANCE = 2.23 / Math.sqrt(DRAWS);

function distanceFrom(cdf: (x: number) => number, draw: (random: Random) => number, seed: number): number {
  const random = seededRandom(seed);
  const numbers = Array.from({ length: DRAWS }, () => draw(random)).sort((x, y) => x - y);
  return numbers.reduce((distance, x, index) => {
    const below = cdf(x);
    return Math.max(distance, Math.abs(below - index / DRAWS), Math.abs(below - (index + 1) / DRAWS));
  }, 0);
}

const normalCdf = (z: number): number =>
  (1 + Math.sign(z) * Math.exp(lnRegularisedLowerGamma(0.5, (z * z) / 2))) / 2;

describe('samplers', () => {
  test('normal numbers are normal', () => {
    expect(distanceFrom(normalCdf, sampleNormal, 1)).toBeLessThan(GREATEST_DISTANCE);
  });

  test.each([0.05, 0.5, 1, 3.7, 1_000])('gamma numbers of shape %d are gamma', (shape) => {
    const cdf = (x: number): number => Math.exp(lnRegularisedLowerGamma(shape, x));

    expect(distanceFrom(cdf, (random) => sampleGamma(random, shape), 2)).toBeLessThan(GREATEST_DISTANCE);
  });

  test('beta numbers with b = 1 follow x^a', () => {
    for (const a of [0.3, 1, 8]) {
      const cdf = (x: number): number => x ** a;

      expect(distanceFrom(cdf, (random) => sampleBeta(random, a, 1), 3)).toBeLessThan(GREATEST_DISTANCE);
    }
  });

  test('beta numbers of shapes near 0 stay numbers within [0, 1]', () => {
    const random = seededRandom(4);
    const numbers = Array.from({ length: 1_000 }, () => sampleBeta(random, 0.001, 0.001));

    expect(numbers.every((x) => x >= 0 && x <= 1)).toBe(true);
    // Binomial with 1/2: 4 standard deviations.
    expect(Math.abs(numbers.filter((x) => x > 0.5).length - 500)).toBeLessThan(4 * Math.sqrt(250));
  });

  test('the same seed draws the same numbers', () => {
    expect(sampleBeta(seededRandom(9), 2, 3)).toBe(sampleBeta(seededRandom(9), 2, 3));
  });

  test('survive a generator that returns 0', () => {
    let calls = 0;
    const random: Random = { next: () => [0, 0.9, 0.3, 0.6][calls++ % 4] ?? 0 };

    expect(Number.isFinite(sampleGamma(random, 0.5))).toBe(true);
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuse a shape of %d', (shape) => {
    expect(() => sampleGamma(seededRandom(1), shape)).toThrow(RangeError);
  });
});
