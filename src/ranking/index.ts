export { inputNames } from './feature-encoder.ts';
export { loadScorePolicies } from './load-score-policies.ts';
export { policyChanges } from './policy-changes.ts';
export { type Ranking, type RankingInput, rankCandidates } from './rank-candidates.ts';
export type {
  FeatureDefinition,
  LoggedChoice,
  RankedCandidate,
  RewardChange,
  ScoreCandidate,
  ScorePolicy,
  ScorePolicySnapshot,
  ScorePolicyStore,
  ScoreTrainingMark,
  ScoreTrainingState,
  TrainingPage,
  TrainingPageQuery,
} from './ranking-types.ts';
export { type LoggedFeatures, type PolicyReplay, replayPolicy } from './replay-policy.ts';
export { rewardOfShare } from './reward-share.ts';
export { createScorePolicies, type PolicyInForce, type ScorePolicies } from './score-policies.ts';
