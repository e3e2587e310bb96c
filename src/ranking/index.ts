export type {
  FeatureDefinition,
  FeatureSource,
  RankedCandidate,
  ScoreCandidate,
  ScorePolicy,
  ScorePolicySnapshot,
} from './ranking-types.ts';
