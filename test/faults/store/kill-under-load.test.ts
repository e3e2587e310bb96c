import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { verifySqliteFile } from '../../../src/storage/sqlite/index.ts';
import { acknowledgedLoad } from '../../helpers/acknowledged-load.ts';
import { compileGateway } from '../../helpers/compiled-gateway.ts';
import { countsOf } from '../../helpers/gateway-calls.ts';
import { processBench } from '../../helpers/gateway-process.ts';

const KILLS = 50;
/** Every so many kills one hits the start instead of the load. */
const KILL_AT_START_EVERY = 5;
const CALLERS = 12;
const SHORTEST_LOAD_MS = 40;
const LONGEST_LOAD_MS = 400;
const LONGEST_START_MS = 300;
/** The promise; a machine that runs other tests at the same time may miss it now and then. */
const BACK_WITHIN_MS = 2_000;
const KEPT_PROMISES = 0.9;

const compiled = compileGateway();
const bench = processBench(() => [compiled.entry]);
afterEach(bench.cleanUp);
afterAll(compiled.remove);

const pause = (durationMs: number) => new Promise((done) => setTimeout(done, durationMs));
const between = (lowMs: number, highMs: number): number => lowMs + Math.random() * (highMs - lowMs);

const missing = (expected: Iterable<string>, stored: ReadonlyMap<string, number>): readonly string[] =>
  [...expected].filter((id) => stored.get(id) === undefined);
const doubled = (stored: ReadonlyMap<string, number>): readonly string[] =>
  [...stored].filter(([, n]) => n > 1).map(([id]) => id);

describe('kill -9 at random moments under load', () => {
  test(`loses and doubles nothing acknowledged in ${KILLS} kills, and is back within two seconds`, async () => {
    const folder = await bench.freshFolder();
    const file = join(folder, 'data/gateway.db');
    const load = acknowledgedLoad();
    const startsMs: number[] = [];
    const startReady = async () => {
      const startedMs = performance.now();
      const gateway = bench.start(folder);
      const url = await gateway.url;
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      startsMs.push(performance.now() - startedMs);
      return { gateway, url };
    };

    for (let kill = 1; kill <= KILLS; kill += 1) {
      if (kill % KILL_AT_START_EVERY === 0) {
        const gateway = bench.start(folder);
        await pause(between(0, LONGEST_START_MS));
        gateway.child.kill('SIGKILL');
        await gateway.exit;
        continue;
      }
      const { gateway, url } = await startReady();
      const running = load.run(url, CALLERS);
      await pause(between(SHORTEST_LOAD_MS, LONGEST_LOAD_MS));
      gateway.child.kill('SIGKILL');
      await gateway.exit;
      await running;
    }
    const { gateway, url } = await startReady();
    await load.settle(url);
    gateway.child.kill('SIGTERM');
    expect(await gateway.exit).toEqual({ code: 0, signal: null });

    const { acknowledged } = load;
    const generations = countsOf(file, 'generations', 'id');
    const scores = countsOf(file, 'scores', 'id');
    const outcomes = countsOf(file, 'outcomes', 'outcome_id');
    expect(acknowledged.surprises).toEqual([]);
    expect(acknowledged.refusals).toEqual([]);
    expect(missing(acknowledged.generations, generations)).toEqual([]);
    expect(missing(acknowledged.scores, scores)).toEqual([]);
    expect(missing(acknowledged.outcomes, outcomes)).toEqual([]);
    // Of an outcome id or a key there is one row, however often it was sent.
    expect([generations, scores, outcomes].flatMap(doubled)).toEqual([]);
    const byKey = new Map([
      ...countsOf(file, 'generations', 'external_id'),
      ...countsOf(file, 'scores', 'external_id'),
    ]);
    expect([...acknowledged.keyed.keys()].filter((key) => byKey.get(key) !== 1)).toEqual([]);
    expect(verifySqliteFile(file)).toMatchObject({ problems: [], differences: [] });

    const { generations: made, scores: ranked, outcomes: reported, keyed } = acknowledged;
    for (const ids of [made, ranked, reported, keyed]) expect(ids.size).toBeGreaterThan(KILLS);
    startsMs.sort((one, other) => one - other);
    const medianMs = startsMs[Math.floor(startsMs.length / 2)] ?? Number.POSITIVE_INFINITY;
    process.stderr.write(
      `${KILLS} kills: ${made.size} generations, ${ranked.size} scores, ${reported.size} outcomes acknowledged ` +
        `(${keyed.size} by key), 0 lost, 0 doubled; back after ${medianMs.toFixed(0)} ms (median), ` +
        `${startsMs.at(-1)?.toFixed(0)} ms (slowest)\n`,
    );
    const inTime = startsMs.filter((startMs) => startMs <= BACK_WITHIN_MS).length;
    expect(inTime).toBeGreaterThanOrEqual(startsMs.length * KEPT_PROMISES);
  }, 240_000);
});
