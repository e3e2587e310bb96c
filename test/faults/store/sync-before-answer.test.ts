import { spawn, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { compileGateway } from '../../helpers/compiled-gateway.ts';
import { gatewayCalls } from '../../helpers/gateway-calls.ts';
import { type GatewayProcess, processBench } from '../../helpers/gateway-process.ts';

const CALLS = 8;
const SCORE = {
  candidates: [{ id: 'walk', features: { effort: 0.2, category: 'body' } }],
  profile_features: { completion_rate: 0.5, preferred_hour: 9 },
};

const hasStrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
if (!hasStrace)
  process.stderr.write('strace cannot trace here: the order of sync and answer is not tested\n');
const isRequired = process.env['REQUIRE_SERVICES'] === '1';
const traced = hasStrace || isRequired ? test : test.skip;

const compiled = compileGateway();
const bench = processBench(() => [compiled.entry]);
afterEach(bench.cleanUp);
afterAll(compiled.remove);

type Step = 'log' | 'sync' | 'answer';

/** Writes to the log, syncs of it that are done, and answers, in the order in which they happened. */
function stepsOf(trace: string): readonly Step[] {
  const steps: Step[] = [];
  const syncingThreads = new Set<string>();
  for (const line of trace.split('\n')) {
    const thread = /^\d+/.exec(line)?.[0] ?? '';
    if (/pwrite64\(\d+<[^>]*-wal>/.test(line)) steps.push('log');
    else if (/f(?:data)?sync\(\d+<[^>]*-wal>/.test(line)) {
      if (line.includes('unfinished')) syncingThreads.add(thread);
      else if (line.includes('= 0')) steps.push('sync');
    } else if (/resumed>.*= 0/.test(line) && syncingThreads.delete(thread)) steps.push('sync');
    else if (/(?:write|writev|sendto|sendmsg)\(.*HTTP\/1\.1 20/.test(line)) steps.push('answer');
  }
  return steps;
}

async function tracedSteps(durability: 'commit' | 'flush'): Promise<readonly Step[]> {
  const folder = await bench.freshFolder();
  const configFile = join(folder, 'gateway.config.json');
  const config = JSON.parse(await readFile(configFile, 'utf8')) as object;
  await writeFile(configFile, JSON.stringify({ ...config, ledger: { durability } }));
  const trace = join(folder, 'trace');
  const calls = 'trace=pwrite64,write,writev,sendto,sendmsg,fsync,fdatasync';
  const gateway = bench.start(
    folder,
    {},
    // The tracer is a grandchild: the process id is the gateway's own.
    { wrapper: ['strace', '-D', '-f', '-y', '-s', '64', '-e', calls, '-e', 'signal=none', '-o', trace] },
  );
  const { generate, feedback, post } = gatewayCalls(await gateway.url);
  const before = stepsOf(await readFile(trace, 'utf8')).length;
  for (let index = 0; index < CALLS; index += 1) {
    const { json } = await generate(`call-${index}`);
    await feedback(String(json['id']), `outcome-${index}`);
    expect((await post('/score', SCORE)).status).toBe(200);
  }
  const steps = stepsOf(await readFile(trace, 'utf8')).slice(before);
  gateway.child.kill('SIGTERM');
  await gateway.exit;
  return steps;
}

/** For each answer: whether the last write to the log before it had been synced. */
function syncedAnswers(steps: readonly Step[]): readonly boolean[] {
  const synced: boolean[] = [];
  let logged = false;
  let isSynced = false;
  for (const step of steps) {
    if (step === 'log') {
      logged = true;
      isSynced = false;
    } else if (step === 'sync') isSynced = true;
    else {
      synced.push(logged && isSynced);
      logged = false;
    }
  }
  return synced;
}

describe('the order of disk and answer', () => {
  traced(
    'with durability commit: every answer comes after the sync of its own write to the log',
    async () => {
      const steps = await tracedSteps('commit');

      expect(syncedAnswers(steps)).toEqual(Array.from({ length: CALLS * 3 }, () => true));
      const syncs = steps.filter((step) => step === 'sync').length;
      process.stderr.write(
        `durability commit: ${syncs} syncs for ${CALLS * 3} acknowledgements, one by one\n`,
      );
    },
    60_000,
  );

  traced(
    'with durability flush: none waits for a sync',
    async () => {
      const steps = await tracedSteps('flush');

      expect(steps.filter((step) => step === 'answer')).toHaveLength(CALLS * 3);
      expect(steps.filter((step) => step === 'log').length).toBeGreaterThanOrEqual(CALLS * 3);
      expect(steps.filter((step) => step === 'sync')).toEqual([]);
    },
    60_000,
  );

  traced(
    'a sync that fails is not acknowledged, and the next one that succeeds is',
    async () => {
      const folder = await bench.freshFolder();
      const gateway: GatewayProcess = bench.start(folder, { LOG_LEVEL: 'silent' });
      const calls = gatewayCalls(await gateway.url);
      expect((await calls.generate('before')).status).toBe(200);

      const failing = spawn(
        'strace',
        ['-f', '-p', String(gateway.child.pid), '-e', 'inject=fdatasync,fsync:error=EIO', '-o', '/dev/null'],
        { stdio: ['ignore', 'ignore', 'pipe'] },
      );
      await new Promise((attached) => failing.stderr.once('data', attached));
      const refused = await calls.generate('during');
      expect(refused).toMatchObject({ status: 503, retryAfter: '1', json: { code: 'storage_unavailable' } });
      expect((await calls.ready()).status).toBe(503);
      const ended = new Promise((done) => failing.once('exit', done));
      failing.kill('SIGINT');
      await ended;

      await calls.untilReady(200);
      expect((await calls.generate('after')).json).toMatchObject({ recorded: true });
      const { json } = await calls.get('/generations?external_id=during');
      expect(json['generations']).toEqual([]);
    },
    60_000,
  );
});
