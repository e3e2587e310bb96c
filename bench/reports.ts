/**
 * `npm run bench:reports`: what reports take over many calls, beside what they take over 100,000. Two ledgers of a year are
 * filled by SQL, a gateway serves each, and the same requests go to both in turns.
 *
 * Options: --generations N, --requests N (of each kind, to each), --folder DIR (keeps the filled ledgers there, and takes them
 * from there), --fill-only, --json FILE, --markdown FILE (the section between its markers), --check (fails where a goal is
 * missed by more than a factor of two: machines of CI are small and shared).
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { writeSection } from './harness/document-section.ts';
import { type FilledLedger, fillLedger } from './harness/filled-ledger.ts';
import { machineFacts } from './harness/machine-facts.ts';
import { quantile } from './harness/quantile.ts';
import { table } from './harness/result-tables.ts';
import { ROOT } from './harness/root.ts';
import { type ServerProcess, startServer } from './harness/server-process.ts';

const { values } = parseArgs({
  options: {
    generations: { type: 'string', default: '10000000' },
    requests: { type: 'string', default: '100' },
    folder: { type: 'string' },
    'fill-only': { type: 'boolean', default: false },
    json: { type: 'string' },
    markdown: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
});

const SMALL_GENERATIONS = 100_000;
const DAY_MS = 86_400_000;
const MAX_REPORT_MS = 100;
const MAX_RATIO = 1.5;
const CHECK_FACTOR = 2;
/** An overview is shared for a second: only the next one after that is made anew. */
const PAST_SHARED_MS = 1_050;
const OVERVIEWS = 5;
const WARM_UP_REQUESTS = 5;

interface Question {
  readonly name: string;
  readonly path: string;
  readonly requests: number;
  readonly pauseMs: number;
  /** Whether the goals hold for it. */
  readonly isGoal: boolean;
}

interface Answered {
  readonly name: string;
  readonly isGoal: boolean;
  readonly small: { readonly p50Ms: number; readonly p99Ms: number };
  readonly large: { readonly p50Ms: number; readonly p99Ms: number };
  /** Of the medians. */
  readonly ratio: number;
}

interface Served {
  readonly filled: FilledLedger;
  readonly server: ServerProcess;
}

function wholeNumber(name: 'generations' | 'requests'): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new Error(`--${name}: expected a whole number from 1, got ${values[name]}`);
}

const requests = wholeNumber('requests');
const generations = wholeNumber('generations');
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'prompt-gateway-reports-'));
mkdirSync(folder, { recursive: true });
const endMs = Math.floor(Date.now() / 3_600_000) * 3_600_000;
const running: ServerProcess[] = [];
try {
  const small = ledgerOf(SMALL_GENERATIONS);
  const large = ledgerOf(generations);
  if (!values['fill-only']) {
    const result = await measure(await serve(small), await serve(large));
    console.log(sectionOf(result));
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
    if (values.markdown !== undefined) writeSection(values.markdown, 'reports', sectionOf(result));
    if (values.check) check(result.answers);
  }
} finally {
  for (const server of running) await server.stop();
  if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
}

interface LedgerFile {
  readonly file: string;
  readonly filled: FilledLedger;
}

function ledgerOf(count: number): LedgerFile {
  const file = join(folder, `ledger-${count}.db`);
  const facts = `${file}.json`;
  // Written last: a fill that broke off is begun again.
  if (existsSync(facts)) return { file, filled: JSON.parse(readFileSync(facts, 'utf8')) as FilledLedger };
  rmSync(file, { force: true });
  const filled = fillLedger(file, count, endMs);
  writeFileSync(facts, JSON.stringify(filled));
  console.log(
    `filled ${filled.generations.toLocaleString('en')} calls in ${filled.seconds.toFixed(1)} s, ${(filled.fileBytes / 1e6).toFixed(0)} MB`,
  );
  return { file, filled };
}

/** The compiled gateway with the shipped prompts and configuration, and an experiment; nothing is deleted meanwhile. */
async function serve({ file, filled }: LedgerFile): Promise<Served> {
  const shipped = JSON.parse(readFileSync(join(ROOT, 'gateway.config.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  const config = join(folder, 'gateway.config.json');
  writeFileSync(
    config,
    JSON.stringify({
      ...shipped,
      prompts: { ...(shipped['prompts'] as object), directory: join(ROOT, 'prompts') },
      ledger: { retention: { contents_days: null, rows_days: null, max_bytes: null } },
      experiments: { tone: { prompt: 'tip', arms: { plain: { version: 'v1' }, warm: { version: 'v2' } } } },
    }),
  );
  const server = await startServer({
    name: 'gateway',
    command: process.execPath,
    args: ['--enable-source-maps', join(ROOT, 'dist/main.js')],
    folder,
    environment: {
      PORT: '0',
      DATABASE_URL: `sqlite:${file}`,
      GATEWAY_CONFIG: config,
      LOG_LEVEL: 'error',
    },
    firstRequest: { path: '/readyz', init: {} },
  });
  running.push(server);
  return { filled, server };
}

function questions(): readonly Question[] {
  const from = new Date(endMs - 30 * DAY_MS + 5 * 3_600_000).toISOString();
  const hours = new Date(endMs - 7 * DAY_MS).toISOString();
  const many = { requests, pauseMs: 0, isGoal: false };
  return [
    { ...many, name: 'per version, everything', path: '/analytics/prompts/tip/versions', isGoal: true },
    { ...many, name: 'per version, 30 days', path: `/analytics/prompts/tip/versions?from=${from}` },
    {
      ...many,
      name: 'per version, one model',
      path: '/analytics/prompts/tip/versions?model=small',
    },
    { ...many, name: 'time series, 90 days', path: '/analytics/prompts/tip/timeseries?by=day' },
    {
      ...many,
      name: 'time series, 168 hours',
      path: `/analytics/prompts/tip/timeseries?by=hour&from=${hours}`,
    },
    { ...many, name: 'experiment', path: '/analytics/experiments/tone' },
    { ...many, name: 'experiment, over time', path: '/analytics/experiments/tone/history' },
    { ...many, name: '50 newest calls', path: '/generations?limit=50' },
    {
      name: 'overview',
      path: '/analytics/overview',
      requests: Math.min(requests, OVERVIEWS),
      pauseMs: PAST_SHARED_MS,
      isGoal: false,
    },
  ];
}

interface ReportsResult {
  readonly machine: ReturnType<typeof machineFacts>;
  readonly small: FilledLedger;
  readonly large: FilledLedger;
  readonly requests: number;
  readonly answers: readonly Answered[];
}

async function measure(small: Served, large: Served): Promise<ReportsResult> {
  const answers: Answered[] = [];
  for (const question of questions()) {
    const smallMs: number[] = [];
    const largeMs: number[] = [];
    for (let warmUp = 0; warmUp < WARM_UP_REQUESTS; warmUp += 1) {
      for (const { server } of [small, large]) await timed(server.url + question.path);
    }
    for (let request = 0; request < question.requests; request += 1) {
      await new Promise((done) => setTimeout(done, question.pauseMs));
      smallMs.push(await timed(small.server.url + question.path));
      largeMs.push(await timed(large.server.url + question.path));
    }
    const figures = (durationsMs: readonly number[]) => ({
      p50Ms: quantile(durationsMs, 0.5),
      p99Ms: quantile(durationsMs, 0.99),
    });
    const [of100k, ofMany] = [figures(smallMs), figures(largeMs)];
    answers.push({
      name: question.name,
      isGoal: question.isGoal,
      small: of100k,
      large: ofMany,
      ratio: ofMany.p50Ms / of100k.p50Ms,
    });
  }
  return { machine: machineFacts(), small: small.filled, large: large.filled, requests, answers };
}

async function timed(url: string): Promise<number> {
  const startMs = performance.now();
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text.slice(0, 300)}`);
  return performance.now() - startMs;
}

function sectionOf({ machine, small, large, answers }: ReportsResult): string {
  const calls = (filled: FilledLedger): string => filled.generations.toLocaleString('en');
  const ms = (value: number): string => value.toFixed(1);
  const rows = answers.map(({ name, isGoal, small: few, large: many, ratio }) => [
    isGoal ? `**${name}**` : name,
    `${ms(few.p50Ms)} / ${ms(few.p99Ms)}`,
    `${ms(many.p50Ms)} / ${ms(many.p99Ms)}`,
    ratio.toFixed(2),
  ]);
  return [
    `${machine.date}, ${machine.cores} × ${machine.cpuModel}, ${machine.system}, Node ${machine.nodeVersion}. ${calls(large)} calls and ` +
      `${large.outcomes.toLocaleString('en')} outcomes of a year (${(large.fileBytes / 1e9).toFixed(2)} GB without texts, filled in ${large.seconds.toFixed(0)} s) ` +
      `beside ${calls(small)}; over HTTP, one request at a time, in turns.`,
    table(
      [
        'report',
        `${calls(small)} calls: p50 / p99 ms`,
        `${calls(large)} calls: p50 / p99 ms`,
        '× of the medians',
      ],
      rows,
    ),
    ...answers.filter(({ isGoal }) => isGoal).map(verdictOf),
  ].join('\n\n');
}

function verdictOf({ name, large, ratio }: Answered): string {
  const isReached = large.p99Ms <= MAX_REPORT_MS && ratio <= MAX_RATIO;
  return `Goal of *${name}*: at most ${MAX_REPORT_MS} ms (p99), and at most ${MAX_RATIO} × the median over fewer calls: ${isReached ? 'reached' : '**missed**'}.`;
}

function check(answers: readonly Answered[]): void {
  for (const { name, large, ratio } of answers.filter(({ isGoal }) => isGoal)) {
    if (large.p99Ms > CHECK_FACTOR * MAX_REPORT_MS || ratio > CHECK_FACTOR * MAX_RATIO) {
      console.log(
        `FAILS: ${name}: p99 ${large.p99Ms.toFixed(1)} ms, ${ratio.toFixed(2)} × the median over fewer calls`,
      );
      process.exitCode = 1;
    }
  }
}
