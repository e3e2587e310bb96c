import { useMemo, useState } from 'preact/hooks';
import { REPORT_POLL_MS, useResource } from '../api/use-resource.ts';
import type { Label, TimePoint, TimeSeriesReport } from '../api/wire-types.ts';
import { DataTable } from '../components/data-table.tsx';
import { type Choice, ChoiceFilter, Filters } from '../components/filters.tsx';
import { ResourceView } from '../components/resource-view.tsx';
import {
  formatCompact,
  formatDurationMs,
  formatReward,
  formatShare,
  formatTime,
  formatUsd,
} from '../format.ts';
import { targetText } from '../overview/served-text.ts';
import { TimeSeriesPlot } from '../plot/time-series-plot.tsx';
import type { ValueLimits } from '../plot/value-range.ts';
import { useQuery } from '../router.ts';

interface Quantity {
  readonly text: string;
  readonly value: (point: TimePoint) => number | null;
  readonly format: (value: number | null) => string;
  /** Null: those of the metric. */
  readonly limits: ValueLimits | null;
}

const AMOUNT: ValueLimits = { min: 0, max: null };

const QUANTITIES: Readonly<Record<string, Quantity>> = {
  reward: { text: 'Mean reward', value: ({ mean }) => mean, format: formatReward, limits: null },
  calls: { text: 'Calls', value: ({ generations }) => generations, format: formatCompact, limits: AMOUNT },
  cost: { text: 'Cost', value: ({ cost_usd }) => cost_usd, format: formatUsd, limits: AMOUNT },
  latency: {
    text: 'Latency p95',
    value: ({ latency_ms }) => latency_ms.p95,
    format: formatDurationMs,
    limits: AMOUNT,
  },
  errors: {
    text: 'Error share',
    value: ({ errors, generations }) => (generations === 0 ? null : errors / generations),
    format: formatShare,
    limits: { min: 0, max: 1 },
  },
};
const CHOICES: readonly Choice[] = Object.entries(QUANTITIES).map(([value, { text }]) => ({
  value: value === 'reward' ? '' : value,
  text,
}));
const STEPS: readonly Choice[] = [
  { value: '', text: 'By the window' },
  { value: 'hour', text: 'Hour' },
  { value: 'day', text: 'Day' },
];

/** The newest ones; the history of a label has them all. */
const SHOWN_MOVES = 6;

interface OverTimeProps {
  readonly path: string;
  /** In the order of the report, which gives each its colour. */
  readonly versions: readonly string[];
  /** All values that the metric may take. */
  readonly scale: ValueLimits;
}

/** How the versions did over time, with the moves of the labels drawn in. */
export function OverTime({ path, versions, scale }: OverTimeProps) {
  const [query] = useQuery();
  const resource = useResource<TimeSeriesReport>(path, { pollMs: REPORT_POLL_MS, keepsLast: true });
  const quantity = QUANTITIES[query['chart'] || 'reward'] ?? QUANTITIES['reward'];
  return (
    <section class="panel" aria-labelledby="over-time-title">
      <div class="panel-heading">
        <h2 id="over-time-title">Over time</h2>
        <Filters label="What to draw">
          <ChoiceFilter name="chart" label="Show" choices={CHOICES} />
          <ChoiceFilter name="by" label="Point" choices={STEPS} />
        </Filters>
      </div>
      <ResourceView resource={resource} what="the points over time">
        {(report) =>
          quantity !== undefined && (
            <Lines report={report} versions={versions} scale={scale} quantity={quantity} />
          )
        }
      </ResourceView>
    </section>
  );
}

interface LinesProps {
  readonly report: TimeSeriesReport;
  readonly versions: readonly string[];
  readonly scale: ValueLimits;
  readonly quantity: Quantity;
}

function Lines({ report, versions, scale, quantity }: LinesProps) {
  const [isTableOpen, setIsTableOpen] = useState(false);
  const lines = useMemo(
    () =>
      report.series.map(({ prompt_version: name, points }, index) => ({
        name,
        colour: versions.includes(name) ? versions.indexOf(name) : index,
        points: points.map((point) => ({ at: point.at, value: quantity.value(point) })),
      })),
    [report, versions, quantity],
  );
  const marks = useMemo(
    () => report.label_moves.map((move) => ({ at: move.moved_at, text: moveText(move) })),
    [report],
  );
  if (lines.every(({ points }) => points.length === 0)) {
    return <p class="muted">No call in this window.</p>;
  }
  const names = lines.map(({ name }) => name).join(', ');
  return (
    <>
      <TimeSeriesPlot
        label={`${quantity.text} of ${names} by ${report.by}, ${formatTime(report.from)} to ${formatTime(report.to)}. The numbers are in the table below.`}
        lines={lines}
        marks={marks}
        format={quantity.format}
        limits={quantity.limits ?? scale}
      />
      {quantity.text === 'Mean reward' && (
        <p class="muted">A point of few calls moves by chance. What is certain stands above, not here.</p>
      )}
      {report.label_moves.length > 0 && (
        <ul class="moves" aria-label="Label moves in this window">
          {report.label_moves.slice(-SHOWN_MOVES).map((move) => (
            <li key={move.sequence}>
              <strong>{moveText(move)}</strong> <span class="muted">{formatTime(move.moved_at)}:</span>{' '}
              {move.reason}
            </li>
          ))}
        </ul>
      )}
      <details onToggle={(event) => setIsTableOpen(event.currentTarget.open)}>
        <summary>The same as a table</summary>
        {isTableOpen && <PointTable report={report} quantity={quantity} />}
      </details>
    </>
  );
}

function PointTable({ report, quantity }: Pick<LinesProps, 'report' | 'quantity'>) {
  const rows = report.series
    .flatMap(({ prompt_version: version, points }) => points.map((point) => ({ version, point })))
    .sort((a, b) => b.point.at.localeCompare(a.point.at) || a.version.localeCompare(b.version));
  return (
    <DataTable
      caption={`${quantity.text} by ${report.by}, newest first`}
      rows={rows}
      rowKey={({ version, point }) => `${point.at} ${version}`}
      columns={[
        { key: 'at', title: 'From (UTC)', isHeading: true, cell: ({ point }) => formatTime(point.at) },
        { key: 'version', title: 'Version', cell: ({ version }) => version },
        {
          key: 'value',
          title: quantity.text,
          isNumber: true,
          cell: ({ point }) => quantity.format(quantity.value(point)),
        },
        {
          key: 'calls',
          title: 'Calls',
          isNumber: true,
          cell: ({ point }) => formatCompact(point.generations),
        },
      ]}
    />
  );
}

function moveText({ label, target }: Label): string {
  return `@${label} → ${targetText(target)}`;
}
