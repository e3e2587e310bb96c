/** One line of a plot over time. */
export interface PlottedSeries {
  readonly name: string;
  readonly points: readonly { readonly at: string; readonly value: number | null }[];
}

export interface AlignedPoints {
  /** Seconds since the epoch, ascending: what the plot counts in. */
  readonly timesSeconds: readonly number[];
  /** A value for each time and line; null where a line has none. */
  readonly values: readonly (readonly (number | null)[])[];
}

/** All lines over the times that any of them has. */
export function alignedPoints(series: readonly PlottedSeries[]): AlignedPoints {
  const times = new Set(series.flatMap(({ points }) => points.map(({ at }) => Date.parse(at) / 1_000)));
  const timesSeconds = [...times].sort((a, b) => a - b);
  const values = series.map(({ points }) => {
    const byTime = new Map(points.map(({ at, value }) => [Date.parse(at) / 1_000, value]));
    return timesSeconds.map((time) => byTime.get(time) ?? null);
  });
  return { timesSeconds, values };
}
