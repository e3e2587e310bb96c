import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import type { CompiledGateway } from './compiled-gateway.ts';
import { faultText } from './faulty-upstream.ts';
import type { ProcessBench } from './gateway-process.ts';

type Json = Readonly<Record<string, unknown>>;

/** How a caller may ask: both surfaces, whole and streamed. */
export const SURFACES = ['generate', 'generate-stream', 'chat', 'chat-stream'] as const;
export type Surface = (typeof SURFACES)[number];

export interface FaultCall {
  readonly surface: Surface;
  readonly route: string;
  /** What the upstream plays. */
  readonly fault: string;
  /** Names the call here, at the upstream and in the ledger. */
  readonly token: string;
}

/** What a caller saw, whatever the surface. */
export interface Seen {
  readonly status: number;
  /** Code of the error, in the words of the ledger; null: none. */
  readonly code: string | null;
  readonly retryAfter: string | null;
  readonly text: string;
  /** A stream that was ended by its closing event, or a whole answer. */
  readonly isComplete: boolean;
  /** Everything that came, to look for what must not be there. */
  readonly raw: string;
  readonly durationMs: number;
}

export interface Recorded {
  readonly id: string;
  readonly status: string;
  readonly code: string | null;
  /** How each upstream call ended. */
  readonly attempts: readonly string[];
  readonly text: string | null;
  readonly provider: string | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly costUsd: number | null;
}

/** Short limits, so that a test of every deadline takes seconds. */
export const LIMITS_MS = { total: 800, firstToken: 300, idle: 250 } as const;

const QUICK_ROUTE = {
  timeout: {
    total_ms: LIMITS_MS.total,
    first_token_ms: LIMITS_MS.firstToken,
    idle_ms: LIMITS_MS.idle,
    connect_ms: 500,
  },
  retries: { attempts_per_target: 2, max_attempts: 3, backoff_ms: 10, max_backoff_ms: 50 },
  // The faults of one test must not be skipped in the next one.
  circuit_breaker: { minimum_calls: 100_000 },
};

/** A fresh folder with the prompt `fault`, which says what it is told, and routes to the upstreams. */
export async function faultFolder(
  bench: ProcessBench,
  targets: Readonly<Record<string, readonly string[]>>,
  changes: { readonly target?: Json; readonly routes?: Json; readonly config?: Json } = {},
): Promise<string> {
  const folder = await bench.freshFolder();
  const shipped = JSON.parse(await readFile(join(folder, 'gateway.config.json'), 'utf8')) as Json;
  const providers: Record<string, unknown> = {};
  const routes: Record<string, unknown> = {};
  for (const [route, urls] of Object.entries(targets)) {
    routes[route] = {
      targets: urls.map((url, index) => {
        const provider = `${route}-${index + 1}`;
        providers[provider] = { kind: 'openai', base_url: url };
        return { provider, model: 'gpt-4o-mini', order: index + 1, ...changes.target };
      }),
      ...QUICK_ROUTE,
      ...changes.routes,
    };
  }
  const [first = ''] = Object.keys(targets);
  const config = { ...shipped, providers, routes, default_route: first, ...changes.config };
  await writeFile(join(folder, 'gateway.config.json'), JSON.stringify(config));
  await mkdir(join(folder, 'prompts/fault'));
  await writeFile(
    join(folder, 'prompts/fault/v1.prompt'),
    '---\ninput:\n  schema:\n    text: string\n---\n{{text}}\n',
  );
  return folder;
}

/** Body and path of a call. */
export function requestOf({ surface, route, fault, token }: FaultCall): {
  readonly path: string;
  readonly body: string;
} {
  const text = faultText(fault, token);
  const stream = surface.endsWith('-stream');
  return surface.startsWith('generate')
    ? {
        path: '/generate',
        body: JSON.stringify({ prompt: 'fault', variables: { text }, route, stream, external_id: token }),
      }
    : {
        path: '/v1/chat/completions',
        body: JSON.stringify({
          model: route,
          messages: [{ role: 'user', content: text }],
          stream,
          external_id: token,
        }),
      };
}

/** Makes the call and reads its answer to the end. */
export async function callThrough(url: string, call: FaultCall): Promise<Seen> {
  const { path, body } = requestOf(call);
  const startedMs = performance.now();
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const raw = await response.text();
  const seen = {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    raw,
    durationMs: performance.now() - startedMs,
  };
  const isStream = (response.headers.get('content-type') ?? '').startsWith('text/event-stream');
  return { ...seen, ...(isStream ? readStream(raw) : readWhole(raw)) };
}

function readWhole(raw: string): Pick<Seen, 'code' | 'text' | 'isComplete'> {
  const json = JSON.parse(raw) as Json;
  const code = codeIn(json);
  const [choice] = (json['choices'] ?? []) as readonly { message: { content: string } }[];
  return { code, text: String(json['text'] ?? choice?.message.content ?? ''), isComplete: code === null };
}

function readStream(raw: string): Pick<Seen, 'code' | 'text' | 'isComplete'> {
  let code: string | null = null;
  let text = '';
  let isComplete = false;
  for (const block of raw.split('\n\n')) {
    const event = /^event: (.*)$/m.exec(block)?.[1];
    const data = /^data: (.*)$/m.exec(block)?.[1];
    if (data === undefined) continue;
    if (data === '[DONE]' || event === 'end') {
      isComplete = true;
      continue;
    }
    const json = JSON.parse(data) as Json;
    code ??= codeIn(json);
    const [choice] = (json['choices'] ?? []) as readonly { delta?: { content?: string } }[];
    if (event === 'delta') text += String(json['text']);
    else text += choice?.delta?.content ?? '';
  }
  return { code, text, isComplete };
}

function codeIn(json: Json): string | null {
  const inner = (json['error'] ?? json) as Json;
  const code = inner['code'];
  if (typeof code !== 'string') return null;
  // OpenAI's own word on its surface.
  return code === 'rate_limit_exceeded' ? 'rate_limited' : code;
}

/** The rows that the ledger holds of a call. */
export async function recordedOf(url: string, token: string): Promise<readonly Recorded[]> {
  const list = (await (await fetch(`${url}/generations?external_id=${token}`)).json()) as {
    generations: readonly { id: string }[];
  };
  return Promise.all(
    list.generations.map(async ({ id }) => {
      const row = (await (await fetch(`${url}/generations/${id}`)).json()) as Json;
      return {
        id,
        status: String(row['status']),
        code: row['error_code'] as string | null,
        attempts: (row['attempts'] as readonly { outcome: string }[]).map(({ outcome }) => outcome),
        text: row['text'] as string | null,
        provider: row['provider'] as string | null,
        inputTokens: row['input_tokens'] as number | null,
        outputTokens: row['output_tokens'] as number | null,
        costUsd: row['cost_usd'] as number | null,
      };
    }),
  );
}

/** A caller who hangs up: before anything came, or after the first bytes of the answer. */
export interface Leaving {
  /** Makes the call go away; the time of it by `performance.now()`. */
  leave(): number;
  /** Resolves when the first bytes of a body have come; never when none do. */
  readonly firstBytes: Promise<void>;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
}

/** Makes a call on a connection of its own, to be left before its end. */
export function callToLeave(url: string, call: FaultCall): Leaving {
  const { path, body } = requestOf(call);
  const outgoing = request(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    agent: false,
  });
  const closed = new Promise<void>((done) => outgoing.once('close', () => done()));
  const firstBytes = new Promise<void>((came) => {
    outgoing.once('response', (response) => {
      response.on('error', () => {});
      response.once('data', () => came());
      response.resume();
    });
  });
  outgoing.on('error', () => {});
  outgoing.end(body);
  return {
    leave: () => {
      outgoing.destroy();
      return performance.now();
    },
    firstBytes,
    closed,
  };
}

/** Looks every few milliseconds until it is so; fails after `withinMs`. */
export async function until(isSo: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`it did not happen within ${withinMs} ms`);
    await new Promise((done) => setTimeout(done, 5));
  }
}

/** The value of a series of `/metrics`, summed over its labels; `labels` are texts that its line must hold. */
export async function metricOf(url: string, name: string, ...labels: readonly string[]): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)))
    .filter((line) => labels.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** One row of the file of a gateway that does not run. */
export interface StoredCall {
  readonly token: string;
  readonly status: string;
  readonly code: string | null;
}

/** The calls in the ledger of `folder`, read from the file itself. */
export function storedCalls(folder: string): readonly StoredCall[] {
  const file = new Database(join(folder, 'data/gateway.db'), { readonly: true });
  try {
    return file
      .prepare('SELECT external_id AS token, status, error_code AS code FROM generations ORDER BY seq')
      .all() as readonly StoredCall[];
  } finally {
    file.close();
  }
}

/** Compares every derived number of the ledger of `folder` with its rows; what was printed, and the exit code. */
export async function verifyLedger(
  compiled: CompiledGateway,
  folder: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const cli = join(dirname(compiled.entry), 'cli/main.js');
  const child = spawn(process.execPath, [cli, 'db', 'verify'], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, output };
}
