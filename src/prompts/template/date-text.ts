/** Formats of `{{date}}`. */
export const DATE_FORMATS = ['date', 'time', 'datetime', 'weekday', 'long', 'iso'] as const;
export type DateFormat = (typeof DATE_FORMATS)[number];

/** Makes the text of an instant in one time zone; null for what is no instant. */
export type DateText = (value: unknown) => string | null;

const ISO_DATE = /^\d{4}-\d{2}-\d{2}$/;
const ISO_INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$/;

/** Built once per expression: making a formatter costs some hundred times as much as using it. Null: unknown zone. */
export function createDateText(format: DateFormat, zone: string): DateText | null {
  let formatter: Intl.DateTimeFormat;
  try {
    formatter = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      weekday: 'long',
    });
  } catch {
    return null;
  }
  return (value) => {
    const date = toDate(value);
    if (date === null) return null;
    if (format === 'iso') return date.toISOString();
    const parts = new Map(formatter.formatToParts(date).map((part) => [part.type, part.value]));
    return layOut(format, (name) => parts.get(name) ?? '');
  };
}

/** Month names are our own: the names that a runtime knows change with its version. */
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

function layOut(
  format: Exclude<DateFormat, 'iso'>,
  part: (name: Intl.DateTimeFormatPartTypes) => string,
): string {
  const day = `${part('year')}-${part('month')}-${part('day')}`;
  const time = `${part('hour')}:${part('minute')}`;
  switch (format) {
    case 'date':
      return day;
    case 'time':
      return time;
    case 'datetime':
      return `${day} ${time}`;
    case 'weekday':
      return part('weekday');
    case 'long':
      return `${Number(part('day'))} ${MONTHS[Number(part('month')) - 1] ?? ''} ${part('year')}`;
  }
}

/** Epoch milliseconds, `2026-11-23`, or an instant with its offset. A local time without offset has no meaning here. */
function toDate(value: unknown): Date | null {
  if (typeof value === 'string' && !ISO_DATE.test(value) && !ISO_INSTANT.test(value)) return null;
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? null : date;
}
