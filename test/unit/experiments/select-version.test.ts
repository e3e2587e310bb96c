import { describe, expect, test } from '@jest/globals';
import type { DefaultPromptVersion } from '../../../src/config/index.ts';
import { defaultVersionWarnings, selectVersion } from '../../../src/experiments/index.ts';
import { AppError } from '../../../src/kernel/index.ts';
import { scriptedRegistry, scriptedVersion } from '../../fakes/scripted-prompts.ts';

const registry = scriptedRegistry([
  scriptedVersion('tip', 'v1'),
  scriptedVersion('tip', 'v2'),
  scriptedVersion('tip', 'v0', { retired: true }),
  scriptedVersion('digest', '2026-11'),
]);

function environment(
  everywhere: string | null,
  byPrompt: Readonly<Record<string, string>> = {},
): DefaultPromptVersion {
  return { everywhere, byPrompt: new Map(Object.entries(byPrompt)) };
}

function refusal(run: () => unknown): AppError {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('selectVersion', () => {
  test.each([
    ['the body over everything', 'v2', environment('v1', { tip: 'v1' }), 'v2', 'body'],
    ['the prompt’s own default over the common one', null, environment('v1', { tip: 'v2' }), 'v2', 'env'],
    ['the common default without a body', null, environment('v2'), 'v2', 'env'],
    ['v1 when nobody says anything', null, environment(null), 'v1', 'default'],
    [
      'the last resort when only another prompt is set',
      null,
      environment(null, { digest: '2026-11' }),
      'v1',
      'default',
    ],
  ])('takes %s', (_name, bodyValue, env, version, source) => {
    const selection = selectVersion(registry, { prompt: 'tip', bodyValue, environment: env });

    expect([selection.version.version, selection.source, selection.label]).toEqual([version, source, null]);
  });

  test('lists the known versions and the likely one for an unknown version', () => {
    const error = refusal(() =>
      selectVersion(registry, { prompt: 'tip', bodyValue: 'v-2', environment: environment(null) }),
    );

    expect(error.code).toBe('version_not_found');
    expect(error.message).toContain('did you mean "v2"?');
    expect(error.details['known']).toEqual(['v1', 'v2']);
  });

  test('says that the environment asked for a version the prompt lacks', () => {
    const error = refusal(() =>
      selectVersion(registry, { prompt: 'digest', bodyValue: null, environment: environment('v2') }),
    );

    expect(error.code).toBe('version_not_found');
    expect(error.message).toContain('DEFAULT_PROMPT_VERSION');
    expect(error.message).toContain('2026-11');
  });

  test('refuses a retired version and names those in use', () => {
    const error = refusal(() =>
      selectVersion(registry, { prompt: 'tip', bodyValue: 'v0', environment: environment(null) }),
    );

    expect(error.code).toBe('version_retired');
    expect(error.message).toContain('v1, v2');
  });

  test('never takes a label for a version', () => {
    const error = refusal(() =>
      selectVersion(registry, { prompt: 'tip', bodyValue: '@live', environment: environment(null) }),
    );

    expect(error.code).toBe('label_not_found');
  });

  test('refuses an unknown prompt', () => {
    const error = refusal(() =>
      selectVersion(registry, { prompt: 'tipp', bodyValue: null, environment: environment(null) }),
    );

    expect(error.code).toBe('prompt_not_found');
  });
});

describe('defaultVersionWarnings', () => {
  test('names prompts that would be refused, and prompts that do not exist', () => {
    const warnings = defaultVersionWarnings(registry, environment('v1', { tpi: 'v1' }));

    expect(warnings.map((warning) => warning.path)).toEqual(['DEFAULT_PROMPT_VERSION', 'prompts/digest']);
  });
});
