import type { Connection } from './connection.ts';
import { ROLLUP_TABLES } from './rollup-grains.ts';
import { createWriterCore } from './writer-core.ts';

/** How a derived table differs from what the rows of the ledger give. */
export interface TableDifference {
  readonly table: string;
  /** Rows that are there and should not be, or should be otherwise. */
  readonly unexpected: number;
  /** Rows that should be there. */
  readonly missing: number;
  /** One of each as JSON; null: none. */
  readonly exampleUnexpected: string | null;
  readonly exampleMissing: string | null;
}

/** Derived tables, and the table that names the series of those that count by number of a series. */
const COMPARED: readonly (readonly [table: string, series: string | null])[] = [
  ['counting_outcomes', null],
  ['orphan_outcomes', null],
  ['api_key_spend', null],
  ['experiment_units', null],
  ['experiment_decisions', null],
  ...ROLLUP_TABLES.map((table) => [table, 'rollup_series'] as const),
  ['counting_score_outcomes', null],
  ['score_rollups', null],
  ['score_reward_rollups', null],
  ['shadow_rollups', 'shadow_series'],
  ['shadow_latency_rollups', 'shadow_series'],
];

/** Sums of many numbers depend on their order in the last of the 15 to 17 digits that a number has. */
const COMPARED_DIGITS = 12;

/** Builds everything derived anew in this database, a copy, and says what was otherwise before. */
export function compareWithRebuild(database: Connection): {
  readonly differences: readonly TableDifference[];
  readonly tablesCompared: number;
} {
  // One writer, no other reader: a copy that is thrown away needs no journal.
  database.pragma('synchronous = OFF');
  for (const [table, series] of COMPARED) {
    database.exec(`CREATE TEMP TABLE before_${table} AS ${comparableRows(database, table, series)}`);
  }
  const [reply] = createWriterCore(database).applyBatch([
    { command: { kind: 'rebuild_rollups' }, waitedMs: 0 },
  ]);
  if (reply?.ok !== true) throw new Error(`the derived tables cannot be rebuilt: ${JSON.stringify(reply)}`);
  const differences = COMPARED.map(([table, series]) => differenceOf(database, table, series));
  return {
    differences: differences.filter(({ unexpected, missing }) => unexpected + missing > 0),
    tablesCompared: COMPARED.length,
  };
}

function differenceOf(database: Connection, table: string, series: string | null): TableDifference {
  const before = `SELECT * FROM temp.before_${table}`;
  const now = comparableRows(database, table, series);
  const unexpected = `${before} EXCEPT ${now}`;
  const missing = `${now} EXCEPT ${before}`;
  return {
    table,
    unexpected: count(database, unexpected),
    missing: count(database, missing),
    exampleUnexpected: example(database, unexpected),
    exampleMissing: example(database, missing),
  };
}

function count(database: Connection, rows: string): number {
  return Number(database.prepare(`SELECT count(*) FROM (${rows})`).pluck().get());
}

function example(database: Connection, rows: string): string | null {
  const row = database.prepare(`${rows} LIMIT 1`).get();
  return row === undefined ? null : JSON.stringify(row);
}

interface Column {
  readonly name: string;
  readonly type: string;
}

/** Numbers of series are given out in the order of arrival: what they stand for is compared instead. */
function comparableRows(database: Connection, table: string, series: string | null): string {
  const columns = columnsOf(database, table);
  const names = new Set(columns.map(({ name }) => name));
  const values = columns
    .filter(({ name }) => name !== 'series_id' && !isLowPart(name, names))
    .map((column) => `${comparable(column, names)} AS ${column.name}`);
  if (series === null) return `SELECT ${values.join(', ')} FROM main.${table} t`;
  const named = columnsOf(database, series)
    .filter(({ name }) => name !== 'id')
    .map(({ name }) => `s.${name} AS series_${name}`);
  return `SELECT ${[...named, ...values].join(', ')} FROM main.${table} t JOIN main.${series} s ON s.id = t.series_id`;
}

/** The second part of an exact sum; the whole is compared with the first. */
function isLowPart(name: string, names: ReadonlySet<string>): boolean {
  return name.endsWith('_low') && names.has(name.slice(0, -'_low'.length));
}

function comparable({ name, type }: Column, names: ReadonlySet<string>): string {
  if (type !== 'REAL') return `t.${name}`;
  const whole = names.has(`${name}_low`) ? `t.${name} + t.${name}_low` : `t.${name}`;
  return `printf('%.${COMPARED_DIGITS}g', ${whole})`;
}

function columnsOf(database: Connection, table: string): readonly Column[] {
  // Row mapper: `table_info` has these two columns, both text.
  return database.prepare('SELECT name, type FROM pragma_table_info(?)').all(table) as Column[];
}
