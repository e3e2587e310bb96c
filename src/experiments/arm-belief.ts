import type { MetricConfig } from '../config/index.ts';
import {
  betaPosterior,
  type GaussianPosterior,
  gaussianPosterior,
  type Posterior,
} from '../statistics/index.ts';
import type { ArmPosterior, RewardTotals } from './experiment-types.ts';
import { rewardRange } from './reward-scale.ts';

type Total = RewardTotals['outcomes'];
type Parameters = ArmPosterior['parameters'];

/**
 * What is assumed before the first reward, on [0, 1]: two rewards, one at either end. Their mean and variance are the
 * middle and the widest variance that rewards of the range can have (Popoviciu); a weak prior, forgotten after a few
 * rewards of each arm, that takes no arm for certain early.
 */
const ASSUMED = { n: 2, mean: 0.5, variance: 0.25 } as const;

/** Beta where rewards lie in [0, 1]; a normal distribution where the metric has another range. */
export function beliefKind(metric: MetricConfig): Posterior['kind'] {
  const { min, max } = rewardRange(metric);
  return min >= 0 && max <= 1 ? 'beta' : 'gaussian';
}

/** The belief about an arm's mean after `total`, rewards on [0, 1] where 1 is the best. */
export function armBelief(total: Total, kind: Posterior['kind']): Posterior {
  return kind === 'beta' ? betaPosterior(total) : gaussianBelief(total);
}

/**
 * Of the arm's own variance: a louder arm is known less. The variance of one reward is estimated from the rewards and the
 * two assumed ones, which also keeps an arm of equal rewards from being certain: (2 v0 + SS) / (2 + n), SS the squares
 * around the arm's mean.
 */
function gaussianBelief(total: Total): GaussianPosterior {
  return gaussianPosterior(total, {
    mean: ASSUMED.mean,
    variance: ASSUMED.variance,
    noiseVariance: noiseVariance(total),
  });
}

function noiseVariance({ n, sum, sumOfSquares }: Total): number {
  const squares = n > 0 ? Math.max(0, sumOfSquares - (sum * sum) / n) : 0;
  return (ASSUMED.n * ASSUMED.variance + squares) / (ASSUMED.n + n);
}

/** What a snapshot stores of a belief: alpha and beta on [0, 1], or mean and variances in the metric's own numbers. */
export function parametersOf(total: Total, metric: MetricConfig): Parameters {
  const belief = armBelief(total, beliefKind(metric));
  if (belief.kind === 'beta') return { alpha: belief.a, beta: belief.b };
  const { min, max } = rewardRange(metric);
  const width = max - min;
  return {
    mean: metric.optimize === 'min' ? max - width * belief.mean : min + width * belief.mean,
    variance: width * width * belief.variance,
    noise_variance: width * width * noiseVariance(total),
  };
}

/** A discounted past is not in the totals: it goes from snapshot to snapshot, on [0, 1]. */
export function withEffectiveTotal(parameters: Parameters, { n, sum, sumOfSquares }: Total): Parameters {
  // Alpha and beta say it all.
  if ('alpha' in parameters) return parameters;
  return { ...parameters, effective_n: n, effective_sum: sum, effective_sum_of_squares: sumOfSquares };
}

/** What a snapshot before this one had kept; null: nothing that a belief of this kind could go on from. */
export function effectiveTotal(parameters: Parameters | undefined, kind: Posterior['kind']): Total | null {
  if (parameters === undefined) return null;
  if (kind === 'beta') {
    const { alpha, beta } = parameters;
    if (alpha === undefined || beta === undefined) return null;
    // Squares are not kept, and a Beta does not ask for them.
    return { n: alpha + beta - 2, sum: alpha - 1, sumOfSquares: 0 };
  }
  const { effective_n: n, effective_sum: sum, effective_sum_of_squares: sumOfSquares } = parameters;
  return n === undefined || sum === undefined || sumOfSquares === undefined ? null : { n, sum, sumOfSquares };
}
