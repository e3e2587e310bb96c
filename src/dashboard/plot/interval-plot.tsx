import type { ComponentChildren } from 'preact';
import { formatDifference, formatInterval, formatReward, UNKNOWN } from '../format.ts';
import { type IntervalScale, intervalScale, positionPercent } from './interval-scale.ts';
import { seriesClass } from './series-class.ts';

export interface IntervalRow {
  readonly name: string;
  /** What stands beside the name: badges. */
  readonly badges?: ComponentChildren;
  /** Null: no reward is settled yet; the interval is then not drawn. */
  readonly mean: number | null;
  readonly lower: number;
  readonly upper: number;
  readonly isBaseline: boolean;
  readonly lift: {
    readonly difference: number | null;
    readonly lower: number;
    readonly upper: number;
  } | null;
}

interface IntervalPlotProps {
  /** Says what is compared, for those who hear the table. */
  readonly caption: string;
  readonly rows: readonly IntervalRow[];
  /** All values that the metric may take. */
  readonly scale: { readonly min: number; readonly max: number };
  /** Of the intervals, such as 0.95. */
  readonly confidence: number;
  readonly optimize: 'max' | 'min';
  /** Column title of the names: `Version` or `Arm`. */
  readonly nameTitle?: string;
}

/**
 * Mean and interval of each row on one scale, the baseline's mean drawn through all of them. It is a table: the numbers
 * stand beside the marks, and the marks are for the eye only.
 */
export function IntervalPlot(props: IntervalPlotProps) {
  const { caption, rows, confidence, optimize, nameTitle = 'Version' } = props;
  const drawn = rows.filter(({ mean }) => mean !== null);
  const scale = intervalScale(drawn, props.scale);
  const baselineMean = rows.find(({ isBaseline }) => isBaseline)?.mean ?? null;
  return (
    <table class="interval-plot">
      <caption class="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          <th scope="col">{nameTitle}</th>
          <th scope="col" class="interval-cell">
            {percentText(confidence)} interval
          </th>
          <th scope="col" class="number">
            Mean
          </th>
          <th scope="col" class="number">
            From – to
          </th>
          <th scope="col" class="number">
            Against baseline
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <tr key={row.name}>
            <th scope="row">
              <span class="interval-name">
                <span class={`series-mark ${seriesClass(index)}`} aria-hidden="true" />
                {row.name}
              </span>{' '}
              {row.isBaseline && <span class="badge">baseline</span>} {row.badges}
            </th>
            <td class="interval-cell">
              <Track row={row} index={index} scale={scale} baselineMean={baselineMean} />
            </td>
            <td class="number interval-mean" data-label="Mean">
              {formatReward(row.mean)}
            </td>
            <td class="number" data-label={`${percentText(confidence)} interval`}>
              {row.mean === null ? UNKNOWN : formatInterval(row.lower, row.upper)}
            </td>
            <td class="number" data-label="Against baseline">
              <LiftText row={row} optimize={optimize} />
            </td>
          </tr>
        ))}
      </tbody>
      <tfoot aria-hidden="true">
        <tr>
          <td />
          <td class="interval-cell">
            <Axis scale={scale} />
          </td>
          <td colSpan={3} />
        </tr>
      </tfoot>
    </table>
  );
}

interface TrackProps {
  readonly row: IntervalRow;
  readonly index: number;
  readonly scale: IntervalScale;
  readonly baselineMean: number | null;
}

const TRACK_HEIGHT = 36;
const MIDDLE = TRACK_HEIGHT / 2;

function Track({ row, index, scale, baselineMean }: TrackProps) {
  const at = (value: number): string => `${positionPercent(value, scale)}%`;
  return (
    <svg class="interval-track" width="100%" height={TRACK_HEIGHT} aria-hidden="true" focusable="false">
      {scale.ticks.map((tick) => (
        <line key={tick} class="interval-grid" x1={at(tick)} x2={at(tick)} y1="0" y2={TRACK_HEIGHT} />
      ))}
      {baselineMean !== null && (
        <line
          class="interval-baseline"
          x1={at(baselineMean)}
          x2={at(baselineMean)}
          y1="0"
          y2={TRACK_HEIGHT}
        />
      )}
      {row.mean !== null && (
        <g class={seriesClass(index)}>
          <line class="interval-bar" x1={at(row.lower)} x2={at(row.upper)} y1={MIDDLE} y2={MIDDLE} />
          <line class="interval-end" x1={at(row.lower)} x2={at(row.lower)} y1={MIDDLE - 6} y2={MIDDLE + 6} />
          <line class="interval-end" x1={at(row.upper)} x2={at(row.upper)} y1={MIDDLE - 6} y2={MIDDLE + 6} />
          <circle class="interval-dot" cx={at(row.mean)} cy={MIDDLE} r="5.5" />
        </g>
      )}
    </svg>
  );
}

function Axis({ scale }: { readonly scale: IntervalScale }) {
  return (
    <svg class="interval-axis" width="100%" height="18" aria-hidden="true" focusable="false">
      {scale.ticks.map((tick) => (
        <text key={tick} x={`${positionPercent(tick, scale)}%`} y="13" text-anchor="middle">
          {tickText(tick)}
        </text>
      ))}
    </svg>
  );
}

function LiftText({ row, optimize }: { readonly row: IntervalRow; readonly optimize: 'max' | 'min' }) {
  const { lift } = row;
  if (lift === null || lift.difference === null) {
    return <span class="muted">{row.isBaseline ? 'is the baseline' : UNKNOWN}</span>;
  }
  const isBetter = optimize === 'max' ? lift.lower > 0 : lift.upper < 0;
  const isWorse = optimize === 'max' ? lift.upper < 0 : lift.lower > 0;
  const word = isBetter ? 'better' : isWorse ? 'worse' : 'not settled';
  const badge = isBetter ? 'badge badge-good' : isWorse ? 'badge badge-bad' : 'badge';
  return (
    <span class="lift">
      <span class={badge}>{word}</span> <strong>{formatDifference(lift.difference)}</strong>{' '}
      <span class="muted lift-range">
        ({formatDifference(lift.lower)} to {formatDifference(lift.upper)})
      </span>
    </span>
  );
}

function percentText(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}

function tickText(tick: number): string {
  return String(tick).replace(/^-/, '−');
}
