import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { WireExchange } from './wire-capture.ts';

export interface WireReplayServer {
  readonly origin: string;
  readonly requests: {
    readonly method: string;
    readonly path: string;
    readonly headers: IncomingHttpHeaders;
    readonly body: string;
  }[];
  close(): Promise<void>;
}

/** Answers every request with one recorded exchange: same status line, headers and bytes; streams event by event. */
export async function startWireReplay(exchange: WireExchange): Promise<WireReplayServer> {
  const requests: WireReplayServer['requests'] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      requests.push({
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(parts).toString('utf8'),
      });
      // The recording's own date and connection headers go out, Node adds none.
      response.sendDate = false;
      response.writeHead(exchange.status, exchange.reason, [...exchange.rawHeaders]);
      void writeEvents(exchange.body, (part) => response.write(part)).then(() => response.end());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address !== 'object') throw new Error('the replay server has no port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function writeEvents(body: string, write: (part: string) => void): Promise<void> {
  for (const event of body.split(/(?<=\n\n)/)) {
    write(event);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
