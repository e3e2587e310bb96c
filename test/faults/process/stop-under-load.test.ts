import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type CompiledGateway, compileGateway } from '../../helpers/compiled-gateway.ts';
import { noteFigure } from '../../helpers/fault-figures.ts';
import {
  callThrough,
  callToLeave,
  type FaultCall,
  faultFolder,
  SURFACES,
  type Surface,
  storedCalls,
  until,
  verifyLedger,
} from '../../helpers/fault-gateway.ts';
import { type FaultyUpstream, startFaultyUpstream } from '../../helpers/faulty-upstream.ts';
import { type GatewayProcess, type ProcessBench, processBench } from '../../helpers/gateway-process.ts';
import { sendDelta } from '../../helpers/scripted-upstream.ts';
import { slowReply } from '../../helpers/slow-replies.ts';

const ROUTE = 'slow';
const CALLS = 60;

let compiled: CompiledGateway;
let bench: ProcessBench;
let upstream: FaultyUpstream;

beforeAll(async () => {
  compiled = compileGateway();
  bench = processBench(() => [compiled.entry]);
  upstream = await startFaultyUpstream({
    slow: slowReply(15, 60),
    'stream-hangs': ({ response }) => sendDelta(response, 'Take'),
  });
});

afterEach(() => bench.cleanUp());

afterAll(async () => {
  await upstream.close();
  compiled.remove();
});

async function startWith(server: object): Promise<{ folder: string; gateway: GatewayProcess; url: string }> {
  const folder = await faultFolder(
    bench,
    { [ROUTE]: [upstream.url] },
    {
      routes: { timeout: { total_ms: 20_000, first_token_ms: 20_000, idle_ms: 20_000 } },
      config: { server },
    },
  );
  const gateway = bench.start(folder);
  return { folder, gateway, url: await gateway.url };
}

function callsNamed(name: string, fault: string, count = CALLS): readonly FaultCall[] {
  return Array.from({ length: count }, (_, index) => ({
    surface: SURFACES[index % SURFACES.length] as Surface,
    route: ROUTE,
    fault,
    token: `${name}-${index}`,
  }));
}

const reached = (calls: readonly FaultCall[]): boolean =>
  calls.every(({ token }) => upstream.traceOf(token).calls === 1);

describe('SIGTERM', () => {
  test('lets everything that runs end, takes nothing new, and exits 0 with every row committed', async () => {
    const { folder, gateway, url } = await startWith({});
    const calls = callsNamed('term', 'slow');
    const answers = Promise.all(calls.map((call) => callThrough(url, call)));
    await until(() => reached(calls));

    gateway.child.kill('SIGTERM');

    await until(() =>
      fetch(`${url}/healthz`).then(
        () => false,
        () => true,
      ),
    );
    for (const seen of await answers)
      expect(seen).toMatchObject({ status: 200, isComplete: true, code: null });
    expect(await gateway.exit).toEqual({ code: 0, signal: null });
    const stored = storedCalls(folder);
    expect(new Set(stored.map(({ token }) => token))).toEqual(new Set(calls.map(({ token }) => token)));
    expect(stored.map(({ status }) => status)).toEqual(calls.map(() => 'ok'));
    noteFigure('term', `${stored.length} of ${calls.length} calls ended whole`);
    expect(await verifyLedger(compiled, folder)).toMatchObject({ code: 0 });
  });

  test('keeps serving for drain_delay_ms while /readyz sends balancers away', async () => {
    const DELAY_MS = 800;
    const { gateway, url } = await startWith({ drain_delay_ms: DELAY_MS });
    gateway.child.kill('SIGTERM');
    const startedMs = performance.now();

    await until(async () => (await fetch(`${url}/readyz`)).status === 503, 500);
    expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({
      status: 'not_ready',
      draining: true,
    });
    let served = 0;
    let refusedMs: number | null = null;
    while (refusedMs === null && performance.now() - startedMs < 5_000) {
      const call = { surface: 'generate', route: ROUTE, fault: 'ok', token: `delay-${served}` } as const;
      try {
        expect(await callThrough(url, call)).toMatchObject({ status: 200 });
        served += 1;
      } catch {
        refusedMs = performance.now() - startedMs;
      }
    }

    expect(served).toBeGreaterThan(3);
    expect(refusedMs).toBeGreaterThan(DELAY_MS - 50);
    noteFigure('drain', `${served} calls answered in the ${DELAY_MS} ms`);
    expect(await gateway.exit).toEqual({ code: 0, signal: null });
  });

  test('cuts what does not end within drain_timeout_ms, and records it', async () => {
    const { folder, gateway, url } = await startWith({ drain_timeout_ms: 300 });
    const calls = callsNamed('cut', 'stream-hangs');
    const callers = calls.map((call) => callToLeave(url, call));
    await until(() => reached(calls));
    const startedMs = performance.now();

    gateway.child.kill('SIGTERM');

    expect(await gateway.exit).toEqual({ code: 0, signal: null });
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    for (const { closed } of callers) await closed;
    // It was not the provider who ended them.
    const cut = calls.map(({ token }) => ({ token, status: 'client_closed', code: 'client_closed' }));
    const byToken = (a: { token: string }, b: { token: string }) => a.token.localeCompare(b.token);
    expect([...storedCalls(folder)].sort(byToken)).toEqual(cut.sort(byToken));
  });

  test('does not wait for callers who are connected and ask nothing', async () => {
    const { gateway, url } = await startWith({});
    await Promise.all(callsNamed('idle', 'ok', 20).map((call) => callThrough(url, call)));
    const startedMs = performance.now();

    gateway.child.kill('SIGTERM');

    expect(await gateway.exit).toEqual({ code: 0, signal: null });
    expect(performance.now() - startedMs).toBeLessThan(1_500);
  });

  test('twice ends it at once, and what was acknowledged stays', async () => {
    const { folder, gateway, url } = await startWith({});
    const acknowledged = callsNamed('acknowledged', 'ok', 12);
    await Promise.all(acknowledged.map((call) => callThrough(url, call)));
    const [, hanging] = callsNamed('hanging', 'stream-hangs', 2);
    if (hanging === undefined) throw new Error('two calls have a second');
    const caller = callToLeave(url, hanging);
    await caller.firstBytes;

    gateway.child.kill('SIGTERM');
    await until(() =>
      fetch(`${url}/healthz`).then(
        () => false,
        () => true,
      ),
    );
    const startedMs = performance.now();
    gateway.child.kill('SIGTERM');

    expect(await gateway.exit).toEqual({ code: 130, signal: null });
    const tookMs = performance.now() - startedMs;
    expect(tookMs).toBeLessThan(1_000);
    noteFigure('second-signal', `gone after ${tookMs.toFixed(0)} ms`);
    const stored = storedCalls(folder);
    for (const { token } of acknowledged) {
      expect(stored.filter((row) => row.token === token)).toMatchObject([{ status: 'ok' }]);
    }
    expect(await verifyLedger(compiled, folder)).toMatchObject({ code: 0 });
  });
});
