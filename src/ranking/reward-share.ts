import type { MetricConfig } from '../config/index.ts';
import { rewardRange } from '../experiments/index.ts';

/**
 * A reward on [0, 1] with 1 the best, as policies learn it. Off the scale (the metric was declared otherwise once) it is
 * cut to it.
 */
export function shareOfReward(reward: number, metric: MetricConfig): number {
  const { min, max } = rewardRange(metric);
  const share = max > min ? Math.min(1, Math.max(0, (reward - min) / (max - min))) : 0;
  return metric.optimize === 'min' ? 1 - share : share;
}

/** Back again: the metric's own number. */
export function rewardOfShare(share: number, metric: MetricConfig): number {
  const { min, max } = rewardRange(metric);
  return min + (metric.optimize === 'min' ? 1 - share : share) * (max - min);
}
