import type { SettledRewards } from './settled-rewards.ts';
import type { ReportWarning, VersionReportRow } from './version-report.ts';

/** From this share on authored lines can move a mean by more than most differences between versions. */
const NOTABLE_DEGRADED_SHARE = 0.05;

/** What a reader must know before believing a version's numbers. */
export function reportWarnings(row: VersionReportRow, settled: SettledRewards): readonly ReportWarning[] {
  const { promptVersion } = row;
  const warnings: ReportWarning[] = [];
  if (row.hashes.length > 1) {
    warnings.push({
      code: 'mixed_content',
      promptVersion,
      message: `${promptVersion} was served with ${row.hashes.length} different contents: its numbers mix them. Lock released versions.`,
    });
  }
  if (!row.known) {
    warnings.push({
      code: 'unknown_version',
      promptVersion,
      message: `${promptVersion} has traffic but is not in the registry.`,
    });
  }
  if (settled.rescaled === null) {
    warnings.push({
      code: 'reward_out_of_range',
      promptVersion,
      message: `${promptVersion} has rewards outside the declared range of the metric: no interval is computed for it.`,
    });
  }
  if (row.forced > 0) {
    warnings.push({
      code: 'forced_traffic',
      promptVersion,
      message: `${row.forced} of ${row.generations} calls of ${promptVersion} named their version without saying how it was assigned: a difference may come from who was asked, not from the version.`,
    });
  }
  if (row.degradedShare >= NOTABLE_DEGRADED_SHARE) {
    warnings.push({
      code: 'degraded_traffic',
      promptVersion,
      message: `${Math.round(row.degradedShare * 100)} % of the calls of ${promptVersion} were answered with authored lines: its numbers tell as much about those as about the prompt.`,
    });
  }
  return warnings;
}
