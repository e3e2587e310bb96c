import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { readDecision } from '../../../src/analytics/offline-decision.ts';
import { foldLoggedDecision, offPolicyEvaluation, offPolicyReport } from '../../../src/statistics/index.ts';

const UNIT = { min: 0, max: 1 };

/** Numbers at the edges of what a log may hold. */
const EDGE = fc.constantFrom(0, 1, 0.5, 1e-6, 1e-11, 1e-13, 5e-324, 1 + 1e-7, 1 - 1e-7, -1e-9, 2);

describe('readDecision', () => {
  test('either reads any line or says what is wrong with it', () => {
    const keys = ['propensities', 'chosen', 'reward', 'target', 'q_hat', 'qhat', '__proto__'];
    const record = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 2 }));
    fc.assert(
      fc.property(fc.oneof(record, fc.jsonValue(), fc.string()), (value) => {
        const faults: string[] = [];

        const decision = readDecision(JSON.stringify(value), UNIT, (message) => faults.push(message));

        expect(decision === null).toBe(faults.length > 0);
      }),
    );
  });

  test('scales probabilities that were rounded, and leaves exact ones alone', () => {
    const read = (propensities: readonly number[], reward: unknown = 1) =>
      readDecision(JSON.stringify({ propensities, target: propensities, chosen: 0, reward }), UNIT, () => {});

    expect(read([0.333, 0.333, 0.333])?.propensities).toEqual([1 / 3, 1 / 3, 1 / 3]);
    expect(read([0.333, 0.333, 0.333])?.target).toEqual([1 / 3, 1 / 3, 1 / 3]);
    expect(read([0.3, 0.7])?.propensities).toEqual([0.3, 0.7]);
    expect(read([0.33, 0.33, 0.33])).toBeNull();
    expect(read([0.5, 0.5], true)?.reward).toBe(1);
    expect(read([0.5, 0.5], false)?.reward).toBe(0);
    expect(read([0.5, 0.5], 'true')).toBeNull();
  });

  test('lets through only what the estimators accept, and their numbers stay finite', () => {
    const arms = fc.array(EDGE, { minLength: 1, maxLength: 3 });
    const line = fc.record({
      propensities: arms,
      target: arms,
      chosen: fc.integer({ min: -1, max: 3 }),
      reward: EDGE,
    });
    const sound = fc.record({
      propensities: fc.constantFrom([1e-11, 1 - 1e-11], [0.5, 0.5], [0, 1 + 5e-7], [1, 0]),
      target: fc.constantFrom([1, 0], [0, 1], [0.5, 0.5]),
      chosen: fc.constantFrom(0, 1),
      reward: fc.constantFrom(0, 0.5, 1),
    });
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof(line, sound), (value) => {
        const decision = readDecision(JSON.stringify(value), UNIT, () => {});
        if (decision === null) return;
        accepted += 1;

        const { ips, interval } = offPolicyReport(foldLoggedDecision(offPolicyEvaluation(), decision));

        expect(Number.isFinite(ips?.value)).toBe(true);
        expect(interval?.lower).toBeLessThanOrEqual(interval?.upper ?? Number.NaN);
      }),
      { numRuns: 500, seed: 3 },
    );
    expect(accepted).toBeGreaterThan(50);
  });
});
