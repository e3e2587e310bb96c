import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createConfigStore, loadConfig, readEnvironment } from '../../../src/config/index.ts';
import {
  createExperimentsInForce,
  type Experiment,
  type LabelTarget,
} from '../../../src/experiments/index.ts';
import { AppError, silentLogger } from '../../../src/kernel/index.ts';
import { fixedClock } from '../../fakes/fixed-clock.ts';
import { type ScriptedLabels, scriptedLabels } from '../../fakes/scripted-experiments.ts';
import { scriptedRegistry, scriptedVersion } from '../../fakes/scripted-prompts.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'prompt-gateway-in-force-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const TONE = { prompt: 'tip', arms: { control: { version: 'v1' }, warm: { version: 'v2' } } };

function world(labels: ScriptedLabels = {}) {
  const file = join(directory, 'gateway.config.json');
  const write = (experiments: object): void =>
    writeFileSync(
      file,
      JSON.stringify({
        providers: { offline: { kind: 'offline' } },
        routes: { default: { targets: [{ provider: 'offline' }] } },
        experiments,
      }),
    );
  write({ tone: TONE });
  const load = () => loadConfig({ path: file, environment: readEnvironment({}).environment });
  const store = createConfigStore({ loaded: load(), load, clock: fixedClock(), logger: silentLogger });
  const versions = [
    scriptedVersion('tip', 'v1'),
    scriptedVersion('tip', 'v2'),
    scriptedVersion('digest', 'v1'),
    scriptedVersion('digest', 'v2'),
  ];
  const experiments = createExperimentsInForce(store, () => scriptedRegistry(versions));
  const prepared: (readonly Experiment[])[] = [];
  const committed: string[][] = [];
  let isStorageDown = false;
  let duringPreparation = (): void => {};
  experiments.follow({
    labels: scriptedLabels(labels),
    policies: {
      prepare: async (next) => {
        duringPreparation();
        if (isStorageDown) throw new AppError('storage_unavailable', 'the disk is full');
        prepared.push(next);
        return () => committed.push(experiments.current().map(({ name }) => name));
      },
    },
  });
  return {
    experiments,
    committed,
    prepared,
    breakStorage: () => {
      isStorageDown = true;
    },
    whilePreparing: (work: () => void) => {
      duringPreparation = work;
    },
    reload: (next: object) => {
      write(next);
      return store.reload();
    },
    names: () => experiments.current().map(({ name }) => name),
  };
}

describe('the experiments in force', () => {
  test('follow the configuration, their policies prepared before', async () => {
    const { reload, names, experiments, committed } = world();

    expect(await reload({ tone: TONE, voice: TONE })).toMatchObject({ changed: ['experiments'], faults: [] });

    expect(names()).toEqual(['tone', 'voice']);
    expect(experiments.namesOf('tip')).toEqual(['tone', 'voice']);
    expect(experiments.namesOf('digest')).toEqual([]);
    expect(committed).toEqual([['tone', 'voice']]);
  });

  test('stay when an arm names a version that does not exist', async () => {
    const { reload, experiments, prepared } = world();
    const before = experiments.current();
    const arms = { ...TONE.arms, warm: { version: 'v22' } };

    expect((await reload({ tone: { ...TONE, arms } })).faults).toEqual([
      { path: 'experiments.tone.arms.warm.version', message: expect.stringContaining('no version "v22"') },
    ]);
    expect(experiments.current()).toBe(before);
    expect(prepared).toEqual([]);
  });

  test('stay when the first snapshot of a new one cannot be stored', async () => {
    const { reload, names, breakStorage } = world();
    breakStorage();

    expect((await reload({ tone: TONE, voice: TONE })).faults).toMatchObject([
      { message: 'the disk is full' },
    ]);
    expect(names()).toEqual(['tone']);
  });

  test.each<[string, object, string]>([
    ['is gone', {}, 'is gone'],
    ['is of another prompt', { tone: { ...TONE, prompt: 'digest' } }, 'instead of "tip"'],
  ])('refuse a file in which one that a label points to %s', async (_name, next, text) => {
    const { reload, names } = world({ tip: { live: { kind: 'experiment', experiment: 'tone' } } });

    const { faults } = await reload(next);

    expect(faults).toEqual([{ path: 'experiments.tone', message: expect.stringContaining(text) }]);
    expect(faults[0]?.message).toContain('PUT /prompts/tip/labels/live');
    expect(names()).toEqual(['tone']);
  });

  test('refuse to let one go that a label was moved to while the reload was under way', async () => {
    const labels: Record<string, Record<string, LabelTarget>> = {
      tip: { live: { kind: 'version', version: 'v1' } },
    };
    const { reload, names, whilePreparing, committed } = world(labels);
    whilePreparing(() => {
      labels['tip'] = { live: { kind: 'experiment', experiment: 'tone' } };
    });

    const { faults } = await reload({});

    expect(faults).toEqual([{ path: 'experiments.tone', message: expect.stringContaining('is gone') }]);
    expect(names()).toEqual(['tone']);
    expect(committed).toEqual([]);
  });

  test('let one go that no label points to', async () => {
    const { reload, names } = world({ tip: { live: { kind: 'version', version: 'v1' } } });

    expect((await reload({})).faults).toEqual([]);
    expect(names()).toEqual([]);
  });

  test('tell what a change does to those who are assigned', async () => {
    const { reload } = world();

    expect((await reload({ tone: { ...TONE, unit: 'session_id' } })).warnings).toEqual([
      { path: 'experiments.tone.unit', message: expect.stringContaining('everybody is assigned anew') },
    ]);
  });
});
