import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  epsilonGreedyPropensities,
  fixedPropensities,
  squareCbPropensities,
  topTwoPropensities,
  withFloor,
} from '../../../src/statistics/index.ts';
import { referenceValues } from '../../helpers/reference-values.ts';

interface Reference {
  readonly tolerance_abs: number;
  readonly squarecb: readonly {
    readonly reward_hat: readonly number[];
    readonly gamma: number;
    readonly probs: readonly number[];
  }[];
  readonly top_two_thompson: readonly {
    readonly p_best: readonly number[];
    readonly beta: number;
    readonly top_two_ts_probs: readonly number[];
  }[];
}

const reference = referenceValues<Reference>('bandit_updates');

function expectNear(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, arm) => {
    expect(Math.abs(value - (expected[arm] ?? Number.NaN))).toBeLessThanOrEqual(tolerance);
  });
}

function expectPropensities(propensities: readonly number[]): void {
  for (const propensity of propensities) expect(propensity).toBeGreaterThanOrEqual(0);
  expect(Math.abs(propensities.reduce((sum, p) => sum + p, 0) - 1)).toBeLessThan(1e-12);
}

describe('reference values', () => {
  test.each(reference.squarecb)('inverse-gap weighting of $reward_hat with gamma $gamma', (row) => {
    const once = squareCbPropensities({ estimates: row.reward_hat, gammaScale: row.gamma, t: 1 });
    const later = squareCbPropensities({ estimates: row.reward_hat, gammaScale: row.gamma / 10, t: 100 });

    expectNear(once, row.probs, reference.tolerance_abs);
    expectNear(later, row.probs, reference.tolerance_abs);
  });

  test('the exponent says how fast squarecb sharpens: t ^ 0 not at all, t ^ 1 at once', () => {
    const at = (t: number, gammaExponent: number) =>
      squareCbPropensities({ estimates: [0, 1], gammaScale: 2, t, gammaExponent });

    expect(at(9, 0)).toEqual(at(1, 0.5));
    expect(at(9, 1)).toEqual(at(81, 0.5));
  });

  test.each(reference.top_two_thompson)('top two of $p_best', (row) => {
    expectNear(topTwoPropensities(row.p_best, row.beta), row.top_two_ts_probs, reference.tolerance_abs);
  });
});

const estimates = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 30 });
const share = fc.double({ min: 0, max: 1, noNaN: true });
const distribution = fc
  .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 })
  .filter((weights) => weights.some((weight) => weight > 1e-6))
  .map((weights) => fixedPropensities(weights));

describe('top-two Thompson sampling', () => {
  test('makes propensities of any probabilities of being best', () => {
    fc.assert(
      fc.property(distribution, share, (best, leaderShare) => {
        const propensities = topTwoPropensities(best, leaderShare);

        expectPropensities(propensities);
      }),
    );
  });

  test('with the leader always chosen is Thompson sampling', () => {
    fc.assert(
      fc.property(distribution, (best) => {
        expectNear(topTwoPropensities(best, 1), best, 1e-12);
      }),
    );
  });

  test('keeps its limit where one arm is best for certain', () => {
    expect(topTwoPropensities([1, 0, 0])).toEqual([0.5, 0.25, 0.25]);
    expectNear(topTwoPropensities([1, 3e-17, 1e-17]), [0.5, 0.375, 0.125], 1e-12);
    expect(topTwoPropensities([1])).toEqual([1]);
  });

  test('refuses what is no distribution', () => {
    expect(() => topTwoPropensities([0.5, 0.6])).toThrow('bestProbabilities must sum to 1');
    expect(() => topTwoPropensities([0.5, 0.5], 1.5)).toThrow(RangeError);
  });
});

describe('epsilon-greedy', () => {
  test('splits by hand: 0.1 over four arms, the rest on two equal ones', () => {
    expectNear(epsilonGreedyPropensities([0.3, 0.7, 0.7, 0], 0.1), [0.025, 0.475, 0.475, 0.025], 1e-15);
  });

  test('makes propensities of at least epsilon / K', () => {
    fc.assert(
      fc.property(estimates, share, (values, epsilon) => {
        const propensities = epsilonGreedyPropensities(values, epsilon);

        expectPropensities(propensities);
        for (const propensity of propensities) {
          expect(propensity).toBeGreaterThanOrEqual(epsilon / values.length);
        }
      }),
    );
  });

  test('refuses no arms, estimates that are no number, and epsilon above 1', () => {
    expect(() => epsilonGreedyPropensities([], 0.1)).toThrow(RangeError);
    expect(() => epsilonGreedyPropensities([1, Number.NaN], 0.1)).toThrow('estimates[1]');
    expect(() => epsilonGreedyPropensities([1], 1.1)).toThrow('epsilon');
  });
});

describe('fixed weights', () => {
  test('are divided by their sum, however great', () => {
    expect(fixedPropensities([1, 3])).toEqual([0.25, 0.75]);
    expect(fixedPropensities([1e308, 1e308])).toEqual([0.5, 0.5]);
    expect(fixedPropensities([0, 5e-324])).toEqual([0, 1]);
  });

  test('refuse negative ones, and none that is positive', () => {
    expect(() => fixedPropensities([1, -1])).toThrow('weights[1]');
    expect(() => fixedPropensities([0, 0])).toThrow(RangeError);
    expect(() => fixedPropensities([])).toThrow(RangeError);
  });
});

describe('inverse-gap weighting', () => {
  test('makes positive propensities in the order of the estimates', () => {
    fc.assert(
      fc.property(estimates, share, fc.integer({ min: 1, max: 1_000_000 }), (values, gammaScale, t) => {
        const propensities = squareCbPropensities({ estimates: values, gammaScale: 20 * gammaScale, t });

        expectPropensities(propensities);
        for (let i = 0; i < values.length; i += 1) {
          expect(propensities[i]).toBeGreaterThan(0);
          for (let j = 0; j < values.length; j += 1) {
            if ((values[i] ?? 0) > (values[j] ?? 0)) {
              expect(propensities[i]).toBeGreaterThanOrEqual((propensities[j] ?? 0) - 1e-12);
            }
          }
        }
      }),
    );
  });

  test('refuses t of 0 and a negative scale', () => {
    expect(() => squareCbPropensities({ estimates: [1, 2], gammaScale: 10, t: 0 })).toThrow('t must');
    expect(() => squareCbPropensities({ estimates: [1, 2], gammaScale: -1, t: 1 })).toThrow('gammaScale');
    expect(() => squareCbPropensities({ estimates: [1, 2], gammaScale: 1, t: 1, gammaExponent: 2 })).toThrow(
      'gammaExponent',
    );
  });
});

describe('the exploration floor', () => {
  test('is never undercut, not even by rounding, and keeps a sum of 1', () => {
    fc.assert(
      fc.property(distribution, share, (propensities, part) => {
        const floor = part / propensities.length;

        const floored = withFloor(propensities, floor);

        expectPropensities(floored);
        for (const propensity of floored) expect(propensity).toBeGreaterThanOrEqual(floor);
      }),
    );
  });

  test('of 1/K is the uniform policy for every number of arms', () => {
    for (let count = 1; count <= 60; count += 1) {
      const certain = Array.from({ length: count }, (_, arm) => (arm === 0 ? 1 : 0));

      expectNear(withFloor(certain, 1 / count), new Array<number>(count).fill(1 / count), 1e-15);
    }
  });

  test.each([
    ['above 1/K', [0.5, 0.5], 0.500_001],
    ['below 0', [0.5, 0.5], -0.01],
    ['that is no number', [0.5, 0.5], Number.NaN],
    ['of something that is no distribution', [0.5, 0.4], 0.1],
  ])('refuses a floor %s', (_what, propensities, floor) => {
    expect(() => withFloor(propensities, floor)).toThrow(RangeError);
  });
});
