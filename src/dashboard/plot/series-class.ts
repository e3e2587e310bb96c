/** Colours that a plot has; later series share the last ones round. */
const SERIES_COLOURS = 6;

/** Class that gives a series its colour: the same for a version in every plot that lists the same versions. */
export function seriesClass(index: number): string {
  return `series-${(index % SERIES_COLOURS) + 1}`;
}

/** The custom property that holds the colour, for canvases, which know no classes. */
export function seriesProperty(index: number): string {
  return `--${seriesClass(index)}`;
}
