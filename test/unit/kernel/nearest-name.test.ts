import { describe, expect, test } from '@jest/globals';
import { nearestName } from '../../../src/kernel/index.ts';

describe('nearestName', () => {
  test.each([
    ['completionRate', 'completion_rate'],
    ['metircs', 'metrics'],
    ['v-2', 'v2'],
    ['nmae', 'name'],
  ])('takes %s for %s', (typed, meant) => {
    expect(nearestName(typed, ['completion_rate', 'metrics', 'v2', 'name'])).toBe(meant);
  });

  test('names none of several that are equally close', () => {
    expect(nearestName('v9', ['v1', 'v2', 'v3'])).toBeNull();
  });

  test.each(['entirely_different', 'x'.repeat(10_000)])('finds nothing close to %.20s', (typed) => {
    expect(nearestName(typed, ['completion_rate', 'metrics'])).toBeNull();
  });
});
