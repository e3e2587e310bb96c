import { describe, expect, test } from '@jest/globals';
import { createRedaction } from '../../../src/serving/index.ts';

describe('redaction', () => {
  const value = {
    email: 'a@b.c',
    user: { phone: '1', name: 'Ann' },
    contacts: [{ phone: '2' }, { phone: '3' }],
  };

  test('replaces named paths, list items and wildcards, and nothing else', () => {
    const redaction = createRedaction([
      'variables.email',
      'variables.contacts.*.phone',
      'variables.user.phone',
      'metadata.email',
    ]);

    expect(redaction.apply('variables', value)).toEqual({
      email: '[redacted]',
      user: { phone: '[redacted]', name: 'Ann' },
      contacts: [{ phone: '[redacted]' }, { phone: '[redacted]' }],
    });
  });

  test('leaves the original untouched', () => {
    createRedaction(['variables.user.phone']).apply('variables', value);

    expect(value.user.phone).toBe('1');
  });

  test('hands back the very value when no path concerns it', () => {
    expect(createRedaction(['metadata.email']).apply('variables', value)).toBe(value);
  });

  test('ignores paths that lead nowhere', () => {
    expect(createRedaction(['variables.email.inner', 'variables.nope']).apply('variables', value)).toEqual(
      value,
    );
  });

  test('tells the texts it takes out, longest first, and no ordinary words', () => {
    const redaction = createRedaction(['variables.email', 'variables.contacts.*', 'variables.user.*']);

    expect(
      redaction.texts('variables', { ...value, contacts: [{ phone: 5_550_100 }, { phone: '555' }] }),
    ).toEqual(['5550100', 'a@b.c']);
    expect(redaction.texts('metadata', value)).toEqual([]);
  });
});
