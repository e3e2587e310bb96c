import { createServer } from 'node:net';

/** A place that nobody was told to visit. */
export interface Canary {
  readonly origin: string;
  readonly port: number;
  /** Connections so far. */
  visits(): number;
  close(): Promise<void>;
}

/** Listens, counts, and hangs up. */
export async function startCanary(): Promise<Canary> {
  let visits = 0;
  const server = createServer((socket) => {
    visits += 1;
    socket.on('error', () => {});
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address !== 'object') throw new Error('the canary has no port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    port: address.port,
    visits: () => visits,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
