import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type RidgeState, ridgeModel } from '../../../src/statistics/index.ts';
import { referenceValues } from '../../helpers/reference-values.ts';

interface Reference {
  readonly tolerance_abs: number;
  readonly decisions: readonly number[];
  readonly rewards: readonly number[];
  readonly contexts: readonly (readonly number[])[];
  readonly linucb: {
    readonly l2_lambda: number;
    readonly theta: Readonly<Record<string, readonly number[]>>;
  };
}

const reference = referenceValues<Reference>('mabwiser_deterministic');

describe('reference values', () => {
  test.each(['0', '1', '2'])('coefficients of arm %s', (arm) => {
    const model = ridgeModel({ dimension: 4, lambda: reference.linucb.l2_lambda });
    reference.contexts.forEach((context, index) => {
      if (reference.decisions[index] === Number(arm))
        model.add(context, reference.rewards[index] ?? Number.NaN);
    });

    model.coefficients().forEach((coefficient, index) => {
      const expected = reference.linucb.theta[arm]?.[index] ?? Number.NaN;
      expect(Math.abs(coefficient - expected)).toBeLessThanOrEqual(reference.tolerance_abs);
    });
  });
});

const dimension = 3;
const number = fc.double({ min: -10, max: 10, noNaN: true });
const observations = fc.array(
  fc.record({
    x: fc.array(number, { minLength: dimension, maxLength: dimension }),
    y: number,
    weight: fc.double({ min: 0, max: 5, noNaN: true }),
  }),
  { maxLength: 30 },
);

describe('the model', () => {
  test('by hand: one feature, theta = sum w x y / (lambda + sum w x^2)', () => {
    const model = ridgeModel({ dimension: 1, lambda: 2 });
    model.add([3], 1);
    model.add([1], 4, 0.5);

    expect(model.coefficients()).toEqual([(3 + 2) / (2 + 9 + 0.5)]);
    expect(model.predict([2])).toBeCloseTo(10 / 11.5, 15);
    expect(model.state().weight).toBe(1.5);
  });

  test('predicts 0 before anything was seen', () => {
    expect(ridgeModel({ dimension: 64, lambda: 1 }).predict(new Array<number>(64).fill(1))).toBe(0);
  });

  test('solves the normal equations: X^T W (y - X theta) = lambda theta', () => {
    fc.assert(
      fc.property(observations, fc.double({ min: 0.01, max: 10, noNaN: true }), (rows, lambda) => {
        const model = ridgeModel({ dimension, lambda });
        for (const { x, y, weight } of rows) model.add(x, y, weight);
        const theta = model.coefficients();

        for (let i = 0; i < dimension; i += 1) {
          let gradient = -lambda * (theta[i] ?? 0);
          let size = 1;
          for (const { x, y, weight } of rows) {
            gradient += weight * (x[i] ?? 0) * (y - model.predict(x));
            size += Math.abs(weight * (x[i] ?? 0)) * (Math.abs(y) + Math.abs(model.predict(x)));
          }
          expect(Math.abs(gradient)).toBeLessThan(1e-9 * size);
        }
      }),
    );
  });

  test('a whole weight counts like that many observations', () => {
    const weighted = ridgeModel({ dimension: 2, lambda: 1 });
    const repeated = ridgeModel({ dimension: 2, lambda: 1 });
    weighted.add([1, -2], 0.5, 3);
    for (let i = 0; i < 3; i += 1) repeated.add([1, -2], 0.5);

    expect(weighted.state()).toEqual(repeated.state());
  });

  test('forgets an observation that is taken back', () => {
    fc.assert(
      fc.property(observations, observations, (kept, withdrawn) => {
        const model = ridgeModel({ dimension, lambda: 1 });
        const without = ridgeModel({ dimension, lambda: 1 });
        for (const { x, y, weight } of withdrawn) model.add(x, y, weight);
        for (const { x, y, weight } of kept) {
          model.add(x, y, weight);
          without.add(x, y, weight);
        }
        for (const { x, y, weight } of withdrawn) model.remove(x, y, weight);

        const expected = without.state();
        // Sums of up to 30 products of at most 500 each.
        model.state().gram.forEach((entry, at) => {
          expect(Math.abs(entry - (expected.gram[at] ?? Number.NaN))).toBeLessThan(1e-9);
        });
        model.state().moment.forEach((entry, at) => {
          expect(Math.abs(entry - (expected.moment[at] ?? Number.NaN))).toBeLessThan(1e-9);
        });
        expect(Math.abs(model.state().weight - expected.weight)).toBeLessThan(1e-9);
      }),
    );
  });

  test('fades everything seen so far, and nothing that comes later', () => {
    const faded = ridgeModel({ dimension: 1, lambda: 1 });
    faded.add([2], 1);
    faded.discount(0.25);
    faded.add([2], 1);
    const weighted = ridgeModel({ dimension: 1, lambda: 1 });
    weighted.add([2], 1, 0.25);
    weighted.add([2], 1);

    expect(faded.state()).toEqual(weighted.state());
    expect(() => faded.discount(1.1)).toThrow('retention must');
  });

  test('resumes from its stored state to the last bit', () => {
    fc.assert(
      fc.property(observations, observations, (first, second) => {
        const whole = ridgeModel({ dimension, lambda: 1 });
        const before = ridgeModel({ dimension, lambda: 1 });
        for (const { x, y, weight } of first) {
          whole.add(x, y, weight);
          before.add(x, y, weight);
        }
        const resumed = ridgeModel(JSON.parse(JSON.stringify(before.state())) as RidgeState);
        for (const { x, y, weight } of second) {
          whole.add(x, y, weight);
          resumed.add(x, y, weight);
        }

        expect(JSON.stringify(resumed.coefficients())).toBe(JSON.stringify(whole.coefficients()));
      }),
    );
  });

  test('gives out states that later additions do not change', () => {
    const model = ridgeModel({ dimension: 1, lambda: 1 });
    model.add([1], 1);
    const state = model.state();

    model.add([1], 1);

    expect(state.gram).toEqual([1]);
  });

  test('finds 64 coefficients among 5,000 observations without noise', () => {
    const model = ridgeModel({ dimension: 64, lambda: 1e-9 });
    const theta = Array.from({ length: 64 }, (_, i) => Math.sin(i));
    for (let row = 0; row < 5_000; row += 1) {
      const x = theta.map((_, i) => Math.cos(row * (i + 1) * 0.7));
      model.add(
        x,
        x.reduce((sum, value, i) => sum + value * (theta[i] ?? 0), 0),
      );
    }

    model.coefficients().forEach((coefficient, i) => {
      expect(coefficient).toBeCloseTo(theta[i] ?? Number.NaN, 6);
    });
  });

  test.each([
    ['65 features', () => ridgeModel({ dimension: 65, lambda: 1 })],
    ['no features', () => ridgeModel({ dimension: 0, lambda: 1 })],
    ['no penalty', () => ridgeModel({ dimension: 1, lambda: 0 })],
    ['features of another length', () => ridgeModel({ dimension: 2, lambda: 1 }).add([1], 1)],
    ['a feature that is no number', () => ridgeModel({ dimension: 1, lambda: 1 }).predict([Number.NaN])],
    ['an infinite reward', () => ridgeModel({ dimension: 1, lambda: 1 }).add([1], Number.POSITIVE_INFINITY)],
    ['a negative weight', () => ridgeModel({ dimension: 1, lambda: 1 }).add([1], 1, -1)],
    [
      'a state of another size',
      () => ridgeModel({ dimension: 2, lambda: 1, weight: 0, gram: [1], moment: [0, 0] }),
    ],
    [
      'a state that no observations make',
      () => ridgeModel({ dimension: 1, lambda: 1, weight: 0, gram: [-2], moment: [1] }).predict([1]),
    ],
  ])('refuses %s', (_what, act) => {
    expect(act).toThrow(RangeError);
  });
});
