/** Numbers and times as people read them. English, UTC: the reports count in UTC hours. */

/** What stands where a number is not known. Never 0: that would be a claim. */
export const UNKNOWN = '–';

const INTEGER = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** `12,345`. */
export function formatCount(count: number | null | undefined): string {
  return count == null ? UNKNOWN : INTEGER.format(count);
}

/** `12.3K`, where room is short. */
export function formatCompact(count: number | null | undefined): string {
  if (count == null) return UNKNOWN;
  return count < 10_000 ? INTEGER.format(count) : COMPACT.format(count);
}

/** A mean reward, with the decimals its scale needs: `0.412`, `3.81`, `128`. */
export function formatReward(value: number | null | undefined): string {
  if (value == null) return UNKNOWN;
  const size = Math.abs(value);
  const decimals = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return minus(value.toFixed(decimals));
}

/** `+0.031`, `−0.012`, `0.000`. */
export function formatDifference(value: number | null | undefined): string {
  if (value == null) return UNKNOWN;
  return `${value > 0 ? '+' : ''}${formatReward(value)}`;
}

/** `0.351 to 0.474`. */
export function formatInterval(lower: number, upper: number): string {
  return `${formatReward(lower)} to ${formatReward(upper)}`;
}

/** A share of 1 as `12.3 %`; small ones are never rounded to nothing. */
export function formatShare(share: number | null | undefined): string {
  if (share == null) return UNKNOWN;
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return '< 0.1 %';
  return `${minus(percent.toFixed(percent === 0 || percent >= 99.95 ? 0 : 1))} %`;
}

/** `$12.34`, `$0.0123`; two significant digits below a cent. */
export function formatUsd(usd: number | null | undefined): string {
  if (usd == null) return UNKNOWN;
  if (usd === 0) return '$0';
  const size = Math.abs(usd);
  if (size >= 1_000) return `$${INTEGER.format(usd)}`;
  if (size >= 0.1) return `$${usd.toFixed(2)}`;
  if (size < 0.000001) return '< $0.000001';
  return `$${usd.toFixed(Math.min(7, 1 - Math.floor(Math.log10(size))))}`;
}

/** `412 ms`, `1.83 s`. */
export function formatDurationMs(durationMs: number | null | undefined): string {
  if (durationMs == null) return UNKNOWN;
  if (durationMs < 1_000) return `${Math.round(durationMs)} ms`;
  const seconds = durationMs / 1_000;
  return `${seconds.toFixed(seconds < 10 ? 2 : seconds < 100 ? 1 : 0)} s`;
}

/** `23 Nov 2026, 10:05 UTC`. */
export function formatTime(time: string | number | null | undefined): string {
  if (time == null) return UNKNOWN;
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return String(time);
  return `${TIME.format(date)} UTC`;
}

const TIME = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'UTC',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
});

const AGES: readonly (readonly [unit: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
];

/** `3 min ago`, `2 h ago`; `just now` below a minute, also for clocks that are a little ahead. */
export function formatAge(time: string, nowMs: number): string {
  const ageMs = nowMs - Date.parse(time);
  const [unit, unitMs] = AGES.find(([, ms]) => ageMs >= ms) ?? [null, 1];
  return unit === null ? 'just now' : `${Math.floor(ageMs / unitMs)} ${unit} ago`;
}

/** First characters of a content hash: enough to tell two apart by eye. */
export function shortHash(hash: string): string {
  return hash.replace(/^sha256:/, '').slice(0, 10);
}

/** A hyphen is too short to be seen as a sign. */
function minus(text: string): string {
  return text.replace(/^-/, '−');
}
