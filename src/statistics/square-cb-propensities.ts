interface SquareCbInput {
  /** Predicted reward of each arm in this context, in [0, 1] or on its scale. */
  readonly estimates: readonly number[];
  /** Grows exploitation: 10 is a usual start. At least 0; 0 is uniform. */
  readonly gammaScale: number;
  /** Decisions so far, this one included: at least 1. */
  readonly t: number;
  /** How fast gamma grows, within [0, 1]; 0.5, the paper's rate, by default. */
  readonly gammaExponent?: number;
}

/**
 * SquareCB's inverse-gap weighting (Foster & Rakhlin, ICML 2020): p_a = 1 / (K + gamma (y_best - y_a)) for every arm but
 * the best, which gets the rest; gamma = gammaScale t^gammaExponent. Works with any regression, and every propensity is
 * positive. The first of equal estimates counts as best; ties get 1/K all the same. RangeError on numbers out of
 * range. O(K).
 */
export function squareCbPropensities({
  estimates,
  gammaScale,
  t,
  gammaExponent = 0.5,
}: SquareCbInput): readonly number[] {
  const count = estimates.length;
  if (count === 0) throw new RangeError('estimates must not be empty.');
  if (!(gammaScale >= 0 && Number.isFinite(gammaScale))) {
    throw new RangeError(`gammaScale must be finite and not negative, got ${gammaScale}.`);
  }
  if (!(t >= 1 && Number.isFinite(t))) throw new RangeError(`t must be at least 1, got ${t}.`);
  if (!(gammaExponent >= 0 && gammaExponent <= 1)) {
    throw new RangeError(`gammaExponent must be within [0, 1], got ${gammaExponent}.`);
  }
  estimates.forEach((estimate, arm) => {
    if (!Number.isFinite(estimate))
      throw new RangeError(`estimates[${arm}] must be finite, got ${estimate}.`);
  });
  const gamma = gammaScale * t ** gammaExponent;
  const top = Math.max(...estimates);
  const best = estimates.indexOf(top);
  const propensities = estimates.map((estimate) => 1 / (count + gamma * (top - estimate)));
  let others = 0;
  for (let arm = 0; arm < count; arm += 1) if (arm !== best) others += propensities[arm] ?? 0;
  propensities[best] = 1 - others;
  return propensities;
}
