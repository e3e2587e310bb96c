import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CompiledGateway, compileGateway } from '../../helpers/compiled-gateway.ts';
import { noteFigure } from '../../helpers/fault-figures.ts';
import {
  callThrough,
  faultFolder,
  type Seen,
  SURFACES,
  type Surface,
  storedCalls,
  until,
  verifyLedger,
} from '../../helpers/fault-gateway.ts';
import { type FaultyUpstream, startFaultyUpstream } from '../../helpers/faulty-upstream.ts';
import { type GatewayProcess, type ProcessBench, processBench } from '../../helpers/gateway-process.ts';
import { type Balancer, startBalancer } from '../../helpers/round-robin-balancer.ts';
import { slowReply } from '../../helpers/slow-replies.ts';

const CALLERS = 24;

let compiled: CompiledGateway;
let bench: ProcessBench;
let upstream: FaultyUpstream;
let balancer: Balancer;

beforeAll(async () => {
  compiled = compileGateway();
  bench = processBench(() => [compiled.entry]);
  upstream = await startFaultyUpstream({ slow: slowReply(10, 20) });
  balancer = await startBalancer();
});

afterAll(async () => {
  await balancer.close();
  await bench.cleanUp();
  await upstream.close();
  compiled.remove();
});

describe('a rolling restart behind a balancer', () => {
  test('fails no call, cuts no stream and loses no row', async () => {
    const folders = await Promise.all([0, 1].map(() => newFolder()));
    const running = await Promise.all(folders.map(startBehindBalancer));
    let isOver = false;
    const seen = new Map<string, Seen>();
    const load = Promise.all(
      Array.from({ length: CALLERS }, async (_, caller) => {
        const surface = SURFACES[caller % SURFACES.length] as Surface;
        for (let n = 0; !isOver; n += 1) {
          const token = `roll-${caller}-${n}`;
          const call = { surface, route: 'slow', fault: 'slow', token };
          seen.set(token, await callThrough(balancer.url, call).catch(failedConnection));
        }
      }),
    );

    for (const [index, folder] of folders.entries()) {
      const old = running[index];
      if (old === undefined) throw new Error('each folder has its process');
      const before = seen.size;
      await until(() => seen.size > before + CALLERS);
      old.child.kill('SIGTERM');
      expect(await old.exit).toEqual({ code: 0, signal: null });
      balancer.remove(await old.url);
      running[index] = await startBehindBalancer(folder);
    }
    const before = seen.size;
    await until(() => seen.size > before + CALLERS);
    isOver = true;
    await load;

    expect([...seen].filter(([, { status, isComplete }]) => status !== 200 || !isComplete)).toEqual([]);
    for (const gateway of running) gateway.child.kill('SIGTERM');
    for (const gateway of running) expect(await gateway.exit).toEqual({ code: 0, signal: null });
    const stored = folders.flatMap(storedCalls);
    expect(stored.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(stored.map(({ token }) => token).sort()).toEqual([...seen.keys()].sort());
    noteFigure('rolling', `${seen.size} calls, none failed`);
    for (const folder of folders) expect(await verifyLedger(compiled, folder)).toMatchObject({ code: 0 });
  });
});

function newFolder(): Promise<string> {
  return faultFolder(
    bench,
    { slow: [upstream.url] },
    {
      routes: { timeout: { total_ms: 20_000, first_token_ms: 20_000, idle_ms: 20_000 } },
      // Longer than the balancer takes to look.
      config: { server: { drain_delay_ms: 400 } },
    },
  );
}

async function startBehindBalancer(folder: string): Promise<GatewayProcess> {
  const gateway = bench.start(folder);
  const url = await gateway.url;
  balancer.add(url);
  await until(() => balancer.ready().includes(url));
  return gateway;
}

function failedConnection(error: unknown): Seen {
  const raw = String(error);
  return { status: 0, code: raw, retryAfter: null, text: '', isComplete: false, raw, durationMs: 0 };
}
