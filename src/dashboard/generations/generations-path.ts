import type { Query } from '../query.ts';

/** Calls of one page of the list: a screen or two. */
const PAGE_ROWS = 50;

/** Filters of the list, by their names in the address and in the request. */
export const GENERATION_FILTERS = [
  'q',
  'prompt',
  'version',
  'label',
  'experiment',
  'arm',
  'status',
  'user_id',
  'from',
  'to',
] as const;

/** The request behind the address of the list. Anything else in the address is not ours to pass on. */
export function generationsPath(query: Query): string {
  const parameters = new URLSearchParams({ limit: String(PAGE_ROWS) });
  for (const name of [...GENERATION_FILTERS, 'cursor']) {
    const value = query[name];
    if (value === undefined || value === '') continue;
    parameters.set(name, name === 'from' || name === 'to' ? wholeTime(value) : value);
  }
  return `/generations?${parameters}`;
}

export function isFiltered(query: Query): boolean {
  return GENERATION_FILTERS.some((name) => (query[name] ?? '') !== '');
}

/** A day of the date field begins at midnight UTC, as the reports count. */
function wholeTime(value: string): string {
  return /^\d{4}-\d{2}-\d{2}$/.test(value) ? `${value}T00:00:00Z` : value;
}
