import { assertLoggedDecision, assertUnitReward, type LoggedDecision } from './logged-decision.ts';

// Short names: formulas read like their sources, and no lookup of a global in a hot loop.
const { max, min } = Math;

/** What one decision says about the value of the target policy, counted from both ends of [0, 1]. */
export interface PseudoOutcome {
  /** Expectation: the value. Never below -k. */
  readonly lower: number;
  /** Expectation: 1 - value. Never below -k. */
  readonly upper: number;
}

/**
 * Importance-weighted (k = 0) or doubly robust (k > 0, with `qHat`) pseudo-outcome of one decision, for rewards in
 * [0, 1]: with w_j = target_j / propensity_j and f(q, j) = min(q_j, k / w_j),
 * lower = w_A (r - f(q, A)) + sum over j of target_j f(q, j); upper is the same with 1 - r and 1 - q.
 *
 * The expectation is the value whatever `qHat` is, as long as `qHat` and `target` were fixed before the reward and the
 * propensities are true and positive wherever the target is; the cut at k / w keeps it from falling below -k.
 * Waudby-Smith, Wu, Ramdas, Karampatziakis, Mineiro, "Anytime-valid off-policy inference for contextual bandits",
 * arXiv 2210.10768. `qHat` outside [0, 1] is clipped into it. RangeError naming the field on impossible input. O(K).
 */
export function pseudoOutcome(decision: LoggedDecision, k: number): PseudoOutcome {
  assertLoggedDecision(decision, '');
  assertUnitReward(decision.reward, '');
  if (!(k >= 0 && Number.isFinite(k))) throw new RangeError(`k must be finite and not negative, got ${k}.`);
  const { propensities, chosen, reward, target, qHat } = decision;
  const weight = (target[chosen] ?? 0) / (propensities[chosen] ?? 0);
  let lower = weight * reward;
  let upper = weight * (1 - reward);
  if (qHat === undefined || k === 0) return { lower, upper };
  for (let arm = 0; arm < target.length; arm += 1) {
    const share = target[arm] ?? 0;
    // An arm without propensity is never corrected: its estimate would enter as if it were the truth.
    if (share === 0 || propensities[arm] === 0) continue;
    const limit = (k * (propensities[arm] ?? 0)) / share;
    const q = min(1, max(0, qHat[arm] ?? 0));
    const net = share - (arm === chosen ? weight : 0);
    lower += net * min(q, limit);
    upper += net * min(1 - q, limit);
  }
  return { lower, upper };
}
