/**
 * Epsilon-greedy (Sutton & Barto, Reinforcement Learning, 2nd ed., 2.2): `epsilon` spread over all K arms, the rest on
 * the arm with the greatest estimate. Equal estimates share the rest, so that the order of the arms decides nothing.
 * `estimates` in any unit, finite; `epsilon` within [0, 1]. O(K).
 */
export function epsilonGreedyPropensities(estimates: readonly number[], epsilon: number): readonly number[] {
  if (estimates.length === 0) throw new RangeError('estimates must not be empty.');
  if (!(epsilon >= 0 && epsilon <= 1)) throw new RangeError(`epsilon must be within [0, 1], got ${epsilon}.`);
  estimates.forEach((estimate, arm) => {
    if (!Number.isFinite(estimate))
      throw new RangeError(`estimates[${arm}] must be finite, got ${estimate}.`);
  });
  const best = Math.max(...estimates);
  const ties = estimates.filter((estimate) => estimate === best).length;
  return estimates.map(
    (estimate) => epsilon / estimates.length + (estimate === best ? (1 - epsilon) / ties : 0),
  );
}
