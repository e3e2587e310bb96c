import type { MetricConfig } from '../config/index.ts';
import type { RewardTotals } from './experiment-types.ts';

type Total = RewardTotals['outcomes'];

export interface RewardRange {
  readonly min: number;
  readonly max: number;
}

/**
 * What is due of an arm's rewards. `exclude`: every observed outcome. `zero`: the closed attribution windows, where
 * silence counts 0; an open window says nothing yet, so that slow rewards do not punish an arm.
 */
export function dueRewards(totals: RewardTotals, metric: MetricConfig): Total {
  return metric.missing === 'zero' ? { ...totals.closedOutcomes, n: totals.closedUnits } : totals.outcomes;
}

/** Smallest and largest reward of the metric. */
export function rewardRange(metric: MetricConfig): RewardRange {
  const rewards =
    metric.type === 'boolean'
      ? [0, 1]
      : metric.type === 'float'
        ? [metric.min, metric.max]
        : Object.values(metric.values);
  // Silence earns 0 there.
  const all = metric.missing === 'zero' ? [...rewards, 0] : rewards;
  return { min: Math.min(...all), max: Math.max(...all) };
}

/**
 * Rewards on [0, 1] with 1 the best, as policies take them. Off the scale (the metric was declared otherwise once) they
 * are cut to it.
 */
export function rewardsOnScale({ n, sum, sumOfSquares }: Total, metric: MetricConfig): Total {
  const { min, max } = rewardRange(metric);
  const width = max - min;
  if (!(width > 0)) return possibleTotal({ n, sum: 0, sumOfSquares: 0 });
  const scaled = {
    n,
    sum: (sum - n * min) / width,
    sumOfSquares: (sumOfSquares - 2 * min * sum + n * min * min) / (width * width),
  };
  return possibleTotal(
    metric.optimize === 'min'
      ? { n, sum: n - scaled.sum, sumOfSquares: n - 2 * scaled.sum + scaled.sumOfSquares }
      : scaled,
  );
}

/**
 * The nearest total that rewards on [0, 1] can have: corrections may take back more than a discounted past holds.
 * Squares lie between those of equal rewards and those of rewards 0 and 1.
 */
export function possibleTotal(total: Total): Total {
  const n = Math.max(0, total.n);
  const sum = Math.min(n, Math.max(0, total.sum));
  const least = n > 0 ? (sum * sum) / n : 0;
  return { n, sum, sumOfSquares: Math.min(sum, Math.max(least, total.sumOfSquares)) };
}
