import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type ConfigStore,
  createConfigStore,
  loadConfig,
  readEnvironment,
} from '../../../src/config/index.ts';
import { AppError, type Logger } from '../../../src/kernel/index.ts';
import { manualClock } from '../../fakes/manual-clock.ts';

let directory: string;
let file: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'prompt-gateway-config-store-'));
  file = join(directory, 'gateway.config.json');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const TONE = { prompt: 'tip', arms: { warm: { version: 'v1' }, brisk: { version: 'v2' } } };
const BASE = {
  providers: { offline: { kind: 'offline' } },
  routes: { default: { targets: [{ provider: 'offline' }] } },
  metrics: { completed: { type: 'boolean' } },
  experiments: { tone: TONE },
};

function write(content: object | string): void {
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
}

/** As editors do: a new file takes the place of the old one. */
function replace(content: object | string): void {
  const other = `${file}.new`;
  writeFileSync(other, typeof content === 'string' ? content : JSON.stringify(content));
  renameSync(other, file);
}

const logged: { level: string; event: unknown; fields: Record<string, unknown> }[] = [];
function recordingLogger(): Logger {
  const at = (level: string) => (fields: object) => {
    logged.push({ level, event: 'event' in fields ? fields.event : null, fields: { ...fields } });
  };
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}

const clock = manualClock();

function open(content: object = BASE): ConfigStore {
  write(content);
  const environment = readEnvironment({}).environment;
  const load = () => loadConfig({ path: file, environment });
  return createConfigStore({ loaded: load(), load, clock, logger: recordingLogger() });
}

const heavier = {
  ...BASE,
  experiments: { tone: { ...TONE, arms: { ...TONE.arms, brisk: { version: 'v2', weight: 9 } } } },
};

beforeEach(() => {
  logged.length = 0;
});

describe('a reload', () => {
  test('brings live sections into force, with the hash a start from the same file would have', async () => {
    const store = open();
    const before = store.current();
    write(heavier);

    const report = await store.reload();

    expect(report).toMatchObject({ changed: ['experiments'], needsRestart: [], faults: [] });
    expect(store.current().config.experiments['tone']?.arms['brisk']?.weight).toBe(9);
    expect(report.hash).not.toBe(before.hash);
    expect(report.hash).toBe(open(heavier).current().hash);
    expect(store.status()).toMatchObject({ counts: { changed: 1, unchanged: 0, failed: 0 } });
    expect(logged.map(({ event }) => event)).toEqual(['config_reloaded']);
  });

  test('finds nothing to do in the same file, and says nothing', async () => {
    const store = open();

    const report = await store.reload();

    expect(report).toMatchObject({ changed: [], needsRestart: [], faults: [], hash: store.current().hash });
    expect(store.status().counts).toEqual({ changed: 0, unchanged: 1, failed: 0 });
    expect(logged).toEqual([]);
  });

  test('takes another order of the arms for a change: the first one is the baseline', async () => {
    const store = open();
    write({
      ...BASE,
      experiments: { tone: { ...TONE, arms: { brisk: { version: 'v2' }, warm: { version: 'v1' } } } },
    });

    expect(await store.reload()).toMatchObject({ changed: ['experiments'] });
    expect(Object.keys(store.current().config.experiments['tone']?.arms ?? {})).toEqual(['brisk', 'warm']);
  });

  test.each([
    ['malformed JSON', '{ "providers": {,} }', 'malformed JSON'],
    ['an unknown key', { ...BASE, experimants: {} }, 'experimants'],
    ['a reference to nothing', { ...BASE, labels: { tip: { live: { experiment: 'tome' } } } }, 'tome'],
  ])('keeps the last good configuration whole on %s, and says so once', async (_name, content, text) => {
    const store = open();
    const before = store.current();
    write(content);

    const first = await store.reload();
    const second = await store.reload();

    expect(store.current()).toBe(before);
    expect(first.faults.map(({ path, message }) => `${path} ${message}`).join('\n')).toContain(text);
    expect(first).toMatchObject({ changed: [], needsRestart: [], hash: before.hash });
    expect(second.faults).toEqual(first.faults);
    expect(store.status()).toMatchObject({ lastReload: second, counts: { failed: 2 } });
    expect(logged.map(({ event }) => event)).toEqual(['config_reload_failed']);
  });

  test('is sound again, and says so, once the file is', async () => {
    const store = open();
    write('nonsense');
    await store.reload();
    write(BASE);

    const report = await store.reload();

    expect(report.faults).toEqual([]);
    expect(store.status().lastReload).toBe(report);
    expect(logged.map(({ event }) => event)).toEqual(['config_reload_failed', 'config_unchanged']);
  });

  test('lists what needs a restart, and keeps it out of what is in force', async () => {
    const store = open();
    const before = store.current();
    write({
      ...heavier,
      server: { port: 9_999 },
      metrics: { ...BASE.metrics, rating: { type: 'float', min: 0, max: 5 } },
    });

    const report = await store.reload();

    expect(report.changed).toEqual(['experiments']);
    expect(report.needsRestart).toEqual(['server.port', 'metrics.rating']);
    expect(store.current().config.server.port).toBe(before.config.server.port);
    expect(store.current().config.metrics).toEqual(before.config.metrics);
    // Rows name what they were made under, which is neither file.
    expect(report.hash).toBe(open(heavier).current().hash);
    expect(logged).toMatchObject([{ level: 'warn', event: 'config_reloaded' }]);
  });

  test('names another order of the metrics too: the first one is the default', async () => {
    const rating = { type: 'float', min: 0, max: 5 };
    const store = open({ ...BASE, metrics: { completed: { type: 'boolean' }, rating } });
    write({ ...BASE, metrics: { rating, completed: { type: 'boolean' } } });

    expect(await store.reload()).toMatchObject({ changed: [], needsRestart: ['metrics'] });
  });

  test('refuses an experiment on a metric that only a restart brings, and says so', async () => {
    const store = open();
    write({
      ...BASE,
      metrics: { ...BASE.metrics, rating: { type: 'float', min: 0, max: 5 } },
      experiments: { tone: { ...TONE, metric: 'rating' } },
    });

    const { faults } = await store.reload();

    expect(faults).toEqual([
      {
        path: 'experiments.tone.metric',
        message: expect.stringContaining('a restart has to bring it into force'),
      },
    ]);
    expect(faults[0]?.message).toContain('metrics.rating');
  });

  test('tells a warning once, not with every reload', async () => {
    const store = open();
    const unused = { ...heavier, providers: { ...BASE.providers, spare: { kind: 'offline' } } };
    const warned = open(unused);
    write(unused);
    const [first, again] = [await store.reload(), await store.reload()];
    write({ ...unused, experiments: {} });

    expect(first.warnings).toMatchObject([{ message: expect.stringContaining('no route') }]);
    expect(again.warnings).toEqual([]);
    // Told at the start.
    expect(await warned.reload()).toMatchObject({ changed: ['experiments'], warnings: [] });
  });

  test('does not read first values of labels, and says so', async () => {
    const store = open();
    write({ ...BASE, labels: { tip: { live: { experiment: 'tone' } } } });

    const report = await store.reload();

    expect(report).toMatchObject({ changed: [], needsRestart: [], faults: [] });
    expect(report.warnings).toEqual([
      { path: 'labels.tip', message: expect.stringContaining('move the label') },
    ]);
  });

  test('removes an experiment together with the first value that named it', async () => {
    const store = open({ ...BASE, labels: { tip: { live: { experiment: 'tone' } } } });
    write({ ...BASE, experiments: {}, labels: {} });

    expect(await store.reload()).toMatchObject({ changed: ['experiments'], faults: [] });
  });
});

describe('those who follow', () => {
  test('are asked first: any fault refuses the whole reload, and all faults are told', async () => {
    const store = open();
    const before = store.current();
    let told = 0;
    store.addCheck(async () => [{ path: 'a', message: 'one' }]);
    store.addCheck(async () => {
      throw new AppError('storage_unavailable', 'two');
    });
    store.addPreparation(async () => {
      told += 1;
      return () => {};
    });
    write(heavier);

    const report = await store.reload();

    expect(report.faults).toEqual([
      { path: 'a', message: 'one' },
      { path: file, message: 'two' },
    ]);
    expect(store.current()).toBe(before);
    expect(told).toBe(0);
  });

  test('are not asked about a file that changes nothing', async () => {
    const store = open();
    store.addCheck(async () => [{ path: 'a', message: 'never' }]);

    expect((await store.reload()).faults).toEqual([]);
  });

  test('put nothing in force when one of them cannot prepare', async () => {
    const store = open();
    const before = store.current();
    let committed = 0;
    store.addPreparation(async () => () => {
      committed += 1;
    });
    store.addPreparation(async () => {
      throw new AppError('storage_unavailable', 'the disk is full');
    });
    write(heavier);

    expect((await store.reload()).faults).toMatchObject([{ message: 'the disk is full' }]);
    expect(store.current()).toBe(before);
    expect(committed).toBe(0);
  });

  test('change in one turn: nobody sees the new configuration before everybody has it', async () => {
    const store = open();
    const order: string[] = [];
    let weightAtCommit = 0;
    store.addPreparation(async () => {
      order.push('prepared');
      return () => {
        order.push('committed');
        weightAtCommit = store.current().config.experiments['tone']?.arms['brisk']?.weight ?? 0;
        queueMicrotask(() => order.push('somebody else'));
      };
    });
    store.addPreparation(async () => {
      order.push('prepared');
      return () => order.push('committed');
    });
    write(heavier);

    await store.reload();

    expect(order).toEqual(['prepared', 'prepared', 'committed', 'committed', 'somebody else']);
    expect(weightAtCommit).toBe(9);
  });

  test('that fail to come into force are logged and hold nobody up', async () => {
    const store = open();
    let told = false;
    store.addPreparation(async () => () => {
      throw new Error('broken');
    });
    store.addPreparation(async () => () => {
      told = true;
    });
    write(heavier);

    expect((await store.reload()).changed).toEqual(['experiments']);
    expect(told).toBe(true);
    expect(logged.map(({ event }) => event)).toContain('config_commit_failed');
  });
});

describe('a watched file', () => {
  /** File access takes real time: time moves on until it happened. */
  async function until(check: () => boolean): Promise<void> {
    for (let tries = 0; tries < 400 && !check(); tries += 1) {
      await clock.advance(100);
      await new Promise((done) => setTimeout(done, 2));
    }
    expect(check()).toBe(true);
  }

  test('is read again when it is written, replaced by renaming, removed, and back', async () => {
    const store = open();
    store.watch();

    replace(heavier);
    await until(() => store.status().counts.changed === 1);
    rmSync(file);
    await until(() => store.status().counts.failed === 1);
    expect(store.status().lastReload?.faults[0]?.message).toContain('no such file');
    write(BASE);
    await until(() => store.status().counts.changed === 2);

    expect(store.current().config.experiments['tone']?.arms['brisk']?.weight).toBe(1);
    await store.close();
  });

  test('is read once for a change that was made between its reading and the watch', async () => {
    const store = open();
    replace(heavier);
    store.watch();

    await until(() => store.status().counts.changed === 1);
    await store.close();
  });

  test('is left alone once the store is closed', async () => {
    const store = open();
    store.watch();
    await store.close();
    store.watch();

    expect(clock.sleeping).toBe(0);
  });
});
