/**
 * A sum as an unevaluated pair of doubles, |low| at most half a unit in the last place of high: about 106 significant
 * bits. Adding and later subtracting the same rewards gives back the same pair unless their magnitudes differ by more
 * than 2^50, so a rollup cell may be corrected for ever without drifting from its raw rows.
 */
export interface ExactSum {
  readonly high: number;
  readonly low: number;
}

export const ZERO_SUM: ExactSum = { high: 0, low: 0 };

/** `sum + value`: Knuth's TwoSum, then Dekker's FastTwoSum (T. J. Dekker, 1971; D. E. Knuth, TAOCP 2, 4.2.2). */
export function addExactly(sum: ExactSum, value: number): ExactSum {
  const total = sum.high + value;
  const part = total - sum.high;
  const error = sum.high - (total - part) + (value - part) + sum.low;
  const high = total + error;
  return { high, low: error - (high - total) };
}
