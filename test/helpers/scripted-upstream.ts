import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export interface UpstreamCall {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ScriptedUpstream {
  /** Base URL for `OPENAI_BASE_URL`, with `/v1`. */
  readonly url: string;
  readonly calls: UpstreamCall[];
  /** Connections that the gateway closed before its answer was complete. */
  abortedCalls(): number;
  close(): Promise<void>;
}

export type Reply = (call: UpstreamCall, response: ServerResponse) => void | Promise<void>;

/** An OpenAI-compatible server on loopback that answers what the test says. */
export async function startScriptedUpstream(reply: Reply = answerSoundly): Promise<ScriptedUpstream> {
  const calls: UpstreamCall[] = [];
  let aborted = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const call: UpstreamCall = {
        url: request.url ?? '',
        headers: request.headers,
        body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
      };
      calls.push(call);
      response.on('close', () => {
        if (!response.writableFinished) aborted += 1;
      });
      void reply(call, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address !== 'object') throw new Error('the upstream has no port');
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    calls,
    abortedCalls: () => aborted,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Plain text, or JSON that fits the third version of `tip` where a schema is asked for. */
function answerSoundly(call: UpstreamCall, response: ServerResponse): void {
  const isStructured = call.body['response_format'] !== undefined;
  const structured = '{"tip":"Take a walk.","why":"It clears the head.","minutes":5}';
  sendCompletion(response, isStructured ? structured : 'Take a walk.');
}

/** A whole answer, as OpenAI shapes it. */
export function sendCompletion(response: ServerResponse, content: string, fields: object = {}): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify({
      id: 'chatcmpl-scripted',
      object: 'chat.completion',
      created: 1,
      model: 'scripted-model',
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 31, completion_tokens: 18, total_tokens: 49 },
      ...fields,
    }),
  );
}

export function sendError(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { message, type: 'server_error', param: null, code: null } }));
}

/** One event of a streamed answer. */
export function sendDelta(response: ServerResponse, content: string): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(chunk({ choices: [{ index: 0, delta: { content } }] }));
}

/** The last events of a streamed answer: finish, usage, `[DONE]`. */
export function endStream(response: ServerResponse): void {
  response.write(chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }));
  response.write(
    chunk({ choices: [], usage: { prompt_tokens: 31, completion_tokens: 18, total_tokens: 49 } }),
  );
  response.end('data: [DONE]\n\n');
}

function chunk(fields: object): string {
  return `data: ${JSON.stringify({ id: 'chatcmpl-scripted', object: 'chat.completion.chunk', created: 1, model: 'scripted-model', ...fields })}\n\n`;
}
