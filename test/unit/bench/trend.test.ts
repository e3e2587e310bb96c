import { describe, expect, test } from '@jest/globals';
import { trendOf } from '../../../bench/harness/trend.ts';

describe('the trend of samples', () => {
  test('of a straight line is its slope, without error', () => {
    const { slope, standardError } = trendOf([1, 2, 3, 4].map((x) => ({ x, y: 3 * x - 1 })));

    expect(slope).toBeCloseTo(3, 12);
    expect(standardError).toBeCloseTo(0, 12);
  });

  test('has the error that a computation by hand finds', () => {
    // Means 2 and 7/3; Sxx 2, Sxy 1; residuals 1/6, -1/3, 1/6 with sum of squares 1/6.
    const { slope, standardError } = trendOf([
      { x: 1, y: 2 },
      { x: 2, y: 2 },
      { x: 3, y: 3 },
    ]);

    expect(slope).toBeCloseTo(0.5, 12);
    expect(standardError).toBeCloseTo(Math.sqrt(1 / 6 / 2), 12);
  });

  test('of many samples is the same line, and does not take likeness of neighbours for certainty', () => {
    const wave = Array.from({ length: 2_400 }, (_, x) => ({ x, y: 0.01 * x + Math.sin(x / 200) }));
    const naive = Math.sqrt(0.5 / wave.length / (2_400 ** 2 / 12));

    const { slope, standardError } = trendOf(wave);

    expect(Math.abs(slope - 0.01)).toBeLessThan(3 * standardError);
    expect(standardError).toBeGreaterThan(3 * naive);
  });

  test('of fewer than three samples is not known', () => {
    expect(trendOf([{ x: 1, y: 1 }]).slope).toBeNaN();
    expect(
      trendOf([
        { x: 1, y: Number.NaN },
        { x: 2, y: 1 },
        { x: 3, y: 1 },
      ]).slope,
    ).toBeNaN();
  });
});
