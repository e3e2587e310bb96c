import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { assignmentBucket, bucketedPropensities, chooseByWeights } from '../../../src/statistics/index.ts';
import { referenceValues } from '../../helpers/reference-values.ts';

interface Reference {
  readonly cases: readonly {
    readonly key: string;
    readonly seed: string;
    readonly weights: readonly number[];
    readonly coverage: number;
    readonly rows: readonly {
      readonly id: string;
      readonly inExperiment: boolean;
      readonly variationId: number;
      readonly bucket: number | null;
    }[];
  }[];
}

const reference = referenceValues<Reference>('growthbook_bucketing');

const weightsSummingToOne = fc
  .array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1, maxLength: 20 })
  .filter((weights) => weights.some((weight) => weight > 0))
  .map((weights) => {
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return weights.map((weight) => weight / sum);
  });

const allBuckets = Array.from({ length: 10_000 }, (_, index) => index / 10_000);

describe('buckets and arms of the published SDK', () => {
  test.each(reference.cases)('$key with weights $weights, coverage $coverage', (experiment) => {
    expect(experiment.rows).toHaveLength(60);
    for (const row of experiment.rows) {
      const bucket = assignmentBucket(experiment.seed, row.id);
      const arm = bucket === null ? null : chooseByWeights(bucket, experiment.weights, experiment.coverage);

      expect({ id: row.id, arm }).toEqual({ id: row.id, arm: row.inExperiment ? row.variationId : null });
      if (row.bucket !== null) expect({ id: row.id, bucket }).toEqual({ id: row.id, bucket: row.bucket });
    }
  });
});

describe('the bucket of a unit', () => {
  test('does not exist for the empty unit', () => {
    expect(assignmentBucket('seed', '')).toBeNull();
  });

  test('is one of 10,000, and the units fill them evenly under every seed', () => {
    for (const seed of ['a', 'tips-2026', '日本']) {
      const perTenth = new Array<number>(10).fill(0);
      for (let unit = 0; unit < 20_000; unit += 1) {
        const tenth = Math.floor(10 * (assignmentBucket(seed, `user-${unit}`) ?? Number.NaN));
        perTenth[tenth] = (perTenth[tenth] ?? 0) + 1;
      }
      const chiSquared = perTenth.reduce((sum, count) => sum + (count - 2_000) ** 2 / 2_000, 0);

      // 99.99 % of chi-squared with 9 degrees of freedom.
      expect(chiSquared).toBeLessThan(33.7);
    }
  });

  test('of another seed says nothing about this one', () => {
    let both = 0;
    for (let unit = 0; unit < 20_000; unit += 1) {
      const first = assignmentBucket('one', `user-${unit}`) ?? 0;
      const second = assignmentBucket('two', `user-${unit}`) ?? 0;
      if (first < 0.5 && second < 0.5) both += 1;
    }

    // Binomial with 1/4: 4 standard deviations.
    expect(Math.abs(both - 5_000)).toBeLessThan(4 * Math.sqrt((20_000 * 3) / 16));
  });
});

describe('choosing by weights', () => {
  test('gives every arm exactly the buckets that its weight says', () => {
    const weights = [0.1, 0.2, 0.3, 0.4];
    const counts = [0, 0, 0, 0];
    for (const u of allBuckets) {
      const arm = chooseByWeights(u, weights) ?? -1;
      counts[arm] = (counts[arm] ?? 0) + 1;
    }

    expect(counts).toEqual([1_000, 2_000, 3_000, 4_000]);
  });

  test('leaves nobody out when the weights sum to 1 up to rounding, and never chooses an arm of weight 0', () => {
    fc.assert(
      fc.property(
        weightsSummingToOne,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (weights, u) => {
          const arm = chooseByWeights(u, weights);

          expect(arm).not.toBeNull();
          expect(weights[arm ?? -1]).toBeGreaterThan(0);
        },
      ),
    );
  });

  test('moves nobody between arms when coverage grows', () => {
    fc.assert(
      fc.property(
        weightsSummingToOne,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (weights, u, coverage) => {
          const covered = chooseByWeights(u, weights, coverage);
          fc.pre(covered !== null);

          expect(chooseByWeights(u, weights)).toBe(covered);
        },
      ),
    );
  });

  test('leaves out what weights below 1 do not claim', () => {
    expect(chooseByWeights(0.29, [0.1, 0.2])).toBe(1);
    expect(chooseByWeights(0.3, [0.1, 0.2])).toBeNull();
  });

  test.each([
    ['u of 1', 1, [1], 1],
    ['u that is no number', Number.NaN, [1], 1],
    ['a negative weight', 0.5, [1.5, -0.5], 1],
    ['weights of more than 1', 0.5, [0.7, 0.7], 1],
    ['coverage above 1', 0.5, [1], 1.1],
  ])('refuses %s', (_what, u, weights, coverage) => {
    expect(() => chooseByWeights(u, weights, coverage)).toThrow(RangeError);
  });
});

describe('propensities in whole buckets', () => {
  test('are what the hash delivers, to the last bucket', () => {
    fc.assert(
      fc.property(weightsSummingToOne, (weights) => {
        const propensities = bucketedPropensities(weights);
        const counts = propensities.map(() => 0);
        for (const u of allBuckets) {
          const arm = chooseByWeights(u, propensities) ?? -1;
          counts[arm] = (counts[arm] ?? 0) + 1;
        }

        expect(counts.map((count) => count / 10_000)).toEqual(propensities);
        propensities.forEach((propensity, arm) => {
          expect(Math.abs(propensity - (weights[arm] ?? 0))).toBeLessThan(1.000_001e-4);
        });
      }),
      { numRuns: 30 },
    );
  });

  test('keep a floor that is no whole number of buckets', () => {
    const propensities = bucketedPropensities([0.033_33, 0.033_33, 0.933_34], 0.033_33);

    expect(propensities).toEqual([0.0334, 0.0334, 0.9332]);
  });

  test('share out what rounding leaves by the largest remainders', () => {
    expect(bucketedPropensities([1 / 3, 1 / 3, 1 / 3])).toEqual([0.3334, 0.3333, 0.3333]);
    expect(bucketedPropensities([0.999_96, 0.000_04])).toEqual([1, 0]);
  });

  test('refuse a floor that does not fit', () => {
    expect(() => bucketedPropensities([1 / 3, 1 / 3, 1 / 3], 0.3334)).toThrow(RangeError);
  });
});
