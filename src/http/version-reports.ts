/** The report of `GET /analytics/prompts/{name}/versions`; null means: the caller did not say. */
export interface VersionReportQuery {
  readonly prompt: string;
  readonly metric: string | null;
  readonly baseline: string | null;
  /** ISO 8601 */
  readonly from: string | null;
  readonly to: string | null;
}

export interface VersionReports {
  versionReport(query: VersionReportQuery): Promise<object>;
}
