import { describe, expect, test } from '@jest/globals';
import { asymptoticInterval } from '../../../src/statistics/index.ts';
import { referenceValues } from '../../helpers/reference-values.ts';

interface Reference {
  readonly tolerance_rel: number;
  readonly asymptotic: readonly {
    readonly n: number;
    readonly mean: number;
    readonly variance: number;
    readonly alpha: number;
    readonly t_opt: number;
    readonly margin_gaussian_std: number;
  }[];
}

describe('the asymptotic confidence sequence', () => {
  const { asymptotic, tolerance_rel } = referenceValues<Reference>('cs_asymptotic');

  test.each(asymptotic)('is that of the reference: n $n, mean $mean, alpha $alpha, best at $t_opt', (row) => {
    const { n, mean, variance, alpha } = row;
    const interval = asymptoticInterval({
      n,
      sum: n * mean,
      sumOfSquares: n * (variance + mean * mean),
      alpha,
      bestAt: row.t_opt,
    });

    const margin = ((interval?.upper ?? 0) - (interval?.lower ?? 0)) / 2;
    expect(Math.abs(margin / row.margin_gaussian_std - 1)).toBeLessThan(10 * tolerance_rel);
    expect(((interval?.upper ?? 0) + (interval?.lower ?? 0)) / 2).toBeCloseTo(mean, 9);
  });

  test('has no width where nothing varies, and does not exist for one observation', () => {
    const same = asymptoticInterval({ n: 3, sum: 0.3, sumOfSquares: 0.03, alpha: 0.05 });

    expect(same?.upper ?? 1).toBeCloseTo(0.1, 6);
    expect(same?.lower ?? 0).toBeCloseTo(0.1, 6);
    expect(asymptoticInterval({ n: 1, sum: 1, sumOfSquares: 1, alpha: 0.05 })).toBeNull();
  });

  test.each([0, 1, -0.1, Number.NaN])('refuses alpha %s', (alpha) => {
    expect(() => asymptoticInterval({ n: 9, sum: 1, sumOfSquares: 1, alpha })).toThrow(/alpha/);
  });
});
