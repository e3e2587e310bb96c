import { describe, expect, test } from '@jest/globals';
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { EventDecoder, readServerSentEvents } from '../../../src/providers/transport/server-sent-events.ts';

async function decode(chunks: readonly Uint8Array[]) {
  const body = async function* () {
    yield* chunks;
  };
  const events: unknown[] = [];
  for await (const batch of readServerSentEvents(body())) events.push(...batch);
  return events;
}

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');

describe('server-sent events', () => {
  test.each([
    ['LF', 'data: a\n\ndata: b\n\n'],
    ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n'],
    ['CR', 'data: a\r\rdata: b\r\r'],
    ['a byte order mark', '\uFEFFdata: a\n\ndata: b\n\n'],
    ['comments and unknown fields', ': ping\nid: 7\nretry: 5\ndata: a\n\n\n: x\ndata: b\n\n'],
    ['no final empty line', 'data: a\n\ndata: b'],
    ['no space after the colon', 'data:a\n\ndata:b\n\n'],
  ])('are read with %s', async (_name, text) => {
    expect(await decode([bytes(text)])).toEqual([
      { event: null, data: 'a' },
      { event: null, data: 'b' },
    ]);
  });

  test('join several data lines and keep the event’s name', async () => {
    expect(await decode([bytes('event: note\ndata: one\ndata: two\n\ndata: three\n\n')])).toEqual([
      { event: 'note', data: 'one\ntwo' },
      { event: null, data: 'three' },
    ]);
  });

  test('survive any split of the bytes, inside a character and inside CRLF', async () => {
    const line = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => `data: ${text.replace(/[\r\n]/g, '')}`),
      fc.constantFrom('event: note', ': comment', 'data', 'data:', 'id: 1'),
      fc.constant(''),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 12 }),
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.nat(200), { maxLength: 6 }),
        async (lines, lineEnd, cuts) => {
          const whole = bytes(`${lines.join(lineEnd)}${lineEnd}${lineEnd}`);
          const places = [
            0,
            ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b),
            whole.length,
          ];
          const chunks = places.slice(1).map((place, index) => whole.subarray(places[index], place));

          const expected: unknown[] = [];
          const reference = createParser({
            onEvent: ({ event, data }) => expected.push({ event: event ?? null, data }),
          });
          reference.feed(Buffer.from(whole).toString('utf8'));

          expect(await decode(chunks)).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('take a long line in many chunks in linear time', () => {
    const decoder = new EventDecoder();
    const piece = 'x'.repeat(1_024);

    decoder.push('data: ');
    for (let part = 0; part < 8_192; part += 1) decoder.push(piece);
    const [event] = decoder.push('\n\n');

    expect(event?.data).toHaveLength(8_192 * 1_024);
  });
});
