import { type CsvCell, csvText } from './csv-text.ts';
import type { VersionReport, VersionReportRow } from './version-report.ts';

/** Column → cell. Each row repeats what it was asked for, so that a saved file explains itself. */
const COLUMNS: readonly (readonly [
  name: string,
  cell: (row: VersionReportRow, report: VersionReport) => CsvCell,
])[] = [
  ['prompt', (_row, report) => report.prompt],
  ['metric', (_row, report) => report.metric],
  ['from', (_row, report) => report.from],
  ['to', (_row, report) => report.to],
  ['evidence', (_row, report) => report.evidence],
  ['prompt_version', (row) => row.promptVersion],
  ['known', (row) => row.known],
  ['retired', (row) => row.retired],
  ['generations', (row) => row.generations],
  ['delivered', (row) => row.delivered],
  ['outcomes', (row) => row.outcomes],
  ['mature', (row) => row.mature],
  ['pending', (row) => row.pending],
  ['sum', (row) => row.sum],
  ['mean', (row) => row.mean],
  ['lower', (row) => row.lower],
  ['upper', (row) => row.upper],
  ['confidence', (row) => row.confidence],
  ['method', (row) => row.method],
  ['baseline', (_row, report) => report.baseline],
  ['lift', (row) => row.lift?.difference ?? null],
  ['lift_lower', (row) => row.lift?.lower ?? null],
  ['lift_upper', (row) => row.lift?.upper ?? null],
  ['lift_confidence', (row) => row.lift?.confidence ?? null],
  ['latency_ms_p50', (row) => row.latencyMs.p50],
  ['latency_ms_p95', (row) => row.latencyMs.p95],
  ['cost_usd', (row) => row.costUsd],
  ['cost_known', (row) => row.costKnown],
  ['mean_cost_usd', (row) => row.meanCostUsd],
  ['input_tokens', (row) => row.inputTokens],
  ['output_tokens', (row) => row.outputTokens],
  ['error_share', (row) => row.errorShare],
  ['fallback_share', (row) => row.fallbackShare],
  ['degraded_share', (row) => row.degradedShare],
  ['client_closed_share', (row) => row.clientClosedShare],
  ['forced', (row) => row.forced],
  ['source_body', (row) => row.sources.body],
  ['source_env', (row) => row.sources.env],
  ['source_default', (row) => row.sources.default],
  ['hashes', (row) => row.hashes.join(' ')],
  ['cost_per_reward_usd', (row) => row.costPerRewardUsd],
  ['model', (_row, report) => report.filters.model],
  ['source', (_row, report) => report.filters.source],
  ['segment', (_row, report) => report.filters.segment],
];

/** The report as a table, one line per version. */
export function versionReportCsv(report: VersionReport): string {
  return csvText(
    COLUMNS.map(([name]) => name),
    report.versions.map((row) => COLUMNS.map(([, cell]) => cell(row, report))),
  );
}
