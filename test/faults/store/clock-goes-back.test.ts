import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { verifySqliteFile } from '../../../src/storage/sqlite/index.ts';
import { openDatabase } from '../../../src/storage/sqlite/sqlite-driver.ts';
import { compileGateway } from '../../helpers/compiled-gateway.ts';
import { countsOf, gatewayCalls } from '../../helpers/gateway-calls.ts';
import { eventually, processBench } from '../../helpers/gateway-process.ts';
import {
  type ScriptedUpstream,
  sendCompletion,
  startScriptedUpstream,
} from '../../helpers/scripted-upstream.ts';

const CLOCK_CONTROL = join(import.meta.dirname, '../../helpers/preload-clock-control.js');
const SETBACKS = 3;

const compiled = compileGateway();
const bench = processBench(() => [compiled.entry]);
let upstream: ScriptedUpstream | null = null;
afterEach(async () => {
  await bench.cleanUp();
  await upstream?.close();
});
afterAll(compiled.remove);

describe('a wall clock that goes back by an hour in the middle of calls', () => {
  test('makes no duration negative, no id twice and no sum wrong', async () => {
    const waiting: (() => void)[] = [];
    upstream = await startScriptedUpstream((_call, response) => {
      waiting.push(() => sendCompletion(response, 'Take a walk.'));
    });
    const folder = await bench.freshFolder();
    const file = join(folder, 'data/gateway.db');
    const gateway = bench.start(
      folder,
      { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: upstream.url },
      { preloads: [CLOCK_CONTROL] },
    );
    const calls = gatewayCalls(await gateway.url);
    const ids: string[] = [];

    for (let setback = 0; setback < SETBACKS; setback += 1) {
      const pending = [0, 1, 2, 3].map((index) =>
        calls.generate(
          `call-${setback}-${index}`,
          index === 0 ? { 'idempotency-key': `key-${setback}` } : {},
        ),
      );
      await eventually(async () => waiting.length === pending.length);
      gateway.child.kill('SIGUSR2');
      // The signal is handled in a later turn of its event loop: a call that came after it has been, too.
      await calls.ready();
      for (const answer of waiting.splice(0)) answer();
      for (const { status, json } of await Promise.all(pending)) {
        expect(status).toBe(200);
        expect(Number(json['latency_ms'])).toBeGreaterThanOrEqual(0);
        ids.push(String(json['id']));
        expect((await calls.feedback(String(json['id']), `o-${String(json['id'])}`)).json).toMatchObject({
          accepted: 1,
        });
      }
      const again = await calls.generate(`call-${setback}-0`, { 'idempotency-key': `key-${setback}` });
      expect(again.json['id']).toBe(ids.at(-4));
    }
    gateway.child.kill('SIGTERM');
    expect(await gateway.exit).toEqual({ code: 0, signal: null });

    expect(new Set(ids).size).toBe(ids.length);
    expect(countsOf(file, 'generations', 'id').size).toBe(ids.length);
    expect(countsOf(file, 'counting_outcomes', 'outcome_id').size).toBe(ids.length);
    const database = openDatabase(file, { readonly: true });
    const negative = database
      .prepare(
        `SELECT id FROM generations WHERE total_ms < 0 OR provider_ms < 0 OR overhead_ms < 0 OR commit_wait_ms < 0
           OR finished_at_ms < created_at_ms`,
      )
      .all();
    database.close();
    expect(negative).toEqual([]);
    expect(verifySqliteFile(file)).toMatchObject({ problems: [], differences: [] });
  }, 60_000);
});
