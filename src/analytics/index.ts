export type { ReportReader, RewardSums, VersionTotals, VersionTotalsQuery } from './report-reader.ts';
