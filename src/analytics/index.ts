export type { ArmTotals, ArmTotalsQuery, ExperimentReader, RevisionUnits } from './experiment-reader.ts';
export { evaluateDecisionLog, type OfflineEvaluation } from './offline-off-policy.ts';
export { type Plan, type PlannedOutcomes, planExperiment } from './offline-plan.ts';
export { type RewardReport, reportRewardLog } from './offline-reward-report.ts';
export type { ReportReader, VersionTotals, VersionTotalsQuery } from './report-reader.ts';
export type { VersionReport, VersionReportRequest } from './version-report.ts';
export { versionReportCsv } from './version-report-csv.ts';
export { createVersionReports, type VersionReports } from './version-reports.ts';
