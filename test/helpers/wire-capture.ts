import { readFileSync } from 'node:fs';

/** One recorded exchange: the comment lines above it and the answer as it stood on the wire. */
export interface WireExchange {
  readonly comments: readonly string[];
  readonly status: number;
  readonly reason: string;
  /** Name, value, name, value, … in the order and spelling of the recording. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

const FIXTURES = new URL('../fixtures/providers/litellm/', import.meta.url);

/** Every exchange of a file under `test/fixtures/providers/litellm` (most hold one). See ORIGIN.md there. */
export function readWireCapture(name: string): readonly WireExchange[] {
  const lines = readFileSync(new URL(`${name}.txt`, FIXTURES), 'utf8').split('\n');
  const starts = lines.flatMap((line, index) => (/^HTTP\/1\.1 \d{3}/.test(line) ? [index] : []));
  return starts.map((start, position) => {
    const end = starts[position + 1] ?? lines.length;
    return parseExchange(lines.slice(0, start), lines.slice(start, end));
  });
}

function parseExchange(before: readonly string[], lines: readonly string[]): WireExchange {
  const status = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(lines[0] ?? '');
  const blank = lines.indexOf('');
  if (status === null || blank === -1) throw new Error('not a recorded answer');
  const rawHeaders = lines.slice(1, blank).flatMap((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const rest = lines.slice(blank + 1);
  const comment = rest.findIndex((line) => line.startsWith('# '));
  const text = (comment === -1 ? rest : rest.slice(0, comment)).join('\n');
  const index = rawHeaders.findIndex((part, at) => at % 2 === 0 && part.toLowerCase() === 'content-length');
  const length = index === -1 ? null : Number(rawHeaders[index + 1]);
  const lastComments: string[] = [];
  for (let at = before.length - 1; at >= 0 && (before[at] ?? '').startsWith('#'); at -= 1) {
    lastComments.unshift(before[at] ?? '');
  }
  return {
    comments: lastComments,
    status: Number(status[1]),
    reason: status[2] ?? '',
    rawHeaders,
    body: length === null ? text : Buffer.from(text, 'utf8').subarray(0, length).toString('utf8'),
  };
}
