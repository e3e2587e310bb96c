import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';

import { appendCase } from '../../../src/prompts/append-case.ts';

const ADDED = { name: 'new', version: 'v2', messages: [{ role: 'user', content: 'a\nb\n' }] };

describe('a case added to cases.yaml', () => {
  test.each([
    ['nothing', ''],
    ['comments alone', '# cases of tip\n'],
    ['a list', '# first\n- name: old # why\n  version: v1\n'],
    ['a list without its last line end', '- name: old'],
    ['an indented list', '  - name: old\n  - name: older\n'],
    ['a list behind a document start', '---\n- name: old\n'],
    ['an empty list', '[] # none yet\n'],
    ['a list in brackets', '[{name: old}] # one\n'],
    ['a document that is ended', '- name: old\n...\n'],
  ])('stands behind %s', (_what, text) => {
    const before: unknown[] = parse(text) ?? [];

    const whole = appendCase(text, ADDED);

    expect(parse(whole)).toEqual([...before, ADDED]);
    for (const [comment] of text.matchAll(/#.*/g)) expect(whole).toContain(comment);
  });

  test('leaves what is there as it is', () => {
    const text = '# first\n-   name:   old\n    version: "v1"   # odd spaces\n\n';

    expect(appendCase(text, ADDED).startsWith(text)).toBe(true);
  });

  test('keeps any text of names and messages', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: 'binary' }), (name, content) => {
        const added = { name, version: '1.10', messages: [{ role: 'user', content }] };

        expect(parse(appendCase('- name: old\n', added))).toEqual([{ name: 'old' }, added]);
      }),
    );
  });

  test.each([
    ['name: old\n', 'must be a list of cases'],
    ['- {name: old\n', 'is not valid YAML'],
  ])('is refused for %j', (text, message) => {
    expect(() => appendCase(text, ADDED)).toThrow(message);
  });
});
