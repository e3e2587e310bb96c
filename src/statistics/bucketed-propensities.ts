import { BUCKETS } from './assignment-bucket.ts';
import { assertDistribution } from './distribution.ts';

/** A share this close above a whole number of buckets is that number: 0.02 * 10,000 is 200.00000000000003 to a computer. */
const ROUNDING_BUCKETS = 1e-9;

/**
 * The nearest propensities that an {@link BUCKETS}-bucket hash can deliver: multiples of 1e-4 that sum to 1. An arm with
 * propensity 0.02034 would be logged with a probability that no unit was ever assigned by; rounding first makes the
 * logged propensity the true one. Largest remainders (Hamilton's method); no arm with propensity at or above `floor`
 * falls below `floor` rounded up to a bucket, at the expense of the others. RangeError if that floor does not fit.
 * O(K^2) at worst, for K arms.
 */
export function bucketedPropensities(propensities: readonly number[], floor = 0): readonly number[] {
  assertDistribution(propensities, 'propensities');
  const floorBuckets = Math.ceil(floor * BUCKETS - ROUNDING_BUCKETS);
  if (!(floorBuckets >= 0 && floorBuckets * propensities.length <= BUCKETS)) {
    throw new RangeError(`floor must be within [0, 1/K] in whole buckets of ${1 / BUCKETS}, got ${floor}.`);
  }
  const shares = propensities.map((propensity) => propensity * BUCKETS);
  const least = shares.map((share) => (share < floor * BUCKETS - ROUNDING_BUCKETS ? 0 : floorBuckets));
  const buckets = shares.map((share, arm) => Math.max(Math.floor(share + ROUNDING_BUCKETS), least[arm] ?? 0));
  let missing = BUCKETS - buckets.reduce((sum, count) => sum + count, 0);
  while (missing !== 0) {
    const step = Math.sign(missing);
    const arm = mostIn(propensities.length, (index) => {
      const count = buckets[index] ?? 0;
      if (step < 0 && count <= (least[index] ?? 0)) return Number.NEGATIVE_INFINITY;
      return step * ((shares[index] ?? 0) - count);
    });
    buckets[arm] = (buckets[arm] ?? 0) + step;
    missing -= step;
  }
  return buckets.map((count) => count / BUCKETS);
}

/** The index in [0, length) where `valueAt` is greatest, the first of equals. */
function mostIn(length: number, valueAt: (index: number) => number): number {
  let best = 0;
  for (let index = 1; index < length; index += 1) if (valueAt(index) > valueAt(best)) best = index;
  return best;
}
