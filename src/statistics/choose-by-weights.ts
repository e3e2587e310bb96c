// Short names: formulas read like their sources, and no lookup of a global in a hot loop.
const { round } = Math;

/** Cumulated weights carry rounding of about 1e-16 per arm: an end this close to a bucket is that bucket. */
const SNAP_PER_UNIT = 1e12;

/** Weights that sum to 1 within this leave no unit without an arm. */
const SUM_TOLERANCE = 1e-9;

/**
 * The arm whose range holds `u`, a uniform number in [0, 1): arm i owns [start_i, start_i + coverage * weight_i) with
 * start_i the sum of the weights before it, as GrowthBook's SDKs lay them out, so that a change of coverage moves
 * nobody between arms. Null where no range holds u, which happens only with `coverage` or a sum of weights below 1.
 *
 * Ends are rounded to 1e-12, so that 0.1 + 0.2 ends where the bucket 0.3 begins: arms then own exactly the number of
 * buckets that their weights say. RangeError on weights that are negative, no number, or sum to more than 1. O(arms).
 */
export function chooseByWeights(u: number, weights: readonly number[], coverage = 1): number | null {
  if (!(u >= 0 && u < 1)) throw new RangeError(`u must be within [0, 1), got ${u}.`);
  if (!(coverage >= 0 && coverage <= 1)) {
    throw new RangeError(`coverage must be within [0, 1], got ${coverage}.`);
  }
  let start = 0;
  let chosen: number | null = null;
  let lastWithWeight: number | null = null;
  for (let arm = 0; arm < weights.length; arm += 1) {
    const weight = weights[arm] ?? Number.NaN;
    if (!(weight >= 0)) throw new RangeError(`weights[${arm}] must not be negative, got ${weight}.`);
    if (u >= snapped(start) && u < snapped(start + coverage * weight)) chosen ??= arm;
    if (weight > 0) lastWithWeight = arm;
    start += weight;
  }
  if (start > 1 + SUM_TOLERANCE) throw new RangeError(`weights must not sum to more than 1, got ${start}.`);
  // What rounding left over at the upper end belongs to the last arm that has any weight.
  return coverage === 1 && start >= 1 - SUM_TOLERANCE ? (chosen ?? lastWithWeight) : chosen;
}

function snapped(end: number): number {
  return round(end * SNAP_PER_UNIT) / SNAP_PER_UNIT;
}
