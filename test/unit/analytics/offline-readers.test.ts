import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { createCsvReader } from '../../../src/analytics/offline-csv.ts';
import { createLineSplitter } from '../../../src/analytics/offline-lines.ts';

/** A text cut into pieces of these lengths, over and over. */
function cut(text: string, lengths: readonly number[]): string[] {
  const pieces: string[] = [];
  let start = 0;
  for (let index = 0; start < text.length; index += 1) {
    const end = start + (lengths[index % lengths.length] ?? 1);
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

const PIECE_LENGTHS = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

describe('createCsvReader', () => {
  test('reads back what RFC 4180 writes, whatever the pieces', () => {
    const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', 'é', ' '), maxLength: 6 });
    const record = fc.array(field, { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 6 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
        PIECE_LENGTHS,
        (records, lineEnd, isEnded, lengths) => {
          const lines = records.map((fields) =>
            fields.map((text) => `"${text.replaceAll('"', '""')}"`).join(','),
          );
          const text = lines.join(lineEnd) + (isEnded ? lineEnd : '');
          const read: (readonly string[])[] = [];
          const faults: string[] = [];
          const reader = createCsvReader({
            onRecord: ({ fields }) => read.push(fields),
            onFault: (_lineNumber, message) => faults.push(message),
          });

          for (const piece of cut(text, lengths)) reader.push(piece);
          reader.end();

          expect(read).toEqual(records);
          expect(faults).toEqual([]);
        },
      ),
    );
  });

  test('counts lines through quoted line ends, and goes on after a faulty line', () => {
    const events: unknown[] = [];
    const reader = createCsvReader({
      onRecord: ({ lineNumber, fields }) => events.push([lineNumber, ...fields]),
      onFault: (lineNumber) => events.push([lineNumber, 'fault']),
    });

    reader.push('a,"x\ny"\nb"c,d\n\ne,f\n');
    reader.end();

    expect(events).toEqual([
      [1, 'a', 'x\ny'],
      [3, 'fault'],
      [5, 'e', 'f'],
    ]);
  });

  test('does not swallow a file after a quote that is never closed', () => {
    const faults: string[] = [];
    let records = 0;
    const reader = createCsvReader({
      onRecord: () => {
        records += 1;
      },
      onFault: (_lineNumber, message) => faults.push(message),
    });

    reader.push('"');
    for (let line = 0; line < 2_000; line += 1) reader.push(`${'x'.repeat(999)}\n`);
    reader.end();

    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain('is a closing quote missing?');
    expect(records).toBeGreaterThan(900);
  });
});

describe('createLineSplitter', () => {
  test('finds every line once, numbered from 1, whatever the pieces', () => {
    const line = fc.string({ unit: fc.constantFrom('a', ' ', 'é'), maxLength: 5 });
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 8 }),
        fc.constantFrom('\n', '\r\n'),
        PIECE_LENGTHS,
        (lines, lineEnd, lengths) => {
          const found: [number, string | null][] = [];
          const splitter = createLineSplitter((lineNumber, text) => found.push([lineNumber, text]));

          for (const piece of cut(lines.map((text) => text + lineEnd).join(''), lengths))
            splitter.push(piece);
          splitter.end();

          expect(found).toEqual(lines.map((text, index) => [index + 1, text]));
        },
      ),
    );
  });

  test('calls a line of many megabytes none, and reads the next one', () => {
    const found: [number, number | null][] = [];
    const splitter = createLineSplitter((lineNumber, text) => found.push([lineNumber, text?.length ?? null]));

    for (let piece = 0; piece < 100; piece += 1) splitter.push('x'.repeat(65_536));
    splitter.push('\nshort');
    splitter.end();

    expect(found).toEqual([
      [1, null],
      [2, 5],
    ]);
  });
});
