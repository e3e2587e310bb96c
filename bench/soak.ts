/**
 * `npm run soak`: a mixed load on a real gateway for ten minutes, with reloads of configuration and prompts, and whether
 * memory, handles or times grow meanwhile: the slope of each after the warm-up, with its standard error.
 *
 * Options: --minutes N, --rate N (requests per second), --callers N, --json FILE, --markdown FILE (the section between its
 * markers). Fails when a request fails, a row is missing, or something certainly grows by more than its bound.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import { writeSection } from './harness/document-section.ts';
import { startFakeUpstream } from './harness/fake-upstream.ts';
import { machineFacts } from './harness/machine-facts.ts';
import { quantile } from './harness/quantile.ts';
import { table } from './harness/result-tables.ts';
import { ROOT } from './harness/root.ts';
import type { ServerProcess } from './harness/server-process.ts';
import { type SoakLoad, type SoakTally, soakLoad } from './harness/soak-load.ts';
import { databaseFileIn, startBenchGateway } from './harness/start-target.ts';
import { type Trend, trendOf } from './harness/trend.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '600' },
    callers: { type: 'string', default: '32' },
    json: { type: 'string' },
    markdown: { type: 'string' },
  },
});

/** Before every answer of the provider, so that there is a middle to leave in. */
const PROVIDER_DELAY_MS = 10;
const RELOAD_EVERY_MS = 5_000;
const SAMPLE_EVERY_MS = 1_000;
/** Compiled code, the caches of the database's connections and the heap's first growth. */
const WARM_UP_SHARE = 0.3;
/** Resident memory took that many requests to stay where it was, in runs of which nothing else grew. */
const WARM_UP_REQUESTS = 100_000;
const PER_REQUESTS = 100_000;
/** Fewer after the warm-up say nothing about slopes. */
const MIN_JUDGED_REQUESTS = 50_000;
/** Growth is certain when it exceeds its bound by that many standard errors: about one false alarm in a thousand looks. */
const CERTAIN_ERRORS = 3;

interface Sample {
  readonly requests: number;
  readonly rssMb: number;
  readonly heapMb: number;
  readonly openFiles: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly loopDelayP99Ms: number;
}

type Quantity = Exclude<keyof Sample, 'requests'>;

/** What each may grow by over a hundred thousand requests. */
const BOUNDS: Readonly<Record<Quantity, { readonly title: string; readonly bound: number }>> = {
  rssMb: { title: 'RSS, MB', bound: 1 },
  heapMb: { title: 'heap in use, MB', bound: 1 },
  openFiles: { title: 'open files and sockets', bound: 1 },
  p50Ms: { title: 'p50 of `/generate`, ms', bound: 1 },
  p99Ms: { title: 'p99 of `/generate`, ms', bound: 5 },
  loopDelayP99Ms: { title: 'p99 of the event loop’s delay, ms', bound: 5 },
};
const QUANTITIES = Object.keys(BOUNDS) as readonly Quantity[];

const minutes = positive('minutes');
const folder = mkdtempSync(join(tmpdir(), 'prompt-gateway-soak-'));
const upstream = await startFakeUpstream();
try {
  const configPath = writeFolder(folder);
  const gateway = await startBenchGateway(upstream, { name: 'gateway', folder, configPath });
  await upstream.delayAnswers(PROVIDER_DELAY_MS);
  const load = soakLoad({
    url: gateway.server.url,
    ratePerSecond: positive('rate'),
    callers: positive('callers'),
    seconds: minutes * 60,
    providerDelayMs: PROVIDER_DELAY_MS,
    text: upstream.text,
  });
  const samples: Sample[] = [];
  const over = new AbortController();
  const watching = [
    sampleUntil(over.signal, gateway.server, load, samples),
    reloadUntil(over.signal, gateway.server),
  ];
  const startedMs = performance.now();
  await load.run();
  const seconds = (performance.now() - startedMs) / 1_000;
  over.abort();
  await Promise.all(watching);
  const reloads = await reloadsOf(gateway.server.url);
  await gateway.server.stop();

  const { sent } = load.tally;
  const longWarmUp = Math.max(WARM_UP_SHARE * sent, WARM_UP_REQUESTS);
  const isLongEnough = sent - longWarmUp >= MIN_JUDGED_REQUESTS;
  const warmUpRequests = isLongEnough ? longWarmUp : WARM_UP_SHARE * sent;
  const warm = samples.filter(({ requests }) => requests >= warmUpRequests);
  const trends = Object.fromEntries(
    QUANTITIES.map((quantity) => [
      quantity,
      perRequests(trendOf(warm.map((sample) => ({ x: sample.requests, y: sample[quantity] })))),
    ]),
  ) as Trends;
  const rows = rowsOf(databaseFileIn(folder));
  const verdicts = [
    ...verdictsOf({ tally: load.tally, rows, reloads }),
    ...(isLongEnough ? trendVerdicts(trends) : []),
  ];
  const section = [
    sectionOf({ tally: load.tally, rows, reloads, seconds, warm, trends, warmUpRequests, isLongEnough }),
    reportTable(load.reportTimesMs),
  ].join('\n\n');
  console.log(`${section}\n`);
  for (const { isMet, text } of verdicts) console.log(`${isMet ? 'holds' : 'FAILS'}: ${text}`);
  const result = {
    machine: machineFacts(),
    seconds,
    tally: load.tally,
    rows,
    reloads,
    trends,
    verdicts,
    samples,
  };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
  if (values.markdown !== undefined) writeSection(values.markdown, 'soak', section);
  if (verdicts.some(({ isMet }) => !isMet)) process.exitCode = 1;
} finally {
  await upstream.stop();
  rmSync(folder, { recursive: true, force: true });
}

function positive(name: 'minutes' | 'rate' | 'callers'): number {
  const number = Number(values[name]);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new Error(`--${name}: expected a number above 0, got ${values[name]}`);
}

/** The shipped configuration with an experiment, and prompts of its own with a version that changes. */
function writeFolder(directory: string): string {
  cpSync(join(ROOT, 'prompts'), join(directory, 'prompts'), { recursive: true });
  writeVersion(directory, 0);
  writeConfig(directory, 0);
  return join(directory, 'gateway.config.json');
}

function writeConfig(directory: string, step: number): void {
  const shipped = JSON.parse(readFileSync(join(ROOT, 'gateway.config.json'), 'utf8')) as object;
  const arms = { plain: { version: 'v1', weight: 1 + (step % 2) }, warm: { version: 'v2', weight: 1 } };
  const config = {
    ...shipped,
    labels: { tip: { live: { experiment: 'tone' } } },
    experiments: { tone: { prompt: 'tip', arms } },
  };
  writeFileSync(join(directory, 'gateway.config.json'), JSON.stringify(config));
}

function writeVersion(directory: string, step: number): void {
  const v1 = readFileSync(join(ROOT, 'prompts/tip/v1.prompt'), 'utf8');
  writeFileSync(join(directory, 'prompts/tip/v9.prompt'), `${v1}\nStep ${step % 2}.\n`);
}

async function reloadUntil(signal: AbortSignal, server: ServerProcess): Promise<void> {
  for (let step = 1; !signal.aborted; step += 1) {
    await pause(RELOAD_EVERY_MS, signal);
    if (signal.aborted) return;
    writeConfig(folder, step);
    writeVersion(folder, step);
    server.reload();
  }
}

async function sampleUntil(
  signal: AbortSignal,
  server: ServerProcess,
  load: SoakLoad,
  samples: Sample[],
): Promise<void> {
  while (!signal.aborted) {
    await pause(SAMPLE_EVERY_MS, signal);
    if (signal.aborted) return;
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    const timesMs = load.takeTimesMs();
    samples.push({
      requests: load.tally.sent,
      rssMb: server.rssMb() ?? Number.NaN,
      heapMb: gauge(metrics, 'nodejs_heap_size_used_bytes') / 1_048_576,
      openFiles: server.openFiles() ?? Number.NaN,
      p50Ms: quantile(timesMs, 0.5),
      p99Ms: quantile(timesMs, 0.99),
      loopDelayP99Ms: gauge(metrics, 'nodejs_eventloop_lag_p99_seconds') * 1_000,
    });
  }
}

function gauge(metrics: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
}

function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      done();
    };
    const timer = setTimeout(finish, durationMs);
    signal.addEventListener('abort', finish);
  });
}

interface Reloads {
  readonly changed: number;
  readonly failed: number;
}

async function reloadsOf(url: string): Promise<Reloads> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const of = (result: string): number =>
    gauge(metrics, `gateway_config_reloads_total\\{result="${result}"\\}`);
  return { changed: of('changed'), failed: of('failed') };
}

interface Rows {
  readonly all: number;
  readonly delivered: number;
  readonly clientClosed: number;
  readonly scores: number;
  readonly outcomes: number;
}

function rowsOf(file: string): Rows {
  const database = new Database(file, { readonly: true });
  try {
    const count = (from: string): number =>
      Number(database.prepare(`SELECT count(*) FROM ${from}`).pluck().get());
    return {
      // The row of the first request, with which a start ends, is none of these.
      all: count('generations') - 1,
      delivered: count('generations WHERE delivered = 1') - 1,
      clientClosed: count("generations WHERE status = 'client_closed'"),
      scores: count('scores'),
      outcomes: count('outcomes'),
    };
  } finally {
    database.close();
  }
}

function perRequests({ slope, standardError }: Trend): Trend {
  return { slope: slope * PER_REQUESTS, standardError: standardError * PER_REQUESTS };
}

interface Found {
  readonly tally: SoakTally;
  readonly rows: Rows;
  readonly reloads: Reloads;
}

type Trends = Readonly<Record<Quantity, Trend>>;

interface Verdict {
  readonly isMet: boolean;
  readonly text: string;
}

function verdictsOf({ tally, rows, reloads }: Found): readonly Verdict[] {
  const { generations, left, errors, firstError } = tally;
  return [
    {
      isMet: errors === 0,
      text: `no request fails (${errors}${firstError === null ? '' : `: ${firstError}`})`,
    },
    {
      isMet: rows.delivered >= generations && rows.all <= generations + left,
      text: `every answer has its row (${generations} answers, ${rows.delivered} delivered rows)`,
    },
    {
      isMet: rows.all === rows.delivered + rows.clientClosed,
      text: `every other row is of a caller who left (${rows.clientClosed})`,
    },
    {
      isMet: rows.scores >= tally.scores && rows.outcomes >= tally.outcomes,
      text: `every ranking and every outcome has its row (${rows.scores}, ${rows.outcomes})`,
    },
    {
      isMet: reloads.changed > 0 && reloads.failed === 0,
      text: `every reload comes into force (${reloads.changed}, ${reloads.failed} failed)`,
    },
  ];
}

function trendVerdicts(trends: Trends): readonly Verdict[] {
  return QUANTITIES.map((quantity) => {
    const { title, bound } = BOUNDS[quantity];
    const { slope, standardError } = trends[quantity];
    return {
      isMet: !(slope - CERTAIN_ERRORS * standardError > bound),
      text: `${title}: no certain growth beyond ${bound} per ${PER_REQUESTS} requests (${slope.toFixed(2)} ± ${standardError.toFixed(2)})`,
    };
  });
}

function sectionOf({
  tally,
  rows,
  reloads,
  seconds,
  warm,
  trends,
  warmUpRequests,
  isLongEnough,
}: Found & {
  readonly seconds: number;
  readonly warm: readonly Sample[];
  readonly trends: Trends;
  readonly warmUpRequests: number;
  readonly isLongEnough: boolean;
}): string {
  const facts = machineFacts();
  const number = (value: number): string => Math.round(value).toLocaleString('en');
  const head =
    `${facts.date}, ${facts.cores} × ${facts.cpuModel}, Node ${facts.nodeVersion}; ${values.callers} callers, ${number(tally.sent)} requests in ` +
    `${number(seconds)} s (${number(tally.sent / seconds)} a second): ${number(tally.generations)} answers and streams, ${number(tally.scores)} rankings, ` +
    `${number(tally.outcomes)} outcomes, ${number(tally.reports)} reports, ${number(tally.left)} callers who left, ${reloads.changed} reloads, ` +
    `${tally.errors} errors; ${number(rows.all)} rows. Slopes after the first ${number(warmUpRequests)} requests${isLongEnough ? '' : '; the run is too short to judge them'}.`;
  const lines = QUANTITIES.map((quantity) => {
    const { slope, standardError } = trends[quantity];
    const seen = warm.map((sample) => sample[quantity]).filter(Number.isFinite);
    return [
      BOUNDS[quantity].title,
      [0, 0.5, 1].map((share) => quantile(seen, share).toFixed(1)).join(' / '),
      `${slope.toFixed(2)} ± ${standardError.toFixed(2)}`,
      String(BOUNDS[quantity].bound),
    ];
  });
  const titles = ['what', 'least / median / most', 'slope per 100,000 requests ± standard error', 'bound'];
  return `${head}\n\n${table(titles, lines)}`;
}

/** Reports read sums, whose number grows with hours and not with calls: the last ones must take what the first ones took. */
function reportTable(timesMs: SoakLoad['reportTimesMs']): string {
  const lines = [...timesMs].map(([path, times]) => {
    const third = Math.ceil(times.length / 3);
    const shown = [times.slice(0, third), times.slice(-third)].map((part) => quantile(part, 0.5).toFixed(1));
    return [`\`${path}\``, String(times.length), ...shown];
  });
  return table(['report', 'read', 'p50 ms, first third', 'p50 ms, last third'], lines);
}
