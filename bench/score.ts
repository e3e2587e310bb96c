/**
 * `npm run bench:score`: ranking with the durable log on, on loopback: 20 candidates of 12 features. Options:
 * --seconds N (per measurement), --rounds N.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { SCORE_BODIES, teach, writeScoreConfig } from './score-load.ts';
import { startTarget } from './target.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '5' }, rounds: { type: 'string', default: '3' } },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const REWARDS = 200;

const SCENARIOS = [
  { name: 'c=1', connections: 1, keyed: false },
  { name: 'c=64', connections: 64, keyed: false },
  { name: 'c=64, Idempotency-Key', connections: 64, keyed: true },
] as const;

const directory = mkdtempSync(join(tmpdir(), 'prompt-gateway-bench-'));
const gateway = await startTarget('gateway', ['--enable-source-maps', 'dist/main.js'], {
  PORT: '0',
  DATABASE_URL: `sqlite:${join(directory, 'bench.db')}`,
  GATEWAY_CONFIG: writeScoreConfig(directory),
  LOG_LEVEL: 'error',
});
try {
  await teach(gateway.url, REWARDS);
  await measure({ name: 'warm-up', connections: 16, keyed: false });
  const lines: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const scenario of SCENARIOS) lines.push(`| ${round + 1} | ${await measure(scenario)} |`);
  }
  console.log(`${Math.round((SCORE_BODIES[0]?.length ?? 0) / 1024)} KB a request`);
  console.log('| round | scenario | req/s | p50 ms | p99 ms | max ms | CPU µs/req | errors | RSS MB |');
  console.log('|---|---|---|---|---|---|---|---|---|');
  for (const line of lines) console.log(line);
} finally {
  await gateway.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function measure(scenario: { name: string; connections: number; keyed: boolean }): Promise<string> {
  const cpuBefore = gateway.cpuUs();
  const headers = { 'content-type': 'application/json' };
  const result = await autocannon({
    url: `${gateway.url}/score`,
    connections: scenario.connections,
    duration: seconds,
    requests: SCORE_BODIES.map((body) => ({
      method: 'POST' as const,
      headers,
      body,
      ...(scenario.keyed
        ? {
            setupRequest: (request: object) => ({
              ...request,
              headers: { ...headers, 'idempotency-key': randomUUID() },
            }),
          }
        : {}),
    })),
  });
  const cpuAfter = gateway.cpuUs();
  const answered = result['2xx'];
  const cpu = cpuBefore === null || cpuAfter === null ? null : (cpuAfter - cpuBefore) / Math.max(1, answered);
  return [
    scenario.name,
    (answered / result.duration).toFixed(0),
    result.latency.p50,
    result.latency.p99,
    result.latency.max,
    cpu === null ? '?' : cpu.toFixed(0),
    result.errors + result.timeouts + result.non2xx,
    gateway.rssMb()?.toFixed(0) ?? '?',
  ].join(' | ');
}
