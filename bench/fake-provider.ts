/**
 * A fast OpenAI-compatible upstream for benchmarks: one fixed answer, whole or as 22 events, at once or after a delay. It
 * stands on sockets because a server of `node:http` would cost more than some of its callers. It reads what the clients of
 * benchmarks send and nothing else: whole requests with a length, or in chunks. Counts what it is asked, so that hidden
 * retries show.
 *
 * `GET /calls` tells the counts, `PUT /delay/50` sets the milliseconds before every answer. Prints its URL.
 */
import { createServer, type Socket } from 'node:net';

const TOKENS = Array.from(
  { length: 20 },
  (_, index) => ['Take', ' a', ' walk', ' after', ' lunch.'][index % 5],
);
const TEXT = 'Take a walk after lunch.';
const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');
const STREAM_FLAGS = [Buffer.from('"stream":true'), Buffer.from('"stream": true')];

const counts = { calls: 0, streams: 0, closed_before_answer: 0 };
let delayMs = 0;

const completion = jsonAnswer({
  id: 'chatcmpl-fake',
  object: 'chat.completion',
  created: 1,
  model: 'fake-model',
  choices: [{ index: 0, message: { role: 'assistant', content: TEXT }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 31, completion_tokens: 6, total_tokens: 37 },
});
const models = jsonAnswer({ object: 'list', data: [{ id: 'fake-model', object: 'model' }] });

/** Head and first event travel together, as servers send them; every other event is a write of its own. */
const streamParts: readonly Buffer[] = [
  ...TOKENS.map((content) => chunk({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })),
  chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
  chunk({ choices: [], usage: { prompt_tokens: 31, completion_tokens: 20, total_tokens: 51 } }),
  framed('data: [DONE]\n\n'),
  LAST_CHUNK,
].map((part, index) =>
  index === 0
    ? Buffer.concat([
        Buffer.from(
          'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n',
        ),
        part,
      ])
    : part,
);

function jsonAnswer(value: object): Buffer {
  const body = JSON.stringify(value);
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function chunk(fields: object): Buffer {
  const value = { id: 'chatcmpl-fake', object: 'chat.completion.chunk', created: 1, model: 'fake-model' };
  return framed(`data: ${JSON.stringify({ ...value, ...fields })}\n\n`);
}

function framed(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
}

/** Where the request at the start of `data` ends and how it begins; null until all of it is there. */
function firstRequest(data: Buffer): { readonly head: string; readonly end: number } | null {
  const headEnd = data.indexOf(HEAD_END);
  if (headEnd === -1) return null;
  const head = data.toString('latin1', 0, headEnd);
  const bodyStart = headEnd + HEAD_END.length;
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    const last = data.indexOf(LAST_CHUNK, bodyStart);
    return last === -1 ? null : { head, end: last + LAST_CHUNK.length };
  }
  const end = bodyStart + Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  return data.length < end ? null : { head, end };
}

function answer(socket: Socket, head: string, request: Buffer): void {
  if (!head.startsWith('POST ')) {
    answerQuestion(socket, head);
    return;
  }
  counts.calls += 1;
  const isStream = STREAM_FLAGS.some((flag) => request.includes(flag));
  if (isStream) counts.streams += 1;
  if (delayMs === 0) {
    send(socket, isStream);
    return;
  }
  const leave = (): void => {
    clearTimeout(timer);
    counts.closed_before_answer += 1;
  };
  const timer = setTimeout(() => {
    socket.removeListener('close', leave);
    send(socket, isStream);
  }, delayMs);
  socket.once('close', leave);
}

function send(socket: Socket, isStream: boolean): void {
  if (!isStream) socket.write(completion);
  else for (const part of streamParts) socket.write(part);
}

function answerQuestion(socket: Socket, head: string): void {
  const path = head.split(' ', 2)[1] ?? '';
  const delay = /^\/delay\/(\d+)$/.exec(path)?.[1];
  if (delay !== undefined) delayMs = Number(delay);
  if (path.endsWith('/models')) socket.write(models);
  else socket.write(jsonAnswer({ ...counts, text: TEXT, tokens: TOKENS, delay_ms: delayMs }));
}

const server = createServer({ noDelay: true }, (socket) => {
  let pending: Buffer | null = null;
  socket.on('data', (received) => {
    let data: Buffer = pending === null ? received : Buffer.concat([pending, received]);
    for (let request = firstRequest(data); request !== null; request = firstRequest(data)) {
      answer(socket, request.head, data.subarray(0, request.end));
      data = data.subarray(request.end);
      if (data.length === 0) break;
    }
    pending = data.length === 0 ? null : data;
  });
  // Who measures also aborts.
  socket.on('error', () => socket.destroy());
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') console.log(`http://127.0.0.1:${address.port}`);
});
