import type { Interval } from './beta-binomial-sequence.ts';
import {
  assertAssignment,
  assertEstimates,
  assertUnitReward,
  type LoggedDecision,
} from './logged-decision.ts';
import {
  assertAlpha,
  foldObservation,
  lowerBound,
  NO_SUMS,
  type OneSidedSums,
} from './one-sided-sequence.ts';

// Short names: formulas read like their sources, and no lookup of a global in a hot loop.
const { max, min } = Math;

/** Before any reward no arm is better. */
const FIRST_GUESS = 0;

/** A floor and a propensity at that floor may differ by rounding: this share is forgiven, and counts as the floor. */
const FLOOR_SLACK = 1e-9;

/** State of the confidence sequence of one difference, value(arm) - value(baseline). Plain data, as JSON if need be. */
export interface DifferenceSequence {
  readonly kind: 'difference';
  readonly arm: number;
  readonly baseline: number;
  /** Cut of the estimates: f = min(q, k p). 0 ignores `qHat`. */
  readonly k: number;
  /** Promised least propensity of both arms; 0 promises nothing. */
  readonly minPropensity: number;
  /** Decisions folded. */
  readonly t: number;
  /** Of pseudo-outcomes of the difference, and of its negative. */
  readonly lower: OneSidedSums;
  readonly upper: OneSidedSums;
}

interface DifferenceOptions {
  readonly arm: number;
  readonly baseline: number;
  /** Default: 1 / minPropensity (the estimates count in full), or 0.5 without a promise. */
  readonly k?: number;
  /** The policy's floor, known beforehand. Every folded propensity of the two arms must keep it. Default: no promise. */
  readonly minPropensity?: number;
}

/** No decisions yet. RangeError on two equal arms, negative k or a floor outside [0, 1/2]. */
export function differenceSequence(options: DifferenceOptions): DifferenceSequence {
  const { arm, baseline, minPropensity = 0 } = options;
  if (
    !(Number.isInteger(arm) && Number.isInteger(baseline) && arm >= 0 && baseline >= 0 && arm !== baseline)
  ) {
    throw new RangeError(`arm and baseline must be two different arms, got ${arm} and ${baseline}.`);
  }
  if (!(minPropensity >= 0 && minPropensity <= 0.5)) {
    throw new RangeError(`minPropensity must be within [0, 1/2] for two arms, got ${minPropensity}.`);
  }
  const k = options.k ?? (minPropensity > 0 ? 1 / minPropensity : 0.5);
  if (!(k >= 0 && Number.isFinite(k))) throw new RangeError(`k must be finite and not negative, got ${k}.`);
  return { kind: 'difference', arm, baseline, k, minPropensity, t: 0, lower: NO_SUMS, upper: NO_SUMS };
}

type DifferenceDecision = Omit<LoggedDecision, 'target'>;

/**
 * The sequence after one more decision: fold each once, in decision order, when its reward in [0, 1] is settled. Decisions
 * that chose a third arm count too. With arms a and b, propensities p, weights w = 1{chosen}/p and f(q, p) = min(q, k p),
 *
 *   D = [f(q_a, p_a) + w_a (r - f(q_a, p_a))] + [f(1 - q_b, p_b) + w_b (1 - r - f(1 - q_b, p_b))] - 1,
 *
 * the pseudo-outcome of value(a) plus that of 1 - value(b), minus 1: its expectation is value(a) - value(b), whatever the
 * estimates q (which must be known before the reward; without them they count as 1/2). For k p >= 1 it is the plain
 * augmented inverse-propensity difference; for k = 0 it is w_a r + w_b (1 - r) - 1.
 *
 * How far it can fall: only one of the corrections is not 0, its r or 1 - r is at least 0, and f >= 0, so that
 * D >= f (1 - 1/p) - 1 for the chosen arm. From f <= k p that is at least -(1 + k), from f <= 1 at least -1/p. So
 * range = min(1 + k, 1/minPropensity) is a bound known beforehand, the mean is at most 1, and xi = D / (range + 1) with a
 * predictor of at most 1 / (range + 1) keeps xi - predictor >= -1: the condition of the one-sided bound. The upper end is
 * the lower end of the same with a and b exchanged. Upward D may be as great as 1/p; no bound is needed there.
 *
 * RangeError naming the field on impossible input, on a missing arm, or on a propensity of 0 or below the promise. O(K).
 */
export function foldDifference(
  sequence: DifferenceSequence,
  decision: DifferenceDecision,
): DifferenceSequence {
  assertAssignment(decision, '');
  assertUnitReward(decision.reward, '');
  if (decision.qHat !== undefined) assertEstimates(decision.qHat, decision.propensities.length, '');
  const { arm, baseline, t } = sequence;
  const range = rangeOf(sequence);
  const of = (better: number, worse: number) => ({
    x: sideOf(sequence, decision, better, decision.reward) + mirroredSideOf(sequence, decision, worse) - 1,
    range,
    before: t,
    firstGuess: FIRST_GUESS,
  });
  return {
    ...sequence,
    t: t + 1,
    lower: foldObservation(sequence.lower, of(arm, baseline)),
    upper: foldObservation(sequence.upper, of(baseline, arm)),
  };
}

/**
 * Confidence sequence for the average, over the decisions so far, of value(arm) - value(baseline), in [-1, 1]: at every
 * t at once with probability at least 1 - alpha, under adaptive and contextual assignment and under drift. The method
 * and its sources are those of `gammaExponentialInterval`, alpha/2 per side. For several arms against one baseline divide
 * alpha by their number. O(sqrt(t)).
 */
export function differenceInterval(sequence: DifferenceSequence, alpha: number): Interval {
  assertAlpha(alpha);
  const input = { range: rangeOf(sequence), t: sequence.t, alpha: alpha / 2, least: -1 };
  return { lower: lowerBound(sequence.lower, input), upper: -lowerBound(sequence.upper, input) };
}

/** Without a promise 1 / minPropensity is infinite. */
function rangeOf({ k, minPropensity }: DifferenceSequence): number {
  return min(1 + k, 1 / minPropensity);
}

function mirroredSideOf(sequence: DifferenceSequence, decision: DifferenceDecision, arm: number): number {
  const { qHat } = decision;
  const mirrored = qHat === undefined ? {} : { qHat: qHat.map((q) => 1 - q) };
  return sideOf(sequence, { ...decision, ...mirrored }, arm, 1 - decision.reward);
}

/** f + w (r - f) of one arm. */
function sideOf(
  sequence: DifferenceSequence,
  decision: DifferenceDecision,
  arm: number,
  reward: number,
): number {
  const { minPropensity } = sequence;
  const logged = decision.propensities[arm] ?? 0;
  if (!(logged > 0 && logged >= minPropensity * (1 - FLOOR_SLACK))) {
    throw new RangeError(
      `propensities[${arm}] must be positive and at least ${minPropensity}, got ${logged}.`,
    );
  }
  const propensity = max(logged, minPropensity);
  const q = min(1, max(0, decision.qHat?.[arm] ?? 0.5));
  const estimate = min(q, sequence.k * propensity);
  return decision.chosen === arm ? estimate + (reward - estimate) / propensity : estimate;
}
