import { AppError, HOUR_MS, hourOf } from '../kernel/index.ts';

/** Whole UTC hours, `toMs` excluded; null: unbounded. */
export interface ReportWindow {
  readonly fromMs: number | null;
  readonly toMs: number | null;
}

/** A date, or a date and time with its zone: a time without one would mean another hour on every machine. */
const ISO_8601 =
  /^(?<date>\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/i;

/**
 * Reads `from` and `to`, and snaps them outward to UTC hours, because the rollups are kept by hour. Fails with
 * `invalid_request` naming every fault.
 */
export function reportWindow(from: string | null, to: string | null): ReportWindow {
  const fromMs = from === null ? null : epochMs(from);
  const toMs = to === null ? null : epochMs(to);
  const faults = [
    ...(fromMs === undefined ? [fault('from', from)] : []),
    ...(toMs === undefined ? [fault('to', to)] : []),
  ];
  if (fromMs === undefined || toMs === undefined) {
    throw new AppError('invalid_request', 'The report window is not valid.', { faults });
  }
  if (fromMs !== null && toMs !== null && fromMs >= toMs) {
    throw new AppError('invalid_request', '`from` must be before `to`.', {
      faults: [{ path: 'from', message: `must be before \`to\` (${to})` }],
    });
  }
  return {
    fromMs: fromMs === null ? null : hourOf(fromMs),
    toMs: toMs === null ? null : hourOf(toMs + HOUR_MS - 1),
  };
}

function fault(path: string, value: string | null): { path: string; message: string } {
  return {
    path,
    message: `expected ISO 8601 such as 2026-11-23 or 2026-11-23T10:00:00Z, got ${JSON.stringify(value)?.slice(0, 60)}`,
  };
}

/** `undefined` for text that is no point in time. */
function epochMs(text: string): number | undefined {
  const date = ISO_8601.exec(text)?.groups?.['date'];
  if (date === undefined) return undefined;
  // Date.parse rolls 30 February over into March.
  const midnight = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, 10) !== date) return undefined;
  const parsed = Date.parse(text);
  return Number.isNaN(parsed) ? undefined : parsed;
}
