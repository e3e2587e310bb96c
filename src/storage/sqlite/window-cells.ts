import { HOUR_MS, hourOf } from '../../kernel/index.ts';
import {
  CELL_BEGIN,
  DAY_MS,
  dayOf,
  GRAINS,
  type Grain,
  monthOf,
  type RollupKind,
  rollupTable,
} from './rollup-grains.ts';

/** Nothing was recorded before or will be after; both begin a month. */
const EARLIEST_MS = Date.UTC(1900, 0);
const LATEST_MS = Date.UTC(9000, 0);

/** Decision hours in [`fromMs`, `toMs`); null: unbounded. */
export interface CellWindow {
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** Hours that begin before this have a closed attribution window. */
  readonly closedBeforeMs: number;
}

/** Cells that begin in [from, to); 1: their attribution window is closed. */
export type CellRange = readonly [fromMs: number, toMs: number, isClosed: 0 | 1];

/** Every hour of a window in exactly one cell, the coarsest that lies wholly in it on one side of `closedBeforeMs`. */
export function windowCells(
  window: CellWindow,
  coarsest: Grain = 'month',
): Readonly<Record<Grain, readonly CellRange[]>> {
  const fromMs = nextHour(clamp(window.fromMs ?? EARLIEST_MS));
  const toMs = nextHour(clamp(window.toMs ?? LATEST_MS));
  const closedMs = Math.min(Math.max(nextHour(window.closedBeforeMs), fromMs), toMs);
  const cells: Record<Grain, CellRange[]> = { hour: [], day: [], month: [] };
  addRange(cells, coarsest, [fromMs, closedMs, 1]);
  addRange(cells, coarsest, [closedMs, toMs, 0]);
  return cells;
}

const FINER: Readonly<Record<Grain, Grain | null>> = { month: 'day', day: 'hour', hour: null };

function addRange(cells: Record<Grain, CellRange[]>, grain: Grain, range: CellRange): void {
  const [fromMs, toMs, isClosed] = range;
  if (fromMs >= toMs) return;
  const firstMs = firstWhole[grain](fromMs);
  const endMs = CELL_BEGIN[grain](toMs);
  const finer = FINER[grain];
  if (finer === null) {
    cells[grain].push(range);
  } else if (firstMs >= endMs) {
    addRange(cells, finer, range);
  } else {
    addRange(cells, finer, [fromMs, firstMs, isClosed]);
    cells[grain].push([firstMs, endMs, isClosed]);
    addRange(cells, finer, [endMs, toMs, isClosed]);
  }
}

/** Begin of the first cell that does not begin before a point in time. */
const firstWhole: Readonly<Record<Grain, (epochMs: number) => number>> = {
  hour: nextHour,
  day: (epochMs) => dayOf(epochMs + DAY_MS - 1),
  month: (epochMs) => (monthOf(epochMs) === epochMs ? epochMs : monthOf(monthOf(epochMs) + 32 * DAY_MS)),
};

function nextHour(epochMs: number): number {
  return hourOf(epochMs + HOUR_MS - 1);
}

function clamp(epochMs: number): number {
  return Math.min(Math.max(epochMs, EARLIEST_MS), LATEST_MS);
}

/** What {@link cellsSql} binds. */
export function cellParameters(cells: ReturnType<typeof windowCells>): Readonly<Record<string, string>> {
  return Object.fromEntries(GRAINS.map((grain) => [`${grain}Ranges`, JSON.stringify(cells[grain])]));
}

/**
 * A query of the cells `r` of the series `s` that lie in the ranges bound by {@link cellParameters}. `columns` may name
 * `is_closed` of the cell and, by {@link BEGIN_MS}, when it begins. Ranges come first: then each is one search of a
 * series.
 */
export function cellsSql(query: {
  readonly kind: RollupKind;
  readonly columns: readonly string[];
  /** Which series, and cells of which metric. */
  readonly where: string;
  readonly coarsest?: Grain;
}): string {
  const grains = GRAINS.slice(0, GRAINS.indexOf(query.coarsest ?? 'month') + 1);
  return grains
    .map((grain) => {
      const begin = `r.${grain}_ms`;
      const columns = [...query.columns, 'w.value ->> 2 AS is_closed'].join(', ');
      return `SELECT ${columns.replaceAll(BEGIN_MS, begin)}
    FROM json_each(@${grain}Ranges) w
    CROSS JOIN rollup_series s
    CROSS JOIN ${rollupTable(query.kind, grain)} r
    WHERE ${query.where} AND r.series_id = s.id AND ${begin} >= w.value ->> 0 AND ${begin} < w.value ->> 1`;
    })
    .join('\n    UNION ALL\n    ');
}

/** Stands for the column at which a cell begins. */
export const BEGIN_MS = 'BEGIN_MS';
