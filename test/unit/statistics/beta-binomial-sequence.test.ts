import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  betaBinomialDifference,
  betaBinomialInterval,
  betaBinomialLogEvidence,
} from '../../../src/statistics/index.ts';

interface Reference {
  readonly tolerance_abs: number;
  readonly cases: readonly {
    readonly successes: number;
    readonly n: number;
    readonly alpha: number;
    readonly prior: readonly [number, number];
    readonly lower: number;
    readonly upper: number;
  }[];
  readonly evalues: readonly {
    readonly successes: number;
    readonly n: number;
    readonly p0: number;
    readonly prior: readonly [number, number];
    readonly log_e_value: number;
    readonly anytime_p_at_this_look: number;
  }[];
}

const reference = JSON.parse(
  readFileSync(new URL('../../fixtures/reference/cs_beta_binomial.json', import.meta.url), 'utf8'),
) as Reference;

describe('reference values', () => {
  test.each(reference.cases)('interval of $successes of $n at alpha $alpha', (row) => {
    const [a, b] = row.prior;

    const interval = betaBinomialInterval({
      n: row.n,
      sum: row.successes,
      alpha: row.alpha,
      prior: { a, b },
    });

    expect(Math.abs(interval.lower - row.lower)).toBeLessThanOrEqual(reference.tolerance_abs);
    expect(Math.abs(interval.upper - row.upper)).toBeLessThanOrEqual(reference.tolerance_abs);
  });

  test.each(reference.evalues)('evidence of $successes of $n against $p0', (row) => {
    const [a, b] = row.prior;

    const logEvidence = betaBinomialLogEvidence(row.p0, { n: row.n, sum: row.successes, prior: { a, b } });

    expect(Math.abs(logEvidence - row.log_e_value)).toBeLessThanOrEqual(reference.tolerance_abs);
    expect(Math.min(1, Math.exp(-logEvidence))).toBeCloseTo(row.anytime_p_at_this_look, 7);
  });
});

describe('values computed by hand', () => {
  test('one failure: E(p) = B(1, 2) / (1 - p), so upper = 1 - alpha / 2', () => {
    expect(betaBinomialInterval({ n: 1, sum: 0, alpha: 0.05 })).toEqual({ lower: 0, upper: 0.975 });
  });

  test('one half success: E(p) = (pi / 8) / sqrt(p (1 - p)), so p (1 - p) = (pi alpha / 8)^2 at both ends', () => {
    const end = (1 - Math.sqrt(1 - 4 * ((Math.PI * 0.05) / 8) ** 2)) / 2;

    const { lower, upper } = betaBinomialInterval({ n: 1, sum: 0.5, alpha: 0.05 });

    expect(lower).toBeCloseTo(end, 14);
    expect(upper).toBeCloseTo(1 - end, 14);
  });
});

describe('edges', () => {
  test('nothing observed says nothing', () => {
    expect(betaBinomialInterval({ n: 0, sum: 0, alpha: 0.05 })).toEqual({ lower: 0, upper: 1 });
    expect(betaBinomialLogEvidence(0.3, { n: 0, sum: 0 })).toBe(0);
  });

  test('no success keeps 0, only successes keep 1', () => {
    expect(betaBinomialInterval({ n: 1e9, sum: 0, alpha: 0.05 }).lower).toBe(0);
    expect(betaBinomialInterval({ n: 1e9, sum: 1e9, alpha: 0.05 }).upper).toBe(1);
  });

  test('impossible means have infinite evidence against them', () => {
    expect(betaBinomialLogEvidence(0, { n: 3, sum: 0.1 })).toBe(Number.POSITIVE_INFINITY);
    expect(betaBinomialLogEvidence(1, { n: 3, sum: 2.9 })).toBe(Number.POSITIVE_INFINITY);
  });

  test('a sum next to nothing behaves like none', () => {
    const none = betaBinomialInterval({ n: 10, sum: 0, alpha: 0.05 });

    const next = betaBinomialInterval({ n: 10, sum: 1e-320, alpha: 0.05 });

    expect(next.lower).toBe(0);
    expect(next.upper).toBeCloseTo(none.upper, 12);
  });

  test('a billion rewards keep nine digits: close to mean ± sqrt(p q (ln n + 2 ln(1/alpha)) / n) and symmetric', () => {
    const n = 1e9;
    const narrow = betaBinomialInterval({ n, sum: 0.3 * n, alpha: 0.05 });
    const mirrored = betaBinomialInterval({ n, sum: 0.7 * n, alpha: 0.05 });
    // Laplace's approximation of the mixture at this n: its relative error is below 1e-4.
    const halfWidth = Math.sqrt((0.21 / n) * (2 * Math.log(1 / 0.05) + Math.log(n / (2 * Math.PI * 0.21))));

    expect(Math.abs((narrow.upper - narrow.lower) / (2 * halfWidth) - 1)).toBeLessThan(1e-4);
    expect(Math.abs(narrow.lower - (1 - mirrored.upper))).toBeLessThan(1e-13);
  });

  test.each([
    ['alpha of 0', { n: 1, sum: 0, alpha: 0 }],
    ['alpha of 1', { n: 1, sum: 0, alpha: 1 }],
    ['a negative count', { n: -1, sum: 0, alpha: 0.05 }],
    ['a count that is no number', { n: Number.NaN, sum: 0, alpha: 0.05 }],
    ['more reward than rewards', { n: 2, sum: 2.1, alpha: 0.05 }],
    ['a negative sum', { n: 2, sum: -0.1, alpha: 0.05 }],
    ['a sum that is no number', { n: 2, sum: Number.NaN, alpha: 0.05 }],
    ['an improper prior', { n: 2, sum: 1, alpha: 0.05, prior: { a: 0, b: 1 } }],
  ])('refuses %s', (_what, input) => {
    expect(() => betaBinomialInterval(input)).toThrow(expect.objectContaining({ code: 'internal' }));
  });

  test('forgives the rounding of a long sum', () => {
    const sum = Array.from({ length: 1_000 }, () => 0.1).reduce((total, reward) => total + reward / 0.1, 0);

    expect(betaBinomialInterval({ n: 1_000, sum: sum + 1e-10, alpha: 0.05 }).upper).toBe(1);
  });
});

const total = fc
  .tuple(fc.integer({ min: 1, max: 1_000_000_000 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([n, mean]) => ({ n, sum: n * mean }));
const alpha = fc.double({ min: 1e-6, max: 0.5, noNaN: true });

describe('properties', () => {
  test('contains the mean and stays within [0, 1]', () => {
    fc.assert(
      fc.property(total, alpha, (rewards, level) => {
        const { lower, upper } = betaBinomialInterval({ ...rewards, alpha: level });

        expect(lower).toBeGreaterThanOrEqual(0);
        expect(upper).toBeLessThanOrEqual(1);
        expect(lower).toBeLessThanOrEqual(rewards.sum / rewards.n);
        expect(upper).toBeGreaterThanOrEqual(rewards.sum / rewards.n);
      }),
    );
  });

  test('a smaller alpha never narrows it', () => {
    fc.assert(
      fc.property(total, alpha, (rewards, level) => {
        const outer = betaBinomialInterval({ ...rewards, alpha: level / 2 });
        const inner = betaBinomialInterval({ ...rewards, alpha: level });

        expect(outer.lower).toBeLessThanOrEqual(inner.lower);
        expect(outer.upper).toBeGreaterThanOrEqual(inner.upper);
      }),
    );
  });

  test('counting what was missed instead of what was earned mirrors it', () => {
    fc.assert(
      fc.property(total, alpha, (rewards, level) => {
        const earned = betaBinomialInterval({ ...rewards, alpha: level });
        const missed = betaBinomialInterval({ n: rewards.n, sum: rewards.n - rewards.sum, alpha: level });

        expect(missed.lower).toBeCloseTo(1 - earned.upper, 9);
        expect(missed.upper).toBeCloseTo(1 - earned.lower, 9);
      }),
    );
  });

  test('more reward moves both ends up', () => {
    fc.assert(
      fc.property(total, fc.double({ min: 0, max: 1, noNaN: true }), (rewards, share) => {
        const more = rewards.sum + (rewards.n - rewards.sum) * share;
        const before = betaBinomialInterval({ ...rewards, alpha: 0.05 });
        const after = betaBinomialInterval({ n: rewards.n, sum: more, alpha: 0.05 });

        expect(after.lower).toBeGreaterThanOrEqual(before.lower - 1e-12);
        expect(after.upper).toBeGreaterThanOrEqual(before.upper - 1e-12);
      }),
    );
  });

  test('excludes exactly the means whose evidence reaches ln(1 / alpha)', () => {
    fc.assert(
      fc.property(total, fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }), (rewards, mean) => {
        const { lower, upper } = betaBinomialInterval({ ...rewards, alpha: 0.05 });
        // A mean next to an end may fall on either side by rounding.
        fc.pre(Math.abs(mean - lower) > 1e-9 && Math.abs(mean - upper) > 1e-9);

        expect(betaBinomialLogEvidence(mean, rewards) < Math.log(20)).toBe(lower < mean && mean < upper);
      }),
    );
  });

  test('a difference spans the opposite ends of two intervals at half of alpha', () => {
    fc.assert(
      fc.property(total, total, alpha, (arm, baseline, level) => {
        const { lower, upper } = betaBinomialDifference({ arm, baseline, alpha: level });
        const of = (rewards: typeof arm) => betaBinomialInterval({ ...rewards, alpha: level / 2 });

        expect(lower).toBe(of(arm).lower - of(baseline).upper);
        expect(upper).toBe(of(arm).upper - of(baseline).lower);
        expect(lower).toBeLessThanOrEqual(arm.sum / arm.n - baseline.sum / baseline.n);
      }),
    );
  });
});
