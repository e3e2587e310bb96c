import type { ServerResponse } from 'node:http';
import { answerWhole, type Exchange, type FaultReply, SOUND_TEXT } from '../../helpers/faulty-upstream.ts';
import { endStream, sendCompletion, sendDelta, sendError } from '../../helpers/scripted-upstream.ts';

/** Between two bytes of an answer that drips: many fit into each limit, so that only the limit can end it. */
const DRIP_MS = 40;

const MEGABYTE = 1_048_576;

const COMPLETION = JSON.stringify({
  id: 'chatcmpl-faulty',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o-mini',
  choices: [{ index: 0, message: { role: 'assistant', content: SOUND_TEXT }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 31, completion_tokens: 18, total_tokens: 49 },
});

/** JSON may nest deeper than whatever walks it later. */
const DEEP = '['.repeat(100_000) + ']'.repeat(100_000);

const JSON_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

/** What an upstream may do before it has sent any content, whole or streamed. */
export const FAULTS_BEFORE_CONTENT: Readonly<Record<string, FaultReply>> = {
  'status-500': ({ response }) => sendError(response, 500, 'boom'),
  'status-502-page': ({ response }) => page(response, 502),
  'status-503': ({ response }) => sendError(response, 503, 'overloaded'),
  'status-429': ({ response }) => {
    response.setHeader('retry-after', '7');
    sendError(response, 429, 'slow down');
  },
  'status-429-once': (exchange) => {
    if (exchange.callNumber > 1) return answerWhole(exchange);
    exchange.response.setHeader('retry-after', '0');
    sendError(exchange.response, 429, 'slow down');
  },
  'status-500-once': (exchange) => {
    if (exchange.callNumber > 1) return answerWhole(exchange);
    sendError(exchange.response, 500, 'boom');
  },
  redirect: ({ response }) => {
    response.writeHead(307, { location: '/v1/elsewhere' });
    response.end();
  },
  'reset-before-headers': ({ socket }) => socket.resetAndDestroy(),
  'closed-before-headers': ({ socket }) => socket.end(),
  'reset-after-headers': ({ response, socket, isStream }) => {
    response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' });
    response.flushHeaders();
    setTimeout(() => socket.resetAndDestroy(), 10);
  },
  'not-http': ({ socket }) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'),
  'endless-headers': ({ socket }) => {
    socket.write(`${JSON_HEAD}${'X-Filler: 0123456789\r\n'.repeat(20_000)}`);
  },
  'page-200': ({ response }) => page(response, 200),
  'empty-200': ({ response, isStream }) => {
    response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' });
    response.end();
  },
  'error-within-200': ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"error":{"message":"boom","code":502}}');
  },
  'cut-json': ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(COMPLETION.slice(0, 80));
  },
  'short-of-content-length': ({ socket }) => {
    socket.end(`${JSON_HEAD}Content-Length: ${COMPLETION.length + 50}\r\n\r\n${COMPLETION}`);
  },
  'beyond-content-length': ({ socket }) => {
    socket.end(`${JSON_HEAD}Content-Length: ${COMPLETION.length - 50}\r\n\r\n${COMPLETION}`);
  },
  'not-a-number-usage': ({ response }) => usage(response, '{"prompt_tokens":NaN,"completion_tokens":1}'),
  'negative-usage': ({ response }) => usage(response, '{"prompt_tokens":-31,"completion_tokens":1}'),
  'text-usage': ({ response }) => usage(response, '{"prompt_tokens":"31","completion_tokens":1}'),
  'infinite-usage': ({ response }) => usage(response, '{"prompt_tokens":1e999,"completion_tokens":1}'),
  'huge-usage': ({ response }) =>
    usage(response, '{"prompt_tokens":9007199254740991,"completion_tokens":9007199254740991}'),
  'deep-usage': ({ response }) =>
    usage(response, `{"prompt_tokens":31,"completion_tokens":18,"deep":${DEEP}}`),
  'deep-message': ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(COMPLETION.replace('"role"', `"deep":${DEEP},"role"`));
  },
  'deep-logprobs': ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(COMPLETION.replace('"index"', `"logprobs":${DEEP},"index"`));
  },
  'no-choices': ({ response }) => sendCompletion(response, '', { choices: [] }),
  'null-message': ({ response }) => sendCompletion(response, '', { choices: [{ message: null }] }),
  'number-content': ({ response }) =>
    sendCompletion(response, '', { choices: [{ message: { content: 42 } }] }),
};

/** Answers that can be used, but for what they claim beside the text. */
export const ODD_ANSWERS: Readonly<Record<string, FaultReply>> = {
  'absurd-cost': ({ response }) => {
    response.setHeader('x-litellm-response-cost', '1e15');
    sendCompletion(response, SOUND_TEXT);
  },
  'compressed-unasked': ({ response }) => {
    response.setHeader('content-encoding', 'gzip');
    sendCompletion(response, SOUND_TEXT);
  },
};

/** What an upstream may do to a stream whose first content has been sent on. */
export const FAULTS_AFTER_CONTENT: Readonly<Record<string, FaultReply>> = {
  'stream-cut': ({ response, socket }) => {
    sendDelta(response, 'Take');
    setTimeout(() => socket.end(), 10);
  },
  'stream-reset': ({ response, socket }) => {
    sendDelta(response, 'Take');
    setTimeout(() => socket.resetAndDestroy(), 30);
  },
  'stream-ends-early': ({ response }) => {
    sendDelta(response, 'Take');
    response.end();
  },
  'stream-cut-with-usage': ({ response, socket }) => {
    sendDelta(response, 'Take');
    event(response, { choices: [], usage: { prompt_tokens: 31, completion_tokens: 1, total_tokens: 32 } });
    setTimeout(() => socket.end(), 10);
  },
  'stream-error-event': ({ response }) => {
    sendDelta(response, 'Take');
    event(response, { error: { message: 'the model fell over', type: 'server_error', code: 500 } });
    response.end();
  },
  'stream-bad-json': ({ response }) => {
    sendDelta(response, 'Take');
    response.write('data: {"choices":[{"delta":{"content"\n\n');
    endStream(response);
  },
  'stream-not-a-number-usage': ({ response }) => {
    sendDelta(response, 'Take');
    response.write('data: {"choices":[],"usage":{"prompt_tokens":NaN}}\n\n');
    endStream(response);
  },
  'stream-negative-usage': ({ response }) => {
    sendDelta(response, 'Take');
    event(response, { choices: [], usage: { prompt_tokens: -1, completion_tokens: 1 } });
    endStream(response);
  },
  'stream-hangs': ({ response }) => sendDelta(response, 'Take'),
  // Comments keep the connection busy and say nothing.
  'stream-drips': ({ response }) => {
    sendDelta(response, 'Take');
    drip(response, ': keep-alive\n\n');
  },
};

/** What never ends by itself, in time or in size. */
export const ENDLESS: Readonly<Record<string, FaultReply>> = {
  hang: () => {},
  'hang-after-headers': ({ response, isStream }) => {
    response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' });
    response.flushHeaders();
  },
  drip: ({ response, isStream }) => {
    response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' });
    drip(response, ' ');
  },
  // Each event within the idle limit, all of them beyond the deadline.
  'slow-stream': ({ response }) => {
    const timer = setInterval(() => sendDelta(response, '.'), 100);
    response.on('close', () => clearInterval(timer));
  },
  'huge-answer': ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 * MEGABYTE });
    pour(response, Buffer.alloc(MEGABYTE, ' '), 100);
  },
  'huge-chunked-answer': ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    pour(response, Buffer.alloc(MEGABYTE, ' '), 100);
  },
  'huge-event': ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: ');
    pour(response, Buffer.alloc(MEGABYTE, 'x'), 100);
  },
  'huge-content': ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const piece = JSON.stringify({ choices: [{ index: 0, delta: { content: 'x'.repeat(1_000) } }] });
    pour(response, Buffer.from(`data: ${piece}\n\n`.repeat(1_000)), 100);
  },
};

function page(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/html' });
  response.end('<html><body>secret-page of a proxy</body></html>');
}

function usage(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(COMPLETION.replace(/"usage":\{.*?\}/, `"usage":${text}`));
}

function event(response: ServerResponse, fields: object): void {
  response.write(`data: ${JSON.stringify(fields)}\n\n`);
}

function drip(response: ServerResponse, text: string): void {
  const timer = setInterval(() => response.write(text), DRIP_MS);
  response.on('close', () => clearInterval(timer));
}

function pour(response: Exchange['response'], block: Buffer, times: number): void {
  let left = times;
  const more = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= 1;
      if (!response.write(block)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
}
