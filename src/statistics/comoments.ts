/** Means and co-moments of several numbers per row. Plain data. */
export interface Comoments {
  readonly n: number;
  readonly means: readonly number[];
  /** Sums of products of deviations: the lower triangle, row by row. */
  readonly products: readonly number[];
}

export function noComoments(size: number): Comoments {
  return {
    n: 0,
    means: new Array<number>(size).fill(0),
    products: new Array<number>((size * (size + 1)) / 2).fill(0),
  };
}

/**
 * One more row. Welford's update (Technometrics 4, 1962) for several columns: no sums of squares, whose difference would
 * have lost its digits after millions of rows. O(size^2).
 */
export function foldRow(moments: Comoments, row: readonly number[]): Comoments {
  const n = moments.n + 1;
  const before = row.map((value, i) => value - (moments.means[i] ?? 0));
  const means = moments.means.map((mean, i) => mean + (before[i] ?? 0) / n);
  const products = [...moments.products];
  for (let i = 0, at = 0; i < row.length; i += 1) {
    const after = (row[i] ?? 0) - (means[i] ?? 0);
    for (let j = 0; j <= i; j += 1, at += 1) products[at] = (products[at] ?? 0) + after * (before[j] ?? 0);
  }
  return { n, means, products };
}

/** Rows whose numbers are all `intercept + slope * x`, told by the sums of x alone. */
export interface LinearRows {
  readonly intercepts: readonly number[];
  readonly slopes: readonly number[];
  /** At least one row; `sumOfSquares` of x. */
  readonly n: number;
  readonly sum: number;
  readonly sumOfSquares: number;
}

/**
 * As {@link foldRow} for each of the rows, in any order, up to rounding: merges two sets by their means and co-moments
 * (Chan, Golub, LeVeque, COMPSTAT 1982). O(size^2), whatever the number of rows.
 */
export function foldLinearRows(moments: Comoments, rows: LinearRows): Comoments {
  const { intercepts, slopes, n: count, sum, sumOfSquares } = rows;
  const n = moments.n + count;
  const mean = sum / count;
  // Rounding may leave a little less than nothing.
  const spread = Math.max(0, sumOfSquares - sum * mean);
  const deltas = moments.means.map((known, i) => (intercepts[i] ?? 0) + (slopes[i] ?? 0) * mean - known);
  const means = moments.means.map((known, i) => known + ((deltas[i] ?? 0) * count) / n);
  const between = (moments.n * count) / n;
  const products = [...moments.products];
  for (let i = 0, at = 0; i < deltas.length; i += 1) {
    for (let j = 0; j <= i; j += 1, at += 1) {
      products[at] =
        (products[at] ?? 0) +
        (slopes[i] ?? 0) * (slopes[j] ?? 0) * spread +
        (deltas[i] ?? 0) * (deltas[j] ?? 0) * between;
    }
  }
  return { n, means, products };
}

/**
 * Standard error of a smooth function of the means, given its gradient there: sqrt(g' S g / n) with S the sample
 * covariance (delta method; van der Vaart, Asymptotic Statistics, 3.1). Null below two rows. O(size^2).
 */
export function standardError({ n, products }: Comoments, gradient: readonly number[]): number | null {
  if (n < 2) return null;
  let sum = 0;
  for (let i = 0, at = 0; i < gradient.length; i += 1) {
    for (let j = 0; j <= i; j += 1, at += 1) {
      const twice = i === j ? 1 : 2;
      sum += twice * (gradient[i] ?? 0) * (gradient[j] ?? 0) * (products[at] ?? 0);
    }
  }
  return Math.sqrt(Math.max(0, sum) / (n - 1) / n);
}
