export type { KeyBudget } from './attention.ts';
export { createEvaluationQueue } from './evaluation-queue.ts';
export { createExperimentHealth } from './experiment-health.ts';
export type {
  ArmCell,
  ArmCellsQuery,
  ArmTotals,
  ArmTotalsQuery,
  ExperimentReader,
  RevisionUnits,
} from './experiment-reader.ts';
export type { ExperimentReport } from './experiment-report.ts';
export { experimentReportCsv } from './experiment-report-csv.ts';
export { createExperimentReports, type ExperimentReports } from './experiment-reports.ts';
export { createExperimentOffPolicy, type ExperimentOffPolicy } from './off-policy-experiment.ts';
export type {
  OffPolicyReader,
  RewardCell,
  RewardCellsQuery,
  UnitDecision,
  UnitDecisionPage,
  UnitDecisionsQuery,
  UnitHour,
} from './off-policy-reader.ts';
export { evaluateDecisionLog, type OfflineEvaluation } from './offline-off-policy.ts';
export { type Plan, type PlannedOutcomes, planExperiment } from './offline-plan.ts';
export { type RewardReport, reportRewardLog } from './offline-reward-report.ts';
export type { Overview } from './overview.ts';
export type { OverviewPrompt, RecentTraffic } from './overview-prompt.ts';
export { createOverviewReports, type OverviewReports } from './overview-reports.ts';
export type {
  PolicyCell,
  PolicyChoicePage,
  PolicyDecision,
  PolicyDecisionPage,
  PolicyDecisionsQuery,
  PolicyReader,
  PolicyTotals,
  PolicyTotalsQuery,
} from './policy-reader.ts';
export { createPolicyReports, type PolicyReports } from './policy-reports.ts';
export { EVERY_CALL, type ReportFilter } from './report-filter.ts';
export type {
  FilterChoices,
  ReportReader,
  TimeTotals,
  TimeTotalsQuery,
  VersionTotals,
  VersionTotalsQuery,
} from './report-reader.ts';
export { createSequenceFolds } from './sequence-folds.ts';
export type { SequenceDecision } from './sequence-state.ts';
export type {
  DecisionPageQuery,
  SequenceCheckpoint,
  SequenceCommit,
  SequenceHead,
  SequenceKey,
  SequenceStore,
} from './sequence-store.ts';
export { createShadowEvidence } from './shadow-evidence.ts';
export type {
  LatencyHistogram,
  ShadowReader,
  ShadowSeriesTotals,
  ShadowSums,
  ShadowTotalsQuery,
} from './shadow-reader.ts';
export { createShadowReports, type ShadowReports } from './shadow-reports.ts';
export {
  createTimeSeriesReports,
  type TimeSeriesReports,
} from './time-series-reports.ts';
export type { VersionReport, VersionReportRequest } from './version-report.ts';
export { versionReportCsv } from './version-report-csv.ts';
export { createVersionReports, type VersionReports } from './version-reports.ts';
