import { normalised } from './distribution.ts';

/** Weights in any unit, as propensities: divided by their sum. RangeError unless finite, not negative, one positive. O(K). */
export function fixedPropensities(weights: readonly number[]): readonly number[] {
  weights.forEach((weight, arm) => {
    if (!(weight >= 0 && Number.isFinite(weight))) {
      throw new RangeError(`weights[${arm}] must be finite and not negative, got ${weight}.`);
    }
  });
  const largest = Math.max(0, ...weights);
  if (largest === 0) throw new RangeError('weights must have a positive one.');
  // First to [0, 1]: a sum of very large weights would be Infinity.
  return normalised(weights.map((weight) => weight / largest));
}
