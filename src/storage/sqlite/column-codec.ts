/** What a column may hold, on either side of a thread boundary. */
export type SqlValue = string | number | null;

/**
 * `plain` text and numbers as they are · `flag` boolean as 0 or 1 · `json` a value as JSON text, null as NULL.
 */
export type ColumnKind = 'plain' | 'flag' | 'json';

/** Column name and kind of every field of `T`: a field without a column does not compile. */
export type ColumnMap<T> = { readonly [Field in keyof T]-?: readonly [column: string, kind: ColumnKind] };

function encodeColumn(value: unknown, kind: ColumnKind): SqlValue {
  if (value === null || value === undefined) return null;
  if (kind === 'flag') return value === true ? 1 : 0;
  if (kind === 'json') return JSON.stringify(value) ?? null;
  // `plain` fields are text or numbers by their types; anything else is a fault of the caller and fails loudly.
  if (typeof value === 'string' || typeof value === 'number') return value;
  throw new TypeError(`a column cannot hold a ${typeof value}`);
}

function decodeColumn(value: unknown, kind: ColumnKind): unknown {
  if (kind === 'flag') return value === 1;
  if (kind === 'json') return typeof value === 'string' ? (JSON.parse(value) as unknown) : null;
  return value;
}

/** A record's table: its columns in the order of the map, and the way to and from a row. */
export interface ColumnTable<T, Column extends string> {
  readonly names: readonly Column[];
  /** In the order of `names`. Throws a TypeError on a value that no column can hold (a cycle, a BigInt, a boolean where text belongs). */
  encode(record: T): readonly SqlValue[];
  /** The columns hold what `encode` wrote. */
  decode(row: Readonly<Record<string, unknown>>): T;
}

export function columnTable<T, Map extends ColumnMap<T>>(columns: Map): ColumnTable<T, Map[keyof T][0]> {
  // The type of `columns` has checked that every field of the record is a key.
  const fields = Object.entries(columns) as unknown as readonly (readonly [
    keyof T & string,
    readonly [Map[keyof T][0], ColumnKind],
  ])[];
  return {
    names: fields.map(([, [column]]) => column),
    encode: (record) => fields.map(([field, [, kind]]) => encodeColumn(record[field], kind)),
    decode: (row) => {
      const record: Record<string, unknown> = {};
      for (const [field, [column, kind]] of fields) record[field] = decodeColumn(row[column], kind);
      return record as T;
    },
  };
}
