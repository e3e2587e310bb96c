import { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { exportRows } from '../../../src/cli/commands/ledger-export.ts';
import type { LedgerReader } from '../../../src/ledger/index.ts';
import { captureText } from './captured-context.ts';

/** A reader over rows numbered from 1 that hands out at most `pageRows` at once. */
function readerOver(rows: readonly Record<string, unknown>[], pageRows: number): LedgerReader {
  return {
    findGeneration: () => Promise.resolve(null),
    listGenerations: () => Promise.resolve({ generations: [], next: null }),
    findScore: () => Promise.resolve(null),
    readRows: (_table, afterSequence, limit) => {
      const page = rows.slice(afterSequence, afterSequence + Math.min(limit, pageRows));
      const next = afterSequence + page.length;
      return Promise.resolve({ rows: page, nextSequence: next < rows.length ? next : null });
    },
    close: () => Promise.resolve(),
  };
}

describe('exportRows', () => {
  test('writes every row once, in order, one JSON object per line, whatever the pages', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ id: fc.string(), value: fc.option(fc.integer()) }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 7 }),
        async (rows, pageRows) => {
          const { stream, text } = captureText();

          const written = await exportRows(readerOver(rows, pageRows), 'outcomes', stream);

          expect(written).toBe(rows.length);
          const lines = text().split('\n');
          expect(lines.pop()).toBe('');
          expect(lines.map((line) => JSON.parse(line))).toEqual(JSON.parse(JSON.stringify(rows)));
        },
      ),
    );
  });

  test('waits for a slow reader of the output', async () => {
    const rows = Array.from({ length: 30 }, (_, id) => ({ id, text: 'x'.repeat(100) }));
    let pendingBytes = 0;
    let mostPendingBytes = 0;
    const slow = new Writable({
      highWaterMark: 64,
      write(chunk: Buffer, _encoding, done) {
        pendingBytes += chunk.length;
        mostPendingBytes = Math.max(mostPendingBytes, slow.writableLength);
        setImmediate(() => {
          pendingBytes -= chunk.length;
          done();
        });
      },
    });

    await exportRows(readerOver(rows, 1), 'generations', slow);

    expect(pendingBytes).toBe(0);
    expect(mostPendingBytes).toBeLessThan(300);
  });

  test('stops reading when nobody reads the output any more', async () => {
    const rows = Array.from({ length: 1_000 }, (_, id) => ({ id }));
    const reader = readerOver(rows, 1);
    let chunks = 0;
    const closing = new Writable({
      write(_chunk, _encoding, done) {
        chunks += 1;
        if (chunks === 3) closing.destroy();
        done();
      },
    });

    const written = await exportRows(reader, 'generations', closing);

    expect(written).toBeLessThan(10);
  });
});
