/** One look at a quantity while something is counted up. */
export interface TrendPoint {
  readonly x: number;
  readonly y: number;
}

export interface Trend {
  /** Change of `y` per unit of `x`. */
  readonly slope: number;
  readonly standardError: number;
}

/** Looks that follow each other are alike: means of this many stretches are nearly independent, single looks are not. */
const STRETCHES = 24;

/**
 * Least-squares line through the points, with the standard error of its slope (Draper and Smith, "Applied Regression
 * Analysis", 1998, section 1.4). Points in the order of `x`; more than {@link STRETCHES} are first put together by
 * stretches. NaN of fewer than three.
 */
export function trendOf(points: readonly TrendPoint[]): Trend {
  const means = stretchMeans(points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)));
  const n = means.length;
  if (n < 3) return { slope: Number.NaN, standardError: Number.NaN };
  const meanX = mean(means.map(({ x }) => x));
  const meanY = mean(means.map(({ y }) => y));
  let sumXx = 0;
  let sumXy = 0;
  for (const { x, y } of means) {
    sumXx += (x - meanX) ** 2;
    sumXy += (x - meanX) * (y - meanY);
  }
  const slope = sumXy / sumXx;
  let sumSquares = 0;
  for (const { x, y } of means) sumSquares += (y - meanY - slope * (x - meanX)) ** 2;
  return { slope, standardError: Math.sqrt(sumSquares / (n - 2) / sumXx) };
}

function stretchMeans(points: readonly TrendPoint[]): readonly TrendPoint[] {
  if (points.length <= STRETCHES) return points;
  return Array.from({ length: STRETCHES }, (_, stretch) => {
    const from = Math.floor((stretch * points.length) / STRETCHES);
    const to = Math.floor(((stretch + 1) * points.length) / STRETCHES);
    const inside = points.slice(from, to);
    return { x: mean(inside.map(({ x }) => x)), y: mean(inside.map(({ y }) => y)) };
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
