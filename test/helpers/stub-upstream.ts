import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What the stub does with a call. `model` names it where the caller can choose (behind LiteLLM), else `behaviour`. */
export type StubBehaviour =
  | 'ok'
  | 'unauthorized'
  | 'rate-limited'
  | 'server-error'
  | 'slow'
  | 'hang-after-content'
  | 'context-overflow'
  | 'content-filter'
  | 'cut'
  | 'no-finish'
  | 'error-event'
  | 'html'
  | 'not-json'
  | 'cut-json'
  | 'bad-usage'
  | 'wrong-shape'
  | 'redirect'
  | 'huge'
  | 'huge-stream'
  | 'not-found-page';

export interface StubRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface StubUpstream {
  readonly origin: string;
  readonly requests: StubRequest[];
  /** Resolves at the next (or an earlier) call that has arrived whole. */
  received(): Promise<void>;
  /** Resolves at the next (or an earlier) answer whose connection was closed by the other side. */
  cancelled(): Promise<void>;
  /** TCP connections accepted so far. */
  readonly connections: number;
  readonly server: Server;
  close(): Promise<void>;
}

export const STUB_TEXT = 'Take a short walk before lunch.';
const PIECES = STUB_TEXT.match(/\s*\S+/g) ?? [];
const INPUT_TOKENS = 31;
const OUTPUT_TOKENS = 18;

/**
 * A small upstream that speaks both APIs and misbehaves on request: to be put behind adapters directly, or behind a real
 * LiteLLM, where the model's name selects the behaviour (`ok`, `rate-limited`, …).
 */
export async function startStubUpstream(
  behaviour: StubBehaviour | 'by-model' = 'by-model',
  makeServer: typeof createServer = createServer,
): Promise<StubUpstream> {
  const requests: StubRequest[] = [];
  let cancelledCount = 0;
  const waiting: (() => void)[] = [];
  const awaitingCall: (() => void)[] = [];
  let connections = 0;
  const server = makeServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    response.on('close', () => {
      if (response.writableFinished) return;
      cancelledCount += 1;
      for (const resolve of waiting.splice(0)) resolve();
    });
    request.on('end', () => {
      const text = Buffer.concat(parts).toString('utf8');
      const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
      const path = request.url ?? '';
      requests.push({ method: request.method ?? '', path, headers: request.headers, body });
      for (const resolve of awaitingCall.splice(0)) resolve();
      if (path.endsWith('/models')) {
        sendJson(response, 200, { object: 'list', data: [{ id: 'stub-model', object: 'model' }] });
        return;
      }
      const chosen = behaviour === 'by-model' ? (String(body['model']) as StubBehaviour) : behaviour;
      const isAnthropic = path.includes('/messages');
      void act(chosen, response, {
        isAnthropic,
        isStream: body['stream'] === true,
        model: String(body['model']),
      });
    });
  });
  server.on('connection', (_socket: Socket) => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address !== 'object') throw new Error('the stub has no port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    requests,
    received: () =>
      requests.length > 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            awaitingCall.push(resolve);
          }),
    cancelled: () =>
      cancelledCount > 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiting.push(resolve);
          }),
    get connections() {
      return connections;
    },
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Call {
  readonly isAnthropic: boolean;
  readonly isStream: boolean;
  readonly model: string;
}

async function act(behaviour: StubBehaviour, response: ServerResponse, call: Call): Promise<void> {
  switch (behaviour) {
    case 'ok':
      return call.isStream ? streamAnswer(response, call, PIECES.length) : sendAnswer(response, call);
    case 'unauthorized':
      return sendError(response, 401, {
        message: 'Incorrect API key provided: sk-live-0123456789',
        code: 'invalid_api_key',
      });
    case 'rate-limited':
      response.setHeader('retry-after', '7');
      return sendError(response, 429, {
        message: 'Rate limit reached',
        type: 'requests',
        code: 'rate_limit_exceeded',
      });
    case 'server-error':
      return sendError(response, 500, { message: 'The server had an error', type: 'server_error' });
    case 'slow':
      // Answers long after any test's limit; the timer dies with the connection.
      return afterClose(
        response,
        setTimeout(() => sendAnswer(response, call), 60_000),
      );
    case 'hang-after-content':
      return streamAnswer(response, call, 2, 'hang');
    case 'context-overflow':
      return sendError(response, 400, {
        message:
          "This model's maximum context length is 1024 tokens. However, your messages resulted in 3009 tokens.",
        type: 'invalid_request_error',
        code: 'context_length_exceeded',
      });
    case 'content-filter':
      return sendError(response, 400, {
        message: 'The response was filtered due to the prompt triggering content management policy.',
        code: 'content_filter',
      });
    case 'cut':
      return streamAnswer(response, call, 2, 'cut');
    case 'no-finish':
      return streamAnswer(response, call, 2, 'end');
    case 'error-event':
      return streamAnswer(response, call, 2, 'error');
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<html>proxy login</html>');
      return;
    case 'not-json':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"choices":[{"message":{"content":NaN}}]}');
      return;
    case 'cut-json':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"choices":[{"message":{"con');
      return;
    case 'bad-usage':
      return sendJson(response, 200, { ...answer(call), usage: BAD_USAGE });
    case 'wrong-shape':
      return sendJson(response, 200, 'a string');
    case 'redirect':
      response.writeHead(302, { location: '/elsewhere' });
      response.end();
      return;
    case 'huge':
      return sendHuge(response, 'application/json');
    case 'huge-stream':
      return sendHuge(response, 'text/event-stream');
    case 'not-found-page':
      response.writeHead(404, { 'content-type': 'text/html' });
      response.end('<html>nginx</html>');
      return;
    default:
      return sendError(response, 404, {
        message: `no such model: ${String(behaviour)}`,
        code: 'model_not_found',
      });
  }
}

const BAD_USAGE = { prompt_tokens: 'many', completion_tokens: -1, input_tokens: 'many', output_tokens: -1 };

function answer({ isAnthropic, model }: Call): object {
  return isAnthropic
    ? {
        id: 'msg_stub',
        type: 'message',
        role: 'assistant',
        model,
        content: [{ type: 'text', text: STUB_TEXT }],
        stop_reason: 'end_turn',
        stop_sequence: null,
        usage: { input_tokens: INPUT_TOKENS, output_tokens: OUTPUT_TOKENS },
      }
    : {
        id: 'chatcmpl-stub',
        object: 'chat.completion',
        created: 1,
        model,
        choices: [{ index: 0, message: { role: 'assistant', content: STUB_TEXT }, finish_reason: 'stop' }],
        usage: {
          prompt_tokens: INPUT_TOKENS,
          completion_tokens: OUTPUT_TOKENS,
          total_tokens: INPUT_TOKENS + OUTPUT_TOKENS,
        },
      };
}

function sendAnswer(response: ServerResponse, call: Call): void {
  sendJson(response, 200, answer(call));
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function sendError(response: ServerResponse, status: number, error: object): void {
  sendJson(response, status, { error });
}

function afterClose(response: ServerResponse, timer: NodeJS.Timeout): void {
  response.on('close', () => clearTimeout(timer));
}

/** Streams `count` pieces of the text and then ends well, or as `ending` says. */
async function streamAnswer(
  response: ServerResponse,
  call: Call,
  count: number,
  ending: 'well' | 'hang' | 'cut' | 'end' | 'error' = 'well',
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const write = call.isAnthropic ? anthropicWriter(response) : openAiWriter(response, call.model);
  write.begin(call.model);
  for (const piece of PIECES.slice(0, count)) {
    write.piece(piece);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  switch (ending) {
    case 'well':
      write.end();
      response.end();
      return;
    case 'error':
      write.error();
      response.end();
      return;
    case 'end':
      response.end();
      return;
    case 'cut':
      // Long enough for the pieces to be read before the reset.
      setTimeout(() => response.socket?.destroy(), 20);
      return;
    case 'hang':
      return;
    default:
      ending satisfies never;
  }
}

interface StreamWriter {
  begin(model: string): void;
  piece(text: string): void;
  end(): void;
  error(): void;
}

function openAiWriter(response: ServerResponse, model: string): StreamWriter {
  const write = (fields: object): void => {
    const chunk = { id: 'chatcmpl-stub', object: 'chat.completion.chunk', created: 1, model, ...fields };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  return {
    begin: () => write({ choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] }),
    piece: (content) => write({ choices: [{ index: 0, delta: { content } }] }),
    end: () => {
      write({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
      write({
        choices: [],
        usage: {
          prompt_tokens: INPUT_TOKENS,
          completion_tokens: OUTPUT_TOKENS,
          total_tokens: INPUT_TOKENS + OUTPUT_TOKENS,
        },
      });
      response.write('data: [DONE]\n\n');
    },
    error: () =>
      response.write(`data: ${JSON.stringify({ error: { message: 'overloaded', code: 503 } })}\n\n`),
  };
}

function anthropicWriter(response: ServerResponse): StreamWriter {
  const write = (type: string, fields: object): void => {
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
  };
  return {
    begin: (model) => {
      const usage = { input_tokens: INPUT_TOKENS, output_tokens: 1 };
      write('message_start', {
        message: { id: 'msg_stub', type: 'message', role: 'assistant', model, content: [], usage },
      });
      write('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
      write('ping', {});
    },
    piece: (text) => write('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
    end: () => {
      write('content_block_stop', { index: 0 });
      write('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: OUTPUT_TOKENS } });
      write('message_stop', {});
    },
    error: () => write('error', { error: { type: 'overloaded_error', message: 'Overloaded' } }),
  };
}

/** Far more than any limit, for as long as somebody reads. */
function sendHuge(response: ServerResponse, contentType: string): void {
  response.writeHead(200, { 'content-type': contentType });
  const block = Buffer.alloc(262_144, contentType === 'application/json' ? ' ' : 'x');
  let left = 400;
  const more = (): void => {
    while (left > 0) {
      left -= 1;
      if (!response.write(block)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  response.on('error', () => undefined);
  more();
}
