import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { betaPosterior, discounted, gaussianPosterior } from '../../../src/statistics/index.ts';
import { referenceValues } from '../../helpers/reference-values.ts';

interface Reference {
  readonly tolerance_abs: number;
  readonly gaussian_posterior: readonly {
    readonly prior_mean: number;
    readonly prior_var: number;
    readonly n: number;
    readonly xbar: number;
    readonly noise_var: number;
    readonly post_mean: number;
    readonly post_var: number;
  }[];
  readonly discounted_beta: {
    readonly gamma: number;
    readonly rewards: readonly number[];
    readonly trace: readonly (readonly [number, number])[];
  };
}

interface MabWiser {
  readonly decisions: readonly number[];
  readonly rewards: readonly number[];
  readonly thompson_beta: Readonly<Record<string, readonly [number, number]>>;
}

const reference = referenceValues<Reference>('bandit_updates');
const mabWiser = referenceValues<MabWiser>('mabwiser_deterministic');

describe('reference values', () => {
  test.each(reference.gaussian_posterior)('normal posterior after $n rewards of mean $xbar', (row) => {
    const posterior = gaussianPosterior(
      { n: row.n, sum: row.n * row.xbar },
      { mean: row.prior_mean, variance: row.prior_var, noiseVariance: row.noise_var },
    );

    expect(Math.abs(posterior.mean - row.post_mean)).toBeLessThanOrEqual(reference.tolerance_abs);
    expect(Math.abs(posterior.variance - row.post_var)).toBeLessThanOrEqual(reference.tolerance_abs);
  });

  test.each(['0', '1', '2'])('Beta posterior of arm %s', (arm) => {
    const rewards = mabWiser.rewards.filter((_, index) => mabWiser.decisions[index] === Number(arm));
    const sum = rewards.reduce((total, reward) => total + reward, 0);

    const { a, b } = betaPosterior({ n: rewards.length, sum });

    expect([a, b]).toEqual(mabWiser.thompson_beta[arm]);
  });

  test('discounted Beta posterior after every reward', () => {
    const { gamma, rewards, trace } = reference.discounted_beta;
    let total = { n: 0, sum: 0 };
    rewards.forEach((reward, index) => {
      total = discounted(total, { n: 1, sum: reward }, gamma);
      const { a, b } = betaPosterior(total);

      expect(Math.abs(a - (trace[index]?.[0] ?? Number.NaN))).toBeLessThanOrEqual(reference.tolerance_abs);
      expect(Math.abs(b - (trace[index]?.[1] ?? Number.NaN))).toBeLessThanOrEqual(reference.tolerance_abs);
    });
  });
});

describe('posteriors', () => {
  test('fractional rewards count in parts', () => {
    expect(betaPosterior({ n: 2, sum: 0.7 }, { a: 0.5, b: 0.5 })).toEqual({ kind: 'beta', a: 1.2, b: 1.8 });
  });

  test('no rewards leave the prior', () => {
    expect(gaussianPosterior({ n: 0, sum: 0 }, { mean: 3, variance: 2, noiseVariance: 1 })).toEqual({
      kind: 'gaussian',
      mean: 3,
      variance: 2,
    });
  });

  test('an arm without rewards forgets', () => {
    expect(discounted({ n: 100, sum: 40 }, { n: 0, sum: 0 }, 0.5)).toEqual({ n: 50, sum: 20 });
  });

  test('what is remembered never exceeds 1 / (1 - retention) batches', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 200 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        (rewards, retention) => {
          let total = { n: 0, sum: 0 };
          for (const reward of rewards) total = discounted(total, { n: 1, sum: reward }, retention);

          expect(total.n).toBeLessThanOrEqual(1 / (1 - retention) + 1e-9);
          expect(() => betaPosterior(total)).not.toThrow();
        },
      ),
    );
  });

  test.each([
    ['more reward than rewards', () => betaPosterior({ n: 2, sum: 2.1 })],
    ['a count that is no number', () => betaPosterior({ n: Number.NaN, sum: 0 })],
    ['an improper Beta prior', () => betaPosterior({ n: 2, sum: 1 }, { a: 0, b: 1 })],
    ['no noise', () => gaussianPosterior({ n: 1, sum: 1 }, { mean: 0, variance: 1, noiseVariance: 0 })],
    [
      'reward without rewards',
      () => gaussianPosterior({ n: 0, sum: 1 }, { mean: 0, variance: 1, noiseVariance: 1 }),
    ],
    ['a retention of 0', () => discounted({ n: 1, sum: 1 }, { n: 1, sum: 1 }, 0)],
    ['a retention above 1', () => discounted({ n: 1, sum: 1 }, { n: 1, sum: 1 }, 1.01)],
  ])('refuse %s', (_what, make) => {
    expect(make).toThrow(RangeError);
  });
});
