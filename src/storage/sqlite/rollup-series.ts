import type { Connection } from './connection.ts';

/** What reports group or filter by, in the order of the unique key. Absent values are ''. */
const SERIES_COLUMNS = [
  'prompt',
  'prompt_version',
  'prompt_hash',
  'model',
  'version_source',
  'forced',
  'degraded',
  'replay',
  'shadow',
  'test',
  'experiment',
  'experiment_revision',
  'arm',
  'policy_revision',
  'first_exposure',
] as const;

export type Series = Readonly<Record<(typeof SERIES_COLUMNS)[number], string | number>>;

/** Model names come from outside: beyond this many combinations the cache starts afresh. */
const MAX_CACHED_SERIES = 10_000;

/** Ids of series, made on first use. A pass-through call belongs to the series of prompt ''. */
export interface RollupSeries {
  idOf(series: Series): number;
  /** Must follow every rollback: ids made by a transaction go with it. */
  forget(): void;
}

export function createRollupSeries(database: Connection): RollupSeries {
  const find = database
    .prepare(
      `SELECT id FROM rollup_series WHERE ${SERIES_COLUMNS.map((column) => `${column} = ?`).join(' AND ')}`,
    )
    .pluck();
  const insert = database
    .prepare(
      `INSERT INTO rollup_series (${SERIES_COLUMNS.join(', ')})
       VALUES (${SERIES_COLUMNS.map(() => '?').join(', ')}) RETURNING id`,
    )
    .pluck();
  const ids = new Map<string, number>();
  return {
    idOf: (series) => {
      const values = SERIES_COLUMNS.map((column) => series[column]);
      // JSON keeps the values apart whatever they contain.
      const key = JSON.stringify(values);
      const known = ids.get(key);
      if (known !== undefined) return known;
      if (ids.size >= MAX_CACHED_SERIES) ids.clear();
      const id = Number(find.get(...values) ?? insert.get(...values));
      ids.set(key, id);
      return id;
    },
    forget: () => ids.clear(),
  };
}
