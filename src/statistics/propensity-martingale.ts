import { assertDistribution } from './distribution.ts';

/** Pseudo-units per arm: finds a fault of a tenth within some thousand units, and hardly doubts before a hundred. */
const DEFAULT_CONCENTRATION = 100;

/** State of the test that units were assigned with the propensities that were logged. Plain data, as JSON if need be. */
export interface PropensityMartingale {
  readonly kind: 'propensity-martingale';
  readonly concentration: number;
  /** Units seen per arm. */
  readonly counts: readonly number[];
  /** Sum of the logged propensities per arm: the units expected. */
  readonly expected: readonly number[];
  /** Logarithm of the betting score against the log: an e-value. */
  readonly lnEvidence: number;
  /** Least of exp(-lnEvidence) over all units, at most 1: a valid p-value at any time. */
  readonly p: number;
}

/**
 * Anytime-valid test for sample ratio mismatch where the propensities change (bandits, contexts): no units yet. Bets that
 * arm a comes with q_t(a), proportional to p_t(a) (c + N_a) / (c + sum of earlier p_s(a)), and multiplies
 * q_t(A_t) / p_t(A_t). q_t is fixed before the t-th unit, so under true propensities the expectation of each factor is
 * 1: a test martingale, and by Ville's inequality it ever exceeds 1/alpha with
 * probability at most alpha. An own construction; the property holds for any such q. Raise an alarm at p < 0.001.
 *
 * `concentration` c: pseudo-units per arm that came as expected.
 */
export function propensityMartingale(
  armCount: number,
  concentration = DEFAULT_CONCENTRATION,
): PropensityMartingale {
  if (!(Number.isInteger(armCount) && armCount >= 2)) {
    throw new RangeError(`armCount must be a whole number of at least 2, got ${armCount}.`);
  }
  if (!(concentration > 0 && Number.isFinite(concentration))) {
    throw new RangeError(`concentration must be positive and finite, got ${concentration}.`);
  }
  const none = new Array<number>(armCount).fill(0);
  return { kind: 'propensity-martingale', concentration, counts: none, expected: none, lnEvidence: 0, p: 1 };
}

/**
 * The test after one more unit, once per unit with the propensities of its first assignment. An arm that the log calls
 * impossible is infinite evidence: p becomes 0. RangeError naming the field on input that is no assignment. O(K).
 */
export function foldAssignment(
  test: PropensityMartingale,
  propensities: readonly number[],
  chosen: number,
): PropensityMartingale {
  const { concentration, counts, expected } = test;
  if (propensities.length !== counts.length) {
    throw new RangeError(`propensities must have ${counts.length} arms, got ${propensities.length}.`);
  }
  assertDistribution(propensities, 'propensities');
  if (!(Number.isInteger(chosen) && chosen >= 0 && chosen < counts.length)) {
    throw new RangeError(`chosen must be an arm in 0 … ${counts.length - 1}, got ${chosen}.`);
  }
  const ratioOf = (arm: number): number =>
    (concentration + (counts[arm] ?? 0)) / (concentration + (expected[arm] ?? 0));
  let average = 0;
  let total = 0;
  for (let arm = 0; arm < counts.length; arm += 1) {
    average += (propensities[arm] ?? 0) * ratioOf(arm);
    total += propensities[arm] ?? 0;
  }
  // Logged propensities that sum to 1 ± 1e-6 by rounding must not bet by that much every time.
  const factor = (ratioOf(chosen) * total) / average;
  // Not Infinity, which JSON cannot hold: exp(-MAX_VALUE) is 0 as well.
  const lnEvidence =
    propensities[chosen] === 0
      ? Number.MAX_VALUE
      : Math.min(Number.MAX_VALUE, test.lnEvidence + Math.log(factor));
  return {
    ...test,
    counts: counts.map((count, arm) => (arm === chosen ? count + 1 : count)),
    expected: expected.map((sum, arm) => sum + (propensities[arm] ?? 0) / total),
    lnEvidence,
    p: Math.min(test.p, Math.exp(-lnEvidence)),
  };
}
