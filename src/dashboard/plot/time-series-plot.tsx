import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { formatTime } from '../format.ts';
import { alignedPoints, type PlottedSeries } from './aligned-points.ts';
import { seriesClass, seriesProperty } from './series-class.ts';
import { shownValueRange, type ValueLimits } from './value-range.ts';
import 'uplot/dist/uPlot.min.css';

export interface PlotMark {
  readonly at: string;
  readonly text: string;
}

export interface PlottedLine extends PlottedSeries {
  /** Which of the colours: the same version has the same one everywhere. */
  readonly colour: number;
}

interface TimeSeriesPlotProps {
  /** What is drawn, for those who hear it; the numbers stand in a table beside it. */
  readonly label: string;
  readonly lines: readonly PlottedLine[];
  /** Moments drawn through the plot, such as moves of a label. */
  readonly marks: readonly PlotMark[];
  readonly format: (value: number | null) => string;
  readonly limits: ValueLimits;
}

const HEIGHT = 260;
/** Between the texts of two marks. */
const MARK_TEXT_GAP = 12;

/** Lines over time, by UTC. Drawn anew when the theme changes, since a canvas keeps its colours. */
export function TimeSeriesPlot({ label, lines, marks, format, limits }: TimeSeriesPlotProps) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latestMarks = useRef(marks);
  latestMarks.current = marks;
  const latestFormat = useRef(format);
  latestFormat.current = format;
  const latestLimits = useRef(limits);
  latestLimits.current = limits;
  const [reading, setReading] = useState<number | null>(null);
  const isDark = useIsDark();
  const aligned = useMemo(() => alignedPoints(lines), [lines]);
  const latestData = useRef<uPlot.AlignedData>(dataOf(aligned));
  latestData.current = dataOf(aligned);
  const shape = JSON.stringify(lines.map(({ name, colour }) => [name, colour]));

  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const colour = (name: string): string => getComputedStyle(element).getPropertyValue(name).trim();
    const font = `12px ${colour('--font')}`;
    const named = JSON.parse(shape) as readonly (readonly [name: string, colour: number])[];
    const axis = { stroke: colour('--text-muted'), grid: { stroke: colour('--line'), width: 1 }, font };
    const chart = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), 'UTC'),
        padding: [24, 24, 0, 0],
        legend: { show: false },
        cursor: { drag: { x: false, y: false } },
        scales: {
          x: { time: true, range: () => shownRange(latestData.current[0], latestMarks.current) },
          y: { range: (_chart, least, most) => shownValueRange(least, most, latestLimits.current) },
        },
        axes: [
          {
            ...axis,
            ticks: { show: false },
            size: 32,
            space: 64,
            values: (_chart, splits, _axis, _space, stepSeconds) =>
              splits.map((seconds) => axisTimeText(seconds, stepSeconds)),
          },
          {
            ...axis,
            ticks: { show: false },
            size: 64,
            values: (_chart, splits) => splits.map((value) => latestFormat.current(value)),
          },
        ],
        series: [
          {},
          ...named.map(([name, index]) => ({
            label: name,
            stroke: colour(seriesProperty(index)),
            width: 2,
            spanGaps: true,
            points: { size: 6, fill: colour(seriesProperty(index)) },
          })),
        ],
        hooks: {
          draw: [(drawn) => drawMarks(drawn, latestMarks.current, colour, font)],
          setCursor: [(moved) => setReading(moved.cursor.idx ?? null)],
        },
      },
      latestData.current,
      element,
    );
    plot.current = chart;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) chart.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
      plot.current = null;
    };
    // `isDark`: the colours are read from the style sheet while drawing.
  }, [shape, isDark]);

  useEffect(() => {
    plot.current?.setData(dataOf(aligned));
    // `marks`: drawn with the data.
  }, [aligned, marks]);

  return (
    <figure class="chart">
      <ul class="chart-legend">
        {lines.map(({ name, colour }) => (
          <li key={name}>
            <span class={`series-mark ${seriesClass(colour)}`} aria-hidden="true" />
            {name}
          </li>
        ))}
      </ul>
      <div ref={frame} role="img" aria-label={label} />
      <p class="chart-reading" aria-hidden="true">
        {reading !== null && readingText(lines, aligned, reading, format)}
      </p>
    </figure>
  );
}

function readingText(
  lines: readonly PlottedLine[],
  { timesSeconds, values }: ReturnType<typeof alignedPoints>,
  index: number,
  format: TimeSeriesPlotProps['format'],
): string {
  const time = timesSeconds[index];
  if (time === undefined) return '';
  const parts = lines.map(({ name }, line) => `${name} ${format(values[line]?.[index] ?? null)}`);
  return `${formatTime(time * 1_000)}: ${parts.join(' · ')}`;
}

function drawMarks(
  { ctx, bbox, valToPos }: uPlot,
  marks: readonly PlotMark[],
  colour: (name: string) => string,
  font: string,
): void {
  const pixelRatio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = colour('--line-strong');
  ctx.fillStyle = colour('--text');
  ctx.font = font.replace('12px', `${12 * pixelRatio}px`);
  ctx.textAlign = 'center';
  ctx.setLineDash([4 * pixelRatio, 3 * pixelRatio]);
  let freeUntil = Number.POSITIVE_INFINITY;
  // The newest first: where texts would meet, it is the one that holds.
  for (const { at, text } of [...marks].reverse()) {
    const x = valToPos(Date.parse(at) / 1_000, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    const half = ctx.measureText(text).width / 2;
    const textX = Math.min(Math.max(x, bbox.left + half), bbox.left + bbox.width - half);
    if (textX + half > freeUntil) continue;
    freeUntil = textX - half - MARK_TEXT_GAP * pixelRatio;
    ctx.fillText(text, textX, bbox.top - 8 * pixelRatio);
  }
  ctx.restore();
}

/**
 * From the first point to the last one, or to a mark that comes after it: a move of today, where points are days. Worked
 * out here, because the plot takes a thousand days around a single point.
 */
function shownRange(timesSeconds: ArrayLike<number>, marks: readonly PlotMark[]): [min: number, max: number] {
  const first = timesSeconds[0] ?? 0;
  const lastPoint = timesSeconds[timesSeconds.length - 1] ?? first;
  const last = Math.max(lastPoint, ...marks.map(({ at }) => Date.parse(at) / 1_000));
  const margin = Math.max(0, (SHORTEST_SECONDS - (last - first)) / 2);
  return [first - margin, last + margin];
}

const SHORTEST_SECONDS = 7_200;

/** `23 Nov`, or `14:00` where the steps are shorter than a day; then midnight says its day. */
function axisTimeText(seconds: number, stepSeconds: number): string {
  const isDay = stepSeconds >= DAY_SECONDS || seconds % DAY_SECONDS === 0;
  return (isDay ? AXIS_DAY : AXIS_TIME).format(new Date(seconds * 1_000));
}

const DAY_SECONDS = 86_400;
const AXIS_DAY = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'short' });
const AXIS_TIME = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', hour: '2-digit', minute: '2-digit' });

function dataOf({ timesSeconds, values }: ReturnType<typeof alignedPoints>): uPlot.AlignedData {
  return [[...timesSeconds], ...values.map((line) => [...line])];
}

function useIsDark(): boolean {
  const [isDark, setIsDark] = useState(() => darkScheme().matches);
  useEffect(() => {
    const scheme = darkScheme();
    const update = (): void => setIsDark(scheme.matches);
    scheme.addEventListener('change', update);
    return () => scheme.removeEventListener('change', update);
  }, []);
  return isDark;
}

function darkScheme(): MediaQueryList {
  return matchMedia('(prefers-color-scheme: dark)');
}
