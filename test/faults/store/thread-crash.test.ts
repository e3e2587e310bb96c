import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { verifySqliteFile } from '../../../src/storage/sqlite/index.ts';
import { acknowledgedLoad } from '../../helpers/acknowledged-load.ts';
import { compileGateway } from '../../helpers/compiled-gateway.ts';
import { countsOf, gatewayCalls } from '../../helpers/gateway-calls.ts';
import { processBench } from '../../helpers/gateway-process.ts';

const THREAD_CONTROL = join(import.meta.dirname, '../../helpers/preload-thread-control.js');
const CRASHES = 8;
const CALLERS = 8;

const compiled = compileGateway();
const bench = processBench(() => [compiled.entry]);
afterEach(bench.cleanUp);
afterAll(compiled.remove);

const pause = (durationMs: number) => new Promise((done) => setTimeout(done, durationMs));
const missing = (ids: Iterable<string>, stored: ReadonlyMap<string, number>): readonly string[] =>
  [...ids].filter((id) => stored.get(id) !== 1);

describe('a crash of a storage thread under load', () => {
  test(`of the writer, ${CRASHES} times: what was acknowledged is there, /readyz says so meanwhile`, async () => {
    const folder = await bench.freshFolder();
    const file = join(folder, 'data/gateway.db');
    const gateway = bench.start(folder, { LOG_LEVEL: 'silent' }, { preloads: [THREAD_CONTROL] });
    const url = await gateway.url;
    const calls = gatewayCalls(url);
    const load = acknowledgedLoad();
    const running = load.run(url, CALLERS);

    for (let crash = 0; crash < CRASHES; crash += 1) {
      await pause(100 + Math.random() * 150);
      gateway.child.kill('SIGUSR2');
      const { json } = await calls.untilReady(503, 1);
      expect(json).toMatchObject({ parts: { database: { detail: expect.stringContaining('writer') } } });
      await calls.untilReady(200);
    }
    load.stop();
    await running;
    gateway.child.kill('SIGTERM');
    expect(await gateway.exit).toEqual({ code: 0, signal: null });

    const { acknowledged } = load;
    expect(acknowledged.surprises).toEqual([]);
    expect(acknowledged.refusals.length).toBeGreaterThan(0);
    expect(missing(acknowledged.generations, countsOf(file, 'generations', 'id'))).toEqual([]);
    expect(missing(acknowledged.scores, countsOf(file, 'scores', 'id'))).toEqual([]);
    expect(missing(acknowledged.outcomes, countsOf(file, 'outcomes', 'outcome_id'))).toEqual([]);
    expect(verifySqliteFile(file)).toMatchObject({ problems: [], differences: [] });
  }, 60_000);

  test('of the reader: calls are answered and recorded, and reports come back by themselves', async () => {
    const gateway = bench.start(
      await bench.freshFolder(),
      { LOG_LEVEL: 'silent' },
      { preloads: [THREAD_CONTROL] },
    );
    const calls = gatewayCalls(await gateway.url);
    const { json } = await calls.generate('before');

    gateway.child.kill('SIGWINCH');
    const seen: number[] = [];
    for (let tries = 0; tries < 200 && seen.at(-1) !== 200; tries += 1) {
      // At least one look while it is gone.
      if (tries === 0) await pause(20);
      seen.push((await calls.get(`/generations/${String(json['id'])}`)).status);
      expect((await calls.generate(`during-${tries}`)).json).toMatchObject({ recorded: true });
    }

    expect(seen.filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect(seen.at(-1)).toBe(200);
  });
});
