import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Readonly<Record<string, unknown>>;
  /** Resolves when the connection of this request closed. */
  readonly closed: Promise<void>;
}

/** Answers one request; the last answer of a script repeats. */
export type ScriptedAnswer = (response: ServerResponse, request: SeenRequest) => void | Promise<void>;

export interface ScriptedGateway {
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  close(): Promise<void>;
}

/** A real HTTP server on loopback that plays a gateway by script. */
export async function startScriptedGateway(...script: readonly ScriptedAnswer[]): Promise<ScriptedGateway> {
  const requests: SeenRequest[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const seen: SeenRequest = {
        path: request.url ?? '',
        headers: request.headers,
        body: JSON.parse(Buffer.concat(chunks).toString('utf8')) as SeenRequest['body'],
        closed: new Promise((resolve) => {
          response.on('close', resolve);
        }),
      };
      const answer = script[Math.min(requests.length, script.length - 1)];
      requests.push(seen);
      await answer?.(response, seen);
    })();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const GENERATION = {
  id: 'gen_1',
  text: 'Drink water.',
  output: null,
  prompt: 'tip',
  prompt_version: 'v2',
  prompt_hash: 'sha256:abc',
  version_source: 'body',
  label: null,
  experiment: null,
  arm: null,
  propensity: null,
  route: 'default',
  provider: 'offline',
  model: 'lines',
  degraded: false,
  finish_reason: 'stop',
  usage: { input_tokens: 31, output_tokens: 18 },
  cost_usd: 0.000_12,
  latency_ms: 412,
  attempts: 1,
  recorded: true,
  created_at: '2026-11-23T10:00:00.000Z',
} as const;

export function json(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): ScriptedAnswer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}

export function problem(
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
  further: Readonly<Record<string, unknown>> = {},
): ScriptedAnswer {
  return json(
    status,
    { type: 'about:blank', title: code, status, code, detail: `because ${code}`, ...further },
    { 'content-type': 'application/problem+json', 'x-request-id': 'req_9', ...headers },
  );
}

export const generation: ScriptedAnswer = json(200, GENERATION);

/** Hangs up without a word. */
export const hangUp: ScriptedAnswer = (response) => {
  response.destroy();
};

/** Never answers. */
export const silence: ScriptedAnswer = () => {};

export function sseText(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Writes bytes in pieces, each as its own chunk, then does `after`: end, hang up, or nothing. */
export function eventStream(
  pieces: readonly (string | Uint8Array)[],
  after: 'end' | 'hang up' | 'stay' = 'end',
): ScriptedAnswer {
  return async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-request-id': 'req_9' });
    for (const piece of pieces) {
      await new Promise<void>((resolve) => {
        response.write(piece, () => resolve());
      });
      // A turn of the event loop, so that two pieces do not leave in one segment.
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
    }
    if (after === 'end') response.end();
    if (after === 'hang up') response.destroy();
  };
}
