import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { seededRandom } from '../../../src/kernel/index.ts';
import { lnRegularisedLowerGamma } from '../../../src/statistics/incomplete-gamma.ts';
import {
  type BetaPosterior,
  type GaussianPosterior,
  lnBeta,
  sampleBeta,
  thompsonPropensities,
  withFloor,
} from '../../../src/statistics/index.ts';
import { referenceValues } from '../../helpers/reference-values.ts';

interface Reference {
  readonly tolerance_abs: number;
  readonly p_best_beta: readonly {
    readonly posteriors: readonly (readonly [number, number])[];
    readonly p_best: readonly number[];
    readonly p_best_with_floor_0p05: readonly number[];
  }[];
  readonly p_best_gaussian: readonly {
    readonly posteriors_mean_var: readonly (readonly [number, number])[];
    readonly p_best: readonly number[];
  }[];
}

const reference = referenceValues<Reference>('bandit_updates');

const beta = (a: number, b: number): BetaPosterior => ({ kind: 'beta', a, b });
const gaussian = (mean: number, variance: number): GaussianPosterior => ({
  kind: 'gaussian',
  mean,
  variance,
});

function greatestDifference(left: readonly number[], right: readonly number[]): number {
  expect(left).toHaveLength(right.length);
  return Math.max(...left.map((value, index) => Math.abs(value - (right[index] ?? Number.NaN))));
}

/** P(Y > X) for X ~ Beta(a, b), Y ~ Beta(c, d) with whole c: a finite sum (Miller, "Formulas for Bayesian A/B testing"). */
function chanceToBeat([a, b]: readonly [number, number], [c, d]: readonly [number, number]): number {
  let sum = 0;
  for (let i = 0; i < c; i += 1)
    sum += Math.exp(lnBeta(a + i, b + d) - Math.log(d + i) - lnBeta(1 + i, d) - lnBeta(a, b));
  return sum;
}

function normalCdf(z: number): number {
  return (1 + Math.sign(z) * Math.exp(lnRegularisedLowerGamma(0.5, (z * z) / 2))) / 2;
}

describe('reference values', () => {
  test.each(reference.p_best_beta)('Beta posteriors $posteriors', (row) => {
    const propensities = thompsonPropensities(row.posteriors.map(([a, b]) => beta(a, b)));

    expect(greatestDifference(propensities, row.p_best)).toBeLessThanOrEqual(reference.tolerance_abs);
    expect(greatestDifference(withFloor(propensities, 0.05), row.p_best_with_floor_0p05)).toBeLessThanOrEqual(
      reference.tolerance_abs,
    );
  });

  test.each(reference.p_best_gaussian)('normal posteriors $posteriors_mean_var', (row) => {
    const propensities = thompsonPropensities(row.posteriors_mean_var.map(([m, v]) => gaussian(m, v)));

    expect(greatestDifference(propensities, row.p_best)).toBeLessThanOrEqual(reference.tolerance_abs);
  });
});

describe('closed forms', () => {
  test.each([
    { first: [0.5, 0.5], second: [3, 7] },
    { first: [0.01, 300], second: [2, 400] },
    { first: [0.001, 0.001], second: [1, 1] },
    { first: [0.001, 0.001], second: [1, 1e6] },
    { first: [0.001, 1e6], second: [1, 1] },
    { first: [300, 700], second: [30, 71] },
    { first: [1, 1e12], second: [1, 1e12] },
  ] as const)('Beta$first against Beta$second', ({ first: [a, b], second: [c, d] }) => {
    const [, propensity = Number.NaN] = thompsonPropensities([beta(a, b), beta(c, d)]);

    expect(Math.abs(propensity - chanceToBeat([a, b], [c, d]))).toBeLessThan(1e-9);
  });

  test('two normal posteriors: Phi of the standardised difference, for any scale', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -5, max: 5, noNaN: true }),
        fc.double({ min: -12, max: 12, noNaN: true }),
        fc.double({ min: -12, max: 12, noNaN: true }),
        (z, lnFirst, lnSecond) => {
          const [first, second] = [Math.exp(lnFirst), Math.exp(lnSecond)];
          const difference = z * Math.sqrt(first + second);

          const [propensity] = thompsonPropensities([gaussian(difference, first), gaussian(0, second)]);

          expect(Math.abs((propensity ?? Number.NaN) - normalCdf(z))).toBeLessThan(1e-10);
        },
      ),
    );
  });

  test('great counts look normal: a million rewards each', () => {
    const n = 1e6;
    const [first] = thompsonPropensities([beta(0.5 * n, 0.5 * n), beta(0.501 * n, 0.499 * n)]);

    expect(first).toBeCloseTo(normalCdf(-0.001 / Math.sqrt(0.5 / n)), 6);
  });

  test('equal posteriors share equally, from nothing seen to 1e12 rewards, up to 50 arms', () => {
    for (const [a, b] of [
      [1, 1],
      [2e6, 8e6],
      [3e11, 7e11],
      [0.001, 0.001],
    ] as const) {
      const propensities = thompsonPropensities(Array.from({ length: 50 }, () => beta(a, b)));

      expect(greatestDifference(propensities, new Array<number>(50).fill(0.02))).toBeLessThan(1e-12);
    }
  });

  test('a certainly best arm takes everything, without anything that is no number', () => {
    expect(thompsonPropensities([beta(9e6, 1e6), beta(1e6, 9e6), beta(1, 1e7)])).toEqual([1, 0, 0]);
    expect(thompsonPropensities([gaussian(1e9, 1e-30), gaussian(-1e9, 1e-30)])).toEqual([1, 0]);
    expect(thompsonPropensities([beta(1, 1)])).toEqual([1]);
  });

  test('a common shift of normal posteriors changes nothing, up to the digits that it costs', () => {
    const arms = [
      [0.1, 0.01],
      [0.2, 0.02],
      [0.15, 0.005],
    ] as const;
    const near = thompsonPropensities(arms.map(([mean, variance]) => gaussian(mean, variance)));
    const far = thompsonPropensities(arms.map(([mean, variance]) => gaussian(mean + 1e6, variance)));

    expect(greatestDifference(near, far)).toBeLessThan(1e-8);
  });

  test('posteriors narrower than the doubles around their mean still share equally', () => {
    const [first] = thompsonPropensities([gaussian(1e9, 1e-30), gaussian(1e9, 1e-30)]);

    expect(first).toBeCloseTo(0.5, 6);
  });
});

const shape = fc.double({ min: Math.log(0.05), max: Math.log(1e7), noNaN: true }).map(Math.exp);
const betas = fc.array(fc.tuple(shape, shape), { minLength: 1, maxLength: 8 });

describe('properties', () => {
  test('are probabilities that sum to 1', () => {
    fc.assert(
      fc.property(betas, (posteriors) => {
        const propensities = thompsonPropensities(posteriors.map(([a, b]) => beta(a, b)));

        for (const propensity of propensities) expect(propensity).toBeGreaterThanOrEqual(0);
        expect(Math.abs(propensities.reduce((sum, p) => sum + p, 0) - 1)).toBeLessThan(1e-12);
      }),
    );
  });

  test('do not depend on the order of the arms', () => {
    fc.assert(
      fc.property(betas, (posteriors) => {
        const forward = thompsonPropensities(posteriors.map(([a, b]) => beta(a, b)));
        const backward = thompsonPropensities([...posteriors].reverse().map(([a, b]) => beta(a, b)));

        expect(greatestDifference(forward, [...backward].reverse())).toBeLessThan(1e-12);
      }),
    );
  });

  test('give an arm more when it has earned more', () => {
    fc.assert(
      fc.property(shape, shape, betas, (a, b, others) => {
        const rest = others.map(([c, d]) => beta(c, d));
        const [before = 0] = thompsonPropensities([beta(a, b), ...rest]);
        const [after = 0] = thompsonPropensities([beta(a + 1, b), ...rest]);

        expect(after).toBeGreaterThanOrEqual(before - 1e-10);
      }),
    );
  });

  test('two arms: mirroring rewards exchanges them', () => {
    fc.assert(
      fc.property(shape, shape, shape, shape, (a, b, c, d) => {
        const [earned = 0] = thompsonPropensities([beta(a, b), beta(c, d)]);
        const [missed = 0] = thompsonPropensities([beta(b, a), beta(d, c)]);

        expect(Math.abs(earned + missed - 1)).toBeLessThan(1e-10);
      }),
    );
  });

  test('are how often a drawn mean is the greatest', () => {
    const posteriors = [beta(3, 9), beta(1, 2.5), beta(40, 120), beta(0.5, 0.5)];
    const propensities = thompsonPropensities(posteriors);
    const random = seededRandom(5);
    const draws = 20_000;
    const wins = posteriors.map(() => 0);
    for (let draw = 0; draw < draws; draw += 1) {
      const means = posteriors.map(({ a, b }) => sampleBeta(random, a, b));
      const best = means.indexOf(Math.max(...means));
      wins[best] = (wins[best] ?? 0) + 1;
    }

    propensities.forEach((p, arm) => {
      expect(Math.abs((wins[arm] ?? 0) / draws - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / draws));
    });
  });
});

describe('refusals', () => {
  test.each([
    ['no arms', []],
    ['51 arms', Array.from({ length: 51 }, () => beta(1, 1))],
    ['mixed kinds', [beta(1, 1), gaussian(0, 1)]],
    ['a of 0', [beta(0, 1)]],
    ['b that is no number', [beta(1, Number.NaN)]],
    ['an infinite mean', [gaussian(Number.POSITIVE_INFINITY, 1)]],
    ['a variance of 0', [gaussian(0, 0)]],
  ])('refuses %s', (_what, posteriors) => {
    expect(() => thompsonPropensities(posteriors)).toThrow(RangeError);
  });
});
