import { assertDistribution } from './distribution.ts';

/**
 * Top-two Thompson sampling (Russo, Operations Research 68(6), 2020): the arm that a posterior draw ranks first with
 * probability `leaderShare`, else the first different one of further draws. It finds the best arm sooner than Thompson
 * sampling because it does not starve the runner-up: p_i = P_i [beta + (1 - beta) sum over j != i of P_j / (1 - P_j)]
 * with P the probabilities of being best (from `thompsonPropensities`). `leaderShare` within [0, 1], beta = 1/2 by
 * default. Where one arm is best for certain, the others share the challenger's part equally. O(K^2).
 */
export function topTwoPropensities(
  bestProbabilities: readonly number[],
  leaderShare = 0.5,
): readonly number[] {
  assertDistribution(bestProbabilities, 'bestProbabilities');
  if (!(leaderShare >= 0 && leaderShare <= 1)) {
    throw new RangeError(`leaderShare must be within [0, 1], got ${leaderShare}.`);
  }
  const count = bestProbabilities.length;
  if (count === 1) return [1];
  const total = bestProbabilities.reduce((sum, p) => sum + p, 0);
  const propensities = bestProbabilities.map((p) => (leaderShare * p) / total);
  for (let leader = 0; leader < count; leader += 1) {
    const toShare = ((1 - leaderShare) * (bestProbabilities[leader] ?? 0)) / total;
    if (toShare === 0) continue;
    // Summed, not 1 - P: for P next to 1 the difference would have no digits left.
    let others = 0;
    for (let arm = 0; arm < count; arm += 1) if (arm !== leader) others += bestProbabilities[arm] ?? 0;
    for (let arm = 0; arm < count; arm += 1) {
      if (arm === leader) continue;
      const share = others > 0 ? (bestProbabilities[arm] ?? 0) / others : 1 / (count - 1);
      propensities[arm] = (propensities[arm] ?? 0) + toShare * share;
    }
  }
  return propensities;
}
