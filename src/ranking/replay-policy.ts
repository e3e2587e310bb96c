import { ridgeModel } from '../statistics/index.ts';
import { encoderOf } from './feature-encoder.ts';
import { estimate, propensitiesOf } from './rank-candidates.ts';
import type { FeatureSources, ScorePolicy } from './ranking-types.ts';
import { shareOfReward } from './reward-share.ts';

/** Coefficients are solved for anew once there are this many times as many rewards: about 35 times per doubling. */
const FRESH_FACTOR = 1.02;

/** A policy that walks through a log of decisions, always knowing the rewards of the earlier ones and no others. */
export interface PolicyReplay {
  /** Probability of every candidate under the policy, as it would have learnt by then. Epoch milliseconds, ascending. */
  propensities(candidates: readonly FeatureSources[], atMs: number): readonly number[];
  /** The reward, in the metric's own numbers, of a candidate of the decision just asked about. */
  learn(chosen: FeatureSources, reward: number, atMs: number): void;
}

/**
 * `policy` as if it had decided nothing and watched from the beginning. Features that do not fit (redacted, or declared
 * otherwise then) count as missing. It learns what the logged choices earned: the ones it would have made itself are
 * among them as often as the propensities of the log allow.
 */
export function replayPolicy(policy: ScorePolicy): PolicyReplay {
  const encoder = encoderOf(policy);
  const model = ridgeModel({ dimension: encoder.dimension, lambda: policy.lambda });
  let coefficients: readonly number[] = [];
  let weight = 0;
  let solvedWeight = 0;
  let rewards = 0;
  let solvedRewards = 0;
  let solvedInterval = Number.NEGATIVE_INFINITY;
  let interval = Number.NEGATIVE_INFINITY;

  const intervalOf = (atMs: number): number => Math.floor(atMs / policy.updateIntervalMs);

  return {
    propensities: (candidates, atMs) => {
      const now = intervalOf(atMs);
      const isNews = rewards > 0 && rewards >= solvedRewards * FRESH_FACTOR;
      if (policy.kind === 'squarecb' && now > solvedInterval && isNews) {
        coefficients = model.coefficients();
        solvedWeight = weight;
        solvedRewards = rewards;
        solvedInterval = now;
      }
      const learnt = { coefficients, weight: solvedWeight, revision: policy.revision };
      const estimates = candidates.map((candidate) => estimate(encoder.inputsOf(candidate), learnt));
      return propensitiesOf(policy, learnt, estimates);
    },
    learn: (chosen, reward, atMs) => {
      if (policy.kind === 'uniform') return;
      const now = intervalOf(atMs);
      if (now > interval) {
        if (policy.discount < 1 && rewards > 0) {
          model.discount(policy.discount);
          weight *= policy.discount;
        }
        interval = now;
      }
      model.add(encoder.inputsOf(chosen), shareOfReward(reward, policy.declaration));
      weight += 1;
      rewards += 1;
    },
  };
}
