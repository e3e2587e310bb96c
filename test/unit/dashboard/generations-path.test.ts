import { describe, expect, test } from '@jest/globals';
import { generationsPath, isFiltered } from '../../../src/dashboard/generations/generations-path.ts';

describe('the request behind the list of calls', () => {
  test('passes on filters and the cursor, nothing else of the address', () => {
    const path = generationsPath({
      prompt: 'tip',
      version: 'v2',
      cursor: 'abc',
      token: 'secret',
      limit: '9999',
    });

    expect(path).toBe('/generations?limit=50&prompt=tip&version=v2&cursor=abc');
  });

  test('leaves out what is empty', () => {
    expect(generationsPath({ prompt: '', q: undefined })).toBe('/generations?limit=50');
  });

  test('begins a day at midnight UTC and leaves a time as it is', () => {
    const path = generationsPath({ from: '2026-11-22', to: '2026-11-23T10:00:00+01:00' });

    expect(new URLSearchParams(path.split('?')[1]).get('from')).toBe('2026-11-22T00:00:00Z');
    expect(new URLSearchParams(path.split('?')[1]).get('to')).toBe('2026-11-23T10:00:00+01:00');
  });

  test('writes what a reader typed so that it cannot change the request', () => {
    expect(generationsPath({ q: 'a&limit=1#x' })).toBe('/generations?limit=50&q=a%26limit%3D1%23x');
  });
});

test.each([
  [{}, false],
  [{ cursor: 'abc' }, false],
  [{ prompt: '' }, false],
  [{ user_id: 'ann' }, true],
])('%j is filtered: %s', (query, expected) => {
  expect(isFiltered(query)).toBe(expected);
});
