import { type CsvCell, csvText } from './csv-text.ts';
import type { ExperimentArmReport, ExperimentReport } from './experiment-report.ts';

/** Column → cell. Each row repeats the verdict and the test behind it, so that a saved file explains itself. */
const COLUMNS: readonly (readonly [
  name: string,
  cell: (row: ExperimentArmReport, report: ExperimentReport) => CsvCell,
])[] = [
  ['experiment', (_row, report) => report.experiment],
  ['prompt', (_row, report) => report.prompt],
  ['metric', (_row, report) => report.metric],
  ['optimize', (_row, report) => report.optimize],
  ['state', (_row, report) => report.state],
  ['generated_at', (_row, report) => report.generatedAt],
  ['verdict', (_row, report) => report.verdict.state],
  ['verdict_text', (_row, report) => report.verdict.text],
  ['sample_ratio_p', (_row, report) => report.sampleRatio.pValue],
  ['sample_ratio_alarm', (_row, report) => report.sampleRatio.alarm],
  ['sample_ratio_alarmed_at', (_row, report) => report.sampleRatio.alarmedAt],
  ['stopped_at', (_row, report) => report.stopped?.at ?? null],
  ['stopped_by', (_row, report) => report.stopped?.by ?? null],
  ['arm', (row) => row.arm],
  ['prompt_version', (row) => row.promptVersion],
  ['propensity', (row) => row.propensity],
  ['units', (row) => row.units],
  ['expected_units', (row) => row.expectedUnits],
  ['calls', (row) => row.calls],
  ['mature', (row) => row.mature],
  ['pending', (row) => row.pending],
  ['sum', (row) => row.sum],
  ['mean', (row) => row.mean],
  ['lower', (row) => row.lower],
  ['upper', (row) => row.upper],
  ['confidence', (row) => row.confidence],
  ['method', (row) => row.method],
  ['drift_safe_mean', (row) => row.driftSafe?.mean ?? null],
  ['drift_safe_lower', (row) => row.driftSafe?.lower ?? null],
  ['drift_safe_upper', (row) => row.driftSafe?.upper ?? null],
  ['drift_safe_decisions', (row) => row.driftSafe?.decisions ?? null],
  ['drift_safe_until', (row) => row.driftSafe?.foldedUntil ?? null],
  ['drift_safe_method', (row) => row.driftSafe?.method ?? null],
  ['baseline', (_row, report) => report.baseline],
  ['difference', (row) => row.difference?.difference ?? null],
  ['difference_lower', (row) => row.difference?.lower ?? null],
  ['difference_upper', (row) => row.difference?.upper ?? null],
  ['difference_confidence', (row) => row.difference?.confidence ?? null],
  ['difference_method', (row) => row.difference?.method ?? null],
  ['error_share', (row) => row.errorShare],
  ['degraded_share', (row) => row.degradedShare],
  ['fallback_share', (row) => row.fallbackShare],
];

/** The report as a table, one line per arm. */
export function experimentReportCsv(report: ExperimentReport): string {
  return csvText(
    COLUMNS.map(([name]) => name),
    report.arms.map((row) => COLUMNS.map(([, cell]) => cell(row, report))),
  );
}
