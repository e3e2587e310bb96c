import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { loadPromptRegistry, type PromptLimits, runPromptCases } from '../../src/prompts/index.ts';

const directory = fileURLToPath(new URL('../../prompts', import.meta.url));
const limits: PromptLimits = {
  maxSourceBytes: 65_536,
  maxMustaches: 500,
  maxLoopSteps: 10_000,
  maxOutputBytes: 65_536,
};

// Strict: what we ship has no warnings either. Loading checks the lock.
const load = await loadPromptRegistry({ directory, limits, strict: true });
const registry = load.ok ? load.registry : null;
const report = registry === null ? null : await runPromptCases(registry, directory);
const versions = registry?.prompts.flatMap((family) => family.versions) ?? [];

test('the prompts load without faults and without warnings', () => {
  expect(load.ok ? [] : load.faults).toEqual([]);
});

test('the case files are sound and cover every version', () => {
  expect(report?.faults).toEqual([]);
  expect(report?.uncovered).toEqual([]);
  expect(report?.results.length).toBeGreaterThan(0);
});

describe.each(versions.map((version) => [`${version.prompt}@${version.version}`, version] as const))(
  '%s',
  (_name, version) => {
    test('is locked', () => {
      expect(version.locked).toBe(true);
    });

    test('answers without variables', () => {
      const rendered = version.render({
        variables: {},
        profile: null,
        history: [],
        random: { next: () => 0 },
      });
      expect(rendered.messages.at(-1)?.role).toBe('user');
    });

    test('has three authored fallback lines that fit its output', () => {
      expect(version.fallbackLines.length).toBeGreaterThanOrEqual(3);
      for (const line of version.fallbackLines) expect(version.checkOutput(line).ok).toBe(true);
    });

    test('names no model: the route decides', () => {
      expect(version.model).toBeNull();
    });
  },
);

describe('case', () => {
  test.each(
    (report?.results ?? []).map(
      (result) => [`${result.prompt}@${result.version} ${result.name}`, result] as const,
    ),
  )('%s', (_name, result) => {
    expect(result.faults).toEqual([]);
  });
});
