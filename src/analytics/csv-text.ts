export type CsvCell = string | number | boolean | null;

/** What a spreadsheet takes for the begin of a formula; tab and carriage return count for some of them. */
const FORMULA_START = /^[=+\-@\t\r]/;

/**
 * RFC 4180 text: CRLF line ends, one header line, empty cells for null. Text that a spreadsheet would run as a formula
 * gets a leading apostrophe: version names come from files and from the wire.
 */
export function csvText(header: readonly string[], rows: readonly (readonly CsvCell[])[]): string {
  return [header, ...rows].map((cells) => `${cells.map(text).join(',')}\r\n`).join('');
}

function text(cell: CsvCell): string {
  if (cell === null) return '';
  if (typeof cell !== 'string') return String(cell);
  const inert = FORMULA_START.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
