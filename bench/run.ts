/**
 * `npm run bench`: the fake provider, the reference and the gateway (durable log on) in alternation, on loopback.
 * Machines are noisy: read the ratios of one run. Options: --seconds N (per measurement), --rounds N.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { startTarget, type Target } from './target.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '5' }, rounds: { type: 'string', default: '3' } },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);

interface Scenario {
  readonly name: string;
  readonly connections: number;
  readonly stream: boolean;
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'c=1', connections: 1, stream: false },
  { name: 'c=64', connections: 64, stream: false },
];

interface Sample {
  readonly answered: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuUsPerRequest: number | null;
  readonly errors: number;
}

const BODIES: Readonly<Record<string, { readonly path: string; readonly body: string }>> = {
  fake: { path: '/v1/chat/completions', body: '{"model":"fake-model","messages":[]}' },
  reference: { path: '/generate', body: '{"prompt":"tip","variables":{}}' },
  gateway: {
    path: '/generate',
    body: '{"prompt":"tip","prompt_version":"v1","variables":{},"user_id":"u1"}',
  },
};

async function measure(target: Target, scenario: Scenario): Promise<Sample> {
  const request = BODIES[target.name];
  if (request === undefined) throw new Error(`no request for ${target.name}`);
  const cpuBefore = target.cpuUs();
  const result = await autocannon({
    url: target.url + request.path,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: request.body,
    connections: scenario.connections,
    duration: seconds,
  });
  const cpuAfter = target.cpuUs();
  const answered = result['2xx'];
  return {
    answered,
    requestsPerSecond: answered / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    cpuUsPerRequest:
      cpuBefore === null || cpuAfter === null ? null : (cpuAfter - cpuBefore) / Math.max(1, answered),
    errors: result.errors + result.timeouts + result.non2xx,
  };
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const directory = mkdtempSync(join(tmpdir(), 'prompt-gateway-bench-'));
const targets: Target[] = [];
try {
  const tsx = ['--import', 'tsx'];
  const fake = await startTarget('fake', [...tsx, 'bench/fake-provider.ts'], {});
  targets.push(fake);
  const upstream = { OPENAI_BASE_URL: `${fake.url}/v1`, OPENAI_API_KEY: 'none' };
  targets.push(await startTarget('reference', [...tsx, 'bench/reference.ts'], upstream));
  const gateway = {
    ...upstream,
    PORT: '0',
    DATABASE_URL: `sqlite:${join(directory, 'bench.db')}`,
    LOG_LEVEL: 'error',
  };
  targets.push(await startTarget('gateway', ['--enable-source-maps', 'dist/main.js'], gateway));

  const samples = new Map<string, Sample[]>();
  for (const target of targets) await measure(target, { name: 'warm-up', connections: 16, stream: false });
  const callsBefore = await countedCalls(fake);
  let answers = 0;
  let cutAtTheEnd = 0;
  for (let round = 0; round < rounds; round += 1) {
    // Forwards, then backwards: a drift of the machine hits all alike.
    const order = round % 2 === 0 ? targets : [...targets].reverse();
    for (const scenario of SCENARIOS) {
      for (const target of order) {
        const sample = await measure(target, scenario);
        const key = `${scenario.name} ${target.name}`;
        samples.set(key, [...(samples.get(key) ?? []), sample]);
        answers += sample.answered;
        cutAtTheEnd += scenario.connections;
        console.log(
          `round ${round + 1} ${key}: ${sample.requestsPerSecond.toFixed(0)} req/s, ${sample.errors} errors`,
        );
      }
    }
  }
  report(samples);
  const calls = (await countedCalls(fake)) - callsBefore;
  console.log(
    `\n${calls} upstream calls for ${answers} answers: ${calls - answers} more, of which up to ${cutAtTheEnd} were under way when a measurement ended; hidden retries would show as a larger surplus`,
  );
} finally {
  for (const target of targets.reverse()) await target.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function countedCalls(fake: Target): Promise<number> {
  const response = await fetch(`${fake.url}/calls`);
  return ((await response.json()) as { calls: number }).calls;
}

function report(samples: ReadonlyMap<string, readonly Sample[]>): void {
  const rate = (key: string): number =>
    median((samples.get(key) ?? []).map((sample) => sample.requestsPerSecond));
  console.log(
    '\n| target | scenario | req/s | × reference | p50 ms | p99 ms | CPU µs/req | errors | RSS MB |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|');
  for (const scenario of SCENARIOS) {
    for (const target of targets) {
      const key = `${scenario.name} ${target.name}`;
      const list = samples.get(key) ?? [];
      const cpu = list.map((sample) => sample.cpuUsPerRequest).filter((value) => value !== null);
      const cells = [
        target.name,
        scenario.name,
        rate(key).toFixed(0),
        (rate(key) / rate(`${scenario.name} reference`)).toFixed(2),
        median(list.map((sample) => sample.p50Ms)).toFixed(2),
        median(list.map((sample) => sample.p99Ms)).toFixed(2),
        cpu.length === 0 ? '?' : median(cpu).toFixed(0),
        String(list.reduce((sum, sample) => sum + sample.errors, 0)),
        target.rssMb()?.toFixed(0) ?? '?',
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
}
