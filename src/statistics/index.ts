export {
  betaBinomialDifference,
  betaBinomialInterval,
  betaBinomialLogEvidence,
  type Interval,
  type RewardTotal,
} from './beta-binomial-sequence.ts';
export { lnBeta, lnGamma } from './gamma-function.ts';
