export { assignmentBucket } from './assignment-bucket.ts';
export { asymptoticInterval } from './asymptotic-sequence.ts';
export {
  betaBinomialDifference,
  betaBinomialInterval,
  betaBinomialLogEvidence,
  type Interval,
  type RewardTotal,
} from './beta-binomial-sequence.ts';
export { bucketedPropensities } from './bucketed-propensities.ts';
export { chooseByWeights } from './choose-by-weights.ts';
export {
  type DifferenceSequence,
  differenceInterval,
  differenceSequence,
  foldDifference,
} from './difference-sequence.ts';
export { epsilonGreedyPropensities } from './epsilon-greedy-propensities.ts';
export { fixedPropensities } from './fixed-propensities.ts';
export {
  foldDecision,
  type GammaExponentialSequence,
  gammaExponentialInterval,
  gammaExponentialSequence,
} from './gamma-exponential-sequence.ts';
export { lnBeta, lnGamma } from './gamma-function.ts';
export type { LoggedDecision } from './logged-decision.ts';
export {
  type Estimate,
  evaluateOffPolicy,
  foldLoggedCell,
  foldLoggedDecision,
  type OffPolicyEvaluation,
  type OffPolicyReport,
  offPolicyEvaluation,
  offPolicyReport,
} from './off-policy-evaluation.ts';
export type { OffPolicyFault } from './off-policy-gate.ts';
export {
  type BetaPosterior,
  betaPosterior,
  discounted,
  type GaussianPosterior,
  gaussianPosterior,
  type ObservedTotal,
  type Posterior,
} from './posterior.ts';
export { foldAssignment, type PropensityMartingale, propensityMartingale } from './propensity-martingale.ts';
export { pseudoOutcome } from './pseudo-outcome.ts';
export { type RidgeState, ridgeModel } from './ridge-model.ts';
export { foldCounts, type SampleRatioTest, sequentialSampleRatio } from './sample-ratio.ts';
export { sampleBeta, sampleGamma, sampleNormal } from './sampling.ts';
export { squareCbPropensities } from './square-cb-propensities.ts';
export { thompsonPropensities } from './thompson-propensities.ts';
export { topTwoPropensities } from './top-two-propensities.ts';
export { withFloor } from './with-floor.ts';
