/** What a quantity can never leave; null: no end. */
export interface ValueLimits {
  readonly min: number | null;
  readonly max: number | null;
}

const MARGIN_SHARE = 0.1;

/**
 * From a little below the least value to a little above the greatest, and never beyond what the quantity can be. A single
 * value stands between nothing and its double: how little it varies is not known.
 */
export function shownValueRange(
  least: number | null,
  most: number | null,
  limits: ValueLimits,
): [min: number, max: number] {
  const [low, high] = [least ?? 0, most ?? 0];
  const margin = high > low ? (high - low) * MARGIN_SHARE : Math.abs(high) || 1;
  const min = Math.max(low - margin, limits.min ?? Number.NEGATIVE_INFINITY);
  const max = Math.min(high + margin, limits.max ?? Number.POSITIVE_INFINITY);
  // Values from before the limits were declared lie beyond them: they are drawn where they are.
  return [Math.min(min, low), Math.max(max, high)];
}
