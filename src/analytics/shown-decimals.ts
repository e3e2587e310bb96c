/** Decimals that show of every value on which side of 0 it is; at least 2, at most 9. */
export function shownDecimals(values: readonly number[]): number {
  const smallest = Math.min(...values.map(Math.abs).filter((value) => value > 0), 1);
  return Math.min(9, Math.max(2, Math.ceil(-Math.log10(smallest))));
}
