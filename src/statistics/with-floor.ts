import { assertDistribution, normalised } from './distribution.ts';

/**
 * Propensities of at least `floor`: p' = floor + (1 - K floor) p. Mixing instead of clipping keeps the order and never
 * falls below the floor, so weights 1/p' are bounded by 1/floor. `floor` in [0, 1/K]; RangeError else. O(K).
 */
export function withFloor(propensities: readonly number[], floor: number): readonly number[] {
  assertDistribution(propensities, 'propensities');
  const count = propensities.length;
  // 1/K itself is allowed although K * (1/K) may exceed 1 by rounding.
  if (!(floor >= 0 && (floor * count <= 1 || floor <= 1 / count))) {
    throw new RangeError(`floor must be within [0, 1/${count}] for ${count} arms, got ${floor}.`);
  }
  const rest = Math.max(0, 1 - count * floor);
  return normalised(propensities).map((propensity) => floor + rest * propensity);
}
