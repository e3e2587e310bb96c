export type { ArmTotals, ArmTotalsQuery, ExperimentReader, RevisionUnits } from './experiment-reader.ts';
export type { ReportReader, VersionTotals, VersionTotalsQuery } from './report-reader.ts';
export type { VersionReport, VersionReportRequest } from './version-report.ts';
export { versionReportCsv } from './version-report-csv.ts';
export { createVersionReports, type VersionReports } from './version-reports.ts';
