import type { MetricConfig } from '../config/index.ts';
import type { Interval, RewardTotal } from '../statistics/index.ts';
import type { RewardSums } from './report-reader.ts';

/** Smallest and largest reward a metric can bring: the interval arithmetic maps it onto [0, 1] and back. */
export interface MetricScale {
  readonly min: number;
  readonly max: number;
}

/** Relative error that a sum of millions of doubles may carry. */
const ROUNDING = 1e-9;

/**
 * The scale of a metric. Boolean and categorical rewards within [0, 1] keep [0, 1]; wider categories take the range of
 * their declared values. With `missing: zero` a silent generation earns 0, so 0 belongs to the scale.
 */
export function metricScale(metric: MetricConfig): MetricScale {
  const declared = declaredScale(metric);
  return metric.missing === 'zero'
    ? { min: Math.min(declared.min, 0), max: Math.max(declared.max, 0) }
    : declared;
}

function declaredScale(metric: MetricConfig): MetricScale {
  switch (metric.type) {
    case 'boolean':
      return { min: 0, max: 1 };
    case 'float':
      return { min: metric.min, max: metric.max };
    case 'categorical': {
      const rewards = Object.values(metric.values);
      const min = Math.min(...rewards);
      const max = Math.max(...rewards);
      return min >= 0 && max <= 1 ? { min: 0, max: 1 } : { min, max };
    }
    default:
      return metric satisfies never;
  }
}

/** A value that an outcome of the metric may have, as callers write it. */
export function exampleValue(metric: MetricConfig): boolean | number | string {
  switch (metric.type) {
    case 'boolean':
      return true;
    case 'float':
      return metric.max;
    case 'categorical':
      return Object.keys(metric.values)[0] ?? '';
    default:
      return metric satisfies never;
  }
}

/**
 * Count and sum on [0, 1], or null when some reward cannot have come from this scale (the metric's declaration was
 * changed after rewards were recorded): no interval is valid then. `n` may exceed `sums.n` by generations that earn 0.
 *
 * A reward outside is noticed by x^2 <= x, which holds on [0, 1] only, as well as by the sum itself.
 */
export function rescaledTotal(n: number, sums: RewardSums, scale: MetricScale): RewardTotal | null {
  const width = scale.max - scale.min;
  if (n === 0) return { n: 0, sum: 0 };
  if (width === 0) {
    const isConstant = Math.abs(sums.sum - n * scale.min) <= ROUNDING * n * Math.max(1, Math.abs(scale.min));
    return isConstant ? { n, sum: 0 } : null;
  }
  const sum = (sums.sum - n * scale.min) / width;
  const sumOfSquares =
    (sums.sumOfSquares - 2 * scale.min * sums.sum + n * scale.min * scale.min) / (width * width);
  // A scale far from 0 in units of its width loses that many digits, twice over in the squares.
  const offset = Math.max(Math.abs(scale.min), Math.abs(scale.max)) / width;
  const slack = ROUNDING * n * Math.max(1, offset * offset);
  if (sum < -slack || sum > n + slack || sumOfSquares > sum + slack) return null;
  return { n, sum: Math.min(n, Math.max(0, sum)) };
}

/** An interval on [0, 1] in the metric's own numbers. */
export function onScale(interval: Interval, scale: MetricScale): Interval {
  const width = scale.max - scale.min;
  return { lower: scale.min + interval.lower * width, upper: scale.min + interval.upper * width };
}

/** A difference of two means on [0, 1] in the metric's own numbers. */
export function differenceOnScale(interval: Interval, scale: MetricScale): Interval {
  const width = scale.max - scale.min;
  return { lower: interval.lower * width, upper: interval.upper * width };
}
