import { describe, expect, test } from '@jest/globals';

import { policyChanges } from '../../../src/ranking/index.ts';

const named = (...names: readonly string[]) => names.map((name) => ({ name }));

describe('policyChanges', () => {
  test('says nothing of policies that were added behind the first one, or that stay', () => {
    expect(policyChanges(named('tips', 'bold'), named('tips'))).toEqual([]);
    expect(policyChanges(named('tips'), named())).toEqual([]);
  });

  test('names a policy that is gone, and who notices', () => {
    expect(policyChanges(named('tips'), named('tips', 'bold'))).toEqual([
      { path: 'policies.bold', message: expect.stringContaining('policy_not_found') },
    ]);
    expect(policyChanges(named(), named('tips'))).toMatchObject([{ path: 'policies.tips' }]);
  });

  test('says who ranks the requests that name none when another one comes first', () => {
    expect(policyChanges(named('bold', 'tips'), named('tips'))).toEqual([
      { path: 'policies', message: expect.stringContaining('"bold" is the first one now') },
    ]);
  });
});
