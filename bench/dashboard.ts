/**
 * `npm run bench:dashboard -- --calls 1000000`: how long the dashboard lets its reader wait, over a ledger of that many
 * calls. Four weeks of simulated traffic are multiplied by SQL, their rollups with them. Needs Chromium.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import Database from 'better-sqlite3';
import type { Browser } from 'playwright-core';
import { ROLLUP_TABLES } from '../src/storage/sqlite/rollup-grains.ts';
import { launchChromium } from '../test/browser/system-chromium.ts';
import { modelEnvironment, startTipModel, writeHistory } from '../test/browser/written-history.ts';
import { processBench } from '../test/helpers/gateway-process.ts';

const HISTORY = { days: 28, callsPerDay: 240 };
const VISITS = 5;
/** An answer is shared for a second: the next one after that is made anew. */
const PAST_SHARED_MS = 1_100;

/** What a reader waits for, and what shows that the page has it. */
const PAGES = [
  { name: 'overview', path: '', shows: '.interval-plot' },
  { name: 'prompt', path: '/prompts/tip', shows: '.interval-plot >> visible=true' },
  { name: 'experiment', path: '/experiments/tone', shows: '.interval-plot' },
  { name: 'generations', path: '/generations', shows: 'table tbody tr' },
] as const;
const REPORTS = [
  '/analytics/overview',
  '/analytics/prompts/tip/versions',
  '/analytics/prompts/tip/timeseries',
  '/analytics/experiments/tone',
  '/generations?limit=50',
] as const;

/** Copies of every call but the first: a copy's unit has called before, so that experiments do not count it. */
function multiply(file: string, calls: number): number {
  const database = new Database(file);
  try {
    database.pragma('synchronous = OFF');
    const count = (): number => Number(database.prepare('SELECT count(*) FROM generations').pluck().get());
    const copies = Math.ceil(calls / count()) - 1;
    const columnsOf = (table: string): readonly string[] =>
      database
        .prepare('SELECT name FROM pragma_table_info(?)')
        .pluck()
        .all(table)
        .map(String)
        .filter((column) => column !== 'seq' && column !== 'id');
    const copyRows = (table: string, changed: Readonly<Record<string, string>>): void => {
      const kept = columnsOf(table).filter((column) => !(column in changed));
      const into = [...Object.keys(changed), ...kept].join(', ');
      const from = [...Object.values(changed), ...kept.map((column) => `original.${column}`)].join(', ');
      database.exec(
        `INSERT INTO ${table} (${into}) SELECT ${from} FROM copy_numbers, temp.original_${table} AS original`,
      );
    };
    database.exec('BEGIN');
    database.exec(
      `CREATE TEMP TABLE copy_numbers AS WITH RECURSIVE counted (n) AS
         (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ${copies}) SELECT n FROM counted`,
    );
    for (const table of ['generations', 'outcomes', 'counting_outcomes']) {
      database.exec(`CREATE TEMP TABLE original_${table} AS SELECT * FROM ${table}`);
    }
    const copied = "|| '-' || copy_numbers.n";
    copyRows('generations', { id: `original.id ${copied}`, external_id: 'NULL' });
    const outcome = {
      generation_id: `original.generation_id ${copied}`,
      outcome_id: `original.outcome_id ${copied}`,
    };
    copyRows('outcomes', outcome);
    copyRows('counting_outcomes', outcome);
    multiplyRollups(database, copies, columnsOf);
    database.exec('COMMIT');
    return count();
  } finally {
    database.close();
  }
}

function multiplyRollups(
  database: Database.Database,
  copies: number,
  columnsOf: (table: string) => readonly string[],
): void {
  const named = columnsOf('rollup_series').filter((column) => column !== 'first_exposure');
  database.exec(
    `INSERT OR IGNORE INTO rollup_series (${named.join(', ')}, first_exposure)
       SELECT ${named.join(', ')}, 0 FROM rollup_series WHERE first_exposure = 1`,
  );
  const isSame = named.map((column) => `receiver.${column} = series.${column}`).join(' AND ');
  const keys = new Set(['series_id', 'hour_ms', 'day_ms', 'month_ms', 'bucket', 'metric']);
  for (const table of ROLLUP_TABLES) {
    const columns = columnsOf(table);
    const own = columns.filter((column) => keys.has(column) && column !== 'series_id');
    const sums = columns.filter((column) => !keys.has(column));
    database.exec(
      `INSERT INTO ${table} (series_id, ${[...own, ...sums].join(', ')})
         SELECT receiver.id, ${[...own, ...sums.map((sum) => `${copies} * SUM(${sum})`)].join(', ')}
         FROM ${table} JOIN rollup_series AS series ON series.id = series_id
           JOIN rollup_series AS receiver ON receiver.first_exposure = 0 AND ${isSame}
         WHERE true GROUP BY receiver.id, ${own.join(', ')}
       ON CONFLICT DO UPDATE SET ${sums.map((sum) => `${sum} = ${sum} + excluded.${sum}`).join(', ')}`,
    );
  }
}

function rest(): Promise<void> {
  return new Promise((done) => setTimeout(done, PAST_SHARED_MS));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

async function report(name: string, work: () => Promise<number>): Promise<void> {
  const durationsMs: number[] = [];
  for (let visit = 0; visit < VISITS; visit += 1) {
    await rest();
    durationsMs.push(await work());
  }
  const [firstMs = 0] = durationsMs;
  const sorted = durationsMs.toSorted((a, b) => a - b);
  const medianMs = sorted[Math.floor(VISITS / 2)] ?? 0;
  const worstMs = sorted.at(-1) ?? 0;
  console.log(
    `${name.padEnd(36)} first ${firstMs.toFixed(0)} ms, median ${medianMs.toFixed(0)} ms, worst ${worstMs.toFixed(0)} ms`,
  );
}

/** From the address to the numbers on screen, in a browser that has nothing of it yet. */
async function visit(browser: Browser, url: string, shows: string): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  try {
    const page = await context.newPage();
    return await timed(async () => {
      await page.goto(url);
      await page.locator(shows).first().waitFor();
    });
  } finally {
    await context.close();
  }
}

const { values } = parseArgs({ options: { calls: { type: 'string', default: '1000000' } } });
const processes = processBench();
const upstream = await startTipModel();
try {
  const folder = await processes.freshFolder();
  await writeHistory(folder, upstream, HISTORY);
  const file = join(folder, 'data', 'gateway.db');
  const calls = multiply(file, Number(values.calls));
  console.log(`${calls.toLocaleString('en')} calls`);
  const url = await processes.start(folder, modelEnvironment(upstream)).url;
  for (const path of REPORTS) {
    await report(path, () =>
      timed(async () => {
        const response = await fetch(url + path);
        const text = await response.text();
        if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
      }),
    );
  }
  const browser = await launchChromium();
  try {
    // The start of the browser itself is nobody's report.
    await visit(browser, `${url}/admin/health`, 'h1');
    for (const { name, path, shows } of PAGES) {
      await report(`page: ${name}`, () => visit(browser, `${url}/admin${path}`, shows));
    }
  } finally {
    await browser.close();
  }
} finally {
  await processes.cleanUp();
  await upstream.close();
}
