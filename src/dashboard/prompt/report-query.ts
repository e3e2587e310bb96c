import type { Query } from '../query.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PERIODS_MS: Readonly<Record<string, number>> = {
  '24h': DAY_MS,
  '7d': 7 * DAY_MS,
  '30d': 30 * DAY_MS,
};
/** A window of at most so long is drawn by the hour: more points than that are noise. */
const LONGEST_BY_HOUR_MS = 4 * DAY_MS;

/** Filters of the prompt page that the report and the series take as they are. */
const SHARED = ['metric', 'model', 'source', 'segment'] as const;

/** Address of the report that the filters ask for. */
export function reportPath(prompt: string, query: Query, nowMs: number): string {
  const parameters = sharedParameters(query);
  if (isSet(query['baseline'])) parameters.set('baseline', query['baseline']);
  addWindow(parameters, query, nowMs);
  return withQuery(`/analytics/prompts/${encodeURIComponent(prompt)}/versions`, parameters);
}

/** Address of the same report as a file. */
export function reportCsvPath(prompt: string, query: Query, nowMs: number): string {
  const path = reportPath(prompt, query, nowMs);
  return `${path}${path.includes('?') ? '&' : '?'}format=csv`;
}

/** Address of the points over time that the filters ask for. */
export function seriesPath(prompt: string, query: Query, nowMs: number): string {
  const parameters = sharedParameters(query);
  const { fromMs, toMs } = addWindow(parameters, query, nowMs);
  const isShort = fromMs !== null && (toMs ?? nowMs) - fromMs <= LONGEST_BY_HOUR_MS;
  parameters.set(
    'by',
    query['by'] === 'hour' || query['by'] === 'day' ? query['by'] : isShort ? 'hour' : 'day',
  );
  return withQuery(`/analytics/prompts/${encodeURIComponent(prompt)}/timeseries`, parameters);
}

function sharedParameters(query: Query): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const name of SHARED) {
    const value = query[name];
    if (isSet(value)) parameters.set(name, value);
  }
  return parameters;
}

/**
 * The window of a period, or of two days that the reader chose, the last of them included. A period begins on a full
 * hour, so that its address stays the same between two readings.
 */
function addWindow(
  parameters: URLSearchParams,
  query: Query,
  nowMs: number,
): { readonly fromMs: number | null; readonly toMs: number | null } {
  const periodMs = PERIODS_MS[query['period'] ?? ''];
  if (periodMs !== undefined) {
    const fromMs = Math.floor((nowMs - periodMs) / HOUR_MS) * HOUR_MS;
    parameters.set('from', new Date(fromMs).toISOString());
    return { fromMs, toMs: null };
  }
  const fromMs = dayMs(query['from']);
  const lastDayMs = dayMs(query['to']);
  const toMs = lastDayMs === null ? null : lastDayMs + DAY_MS;
  if (fromMs !== null) parameters.set('from', new Date(fromMs).toISOString());
  if (toMs !== null) parameters.set('to', new Date(toMs).toISOString());
  return { fromMs, toMs };
}

/** Begin of a UTC day, `2026-11-23`; null for anything else: half a date is no filter yet. */
function dayMs(text: string | undefined): number | null {
  if (text === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(ms) ? null : ms;
}

function withQuery(path: string, parameters: URLSearchParams): string {
  const text = parameters.toString();
  return text === '' ? path : `${path}?${text}`;
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
