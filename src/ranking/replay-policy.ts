import { ridgeModel } from '../statistics/index.ts';
import { encoderOf, type FeatureFindings } from './feature-encoder.ts';
import { estimate, propensitiesOf } from './rank-candidates.ts';
import type { FeatureSources, ScorePolicy } from './ranking-types.ts';
import { shareOfReward } from './reward-share.ts';

/** Coefficients are solved for anew once there are this many times as many rewards: about 35 times per doubling. */
const FRESH_FACTOR = 1.02;

/** Stored features that do not fit any more are no news to anybody. */
const SILENT: FeatureFindings = { fault: () => {}, ignored: () => {} };

/** The features of one logged decision, as stored. */
export interface LoggedFeatures extends Omit<FeatureSources, 'candidate'> {
  /** In the order of the request. */
  readonly candidates: readonly FeatureSources['candidate'][];
}

/** A policy that walks through a log of decisions, always knowing the rewards of the earlier ones and no others. */
export interface PolicyReplay {
  /** Probability of every candidate under the policy, as it would have learnt by then. Epoch milliseconds, ascending. */
  propensities(features: LoggedFeatures, atMs: number): readonly number[];
  /** The reward, in the metric's own numbers, that a candidate of the decision just asked about brought. */
  learn(chosen: number, reward: number): void;
}

/**
 * `policy` as if it had decided nothing and watched from the beginning. Features that do not fit (redacted, or declared
 * otherwise then) count as missing. It learns what the logged choices earned: the ones it would have made itself are
 * among them as often as the propensities of the log allow.
 */
export function replayPolicy(policy: ScorePolicy): PolicyReplay {
  // Looking for the name that was meant would take most of the time.
  const encoder = encoderOf({ ...policy, unknownFeatures: 'ignore' });
  const model = ridgeModel({ dimension: encoder.dimension, lambda: policy.lambda });
  let learnt: Parameters<typeof estimate>[1] & { readonly weight: number } = {
    coefficients: [],
    weight: 0,
    revision: policy.revision,
  };
  let weight = 0;
  let rewards = 0;
  let solvedRewards = 0;
  let solvedInterval = Number.NEGATIVE_INFINITY;
  let learntInterval = Number.NEGATIVE_INFINITY;
  let interval = Number.NEGATIVE_INFINITY;
  let inputs: readonly (readonly number[])[] = [];

  const encoded = ({ candidates, profile, context }: LoggedFeatures): readonly (readonly number[])[] => {
    const read = (source: keyof FeatureSources, values: FeatureSources['profile']): readonly number[] =>
      encoder.read(source, values, () => '', SILENT);
    const ofProfile = read('profile', profile);
    const ofContext = read('context', context);
    return candidates.map((candidate) => encoder.inputs(read('candidate', candidate), ofProfile, ofContext));
  };

  return {
    propensities: (features, atMs) => {
      interval = Math.floor(atMs / policy.updateIntervalMs);
      const isNews = rewards > 0 && rewards >= solvedRewards * FRESH_FACTOR;
      if (policy.kind === 'squarecb' && interval > solvedInterval && isNews) {
        learnt = { ...learnt, coefficients: model.coefficients(), weight };
        solvedRewards = rewards;
        solvedInterval = interval;
      }
      inputs = encoded(features);
      return propensitiesOf(
        policy,
        learnt,
        inputs.map((input) => estimate(input, learnt)),
      );
    },
    learn: (chosen, reward) => {
      const input = inputs[chosen];
      if (input === undefined) return;
      if (policy.discount < 1 && interval > learntInterval && rewards > 0) {
        model.discount(policy.discount);
        weight *= policy.discount;
      }
      learntInterval = interval;
      model.add(input, shareOfReward(reward, policy.declaration));
      weight += 1;
      rewards += 1;
    },
  };
}
