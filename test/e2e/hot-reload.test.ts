import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { openSqliteReader } from '../../src/storage/sqlite/index.ts';
import { startGatewayForTest } from '../helpers/gateway-for-test.ts';
import { eventually, processBench } from '../helpers/gateway-process.ts';

const bench = processBench();
const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  await bench.cleanUp();
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** Weights no share of which is even: nearly everybody gets the arm that is named. */
function tone(favoured: 'control' | 'warm') {
  const weight = (arm: string): number => (arm === favoured ? 9_999 : 1);
  return {
    prompt: 'tip',
    arms: {
      control: { version: 'v1', weight: weight('control') },
      warm: { version: 'v2', weight: weight('warm') },
    },
  };
}

interface Edited {
  readonly folder: string;
  /** As editors do: the file is replaced by another one. */
  edit(changes: object): Promise<void>;
  write(text: string): Promise<void>;
}

async function folderWithExperiment(changes: object = {}): Promise<Edited> {
  const folder = await bench.freshFolder();
  const file = join(folder, 'gateway.config.json');
  const shipped = JSON.parse(await readFile(file, 'utf8')) as object;
  const base = { ...shipped, labels: { tip: { live: { experiment: 'tone' } } }, ...changes };
  const write = async (text: string): Promise<void> => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  const edit = (more: object): Promise<void> => write(JSON.stringify({ ...base, ...more }, null, 2));
  await edit({ experiments: { tone: tone('control') } });
  return { folder, edit, write };
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
async function json(url: string, init: RequestInit = {}): Promise<any> {
  return (await fetch(url, init)).json();
}

function post(url: string, body: object): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

let users = 0;
/** The arm that somebody gets who has never called before. */
async function armOfNewcomer(url: string): Promise<string> {
  users += 1;
  const body = { prompt: 'tip', prompt_version: '@live', variables: {}, user_id: `u${users}`, dry_run: true };
  return ((await (await post(`${url}/generate`, body)).json()) as { arm: string }).arm;
}

describe('the configuration of a running gateway', () => {
  test('comes into force when its file is saved, and a faulty one leaves the last good one in force', async () => {
    const { folder, edit, write } = await folderWithExperiment();
    const started = bench.start(folder, { LOG_LEVEL: 'warn' });
    const url = await started.url;
    expect(await armOfNewcomer(url)).toBe('control');
    const before = await json(`${url}/analytics/experiments`);

    await edit({ experiments: { tone: tone('warm'), voice: tone('control') } });
    await eventually(async () => (await armOfNewcomer(url)) === 'warm');
    const after = await json(`${url}/analytics/experiments`);
    expect(names(before)).toEqual(['tone']);
    expect(names(after)).toEqual(['tone', 'voice']);

    await write('{ "experiments": {,} }');
    await eventually(async () => (await json(`${url}/readyz`)).status === 'degraded');
    const readiness = await fetch(`${url}/readyz`);
    expect(readiness.status).toBe(200);
    expect(await readiness.json()).toMatchObject({
      parts: {
        config: { status: 'degraded', detail: expect.stringContaining('gateway.config.json:1:19') },
      },
    });
    expect(await armOfNewcomer(url)).toBe('warm');
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('gateway_config_last_reload_success 0');

    await edit({ experiments: { tone: tone('control') } });
    await eventually(async () => (await json(`${url}/readyz`)).parts.config.status === 'ok');
    expect(await armOfNewcomer(url)).toBe('control');
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('gateway_config_reloads_total{result="changed"} 2');
    expect(metrics).toContain('gateway_config_reloads_total{result="failed"} 1');
    expect(metrics).toContain('gateway_config_last_reload_success 1');
    const failures = started
      .output()
      .split('\n')
      .filter((line) => line.includes('"config_reload_failed"'));
    expect(failures).toHaveLength(1);
  });

  test('is read on SIGHUP alone with "watch_config": false, faults on standard error', async () => {
    const { folder, edit } = await folderWithExperiment({ watch_config: false });
    const started = bench.start(folder);
    const url = await started.url;
    await edit({ experiments: { tone: tone('warm') }, server: { max_json_depth: 32 } });
    await eventually(
      async () => (await armOfNewcomer(url)) === 'warm',
      () => started.child.kill('SIGHUP'),
    );
    await eventually(async () =>
      started.output().includes('needs a restart to come into force: server.max_json_depth'),
    );

    await edit({ experiments: { tone: { ...tone('warm'), metric: 'nope' } } });
    await eventually(
      async () => started.output().includes('no metric is named "nope"'),
      () => started.child.kill('SIGHUP'),
    );

    expect(started.output()).toContain('configuration not reloaded: the last good one stays');
    expect(await armOfNewcomer(url)).toBe('warm');
  });

  test('keeps an experiment that a label points to until the label has moved', async () => {
    const { folder, edit } = await folderWithExperiment();
    const started = bench.start(folder);
    const url = await started.url;

    await edit({ experiments: {}, labels: {} });
    await eventually(async () => (await json(`${url}/readyz`)).parts.config.status === 'degraded');
    expect((await json(`${url}/readyz`)).parts.config.detail).toContain('tip@live still points to it');
    expect(await armOfNewcomer(url)).toBe('control');

    await fetch(`${url}/prompts/tip/labels/live`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ version: 'v2', reason: 'the experiment is over' }),
    });
    await eventually(
      async () => (await json(`${url}/readyz`)).parts.config.status === 'ok',
      () => started.child.kill('SIGHUP'),
    );
    expect(names(await json(`${url}/analytics/experiments`))).toEqual([]);
  });

  test('waits for a version that is written after the file that names it', async () => {
    const { folder, edit } = await folderWithExperiment();
    const url = await bench.start(folder).url;
    const arms = { control: { version: 'v1' }, new: { version: 'v9', weight: 9_999 } };

    await edit({ experiments: { tone: { prompt: 'tip', arms } } });
    await eventually(async () => (await json(`${url}/readyz`)).parts.config.status === 'degraded');
    const v1 = await readFile(join(folder, 'prompts/tip/v1.prompt'), 'utf8');
    await writeFile(join(folder, 'prompts/tip/v9.prompt'), v1);

    await eventually(async () => (await json(`${url}/readyz`)).parts.config.status === 'ok');
    expect(await armOfNewcomer(url)).toBe('new');
  });
});

describe('a reload that somebody asks for', () => {
  test('reports what it brought, also after one that was refused', async () => {
    const gateway = await startGatewayForTest({
      config: { experiments: { tone: tone('control') }, watch_config: false },
    });
    cleanups.push(() => gateway.dispose());
    const file = join(gateway.directory, 'gateway.config.json');
    const config = JSON.parse(await readFile(file, 'utf8')) as object;
    const reloadWith = async (experiments: object) => {
      await writeFile(file, JSON.stringify({ ...config, experiments }));
      return (await gateway.reload()).config;
    };

    const refused = await reloadWith({ tone: { ...tone('control'), prompt: 'tpi' } });
    const sound = await reloadWith({ tone: tone('warm') });

    expect(refused.faults).toMatchObject([{ path: 'experiments.tone.prompt' }]);
    expect(sound).toMatchObject({ changed: ['experiments'], faults: [] });
  });
});

describe('a storm of reloads', () => {
  test('drops no call, and every row names a configuration, a revision and propensities that belong together', async () => {
    const first = {
      tone: { prompt: 'tip', arms: { control: { version: 'v1', weight: 3 }, warm: { version: 'v2' } } },
    };
    const gateway = await startGatewayForTest({
      config: {
        experiments: first,
        labels: { tip: { live: { experiment: 'tone' } } },
        routes: { default: { targets: [{ provider: 'offline' }] } },
        watch_config: false,
      },
    });
    cleanups.push(() => gateway.dispose());
    const file = join(gateway.directory, 'gateway.config.json');
    const config = JSON.parse(await readFile(file, 'utf8')) as object;
    const three = { ...first.tone, arms: { brief: { version: 'v3', weight: 5 }, ...first.tone.arms } };
    const hashes = new Set<string>([gateway.config.hash]);
    let isOver = false;
    const call = async (worker: number): Promise<number[]> => {
      const statuses: number[] = [];
      for (let n = 0; !isOver; n += 1) {
        const body = { prompt: 'tip', prompt_version: '@live', variables: {}, user_id: `w${worker}-${n}` };
        statuses.push((await gateway.post('/generate', body)).status);
      }
      return statuses;
    };
    const workers = [0, 1, 2, 3].map(call);

    for (let n = 0; n < 50; n += 1) {
      const experiments = n % 2 === 0 ? { tone: three } : first;
      await writeFile(file, JSON.stringify({ ...config, experiments }));
      const { config: report } = await gateway.reload();
      expect(report).toMatchObject({ changed: ['experiments'], faults: [] });
      hashes.add(report.hash);
    }
    isOver = true;
    const statuses = (await Promise.all(workers)).flat();

    expect(statuses.length).toBeGreaterThan(50);
    expect([...new Set(statuses)]).toEqual([200]);
    expect(hashes.size).toBe(2);
    const { reader, close } = await openSqliteReader({ file: gateway.config.databaseFile });
    cleanups.push(close);
    const rows: Record<string, unknown>[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const page = await reader.readRows('generations', after, 1_000);
      rows.push(...page.rows);
      after = page.nextSequence;
    }
    expect(rows).toHaveLength(statuses.length);
    for (const row of rows) {
      const propensities = JSON.parse(String(row['propensities_json'])) as Record<string, number>;
      const total = Object.values(propensities).reduce((sum, value) => sum + value, 0);
      expect(total).toBeCloseTo(1, 9);
      expect(row['propensity']).toBe(propensities[String(row['arm'])]);
      expect(hashes).toContain(row['config_hash']);
      expect(propensities['brief'] ?? null).toBe(row['config_hash'] === gateway.config.hash ? null : 0.5556);
    }
    const pairs = new Set(rows.map((row) => `${row['config_hash']} ${row['experiment_revision']}`));
    expect(pairs.size).toBe(2);
  }, 60_000);
});

function names(list: {
  readonly experiments: readonly { readonly experiment: string }[];
}): readonly string[] {
  return list.experiments.map(({ experiment }) => experiment);
}
