import { expect, test } from '@jest/globals';
import type { PromptRegistry } from '../../../src/prompts/index.ts';
import { promptSettingWarnings } from '../../../src/serving/index.ts';

// The warnings look at names alone.
const registry = {
  prompts: [{ name: 'tip', versions: [{ version: 'v1' }, { version: 'v2' }] }],
} as unknown as PromptRegistry;

function warningsOf(prompts: { default: string; settings: Record<string, { baseline?: string }> }): unknown {
  return promptSettingWarnings(registry, { prompts: prompts as never }).map(
    ({ path, message }) => `${path}: ${message}`,
  );
}

test('says nothing about prompts and versions that are there', () => {
  expect(warningsOf({ default: 'tip', settings: { tip: { baseline: 'v2' } } })).toEqual([]);
});

test('names settings of prompts that do not exist', () => {
  expect(warningsOf({ default: 'tpi', settings: { digest: {} } })).toEqual([
    'prompts.default: there is no prompt "tpi"; did you mean "tip"?',
    'prompts.settings.digest: there is no prompt "digest"; known: tip',
  ]);
});

test('names a baseline that does not exist, before a report has to refuse it', () => {
  expect(warningsOf({ default: 'tip', settings: { tip: { baseline: 'v9' } } })).toEqual([
    'prompts.settings.tip.baseline: prompt "tip" has no version "v9", so its report is refused; known: v1, v2',
  ]);
});
