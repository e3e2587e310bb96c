import { type TimeAxis, timePercent } from './time-axis.ts';

interface Point {
  readonly until: string;
  readonly mean: number | null;
  readonly lower: number;
  readonly upper: number;
}

interface Band {
  /** Path around the intervals. */
  readonly area: string;
  /** Path through the means. */
  readonly line: string;
}

/**
 * Paths of an arm in a picture of 100 by 100, its lower left corner being the axis' begin and the scale's lower end.
 * Points without a mean say nothing and are left out; null without two of them.
 */
export function evidenceBand(
  points: readonly Point[],
  axis: TimeAxis,
  yPercent: (value: number) => number,
): Band | null {
  const shown = points.filter(({ mean }) => mean !== null);
  if (shown.length < 2) return null;
  const at = ({ until }: Point, value: number): string =>
    `${rounded(timePercent(Date.parse(until), axis))} ${rounded(100 - yPercent(value))}`;
  const upper = shown.map((point) => at(point, point.upper));
  const lower = shown.map((point) => at(point, point.lower)).reverse();
  return {
    area: `M${[...upper, ...lower].join('L')}Z`,
    line: `M${shown.map((point) => at(point, point.mean ?? 0)).join('L')}`,
  };
}

/** Hundredths of a percent are finer than any screen. */
function rounded(percent: number): number {
  return Number(percent.toFixed(2));
}
