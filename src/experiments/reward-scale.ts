import type { MetricConfig } from '../config/index.ts';
import type { RewardTotal } from '../statistics/index.ts';
import type { RewardTotals } from './experiment-types.ts';

/**
 * What is due of an arm's rewards. `exclude`: every observed outcome. `zero`: the closed attribution windows, where
 * silence counts 0; an open window says nothing yet, so that slow rewards do not punish an arm.
 */
export function dueRewards(totals: RewardTotals, metric: MetricConfig): RewardTotals['outcomes'] {
  return metric.missing === 'zero' ? { ...totals.closedOutcomes, n: totals.closedUnits } : totals.outcomes;
}

/**
 * Rewards on [0, 1] with 1 the best, as policies take them. Off the scale (the metric was declared otherwise once) they
 * are cut to it. `n` and `sum` may be those of a discounted past.
 */
export function rewardsOnScale(n: number, sum: number, metric: MetricConfig): RewardTotal {
  const { min, max } = rewardRange(metric);
  const scaled = max > min ? (sum - n * min) / (max - min) : 0;
  const best = metric.optimize === 'min' ? n - scaled : scaled;
  return { n: Math.max(0, n), sum: Math.min(Math.max(0, n), Math.max(0, best)) };
}

function rewardRange(metric: MetricConfig): { readonly min: number; readonly max: number } {
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
