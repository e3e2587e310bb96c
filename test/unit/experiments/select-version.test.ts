import { describe, expect, test } from '@jest/globals';
import type { DefaultPromptVersion } from '../../../src/config/index.ts';
import {
  type Assignment,
  defaultVersionWarnings,
  type Experiment,
  type Selection,
} from '../../../src/experiments/index.ts';
import { AppError } from '../../../src/kernel/index.ts';
import { fixedClock } from '../../fakes/fixed-clock.ts';
import {
  experiment,
  policySnapshot,
  type ScriptedSelector,
  scriptedLabels,
  scriptedSelector,
} from '../../fakes/scripted-experiments.ts';
import { scriptedRegistry, scriptedVersion } from '../../fakes/scripted-prompts.ts';

const registry = scriptedRegistry([
  scriptedVersion('tip', 'v1'),
  scriptedVersion('tip', 'v2'),
  scriptedVersion('tip', 'v0', { retired: true }),
  scriptedVersion('digest', '2026-11'),
]);
const TONE = { kind: 'experiment', experiment: 'tone' } as const;

function environment(
  everywhere: string | null,
  byPrompt: Readonly<Record<string, string>> = {},
): DefaultPromptVersion {
  return { everywhere, byPrompt: new Map(Object.entries(byPrompt)) };
}

interface Wish {
  readonly prompt?: string;
  readonly bodyValue?: string | null;
  readonly environment?: DefaultPromptVersion;
  readonly units?: Readonly<Partial<Record<Experiment['unit'], string>>>;
}

function select(selector: ScriptedSelector, wish: Wish = {}): Promise<Selection> {
  return selector.select(registry, {
    prompt: wish.prompt ?? 'tip',
    bodyValue: wish.bodyValue ?? null,
    environment: wish.environment ?? environment(null),
    unitKey: (kind) => wish.units?.[kind] ?? null,
  });
}

async function refusal(run: Promise<unknown>): Promise<AppError> {
  try {
    await run;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

function inExperiment(
  changes: Partial<Experiment> = {},
  options: Parameters<typeof scriptedSelector>[0] = {},
): ScriptedSelector {
  return scriptedSelector({
    labels: { tip: { live: TONE } },
    experiments: [experiment(changes)],
    ...options,
  });
}

function live(selector: ScriptedSelector, userId?: string): Promise<Selection> {
  return select(selector, { bodyValue: '@live', units: userId === undefined ? {} : { user_id: userId } });
}

describe('the precedence', () => {
  test.each([
    ['the body over everything', 'v2', environment('v1', { tip: 'v1' }), 'v2', 'body'],
    ['the prompt’s own default over the common one', null, environment('v1', { tip: 'v2' }), 'v2', 'env'],
    ['the common default without a body', null, environment('v2'), 'v2', 'env'],
    ['v1 when nobody says anything', null, environment(null), 'v1', 'default'],
    ['v1 when only another prompt is set', null, environment(null, { digest: '2026-11' }), 'v1', 'default'],
  ])('takes %s', async (_name, bodyValue, env, version, source) => {
    const selection = await select(scriptedSelector(), { bodyValue, environment: env });

    expect([selection.version.version, selection.source, selection.label]).toEqual([version, source, null]);
  });

  test('lists the known versions and the likely one for an unknown version', async () => {
    const error = await refusal(select(scriptedSelector(), { bodyValue: 'v-2' }));

    expect(error.code).toBe('version_not_found');
    expect(error.message).toContain('did you mean "v2"?');
    expect(error.details['known']).toEqual(['v1', 'v2']);
  });

  test('says that the environment asked for a version the prompt lacks', async () => {
    const error = await refusal(
      select(scriptedSelector(), { prompt: 'digest', environment: environment('v2') }),
    );

    expect(error.code).toBe('version_not_found');
    expect(error.message).toContain('DEFAULT_PROMPT_VERSION');
    expect(error.message).toContain('2026-11');
  });

  test('refuses a retired version and names those in use', async () => {
    const error = await refusal(select(scriptedSelector(), { bodyValue: 'v0' }));

    expect(error.code).toBe('version_retired');
    expect(error.message).toContain('v1, v2');
  });

  test('refuses an unknown prompt', async () => {
    const error = await refusal(select(scriptedSelector(), { prompt: 'tipp' }));

    expect(error.code).toBe('prompt_not_found');
  });
});

describe('a label', () => {
  const labels = {
    tip: {
      live: { kind: 'version', version: 'v2' },
      old: { kind: 'version', version: 'v0' },
      gone: { kind: 'experiment', experiment: 'forgotten' },
    },
  } as const;

  test.each([
    ['the body', { bodyValue: '@live' }, 'body'],
    ['the environment', { environment: environment(null, { tip: '@live' }) }, 'env'],
  ])('in %s leads to its version, and both are kept', async (_name, wish, source) => {
    const selection = await select(scriptedSelector({ labels }), wish);

    expect(selection).toMatchObject({ source, label: 'live', assignment: null, currentPolicyRevision: null });
    expect(selection.version.version).toBe('v2');
  });

  test('that is unknown is refused with the known ones', async () => {
    const error = await refusal(select(scriptedSelector({ labels }), { bodyValue: '@liv' }));

    expect(error.code).toBe('label_not_found');
    expect(error.message).toContain('did you mean "@live"?');
    expect(error.details['known']).toEqual(['@live', '@old', '@gone']);
  });

  test('of another prompt is unknown', async () => {
    const error = await refusal(
      select(scriptedSelector({ labels }), { prompt: 'digest', bodyValue: '@live' }),
    );

    expect(error.code).toBe('label_not_found');
  });

  test('that points to a retired version is refused and named', async () => {
    const error = await refusal(select(scriptedSelector({ labels }), { bodyValue: '@old' }));

    expect(error.code).toBe('version_retired');
    expect(error.message).toContain('label "@old"');
  });

  test('that points to an experiment nobody configured is refused', async () => {
    const error = await refusal(select(scriptedSelector({ labels }), { bodyValue: '@gone' }));

    expect(error.code).toBe('experiment_not_found');
    expect(error.message).toContain('"forgotten"');
  });
});

describe('an experiment behind a label', () => {
  test('assigns the unit by its hash and says by which probabilities', async () => {
    const selector = inExperiment();

    const selection = await live(selector, 'ann');

    const arm = selection.assignment?.arm;
    expect(selection.version.version).toBe(arm === 'warm' ? 'v2' : 'v1');
    expect(selection).toMatchObject({
      label: 'live',
      currentPolicyRevision: 'tone-1',
      assignment: {
        experiment: 'tone',
        experimentRevision: 'sha256:one',
        unitKind: 'user_id',
        unitKey: 'ann',
        propensity: 0.5,
        propensities: { control: 0.5, warm: 0.5 },
        policyRevision: 'tone-1',
      },
    });
  });

  test('assigns by the shares of the snapshot in force', async () => {
    const selector = inExperiment();
    selector.snapshot = policySnapshot({ control: 0.1, warm: 0.9 });
    let warm = 0;
    for (let unit = 0; unit < 10_000; unit += 1) {
      const { assignment } = await live(selector, `user-${unit}`);
      expect(assignment?.propensity).toBe(assignment?.arm === 'warm' ? 0.9 : 0.1);
      if (assignment?.arm === 'warm') warm += 1;
    }

    // Four standard errors of a share of .9 over 10,000 units.
    expect(Math.abs(warm / 10_000 - 0.9)).toBeLessThan(4 * Math.sqrt((0.9 * 0.1) / 10_000));
  });

  test('keeps the arm of a unit when the shares change, and says which snapshot assigned it', async () => {
    const selector = inExperiment();
    const first = await live(selector, 'ann');
    const other = first.assignment?.arm === 'warm' ? 'control' : 'warm';
    selector.snapshot = policySnapshot(
      { control: 0, warm: 0, [other]: 1 },
      { revision: 'tone-2', sequence: 2 },
    );

    const second = await live(selector, 'ann');

    expect(second.assignment).toEqual(first.assignment);
    expect(second.currentPolicyRevision).toBe('tone-2');
    expect((await live(selector, 'bob')).assignment?.arm).toBe(other);
  });

  test('takes a stored assignment over its own hash', async () => {
    const selector = inExperiment();
    const own = await live(selector, 'ann');
    const stored: Assignment = {
      experiment: 'tone',
      experimentRevision: 'sha256:zero',
      unitKind: 'user_id',
      unitKey: 'ann',
      arm: own.assignment?.arm === 'warm' ? 'control' : 'warm',
      propensity: 0.2,
      propensities: { control: 0.2, warm: 0.8 },
      policyRevision: 'tone-0',
      assignedAtMs: 1,
    };
    const restarted = inExperiment();
    restarted.stored.set('tone user_id ann', stored);

    expect((await live(restarted, 'ann')).assignment).toEqual(stored);
  });

  test('asks the store once for concurrent first calls of a unit, which all get one arm', async () => {
    const selector = inExperiment();

    const selections = await Promise.all(Array.from({ length: 20 }, () => live(selector, 'ann')));

    expect(selector.lookUps).toEqual(['tone user_id ann']);
    expect(new Set(selections.map(({ assignment }) => assignment)).size).toBe(1);
  });

  test('remembers a bounded number of units, the latest ones', async () => {
    const selector = inExperiment({}, { maxRemembered: 2 });
    for (const unit of ['ann', 'bob', 'ann', 'cyd', 'ann', 'bob']) await live(selector, unit);

    expect(selector.lookUps).toEqual([
      'tone user_id ann',
      'tone user_id bob',
      'tone user_id cyd',
      'tone user_id bob',
    ]);
  });

  test('refuses a unit that cannot be looked up, and asks again at its next call', async () => {
    const selector = inExperiment();
    selector.failOnce();

    expect((await refusal(live(selector, 'ann'))).code).toBe('storage_unavailable');
    expect((await live(selector, 'ann')).assignment).not.toBeNull();
  });

  test('gives a call without its unit the baseline and leaves it out', async () => {
    const selector = inExperiment({ baseline: 'warm', unit: 'session_id' });

    const selection = await live(selector, 'ann');

    expect(selection.version.version).toBe('v2');
    expect(selection).toMatchObject({
      label: 'live',
      assignment: null,
      currentPolicyRevision: null,
      leftOut: { experiment: 'tone', reason: 'no_unit' },
    });
    expect(selector.lookUps).toEqual([]);
  });

  test.each([
    ['before its start', { startMs: Date.UTC(2026, 0, 6) }, false],
    ['at its start', { startMs: Date.UTC(2026, 0, 5, 10) }, true],
    ['at its stop', { stopMs: Date.UTC(2026, 0, 5, 10) }, false],
    ['between both', { startMs: Date.UTC(2026, 0, 4), stopMs: Date.UTC(2026, 0, 6) }, true],
  ])('%s: assigns is %s', async (_name, window, assigns) => {
    const selector = inExperiment(window, { clock: fixedClock(Date.UTC(2026, 0, 5, 10)) });

    const selection = await live(selector, 'ann');

    expect(selection.assignment !== null).toBe(assigns);
    expect(selection.version.version).toBe(assigns && selection.assignment?.arm === 'warm' ? 'v2' : 'v1');
    expect(selection.leftOut?.reason).toBe(assigns ? undefined : 'not_running');
  });

  test('gives the units of an arm that was taken out the baseline, and leaves them out', async () => {
    const selector = inExperiment();
    selector.stored.set('tone user_id ann', {
      experiment: 'tone',
      experimentRevision: 'sha256:zero',
      unitKind: 'user_id',
      unitKey: 'ann',
      arm: 'removed',
      propensity: 0.5,
      propensities: { removed: 0.5, control: 0.5 },
      policyRevision: 'tone-0',
      assignedAtMs: 1,
    });

    const selection = await live(selector, 'ann');

    expect([selection.version.version, selection.assignment]).toEqual(['v1', null]);
    expect(selection.leftOut).toEqual({ experiment: 'tone', reason: 'arm_removed' });
  });

  test('refuses the calls of an arm whose version is retired, as any other call', async () => {
    const selector = inExperiment({
      arms: [
        { name: 'control', version: 'v0', weight: 1 },
        { name: 'warm', version: 'v0', weight: 1 },
      ],
    });

    const error = await refusal(live(selector, 'ann'));

    expect(error.code).toBe('version_retired');
    expect(error.message).toContain('of experiment "tone"');
  });

  test('stays out of calls that name a version', async () => {
    const selection = await select(inExperiment(), { bodyValue: 'v2', units: { user_id: 'ann' } });

    expect(selection).toMatchObject({ label: null, assignment: null });
  });
});

describe('defaultVersionWarnings', () => {
  const parts = {
    labels: scriptedLabels({ tip: { live: TONE, gone: { kind: 'experiment', experiment: 'forgotten' } } }),
    experiments: () => [experiment()],
  };

  test('names prompts that would be refused, and prompts that do not exist', () => {
    const warnings = defaultVersionWarnings(registry, environment('v1', { tpi: 'v1' }), parts);

    expect(warnings.map((warning) => warning.path)).toEqual(['DEFAULT_PROMPT_VERSION', 'prompts/digest']);
  });

  test.each([
    ['@live', []],
    ['@none', ['prompts/tip']],
    ['@gone', ['prompts/tip']],
  ])('follows the label %s', (value, paths) => {
    const env = environment('2026-11', { tip: value });

    expect(defaultVersionWarnings(registry, env, parts).map((warning) => warning.path)).toEqual(paths);
  });
});
