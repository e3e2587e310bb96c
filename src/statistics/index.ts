export {
  type BetaBinomialDifferenceInput,
  type BetaBinomialEvidenceInput,
  type BetaBinomialIntervalInput,
  type BetaPrior,
  betaBinomialDifference,
  betaBinomialInterval,
  betaBinomialLogEvidence,
  type Interval,
  type RewardTotal,
  UNIFORM_PRIOR,
} from './beta-binomial-sequence.ts';
export { lnBeta, lnGamma } from './gamma-function.ts';
