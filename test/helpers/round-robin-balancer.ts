import { Agent, createServer, request } from 'node:http';

export interface Balancer {
  readonly url: string;
  add(backend: string): void;
  remove(backend: string): void;
  /** Backends that traffic goes to now. */
  ready(): readonly string[];
  close(): Promise<void>;
}

/** As balancers look: often enough to see a drain before its delay is over. */
const HEALTH_INTERVAL_MS = 50;

/** A reverse proxy in turn over the backends that `/readyz` calls ready. It repeats nothing: a failure is the caller's. */
export async function startBalancer(): Promise<Balancer> {
  const states = new Map<string, { isReady: boolean; readonly agent: Agent }>();
  let turn = 0;
  const ready = (): string[] => [...states].filter(([, { isReady }]) => isReady).map(([url]) => url);
  const look = async (url: string, state: { isReady: boolean }): Promise<void> => {
    const status = await fetch(`${url}/readyz`).then(
      (response) => response.status,
      () => 0,
    );
    state.isReady = status === 200;
  };
  const looking = setInterval(() => {
    for (const [url, state] of states) void look(url, state);
  }, HEALTH_INTERVAL_MS);

  const server = createServer((incoming, outgoing) => {
    const backends = ready();
    const backend = backends[turn % backends.length];
    turn += 1;
    const state = backend === undefined ? undefined : states.get(backend);
    if (backend === undefined || state === undefined) {
      outgoing.writeHead(502).end('no backend');
      return;
    }
    const { method, headers } = incoming;
    const passed = request(backend + incoming.url, {
      ...(method === undefined ? {} : { method }),
      headers: { ...headers, host: '127.0.0.1', connection: 'keep-alive' },
      agent: state.agent,
    });
    passed.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
      answer.on('error', () => outgoing.destroy());
    });
    passed.on('error', (error) => {
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(502).end(error.message);
    });
    incoming.pipe(passed);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (address === null || typeof address !== 'object') throw new Error('the balancer has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    add: (backend) => states.set(backend, { isReady: false, agent: new Agent({ keepAlive: true }) }),
    remove: (backend) => {
      states.get(backend)?.agent.destroy();
      states.delete(backend);
    },
    ready,
    close: () => {
      clearInterval(looking);
      for (const { agent } of states.values()) agent.destroy();
      return new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      });
    },
  };
}
