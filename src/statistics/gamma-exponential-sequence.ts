import type { Interval } from './beta-binomial-sequence.ts';
import type { LoggedDecision } from './logged-decision.ts';
import {
  assertAlpha,
  foldObservation,
  lowerBound,
  NO_SUMS,
  type OneSidedSums,
} from './one-sided-sequence.ts';
import { pseudoOutcome } from './pseudo-outcome.ts';

/** Before any reward both ends are equally far. */
const FIRST_GUESS = 0.5;

/** State of the off-policy confidence sequence of one target policy. Plain data: it may be stored as JSON and resumed. */
export interface GammaExponentialSequence {
  readonly kind: 'gamma-exponential';
  /** How far pseudo-outcomes may fall below 0: 0 for importance weighting, more for doubly robust. */
  readonly k: number;
  /** Decisions folded. */
  readonly t: number;
  /** Of pseudo-outcomes of the value, and of 1 - value. */
  readonly lower: OneSidedSums;
  readonly upper: OneSidedSums;
}

/**
 * No decisions yet. `k` at least 0, fixed for the life of the sequence: 0 when no reward model is logged, 0.5 with one.
 */
export function gammaExponentialSequence(k: number): GammaExponentialSequence {
  if (!(k >= 0 && Number.isFinite(k))) throw new RangeError(`k must be finite and not negative, got ${k}.`);
  return { kind: 'gamma-exponential', k, t: 0, lower: NO_SUMS, upper: NO_SUMS };
}

/**
 * The sequence after one more decision. Fold each decision once, in decision order, when its reward is settled: an order
 * that depends on the rewards breaks the guarantee. The target is per decision: [0, 1, 0] asks for the value of the second
 * arm. RangeError naming the field on impossible input; rewards in [0, 1]. O(K).
 */
export function foldDecision(
  sequence: GammaExponentialSequence,
  decision: LoggedDecision,
): GammaExponentialSequence {
  const { k, t } = sequence;
  const outcome = pseudoOutcome(decision, k);
  const of = (x: number) => ({ x, range: k, before: t, firstGuess: FIRST_GUESS });
  return {
    ...sequence,
    t: t + 1,
    lower: foldObservation(sequence.lower, of(outcome.lower)),
    upper: foldObservation(sequence.upper, of(outcome.upper)),
  };
}

/**
 * Confidence sequence for the average, over the decisions so far, of the value that the target policy would have had:
 * with probability at least 1 - alpha it holds at every t at once, under assignment that depends on context and on
 * earlier rewards, and under drift. Assumes true propensities and rewards in [0, 1]. Where the target uses an arm without
 * propensity, that part counts 0 at the lower end and 1 at the upper: wider, still valid.
 *
 * Gamma-exponential mixture on pseudo-outcomes, alpha/2 per side (Karampatziakis, Mineiro, Ramdas, "Off-policy
 * confidence sequences", ICML 2021; Howard et al., Ann. Statist. 49, 2021). Never intersect earlier intervals with later
 * ones: the average moves. O(sqrt(t)).
 */
export function gammaExponentialInterval(sequence: GammaExponentialSequence, alpha: number): Interval {
  assertAlpha(alpha);
  const { k, t, lower, upper } = sequence;
  const input = { range: k, t, alpha: alpha / 2, least: 0 };
  return { lower: lowerBound(lower, input), upper: 1 - lowerBound(upper, input) };
}
