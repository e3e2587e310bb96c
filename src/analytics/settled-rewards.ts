import type { MetricConfig } from '../config/index.ts';
import {
  betaBinomialDifference,
  betaBinomialInterval,
  type Interval,
  type RewardTotal,
} from '../statistics/index.ts';
import { differenceOnScale, type MetricScale, onScale, rescaledTotal } from './metric-scale.ts';
import type { VersionTotals } from './report-reader.ts';
import type { Lift } from './version-report.ts';

/** A declared metric and the scale its rewards lie on. */
export interface Metric {
  readonly name: string;
  readonly config: MetricConfig;
  readonly scale: MetricScale;
}

/** What settling needs of a version or an arm. */
type RewardCounts = Pick<VersionTotals, 'delivered' | 'closedDelivered' | 'outcomes' | 'closedOutcomes'>;

/** What is known for good about the rewards of one version. */
export interface SettledRewards {
  readonly mature: number;
  readonly pending: number;
  /** In the metric's own numbers. */
  readonly sum: number;
  /** The same on [0, 1]; null when some reward is off the scale and no interval is valid. */
  readonly rescaled: RewardTotal | null;
}

/**
 * `exclude`: an observed outcome is settled at once, a generation without one waits until its window closes and then
 * drops out. `zero`: everything waits for its window, and then silence counts as 0; taking early outcomes into the mean
 * would favour versions whose users answer quickly.
 */
export function settleRewards(totals: RewardCounts, metric: Metric): SettledRewards {
  const openDelivered = totals.delivered - totals.closedDelivered;
  if (metric.config.missing === 'zero') {
    return {
      mature: totals.closedDelivered,
      pending: Math.max(0, openDelivered),
      sum: totals.closedOutcomes.sum,
      rescaled: rescaledTotal(totals.closedDelivered, totals.closedOutcomes, metric.scale),
    };
  }
  const openOutcomes = totals.outcomes.n - totals.closedOutcomes.n;
  return {
    mature: totals.outcomes.n,
    pending: Math.max(0, openDelivered - openOutcomes),
    sum: totals.outcomes.sum,
    rescaled: rescaledTotal(totals.outcomes.n, totals.outcomes, metric.scale),
  };
}

/** Null without a mature reward. */
export function meanReward({ mature, sum }: SettledRewards): number | null {
  return mature === 0 ? null : sum / mature;
}

/** Interval of the mean; the whole scale where nothing can be said. */
export function meanInterval(settled: SettledRewards, scale: MetricScale, alpha: number): Interval {
  return settled.rescaled === null
    ? including({ lower: scale.min, upper: scale.max }, meanReward(settled))
    : onScale(betaBinomialInterval({ ...settled.rescaled, alpha }), scale);
}

/** Difference to the baseline by union bound; everything the scale allows where nothing can be said. */
export function liftOver(
  baseline: SettledRewards,
  arm: SettledRewards,
  options: { readonly scale: MetricScale; readonly alpha: number; readonly confidence: number },
): Lift {
  const { scale, alpha, confidence } = options;
  const armMean = meanReward(arm);
  const baselineMean = meanReward(baseline);
  const difference = armMean === null || baselineMean === null ? null : armMean - baselineMean;
  const width = scale.max - scale.min;
  const interval =
    arm.rescaled === null || baseline.rescaled === null
      ? including({ lower: -width, upper: width }, difference)
      : differenceOnScale(
          betaBinomialDifference({ arm: arm.rescaled, baseline: baseline.rescaled, alpha }),
          scale,
        );
  return { difference, ...interval, confidence };
}

/** An observed value off the scale must not lie outside the interval that says nothing. */
function including(interval: Interval, observed: number | null): Interval {
  if (observed === null) return interval;
  return { lower: Math.min(interval.lower, observed), upper: Math.max(interval.upper, observed) };
}
