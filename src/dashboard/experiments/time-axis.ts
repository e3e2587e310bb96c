/** A stretch of time that a plot shows. */
export interface TimeAxis {
  readonly beginMs: number;
  readonly endMs: number;
  /** Moments with a text, from the first to the last. */
  readonly ticks: readonly { readonly atMs: number; readonly text: string }[];
}

const DAY_MS = 86_400_000;
/** Texts that stand beside each other without touching on a narrow screen. */
const TICKS = 3;

/** The axis over these moments; null when they are not two different ones: nothing moved then. */
export function timeAxis(moments: readonly number[]): TimeAxis | null {
  const beginMs = moments.reduce((least, moment) => Math.min(least, moment), Number.POSITIVE_INFINITY);
  const endMs = moments.reduce((most, moment) => Math.max(most, moment), Number.NEGATIVE_INFINITY);
  if (!(endMs > beginMs)) return null;
  const format = endMs - beginMs > 3 * DAY_MS ? DAY : MINUTE;
  const ticks = Array.from({ length: TICKS }, (_, index) => {
    const atMs = beginMs + ((endMs - beginMs) * index) / (TICKS - 1);
    return { atMs, text: format.format(atMs) };
  });
  return { beginMs, endMs, ticks };
}

/** Where a moment stands, in percent of the width. */
export function timePercent(atMs: number, { beginMs, endMs }: TimeAxis): number {
  return ((atMs - beginMs) / (endMs - beginMs)) * 100;
}

const DAY = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'short' });
const MINUTE = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
