import Table from 'cli-table3';

import type { ExperimentReport, VersionReport } from '../../analytics/index.ts';
import { printableText } from '../printable-text.ts';

/** The answer first, then what it rests on. */
export function versionReportText(report: VersionReport): string {
  const { prompt, metric, baseline, evidence, versions, warnings } = report;
  const table = new Table({
    head: [
      'version',
      'calls',
      'mature',
      'pending',
      'mean',
      '95 % interval',
      `lift vs ${baseline ?? '-'}`,
      'cost',
      'p50',
    ],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const row of versions) {
    table.push([
      row.retired ? `${row.promptVersion} (retired)` : row.promptVersion,
      String(row.generations),
      String(row.mature),
      String(row.pending),
      decimal(row.mean),
      interval(row),
      difference(row.lift),
      row.costUsd === null ? '-' : `$${row.costUsd.toFixed(4)}`,
      row.latencyMs.p50 === null ? '-' : `${Math.round(row.latencyMs.p50)} ms`,
    ]);
  }
  return finished([
    report.summary,
    '',
    `${prompt}, ${metric}${span(report)}`,
    table.toString(),
    evidence === 'anytime-valid'
      ? 'The intervals may be read at any moment; the lifts hold together.'
      : 'Descriptive: a part of the calls chosen by the reader. Intervals that were chosen after a look promise nothing.',
    ...warnings.map(({ message }) => `warning: ${message}`),
  ]);
}

/** The verdict first, then the arms. */
export function experimentReportText(report: ExperimentReport): string {
  const table = new Table({
    head: [
      'arm',
      'version',
      'share',
      'units',
      'mature',
      'mean',
      '95 % interval',
      `difference to ${report.baseline}`,
    ],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const arm of report.arms) {
    table.push([
      arm.arm,
      arm.promptVersion ?? '-',
      arm.propensity === null ? '-' : `${(100 * arm.propensity).toFixed(1)} %`,
      String(arm.units),
      String(arm.mature),
      decimal(arm.mean),
      interval(arm),
      difference(arm.difference),
    ]);
  }
  const { stopped, sampleRatio, guardrails } = report;
  return finished([
    report.verdict.text,
    '',
    `${report.experiment} of ${report.prompt}, ${report.metric}, policy ${report.policy}, ${report.state}`,
    table.toString(),
    ...(stopped === null ? [] : [`stopped at ${stopped.at} by ${stopped.actor}: ${stopped.reason}`]),
    ...(sampleRatio.alarm ? ['warning: units do not arrive in the arms as the propensities say'] : []),
    ...guardrails
      .filter(({ breached }) => breached)
      .map(({ guardrail, limit }) => `warning: the guardrail ${guardrail} (${limit}) is breached`),
    ...report.warnings.map(({ message }) => `warning: ${message}`),
  ]);
}

/** Names of unknown versions and arms come from traffic. */
function finished(lines: readonly string[]): string {
  return `${printableText(lines.join('\n'))}\n`;
}

function span({ from, to }: VersionReport): string {
  if (from === null && to === null) return '';
  return `, from ${from ?? 'the beginning'} to ${to ?? 'now'}`;
}

function decimal(value: number | null): string {
  return value === null ? '-' : value.toFixed(4);
}

function interval({ lower, upper }: { readonly lower: number; readonly upper: number }): string {
  return `${decimal(lower)} to ${decimal(upper)}`;
}

function difference(
  found: { readonly difference: number | null; readonly lower: number; readonly upper: number } | null,
): string {
  if (found === null || found.difference === null) return '-';
  return `${signed(found.difference)} (${signed(found.lower)} to ${signed(found.upper)})`;
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(4)}`;
}
