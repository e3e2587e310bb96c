/**
 * `npm run bench:memory`: whether the gateway's memory stays flat over a million requests of which every tenth is aborted
 * by its caller in the middle of the call; and whether the database holds every one of them.
 *
 * Options: --requests N, --callers N, --markdown FILE (the section between its markers). Fails when memory grows by more
 * than the bound, or when a row is missing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import { openCaller } from './harness/caller.ts';
import { writeSection } from './harness/document-section.ts';
import { startFakeUpstream } from './harness/fake-upstream.ts';
import { machineFacts } from './harness/machine-facts.ts';
import { type MemorySample, slopeMbPer100k } from './harness/memory-slope.ts';
import { quantile } from './harness/quantile.ts';
import { table } from './harness/result-tables.ts';
import { exitOnSignals } from './harness/server-process.ts';
import { databaseFileIn, startBenchGateway } from './harness/start-target.ts';
import type { Target } from './harness/target.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '1000000' },
    callers: { type: 'string', default: '64' },
    markdown: { type: 'string' },
  },
});

/** Every tenth request, and each at another moment of its call. */
const ABORT_EVERY = 10;
/** Before every answer of the provider, so that there is a middle to abort in. */
const PROVIDER_DELAY_MS = 10;
const SAMPLES = 100;
/** Compiled code, caches and the heap's first growth; what comes after has no reason to grow. */
const WARM_UP_SHARE = 0.3;
const MAX_SLOPE_MB_PER_100K = 2;
const BYTES_PER_MB = 1024 * 1024;
/** Over fewer requests the heap's ordinary ups and downs are steeper than any leak worth finding. */
const MIN_REQUESTS_FOR_SLOPE = 300_000;

interface Sample extends MemorySample {
  readonly heapMb: number;
}

interface Tally {
  sent: number;
  answered: number;
  aborted: number;
  errors: number;
  firstError: string | null;
}

function wholeNumber(name: 'requests' | 'callers'): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new Error(`--${name}: expected a whole number from 1, got ${values[name]}`);
}

exitOnSignals();
const requests = wholeNumber('requests');
const steadyOf = (samples: readonly Sample[]): readonly Sample[] =>
  samples.filter((sample) => sample.requests >= WARM_UP_SHARE * requests);
const folder = mkdtempSync(join(tmpdir(), 'prompt-gateway-memory-'));
const upstream = await startFakeUpstream();
try {
  const gateway = await startBenchGateway(upstream, { name: 'gateway', folder });
  await upstream.delayAnswers(PROVIDER_DELAY_MS);
  const callsBefore = (await upstream.counts()).calls;
  const startedMs = performance.now();
  const tally: Tally = { sent: 0, answered: 0, aborted: 0, errors: 0, firstError: null };
  const samples: Sample[] = [];
  const callers = Array.from({ length: wholeNumber('callers') }, () => oneCaller(gateway, tally, samples));
  await Promise.all(callers);
  const seconds = (performance.now() - startedMs) / 1000;
  await gateway.server.stop();
  const found: Found = {
    tally,
    seconds,
    samples,
    rows: rowsOf(databaseFileIn(folder)),
    upstreamCalls: (await upstream.counts()).calls - callsBefore,
  };
  const section = sectionOf(found);
  console.log(section);
  if (values.markdown !== undefined) writeSection(values.markdown, 'memory', section);
  const faults = faultsOf(found);
  for (const fault of faults) console.log(`FAILS: ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
} finally {
  await upstream.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** Heap in use by the thread that serves, as the gateway's own metrics tell it. */
async function heapMbOf(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return (
    Number(/^nodejs_heap_size_used_bytes(?:\{.*\})? (\S+)$/m.exec(metrics)?.[1] ?? Number.NaN) / BYTES_PER_MB
  );
}

/** The samples of a fifth of the run each, in their order. */
function byFifth(samples: readonly Sample[], of: (fifth: readonly Sample[]) => number): string {
  const size = samples.length / 5;
  return [0, 1, 2, 3, 4]
    .map((fifth) => of(samples.slice(Math.floor(fifth * size), Math.floor((fifth + 1) * size))).toFixed(0))
    .join(' / ');
}

async function oneCaller({ server, calls }: Target, tally: Tally, samples: Sample[]): Promise<void> {
  const caller = openCaller(server.url, calls.whole);
  const sampleEvery = Math.ceil(requests / SAMPLES);
  while (tally.sent < requests) {
    const number = tally.sent;
    tally.sent += 1;
    if (number % sampleEvery === 0) {
      samples.push({
        requests: number,
        rssMb: server.rssMb() ?? Number.NaN,
        heapMb: await heapMbOf(server.url),
      });
    }
    try {
      if (number % ABORT_EVERY === 0) {
        const afterMs = ((number / ABORT_EVERY) % PROVIDER_DELAY_MS) + 1;
        const wasInTime = await caller.abort(number, afterMs);
        if (wasInTime) tally.aborted += 1;
        else tally.answered += 1;
      } else {
        const { status, text } = await caller.send(number);
        if (status !== 200 || !text.includes(upstream.text)) throw new Error(`status ${status}: ${text}`);
        tally.answered += 1;
      }
    } catch (error) {
      tally.errors += 1;
      tally.firstError ??= String(error);
    }
  }
  caller.close();
}

interface Rows {
  readonly all: number;
  readonly delivered: number;
  readonly clientClosed: number;
}

function rowsOf(file: string): Rows {
  const database = new Database(file, { readonly: true });
  try {
    const count = (condition: string): number =>
      Number(database.prepare(`SELECT count(*) FROM generations WHERE ${condition}`).pluck().get());
    // The row of the first request, with which a start ends, is none of these.
    return {
      all: count('true') - 1,
      delivered: count('delivered = 1') - 1,
      clientClosed: count("error_code = 'client_closed'"),
    };
  } finally {
    database.close();
  }
}

interface Found {
  readonly tally: Tally;
  readonly rows: Rows;
  readonly upstreamCalls: number;
  readonly seconds: number;
  readonly samples: readonly Sample[];
}

/** What is not as it must be, in words. */
function faultsOf({ tally, rows, upstreamCalls, samples }: Found): readonly string[] {
  const { sent, answered, aborted, errors, firstError } = tally;
  const slope = slopeMbPer100k(steadyOf(samples));
  return [
    ...(errors === 0 ? [] : [`${errors} errors, the first: ${firstError}`]),
    ...(rows.delivered >= answered ? [] : [`${answered} answers, but ${rows.delivered} delivered rows`]),
    ...(rows.all >= upstreamCalls ? [] : [`${upstreamCalls} calls upstream, but ${rows.all} rows`]),
    ...(rows.all === rows.delivered + rows.clientClosed
      ? []
      : ['rows that are neither delivered nor client_closed']),
    ...(rows.all <= sent && sent - rows.all <= aborted ? [] : [`${sent} requests, but ${rows.all} rows`]),
    ...(requests < MIN_REQUESTS_FOR_SLOPE || slope <= MAX_SLOPE_MB_PER_100K
      ? []
      : [`memory grows by more than ${MAX_SLOPE_MB_PER_100K} MB per 100,000`]),
  ];
}

function sectionOf({ tally, rows, upstreamCalls, seconds, samples }: Found): string {
  const facts = machineFacts();
  const number = (value: number): string => value.toLocaleString('en');
  const rss = steadyOf(samples).map(({ rssMb }) => rssMb);
  const lines: readonly (readonly [string, string])[] = [
    ['requests sent', number(tally.sent)],
    ['answered, each answer checked', number(tally.answered)],
    ['left by the caller in the middle of the call', number(tally.aborted)],
    ['errors', number(tally.errors)],
    ['rows `delivered`', number(rows.delivered)],
    ['rows `client_closed`', number(rows.clientClosed)],
    ['callers gone before the gateway had read their request: no row', number(tally.sent - rows.all)],
    ['calls that the provider counted', number(upstreamCalls)],
    ['requests per second', number(Math.round(tally.sent / seconds))],
    [
      'RSS after warm-up, MB: least / median / most',
      [0, 0.5, 1].map((share) => quantile(rss, share).toFixed(0)).join(' / '),
    ],
    [
      'RSS by fifth of the run, median MB',
      byFifth(samples, (fifth) =>
        quantile(
          fifth.map(({ rssMb }) => rssMb),
          0.5,
        ),
      ),
    ],
    [
      'heap in use by fifth of the run, least MB',
      byFifth(samples, (fifth) =>
        quantile(
          fifth.map(({ heapMb }) => heapMb),
          0,
        ),
      ),
    ],
    ['slope of RSS after warm-up, MB per 100,000 requests', slopeMbPer100k(steadyOf(samples)).toFixed(2)],
  ];
  const head =
    `${facts.date}, ${facts.cores} × ${facts.cpuModel}, Node ${facts.nodeVersion}; ${values.callers} callers, the provider takes ` +
    `${PROVIDER_DELAY_MS} ms, every tenth caller leaves 1 to ${PROVIDER_DELAY_MS} ms after asking; warm-up: the first ${100 * WARM_UP_SHARE} %.`;
  return `${head}\n\n${table(['what', 'found'], lines)}`;
}
