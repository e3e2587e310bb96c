import type { ExperimentArm, ExperimentReport } from '../api/experiment-wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Link } from '../components/link.tsx';
import { formatCount, formatInterval, formatReward, formatShare } from '../format.ts';
import { pageHref } from '../match-path.ts';
import { unitWord } from './experiment-words.ts';

/** What each arm got and how its calls went; the means stand in the plot. */
export function ArmTable({ report }: { readonly report: ExperimentReport }) {
  const units = unitWord(report.unit);
  const hasDriftSafe = report.arms.some(({ drift_safe }) => drift_safe !== null);
  const columns: readonly Column<ExperimentArm>[] = [
    {
      key: 'arm',
      title: 'Arm',
      isHeading: true,
      cell: ({ arm, prompt_version: version }) => (
        <>
          {arm}
          <span class="cell-note">
            {version === null ? (
              'not in the definition'
            ) : (
              <Link href={pageHref('/prompts/:name', { name: report.prompt })}>
                {report.prompt} {version}
              </Link>
            )}
          </span>
        </>
      ),
    },
    {
      key: 'chance',
      // Stopped, everybody gets the baseline.
      title: report.state === 'running' ? 'Chance now' : 'Chance while it ran',
      hint: `Of a new one of the ${units} to get this arm`,
      isNumber: true,
      cell: ({ propensity }) => formatShare(propensity),
    },
    {
      key: 'units',
      title: `${units[0]?.toUpperCase()}${units.slice(1)}`,
      isNumber: true,
      cell: (arm) => formatCount(arm.units),
    },
    {
      key: 'expected',
      title: 'Expected',
      hint: 'By their chances, of those whose chances are known',
      isNumber: true,
      cell: ({ expected_units }) => formatCount(expected_units),
    },
    { key: 'calls', title: 'Calls', isNumber: true, cell: ({ calls }) => formatCount(calls) },
    {
      key: 'mature',
      title: 'Rewards settled',
      isNumber: true,
      cell: ({ mature }) => formatCount(mature),
    },
    { key: 'pending', title: 'Pending', isNumber: true, cell: ({ pending }) => formatCount(pending) },
    ...(hasDriftSafe ? [DRIFT_SAFE] : []),
    { key: 'errors', title: 'Errors', isNumber: true, cell: ({ error_share }) => formatShare(error_share) },
    {
      key: 'degraded',
      title: 'Authored lines',
      isNumber: true,
      cell: ({ degraded_share }) => formatShare(degraded_share),
    },
    {
      key: 'fallbacks',
      title: 'Fell back',
      isNumber: true,
      cell: ({ fallback_share }) => formatShare(fallback_share),
    },
  ];
  return (
    <DataTable caption="Traffic of the arms" columns={columns} rows={report.arms} rowKey={({ arm }) => arm} />
  );
}

const DRIFT_SAFE: Column<ExperimentArm> = {
  key: 'drift-safe',
  title: 'Mean, safe under drift',
  hint: 'Average value of everybody getting this arm; holds when rewards drift or the policy learns',
  isNumber: true,
  cell: ({ drift_safe: safe }) =>
    safe === null ? '–' : `${formatReward(safe.mean)} (${formatInterval(safe.lower, safe.upper)})`,
};
