import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { createResponseReader } from '../../../bench/harness/response-reader.ts';

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** What the reader tells of these bytes, given in these pieces. */
function read(pieces: readonly Buffer[]): readonly Answer[] {
  const answers: Answer[] = [];
  let current = { status: 0, text: '' };
  const reader = createResponseReader({
    head: (status) => {
      current = { status, text: '' };
    },
    payload: (piece) => {
      current.text += piece.toString('latin1');
    },
    end: () => answers.push(current),
  });
  for (const piece of pieces) reader(piece);
  return answers;
}

function wireOf(answer: Answer, chunkBytes: number | null): string {
  const head = `HTTP/1.1 ${answer.status} Any\r\nx-other: 1\r\n`;
  if (chunkBytes === null) return `${head}Content-Length: ${answer.text.length}\r\n\r\n${answer.text}`;
  const chunks: string[] = [];
  for (let at = 0; at < answer.text.length; at += chunkBytes) {
    const part = answer.text.slice(at, at + chunkBytes);
    chunks.push(`${part.length.toString(16)}\r\n${part}\r\n`);
  }
  return `${head}Transfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`;
}

const anyAnswer = fc.record({
  status: fc.constantFrom(200, 429, 503),
  // Also what looks like framing.
  text: fc
    .array(fc.constantFrom('a', '0', '\r\n', '\r\n\r\n', 'data: ', '{}'))
    .map((parts) => parts.join('')),
});

describe('the reader of answers', () => {
  test('finds every answer of a connection wherever its bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anyAnswer, fc.option(fc.integer({ min: 1, max: 7 }), { nil: null })), {
          minLength: 1,
        }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (answers, cuts) => {
          const wire = Buffer.from(
            answers.map(([answer, chunkBytes]) => wireOf(answer, chunkBytes)).join(''),
          );
          const pieces: Buffer[] = [];
          for (let at = 0, cut = 0; at < wire.length; cut += 1) {
            const end = at + (cuts[cut % cuts.length] ?? 1);
            pieces.push(wire.subarray(at, end));
            at = end;
          }

          expect(read(pieces)).toEqual(answers.map(([answer]) => answer));
        },
      ),
    );
  });

  test('tells no end of an answer that was cut', () => {
    const wire = wireOf({ status: 200, text: 'data: 1\n\n' }, 4);

    expect(read([Buffer.from(wire.slice(0, -1))])).toEqual([]);
  });

  test.each([
    ['what is no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['an answer whose end only a closed connection would tell', 'HTTP/1.1 200 OK\r\n\r\nbody'],
    ['a chunk without a size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
  ])('refuses %s', (_, wire) => {
    expect(() => read([Buffer.from(wire)])).toThrow();
  });
});
