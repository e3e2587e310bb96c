import { compileEntry } from './compile-entry.ts';
import { type ServerProcess, startServer } from './server-process.ts';

/** What the fake provider has counted since its start. */
export interface UpstreamCounts {
  readonly calls: number;
  readonly streams: number;
  readonly closed_before_answer: number;
}

export interface FakeUpstream extends ServerProcess {
  /** What every whole answer says. */
  readonly text: string;
  /** The pieces of text of every stream. */
  readonly tokens: readonly string[];
  counts(): Promise<UpstreamCounts>;
  /** Milliseconds before every answer from now on. */
  delayAnswers(delayMs: number): Promise<void>;
}

export async function startFakeUpstream(): Promise<FakeUpstream> {
  const server = await startServer({
    name: 'fake directly',
    command: process.execPath,
    args: [compileEntry('fake-provider.ts')],
    environment: {},
    firstRequest: { path: '/calls', init: {} },
  });
  const ask = async (path: string, method = 'GET'): Promise<unknown> =>
    (await fetch(server.url + path, { method })).json();
  const { text, tokens } = (await ask('/calls')) as { text: string; tokens: string[] };
  return {
    ...server,
    text,
    tokens,
    counts: async () => (await ask('/calls')) as UpstreamCounts,
    delayAnswers: async (delayMs) => {
      await ask(`/delay/${delayMs}`, 'PUT');
    },
  };
}
