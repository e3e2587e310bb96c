import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

import type { Load, LoadResult } from './load.ts';

const SCRIPT = join(import.meta.dirname, 'wrk.lua');
/** Past the end of the measurement: wrk waits for nothing then. */
const GRACE_MS = 10_000;

/** What wrk.lua prints. */
interface WrkResult {
  readonly requests: number;
  readonly duration_us: number;
  readonly p50_us: number;
  readonly p99_us: number;
  readonly max_us: number;
  readonly status: number;
  readonly connect: number;
  readonly read: number;
  readonly write: number;
  readonly timeout: number;
  readonly cpu_s: number;
}

export function isWrkInstalled(): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'wrk')));
}

/** Load by wrk (Debian's package of that name), which costs a tenth of what a client in Node costs. */
export async function loadByWrk(load: Load): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), 'prompt-gateway-wrk-'));
  try {
    const bodies = join(folder, 'bodies.jsonl');
    writeFileSync(bodies, load.requests.bodies.map((body) => `${body}\n`).join(''));
    const headers = Object.entries(load.requests.headers).flatMap(([name, value]) => [
      '-H',
      `${name}: ${value}`,
    ]);
    const { stdout } = await promisify(execFile)(
      'wrk',
      [
        ...['-t', '1', '-c', String(load.connections), '-d', `${load.seconds}s`, '--timeout', '10s'],
        ...['-s', SCRIPT, ...headers, load.url, '--'],
        ...[load.requests.path, bodies],
        ...(load.requests.isKeyed === true ? [`${randomUUID()}-`] : []),
      ],
      { timeout: load.seconds * 1000 + GRACE_MS },
    );
    const line = /^result (\{.*\})$/m.exec(stdout)?.[1];
    if (line === undefined) throw new Error(`wrk printed no result:\n${stdout}`);
    return resultOf(JSON.parse(line) as WrkResult);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function resultOf(wrk: WrkResult): LoadResult {
  const kinds = ['status', 'connect', 'read', 'write', 'timeout'] as const;
  const failed = kinds.filter((kind) => wrk[kind] > 0);
  return {
    answered: wrk.requests - wrk.status,
    seconds: wrk.duration_us / 1_000_000,
    p50Ms: wrk.p50_us / 1000,
    p99Ms: wrk.p99_us / 1000,
    maxMs: wrk.max_us / 1000,
    firstTokenP50Ms: null,
    firstTokenP99Ms: null,
    errors: failed.reduce((sum, kind) => sum + wrk[kind], 0),
    firstError:
      failed.length === 0 ? null : `wrk: ${failed.map((kind) => `${wrk[kind]} × ${kind}`).join(', ')}`,
    generatorCpuUs: wrk.cpu_s * 1_000_000,
  };
}
