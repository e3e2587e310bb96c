import { describe, expect, test } from '@jest/globals';

import { newAssignment } from '../../../src/experiments/assign-unit.ts';
import { policyPropensities } from '../../../src/experiments/policy-snapshot.ts';
import { hmacSha256Hex } from '../../../src/kernel/index.ts';
import { betaPosterior } from '../../../src/statistics/index.ts';
import { experiment, policySnapshot } from '../../fakes/scripted-experiments.ts';

const ARMS = ['control', 'warm', 'brief'];
const definition = experiment({
  arms: ARMS.map((name) => ({ name, version: 'v1', weight: 1 })),
  policy: {
    kind: 'thompson',
    epsilon: 0,
    beta: 0,
    floor: 0.0333,
    discount: 1,
    updateIntervalMs: 60_000,
  },
});

describe('newAssignment', () => {
  test('assigns a million units by the logged propensities, within four standard errors of every arm', () => {
    const propensities = policyPropensities(definition, [
      betaPosterior({ n: 40, sum: 8 }),
      betaPosterior({ n: 40, sum: 15 }),
      betaPosterior({ n: 40, sum: 16 }),
    ]);
    const snapshot = policySnapshot(Object.fromEntries(ARMS.map((arm, n) => [arm, propensities[n] ?? 0])));
    const counts = new Map<string, number>();
    const units = 1_000_000;

    for (let unit = 0; unit < units; unit += 1) {
      // Spread like the keyed hashes that units are known by, at a fraction of their cost.
      const key = (unit * 2_654_435_761).toString(16);
      const { arm } = newAssignment(definition, key, snapshot, 0);
      counts.set(arm, (counts.get(arm) ?? 0) + 1);
    }

    for (const [index, arm] of ARMS.entries()) {
      const propensity = propensities[index] ?? 0;
      expect(propensity).toBeGreaterThanOrEqual(definition.policy.floor);
      const standardError = Math.sqrt((propensity * (1 - propensity)) / units);
      expect(Math.abs((counts.get(arm) ?? 0) / units - propensity)).toBeLessThan(4 * standardError);
    }
  });

  test('shuffles the units with another salt', () => {
    const snapshot = policySnapshot({ control: 0.5, warm: 0.25, brief: 0.25 });
    const other = { ...definition, salt: 'pepper' };
    const units = Array.from({ length: 2_000 }, (_, n) => hmacSha256Hex('key', `user_id:${n}`));

    const same = units.filter(
      (unit) =>
        newAssignment(definition, unit, snapshot, 0).arm === newAssignment(other, unit, snapshot, 0).arm,
    ).length;

    // Independent draws agree with .5^2 + 2 * .25^2 = .375; four standard errors over 2,000 units.
    expect(Math.abs(same / 2_000 - 0.375)).toBeLessThan(4 * Math.sqrt((0.375 * 0.625) / 2_000));
  });
});
