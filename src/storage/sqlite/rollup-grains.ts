import { HOUR_MS, hourOf } from '../../kernel/index.ts';

export const DAY_MS = 24 * HOUR_MS;

/** Start of the UTC day that holds `epochMs`. */
export function dayOf(epochMs: number): number {
  return Math.floor(epochMs / DAY_MS) * DAY_MS;
}

/** Start of the UTC calendar month that holds `epochMs`. */
export function monthOf(epochMs: number): number {
  const date = new Date(epochMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

/** How long a cell of a rollup is, finest first. Each sum is kept in all of them, so that a report reads few cells. */
export const GRAINS = ['hour', 'day', 'month'] as const;
export type Grain = (typeof GRAINS)[number];

/** Start of the cell of a grain that holds a point in time. */
export const CELL_BEGIN: Readonly<Record<Grain, (epochMs: number) => number>> = {
  hour: hourOf,
  day: dayOf,
  month: monthOf,
};

const KINDS = ['generation', 'latency', 'outcome'] as const;
export type RollupKind = (typeof KINDS)[number];

/** Table of a kind of rollup; its cells begin at the column `<grain>_ms`. */
export function rollupTable(kind: RollupKind, grain: Grain): string {
  return grain === 'hour' ? `${kind}_rollups` : `${kind}_${grain}_rollups`;
}

export const ROLLUP_TABLES: readonly string[] = KINDS.flatMap((kind) =>
  GRAINS.map((grain) => rollupTable(kind, grain)),
);

/** One thing for each grain. */
export function perGrain<Made>(make: (grain: Grain) => Made): Readonly<Record<Grain, Made>> {
  return { hour: make('hour'), day: make('day'), month: make('month') };
}
