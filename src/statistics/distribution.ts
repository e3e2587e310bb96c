// Short names: formulas read like their sources, and no lookup of a global in a hot loop.
const { abs } = Math;

/** Logged probabilities have been through JSON and may have been rounded to a few digits. */
const SUM_TOLERANCE = 1e-6;

/**
 * Throws a RangeError that names `what` unless `values` are probabilities: at least one, each finite and not negative,
 * their sum 1 within 1e-6.
 */
export function assertDistribution(values: readonly number[], what: string): void {
  if (values.length === 0) throw new RangeError(`${what} must not be empty.`);
  let sum = 0;
  for (let arm = 0; arm < values.length; arm += 1) {
    const value = values[arm] ?? Number.NaN;
    if (!(value >= 0 && value <= 1 + SUM_TOLERANCE)) {
      throw new RangeError(`${what}[${arm}] must be within [0, 1], got ${value}.`);
    }
    sum += value;
  }
  if (!(abs(sum - 1) <= SUM_TOLERANCE)) throw new RangeError(`${what} must sum to 1, got ${sum}.`);
}

/** `values` divided by their sum: non-negative weights become probabilities that sum to 1 within rounding. */
export function normalised(values: readonly number[]): readonly number[] {
  let sum = 0;
  for (const value of values) sum += value;
  return values.map((value) => value / sum);
}
