import type { PolicyRevision } from '../api/experiment-wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Time } from '../components/time.tsx';
import { formatCount, formatShare } from '../format.ts';
import { seriesClass } from '../plot/series-class.ts';
import { PlotFrame } from './plot-frame.tsx';
import { timeAxis } from './time-axis.ts';
import { weightBars } from './weight-bars.ts';

interface WeightsPlotProps {
  /** Oldest first. */
  readonly revisions: readonly PolicyRevision[];
  /** Names in the order of the report: an arm has one colour on the page. */
  readonly arms: readonly string[];
  /** Until when the newest revision is drawn. */
  readonly until: string;
}

/** Chance of a new unit to get each arm, as the policy moved it. */
export function WeightsPlot({ revisions, arms, until }: WeightsPlotProps) {
  if (revisions.length === 0) return <p class="muted">No unit has been assigned yet.</p>;
  // The end is where the last one began while it is younger than the rest is long: else hours of rest hide the moves.
  const begins = revisions.map(({ first_unit_at }) => Date.parse(first_unit_at));
  const newest = begins.at(-1) ?? 0;
  const span = newest - (begins[0] ?? 0);
  const endMs = span === 0 ? Date.parse(until) : Math.min(Date.parse(until), newest + span / 4);
  const axis = timeAxis([...begins, endMs]);
  const known = [...new Set([...arms, ...revisions.flatMap((one) => one.arms.map(({ arm }) => arm))])];
  const columns: readonly Column<PolicyRevision>[] = [
    {
      key: 'revision',
      title: 'Revision',
      isHeading: true,
      cell: ({ policy_revision }) => policy_revision,
    },
    { key: 'since', title: 'Since', cell: ({ first_unit_at }) => <Time time={first_unit_at} /> },
    ...known.map(
      (arm): Column<PolicyRevision> => ({
        key: arm,
        title: arm,
        isNumber: true,
        cell: (revision) => {
          const found = revision.arms.find((one) => one.arm === arm);
          return `${formatShare(found?.propensity)} (${formatCount(found?.units ?? 0)})`;
        },
      }),
    ),
  ];
  return (
    <>
      {axis !== null && (
        <PlotFrame
          label="Chance of each arm over time, also in the table below"
          timeAxis={axis}
          lines={[0, 50, 100].map((percent) => ({ percent, text: `${100 - percent} %` }))}
          legend={known.map((name, colour) => ({ name, colour }))}
        >
          {weightBars(revisions, known, axis).map((bar) => (
            <rect
              key={`${bar.left} ${bar.arm}`}
              class={`weight-bar ${seriesClass(known.indexOf(bar.arm))}`}
              x={bar.left}
              y={bar.top}
              width={bar.width}
              height={bar.height}
            />
          ))}
        </PlotFrame>
      )}
      <details>
        <summary>The same as a table, with the units of each revision</summary>
        <DataTable
          caption="Revisions of the policy, newest first"
          columns={columns}
          rows={[...revisions].reverse()}
          rowKey={({ policy_revision, experiment_revision }) => `${experiment_revision} ${policy_revision}`}
        />
      </details>
    </>
  );
}
