import { describe, expect, test } from '@jest/globals';
import { applyPatch } from 'diff';
import fc from 'fast-check';

import { unifiedDiff } from '../../../src/prompts/text-diff.ts';

const diff = (a: string, b: string): string => unifiedDiff({ name: 'a', text: a }, { name: 'b', text: b });

describe('unified diff', () => {
  test('is empty for equal texts', () => {
    expect(diff('same\n', 'same\n')).toBe('');
  });

  test('turns the one text into the other', () => {
    const text = fc
      .array(fc.constantFrom('one', 'two', 'three', ''), { maxLength: 12 })
      .map((l) => l.join('\n'));
    fc.assert(
      fc.property(text, text, (a, b) => {
        fc.pre(a !== b);
        expect(applyPatch(a, diff(a, b))).toBe(b);
      }),
    );
  });

  test('tells large texts with nothing in common whole, and soon', () => {
    const lines = (mark: string): string =>
      Array.from({ length: 20_000 }, (_, index) => `${mark}${index}\n`).join('');

    const told = diff(lines('a'), lines('b'));

    expect(told).toContain('@@ -1,20000 +1,20000 @@\n-a0\n');
    expect(applyPatch(lines('a'), told)).toBe(lines('b'));
  });
});
