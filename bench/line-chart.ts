/** A point in the units of the axes. */
export type Point = readonly [x: number, y: number];

export interface Line {
  readonly label: string;
  readonly points: readonly Point[];
  readonly colour: string;
  readonly dashes?: string;
  /** Where the label stands: beside the last point unless said otherwise. */
  readonly labelAt?: Point;
}

export interface Band {
  /** x, lower and upper end. */
  readonly rows: readonly (readonly [x: number, lower: number, upper: number])[];
  readonly colour: string;
}

export interface Mark {
  readonly at: number;
  readonly label: string;
  /** A vertical line at x, or a horizontal one at y. */
  readonly axis: 'x' | 'y';
  /** Height (or x) of the label, in the units of the other axis. */
  readonly labelAt: number;
}

export interface Axis {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
  readonly format: (tick: number) => string;
}

export interface Chart {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly bands?: readonly Band[];
  readonly marks?: readonly Mark[];
  readonly lines: readonly Line[];
}

/** Distinguishable with every kind of colour vision (Okabe & Ito, "Color universal design", 2008). */
export const COLOURS = { blue: '#0072b2', orange: '#d55e00', green: '#00795a', grey: '#57606a' } as const;

const WIDTH = 720;
const HEIGHT = 300;
const MARGIN = { left: 64, right: 24, top: 40, bottom: 52 };
const TEXT = '#1f2328';
const GRID = '#d8dee4';

/** Charts below each other on a card of its own colour, which reads alike on a light and on a dark page. */
export function svgOf(charts: readonly Chart[], description: string): string {
  const height = HEIGHT * charts.length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="13" fill="${TEXT}">`,
    `<title>${escaped(description)}</title>`,
    `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8" fill="#ffffff" stroke="${GRID}"/>`,
    ...charts.map((chart, index) => `<g transform="translate(0 ${index * HEIGHT})">${chartOf(chart)}</g>`),
    '</svg>',
    '',
  ].join('\n');
}

function chartOf({ title, x, y, bands = [], marks = [], lines }: Chart): string {
  const toX = scale(x, MARGIN.left, WIDTH - MARGIN.right);
  const toY = scale(y, HEIGHT - MARGIN.bottom, MARGIN.top);
  const path = (points: readonly Point[]): string =>
    points.map(([px, py], index) => `${index === 0 ? 'M' : 'L'}${toX(px)} ${toY(py)}`).join('');
  return [
    text(MARGIN.left, 24, title, { weight: 600, size: 15 }),
    ...y.ticks.map(
      (tick) =>
        `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${toY(tick)}" y2="${toY(tick)}" stroke="${GRID}"/>` +
        text(MARGIN.left - 8, toY(tick) + 4, y.format(tick), { anchor: 'end' }),
    ),
    ...x.ticks.map((tick) =>
      text(toX(tick), HEIGHT - MARGIN.bottom + 20, x.format(tick), { anchor: 'middle' }),
    ),
    text((MARGIN.left + WIDTH - MARGIN.right) / 2, HEIGHT - 10, x.label, { anchor: 'middle' }),
    `<g transform="translate(16 ${(HEIGHT - MARGIN.bottom + MARGIN.top) / 2}) rotate(-90)">${text(0, 0, y.label, { anchor: 'middle' })}</g>`,
    ...bands.map(({ rows, colour }) => {
      const upper = rows.map(([px, , high]): Point => [px, high]);
      const lower = rows.map(([px, low]): Point => [px, low]).reverse();
      return `<path d="${path([...upper, ...lower])}Z" fill="${colour}" fill-opacity="0.18" stroke="none"/>`;
    }),
    ...marks.map((mark) => markOf(mark, toX, toY)),
    ...lines.map(({ points, colour, dashes }) => {
      const dash = dashes === undefined ? '' : ` stroke-dasharray="${dashes}"`;
      return `<path d="${path(points)}" fill="none" stroke="${colour}" stroke-width="2.2" stroke-linejoin="round"${dash}/>`;
    }),
    ...lines.map(({ label, points, colour, labelAt }) => {
      const [px, py] = labelAt ?? points.at(-1) ?? [x.max, y.max];
      return text(toX(px) - 4, toY(py) - 7, label, { anchor: 'end', colour, weight: 600 });
    }),
  ].join('\n');
}

function markOf(mark: Mark, toX: (value: number) => number, toY: (value: number) => number): string {
  const dash = `stroke="${COLOURS.grey}" stroke-width="1.4" stroke-dasharray="5 4"`;
  if (mark.axis === 'x') {
    const at = toX(mark.at);
    return `<line x1="${at}" x2="${at}" y1="${MARGIN.top}" y2="${HEIGHT - MARGIN.bottom}" ${dash}/>${text(at + 6, toY(mark.labelAt), mark.label)}`;
  }
  const at = toY(mark.at);
  return `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at}" y2="${at}" ${dash}/>${text(toX(mark.labelAt), at - 6, mark.label)}`;
}

function text(
  x: number,
  y: number,
  content: string,
  style: {
    readonly anchor?: 'middle' | 'end';
    readonly colour?: string;
    readonly weight?: number;
    readonly size?: number;
  } = {},
): string {
  const { anchor, colour, weight, size } = style;
  const attributes = [
    anchor === undefined ? '' : ` text-anchor="${anchor}"`,
    colour === undefined ? '' : ` fill="${colour}"`,
    weight === undefined ? '' : ` font-weight="${weight}"`,
    size === undefined ? '' : ` font-size="${size}"`,
  ].join('');
  // A white rim keeps words readable where a line runs through them.
  return `<text x="${rounded(x)}" y="${rounded(y)}"${attributes} stroke="#ffffff" stroke-width="3" paint-order="stroke">${escaped(content)}</text>`;
}

function scale({ min, max }: Axis, from: number, to: number): (value: number) => number {
  return (value) => rounded(from + ((Math.min(max, Math.max(min, value)) - min) / (max - min)) * (to - from));
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
