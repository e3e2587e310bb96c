/** What a column may hold, on either side of a thread boundary. */
export type SqlValue = string | number | null;

/**
 * `plain` text and numbers as they are · `flag` boolean as 0 or 1 · `json` a value as JSON text, null as NULL.
 */
export type ColumnKind = 'plain' | 'flag' | 'json';

/** Column name and kind of every field of `T`: a field without a column does not compile. */
export type ColumnMap<T> = { readonly [Field in keyof T]-?: readonly [column: string, kind: ColumnKind] };

export function encodeColumn(value: unknown, kind: ColumnKind): SqlValue {
  if (value === null || value === undefined) return null;
  if (kind === 'flag') return value === true ? 1 : 0;
  if (kind === 'json') return JSON.stringify(value) ?? null;
  // `plain` fields are text or numbers by their types; anything else is a fault of the caller and fails loudly.
  if (typeof value === 'string' || typeof value === 'number') return value;
  throw new TypeError(`a column cannot hold a ${typeof value}`);
}

export function decodeColumn(value: unknown, kind: ColumnKind): unknown {
  if (kind === 'flag') return value === 1;
  if (kind === 'json') return typeof value === 'string' ? (JSON.parse(value) as unknown) : null;
  return value;
}
