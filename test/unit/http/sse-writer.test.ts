import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, test } from '@jest/globals';
import type { RequestScope } from '../../../src/http/request-scope.ts';
import { createSseWriter } from '../../../src/http/sse-writer.ts';

/** A response whose buffer is full after `room` pieces. */
function openWriter(room = Number.POSITIVE_INFINITY) {
  const written: string[] = [];
  const response = Object.assign(new EventEmitter(), {
    destroyed: false,
    writableEnded: false,
    writeHead: () => response,
    write: (text: string) => written.push(text) < room,
    end: () => response,
  });
  // Only what the writer touches.
  const writer = createSseWriter(
    response as unknown as ServerResponse,
    { head: [] as string[] } as unknown as RequestScope,
  );
  return { writer, response, written };
}

const nextTurn = () => new Promise((done) => setImmediate(done));

test('writes the events of one turn in one piece, in order', async () => {
  const { writer, written } = openWriter();
  writer.begin();

  await writer.write('delta', '1');
  await writer.write(null, '2');
  expect(written).toEqual([]);
  await nextTurn();
  await writer.write('delta', '3');
  writer.end();

  expect(written).toEqual(['event: delta\ndata: 1\n\ndata: 2\n\n', 'event: delta\ndata: 3\n\n']);
});

test('lets the model wait while the caller does not read', async () => {
  const { writer, response, written } = openWriter(1);
  await writer.write('delta', '1');
  await nextTurn();

  let hasRoom = false;
  const waiting = writer.write('delta', '2').then(() => {
    hasRoom = true;
  });
  await nextTurn();
  expect(hasRoom).toBe(false);
  response.emit('drain');
  await waiting;

  expect(written).toHaveLength(2);
});

test('writes long text at once', async () => {
  const { writer, written } = openWriter();

  await writer.write('delta', 'x'.repeat(20_000));

  expect(written).toHaveLength(1);
});

test('drops what comes after the caller has left', async () => {
  const { writer, response, written } = openWriter();
  response.destroyed = true;

  for (let count = 0; count < 10; count += 1) await writer.write('delta', 'x'.repeat(20_000));
  writer.end();
  await nextTurn();

  expect(written).toEqual([]);
});
