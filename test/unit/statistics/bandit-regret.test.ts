import { describe, expect, test } from '@jest/globals';
import { type Random, seededRandom } from '../../../src/kernel/index.ts';
import {
  betaPosterior,
  chooseByWeights,
  epsilonGreedyPropensities,
  fixedPropensities,
  type ObservedTotal,
  sampleBeta,
  thompsonPropensities,
} from '../../../src/statistics/index.ts';
import { referenceValues } from '../../helpers/reference-values.ts';

interface Result {
  readonly checkpoints: readonly number[];
  readonly mean_pseudo_regret: readonly number[];
  readonly se: readonly number[];
}

interface Reference {
  readonly means: readonly number[];
  readonly results: {
    readonly random: Result;
    readonly 'epsilon_greedy_0.1': Result;
    readonly thompson_beta11: Result;
  };
}

const { means, results } = referenceValues<Reference>('bandit_regret_mabwiser');

type Policy = (totals: readonly ObservedTotal[], random: Random) => number;

const byPropensities =
  (propensitiesOf: (totals: readonly ObservedTotal[]) => readonly number[]): Policy =>
  (totals, random) =>
    chooseByWeights(random.next(), propensitiesOf(totals)) ?? 0;

const thompsonByQuadrature = byPropensities((totals) =>
  thompsonPropensities(totals.map((total) => betaPosterior(total))),
);

const thompsonByDrawing: Policy = (totals, random) => {
  const draws = totals.map((total) => {
    const { a, b } = betaPosterior(total);
    return sampleBeta(random, a, b);
  });
  return draws.indexOf(Math.max(...draws));
};

/** Pseudo-regret of each seed at each checkpoint; every arm is pulled once first, as the reference does. */
function regrets(
  policy: Policy,
  seeds: number,
  checkpoints: readonly number[],
): readonly (readonly number[])[] {
  const best = Math.max(...means);
  return Array.from({ length: seeds }, (_, seed) => {
    const random = seededRandom(seed + 1);
    const totals: ObservedTotal[] = means.map(() => ({ n: 0, sum: 0 }));
    const atCheckpoints: number[] = [];
    let regret = 0;
    for (let t = 0; t < Math.max(...checkpoints); t += 1) {
      const arm = t < means.length ? t : policy(totals, random);
      const mean = means[arm] ?? 0;
      const { n, sum } = totals[arm] ?? { n: 0, sum: 0 };
      totals[arm] = { n: n + 1, sum: sum + (random.next() < mean ? 1 : 0) };
      regret += best - mean;
      if (checkpoints.includes(t + 1)) atCheckpoints.push(regret);
    }
    return atCheckpoints;
  });
}

/** |mean - reference| <= 4 sqrt(se^2 + se_reference^2), the rule that the reference file states. */
function expectRegret(policy: Policy, seeds: number, reference: Result, horizon: number): void {
  const checkpoints = reference.checkpoints.filter((checkpoint) => checkpoint <= horizon);
  expect(checkpoints.length).toBeGreaterThan(0);
  const runs = regrets(policy, seeds, checkpoints);
  checkpoints.forEach((_, index) => {
    const values = runs.map((run) => run[index] ?? Number.NaN);
    const mean = values.reduce((sum, value) => sum + value, 0) / seeds;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (seeds - 1);
    const tolerance = 4 * Math.sqrt(variance / seeds + (reference.se[index] ?? 0) ** 2);

    expect(Math.abs(mean - (reference.mean_pseudo_regret[index] ?? Number.NaN))).toBeLessThanOrEqual(
      tolerance,
    );
  });
}

describe('regret of the published implementation', () => {
  test('Thompson sampling by propensities', () => {
    expectRegret(thompsonByQuadrature, 10, results.thompson_beta11, 250);
  });

  test('Thompson sampling by drawing', () => {
    expectRegret(thompsonByDrawing, 80, results.thompson_beta11, 1_000);
  });

  test('epsilon-greedy', () => {
    // The reference gives a tie to the first arm, and in this order the first is the worst.
    const policy = byPropensities((totals) =>
      epsilonGreedyPropensities(
        totals.map(({ n, sum }, arm) => sum / n - 1e-9 * arm),
        0.1,
      ),
    );

    expectRegret(policy, 200, results['epsilon_greedy_0.1'], 1_000);
  });

  test('an even split', () => {
    expectRegret(
      byPropensities((totals) => fixedPropensities(totals.map(() => 1))),
      200,
      results.random,
      1_000,
    );
  });
});
