export type {
  FeatureDefinition,
  FeatureSource,
  RankedCandidate,
  ScoreCandidate,
  ScorePolicy,
  ScorePolicySnapshot,
  ScorePolicyStore,
  ScoreTrainingMark,
  ScoreTrainingState,
  TrainingPage,
  TrainingPageQuery,
} from './ranking-types.ts';
