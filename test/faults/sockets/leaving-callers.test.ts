import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CompiledGateway, compileGateway } from '../../helpers/compiled-gateway.ts';
import { noteFigure } from '../../helpers/fault-figures.ts';
import {
  callThrough,
  callToLeave,
  type FaultCall,
  faultFolder,
  metricOf,
  recordedOf,
  SURFACES,
  type Surface,
  until,
} from '../../helpers/fault-gateway.ts';
import { type FaultyUpstream, startFaultyUpstream } from '../../helpers/faulty-upstream.ts';
import { type GatewayProcess, type ProcessBench, processBench } from '../../helpers/gateway-process.ts';
import { type ProcessFacts, processFacts } from '../../helpers/process-facts.ts';
import { sendDelta } from '../../helpers/scripted-upstream.ts';
import { slowReply } from '../../helpers/slow-replies.ts';

/** Of the target: fewer than the callers of a storm, so that a place which is not given back is missed. */
const PLACES = 32;
const ROUTE = 'slow';

let compiled: CompiledGateway;
let bench: ProcessBench;
let upstream: FaultyUpstream;
let gateway: GatewayProcess;
let url: string;

beforeAll(async () => {
  compiled = compileGateway();
  bench = processBench(() => [compiled.entry]);
  upstream = await startFaultyUpstream({
    hang: () => {},
    'stream-hangs': ({ response }) => sendDelta(response, 'Take'),
    slow: slowReply(10, 20),
  });
  const folder = await faultFolder(
    bench,
    { [ROUTE]: [upstream.url] },
    {
      target: { max_concurrency: PLACES, max_queue: 1_000 },
      routes: { timeout: { total_ms: 20_000, first_token_ms: 20_000, idle_ms: 20_000 } },
    },
  );
  gateway = bench.start(folder);
  url = await gateway.url;
});

afterAll(async () => {
  await bench.cleanUp();
  await upstream.close();
  compiled.remove();
});

describe('a caller who leaves', () => {
  const MAX_CLOSE_MS = 100;
  /** Noise of a busy machine only adds: the soonest of a few shows what the gateway takes. */
  const ROUNDS = 3;
  const allMs: number[] = [];

  afterAll(() => {
    const [least, most] = [Math.min(...allMs), Math.max(...allMs)].map((ms) => ms.toFixed(0));
    noteFigure('leave', `${allMs.length} upstream calls closed ${least} to ${most} ms after`);
  });

  test.each([
    ['before the answer', 'hang', ['generate', 'chat', 'generate-stream', 'chat-stream']],
    ['in the middle of a stream', 'stream-hangs', ['generate-stream', 'chat-stream']],
  ] as const)(
    '%s ends the upstream call within 100 ms and leaves one row',
    async (_when, fault, surfaces) => {
      for (const surface of surfaces) {
        const closesMs: number[] = [];
        for (let round = 0; round < ROUNDS; round += 1) {
          const token = `leave-${fault}-${surface}-${round}`;
          const caller = callToLeave(url, { surface, route: ROUTE, fault, token });
          await until(() => upstream.traceOf(token).calls === 1);
          if (fault === 'stream-hangs') await caller.firstBytes;
          const leftMs = caller.leave();
          await until(() => upstream.traceOf(token).endedAtMs !== null);
          closesMs.push((upstream.traceOf(token).endedAtMs ?? 0) - leftMs);
          allMs.push(closesMs.at(-1) ?? 0);

          await until(async () => (await recordedOf(url, token)).length === 1);
          const text = fault === 'stream-hangs' ? 'Take' : null;
          expect(await recordedOf(url, token)).toMatchObject([
            { status: 'client_closed', code: 'client_closed', attempts: ['aborted'], text },
          ]);
          expect(upstream.traceOf(token).calls).toBe(1);
        }
        expect([surface, Math.min(...closesMs) < MAX_CLOSE_MS]).toEqual([surface, true]);
      }
    },
  );

  test('while waiting for a place never reaches the upstream', async () => {
    const running = Array.from({ length: PLACES }, (_, index) =>
      callToLeave(url, { surface: 'generate', route: ROUTE, fault: 'hang', token: `hold-${index}` }),
    );
    await until(() => running.every((_, index) => upstream.traceOf(`hold-${index}`).calls === 1));
    const waiting = callToLeave(url, { surface: 'chat', route: ROUTE, fault: 'hang', token: 'waiting' });
    await until(async () => (await metricOf(url, 'gateway_target_calls_queued')) === 1);

    waiting.leave();

    await until(async () => (await metricOf(url, 'gateway_target_calls_queued')) === 0);
    for (const caller of running) caller.leave();
    await until(async () => (await metricOf(url, 'gateway_target_calls_in_flight')) === 0);
    expect(upstream.traceOf('waiting').calls).toBe(0);
    expect(await recordedOf(url, 'waiting')).toMatchObject([{ status: 'client_closed' }]);
  });
});

describe('hundreds of callers who leave', () => {
  const CALLERS = 400;
  const STORMS = 3;
  /** Of one storm over the one before, once everything is warm. */
  const MAX_GROWTH_MB = 60;

  interface Stormy extends FaultCall {
    readonly leavesAfterMs: number | null;
  }

  /** A third stays; the others leave at any moment from the first byte of the request on. */
  function storm(number: number): readonly Stormy[] {
    return Array.from({ length: CALLERS }, (_, index) => ({
      surface: SURFACES[index % SURFACES.length] as Surface,
      route: ROUTE,
      fault: 'slow',
      token: `storm-${number}-${index}`,
      leavesAfterMs: index % 3 === 0 ? null : (index * 7_919) % 1_500,
    }));
  }

  test('cost nothing that lasts: places, connections and memory come back, and every call has its row', async () => {
    const after: ProcessFacts[] = [];
    for (let number = 0; number < STORMS; number += 1) {
      const callers = storm(number);

      const answered = await Promise.all(
        callers.map(async (caller) => {
          if (caller.leavesAfterMs === null) return await callThrough(url, caller);
          const left = callToLeave(url, caller);
          await new Promise((done) => setTimeout(done, caller.leavesAfterMs ?? 0));
          left.leave();
          return await left.closed.then(() => null);
        }),
      );

      await until(async () => (await metricOf(url, 'gateway_target_calls_in_flight')) === 0);
      expect(await metricOf(url, 'gateway_target_calls_queued')).toBe(0);
      for (const seen of answered) {
        if (seen !== null) expect(seen).toMatchObject({ status: 200, isComplete: true, code: null });
      }
      for (const { token, leavesAfterMs } of callers) {
        const { calls, endedAtMs } = upstream.traceOf(token);
        const rows = await recordedOf(url, token);
        expect([token, calls <= 1, calls === 0 || endedAtMs !== null]).toEqual([token, true, true]);
        // Who left before the request had arrived made no call; whoever reached the upstream has a row.
        expect([token, rows.length >= calls, rows.length <= 1]).toEqual([token, true, true]);
        if (leavesAfterMs === null) expect(rows).toMatchObject([{ status: 'ok' }]);
        for (const { status } of rows) expect(['ok', 'client_closed']).toContain(status);
      }
      after.push(processFacts(gateway.child.pid));
    }

    const [, second, third] = after;
    if (second === undefined || third === undefined) throw new Error('three storms have three figures');
    expect(third.residentMb - second.residentMb).toBeLessThan(MAX_GROWTH_MB);
    // Connections that are kept for the next call; none per caller who left.
    expect(third.openFiles - second.openFiles).toBeLessThan(PLACES);
    const last = await Promise.all(
      Array.from({ length: PLACES }, (_, index) =>
        callThrough(url, { surface: 'generate', route: ROUTE, fault: 'slow', token: `after-${index}` }),
      ),
    );
    expect(last.map(({ status }) => status)).toEqual(last.map(() => 200));
    const grown = (third.residentMb - second.residentMb).toFixed(0);
    const files = third.openFiles - second.openFiles;
    noteFigure('storm', `third storm over the second: RSS ${grown} MB, open files ${files}`);
  });
});
