import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { loadPromptRegistry, runPromptCases } from '../../../src/prompts/index.ts';
import { LIMITS, writePrompts } from './temporary-prompts.ts';

const guide = readFileSync(new URL('../../../docs/prompt-authoring.md', import.meta.url), 'utf8');
const examples = [...guide.matchAll(/^```\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');

test('the example of the guide loads, and its cases hold', async () => {
  const prompt = examples.find((example) => example.startsWith('---\n')) ?? '';
  const cases = examples.find((example) => example.startsWith('- name:')) ?? '';
  const directory = await writePrompts({
    'tip/v3.prompt': prompt,
    'tip/v4.prompt': prompt,
    'tip/cases.yaml': cases,
  });

  const load = await loadPromptRegistry({ directory, limits: LIMITS, strict: true });
  expect(load).toMatchObject({ ok: true });
  const report = load.ok ? await runPromptCases(load.registry, directory) : null;

  expect(report?.faults).toEqual([]);
  expect(report?.results.flatMap((result) => result.faults)).toEqual([]);
  expect(report?.results).toHaveLength(2);
});

test('the helpers of the guide are the helpers there are', () => {
  const listed = guide.slice(guide.indexOf('| helper | does |'), guide.indexOf('### Untrusted text'));

  for (const name of ['role', 'history', 'media', 'section', '#if', '#unless', '#each', '#with']) {
    expect(listed).toContain(`{{${name}`);
  }
  for (const name of ['#ifEquals', '#unlessEquals', 'lookup', 'json', 'truncate', 'list', 'date', 'fence']) {
    expect(listed).toContain(`{{${name}`);
  }
});
