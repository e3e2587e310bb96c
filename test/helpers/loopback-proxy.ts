import { createServer, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';

export interface LoopbackProxy {
  readonly url: string;
  /** `CONNECT host:port` or `POST http://host:port/path`, in order. */
  readonly lines: string[];
  close(): Promise<void>;
}

/** A forward proxy as small as can be: absolute URLs and CONNECT tunnels. */
export async function startLoopbackProxy(): Promise<LoopbackProxy> {
  const lines: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    lines.push(`${request.method} ${request.url}`);
    const target = new URL(request.url ?? '');
    const onward = httpRequest(
      target,
      { method: request.method ?? 'GET', headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  server.on('connect', (request, client: Socket, head: Buffer) => {
    lines.push(`CONNECT ${request.url}`);
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client);
      client.pipe(upstream);
    });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address !== 'object') throw new Error('the proxy has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    lines,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
