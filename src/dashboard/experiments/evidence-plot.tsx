import type { ExperimentHistory } from '../api/experiment-wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { formatCount, formatInterval, formatReward, formatTime } from '../format.ts';
import { intervalScale, positionPercent } from '../plot/interval-scale.ts';
import { seriesClass } from '../plot/series-class.ts';
import { evidenceBand } from './evidence-band.ts';
import { PlotFrame } from './plot-frame.tsx';
import { timeAxis } from './time-axis.ts';

interface EvidencePlotProps {
  readonly history: ExperimentHistory;
  /** Names in the order of the report: an arm has one colour on the page. */
  readonly arms: readonly string[];
}

/** Mean and interval of each arm as they became with more and more units: what waiting still brings. */
export function EvidencePlot({ history, arms }: EvidencePlotProps) {
  const points = history.arms.flatMap((arm) => arm.points.filter(({ mean }) => mean !== null));
  const axis = timeAxis(points.map(({ until }) => Date.parse(until)));
  if (axis === null) {
    return (
      <p class="muted">
        {points.length === 0
          ? 'No reward is settled yet.'
          : `All units so far came within one ${history.by}: a line needs two.`}
      </p>
    );
  }
  const scale = intervalScale(points, history.scale);
  const yPercent = (value: number): number => positionPercent(value, scale);
  const drawn = history.arms.filter((arm) => arm.points.length > 0);
  return (
    <>
      <PlotFrame
        label="Interval of each arm over time, also in the table below"
        timeAxis={axis}
        lines={scale.ticks.map((tick) => ({
          percent: 100 - yPercent(tick),
          text: String(tick).replace(/^-/, '−'),
        }))}
        legend={drawn.map(({ arm }) => ({ name: arm, colour: arms.indexOf(arm) }))}
      >
        {drawn.map((arm) => {
          const band = evidenceBand(arm.points, axis, yPercent);
          return (
            band !== null && (
              <g key={arm.arm} class={seriesClass(arms.indexOf(arm.arm))}>
                <path class="evidence-area" d={band.area} />
                <path class="evidence-line" d={band.line} />
              </g>
            )
          );
        })}
      </PlotFrame>
      <p class="muted">
        By the time of the calls, with the rewards known today: each point is over all units up to then.
      </p>
      <details>
        <summary>The same as a table</summary>
        <EvidenceTable history={history} />
      </details>
    </>
  );
}

/** Newest moments that the table lists; the picture has them all. */
const MAX_TABLE_ROWS = 50;

function EvidenceTable({ history }: { readonly history: ExperimentHistory }) {
  const moments = [...new Set(history.arms.flatMap(({ points }) => points.map(({ until }) => until)))];
  const rows = moments.sort().reverse().slice(0, MAX_TABLE_ROWS);
  const columns: readonly Column<string>[] = [
    { key: 'until', title: 'Until', isHeading: true, cell: (until) => formatTime(until) },
    ...history.arms.map(
      ({ arm, points }): Column<string> => ({
        key: arm,
        title: arm,
        isNumber: true,
        cell: (until) => {
          const point = points.find((one) => one.until === until);
          if (point === undefined || point.mean === null) return '–';
          const { mean, lower, upper, units } = point;
          return `${formatReward(mean)} (${formatInterval(lower, upper)}, ${formatCount(units)})`;
        },
      }),
    ),
  ];
  return (
    <DataTable
      caption="Mean, interval and units of each arm, newest first"
      columns={columns}
      rows={rows}
      rowKey={(until) => until}
    />
  );
}
