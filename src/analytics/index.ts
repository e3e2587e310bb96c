export type { ReportReader, RewardSums, VersionTotals, VersionTotalsQuery } from './report-reader.ts';
export type {
  Lift,
  ReportWarning,
  VersionReport,
  VersionReportRequest,
  VersionReportRow,
} from './version-report.ts';
export { versionReportCsv } from './version-report-csv.ts';
export { createVersionReports, type VersionReports, type VersionReportsOptions } from './version-reports.ts';
