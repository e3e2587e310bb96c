import { AppError } from '../kernel/index.ts';
import { lnBeta, stirlingRest } from './gamma-function.ts';
import { linearLessLog1p } from './linear-less-log1p.ts';
import type { BetaPrior } from './posterior.ts';

// Formulas read like their sources this way.
const { log, log1p } = Math;

/** Closed interval of real numbers. */
export interface Interval {
  readonly lower: number;
  readonly upper: number;
}

/** Favours no mean. The reference values are computed with it. */
const UNIFORM_PRIOR: BetaPrior = { a: 1, b: 1 };

/** `n` rewards, each in [0, 1], that sum to `sum`: fractional successes are allowed. */
export interface RewardTotal {
  readonly n: number;
  readonly sum: number;
}

interface BetaBinomialEvidenceInput extends RewardTotal {
  /** Default: Beta(1, 1). */
  readonly prior?: BetaPrior;
}

interface BetaBinomialIntervalInput extends BetaBinomialEvidenceInput {
  /** Share of sequences that may ever miss the mean, in (0, 1). */
  readonly alpha: number;
}

interface BetaBinomialDifferenceInput {
  readonly baseline: RewardTotal;
  readonly arm: RewardTotal;
  /** For the difference as a whole; each side is built with half of it. */
  readonly alpha: number;
  /** Default: Beta(1, 1). */
  readonly prior?: BetaPrior;
}

const HALF_LN_2_PI = 0.918_938_533_204_672_8;

/** A bisection halves until neighbouring doubles are reached, about 60 times; bounds next to 0 get this many. */
const BISECTION_STEPS = 200;

/** Sums of many doubles overshoot by rounding: this share of n is forgiven and clamped. */
const ROUNDING_SHARE = 1e-9;

/**
 * Confidence sequence for the mean of rewards in [0, 1]: with probability at least 1 - alpha the mean lies inside at
 * *every* n at once, so the interval may be read at any moment, and reading may stop at any moment.
 *
 * Beta-binomial mixture (Robbins, Ann. Math. Statist. 41, 1970; Howard, Ramdas, McAuliffe, Sekhon, Ann. Statist. 49,
 * 2021): {p : log E_n(p) < ln(1/alpha)} with E_n of {@link betaBinomialLogEvidence}. For rewards between 0 and 1 it
 * holds as well, because for x in [0, 1] and positive u, v
 * u^x v^(1-x) <= x u + (1-x) v (weighted means), so the mixture stays a supermartingale at the true mean.
 *
 * Assumes that each reward, given all before it, has the same mean. It needs the count and the sum only: order does
 * not matter, and late or corrected rewards are exact. No rewards: [0, 1]. Fails with `internal` on numbers that are
 * no reward total.
 */
export function betaBinomialInterval(input: BetaBinomialIntervalInput): Interval {
  const { alpha } = input;
  if (!(alpha > 0 && alpha < 1)) throw new AppError('internal', `alpha must be within (0, 1), got ${alpha}.`);
  const { n, sum, prior } = checked(input);
  if (n === 0) return { lower: 0, upper: 1 };
  const room = -log(alpha) - peakLogEvidence(n, sum, prior);
  // With no or only whole rewards the deviance is one logarithm, which is inverted exactly.
  if (sum === 0) return { lower: 0, upper: -Math.expm1(-room / n) };
  if (sum === n) return { lower: Math.exp(-room / n), upper: 1 };
  const mean = sum / n;
  return { lower: outermost(n, sum, room, mean, 0), upper: outermost(n, sum, room, mean, 1) };
}

/**
 * log E_n(p) = lnB(a+s, b+n-s) - lnB(a, b) - s ln p - (n-s) ln(1-p): the log of a betting score against "the mean is
 * p". It is an e-value at every n; p is outside the interval for alpha exactly when it is at least ln(1/alpha).
 *
 * Computed as its value at p = s/n plus the binomial deviance, so that it keeps its digits for n up to 1e9 and beyond,
 * where the terms above are near 1e10 and cancel. p within [0, 1]; `Infinity` where p is impossible.
 */
export function betaBinomialLogEvidence(p: number, input: BetaBinomialEvidenceInput): number {
  if (!(p >= 0 && p <= 1)) throw new AppError('internal', `A mean must be within [0, 1], got ${p}.`);
  const { n, sum, prior } = checked(input);
  return n === 0 ? 0 : peakLogEvidence(n, sum, prior) + deviance(n, sum, p);
}

/**
 * Confidence sequence for `mean(arm) - mean(baseline)` by union bound: each mean at alpha/2, differences of opposite
 * ends. Valid whatever the dependence between the two. For several arms against one baseline divide alpha by their
 * number first; then all statements hold together.
 */
export function betaBinomialDifference(input: BetaBinomialDifferenceInput): Interval {
  const prior = input.prior ?? UNIFORM_PRIOR;
  const arm = betaBinomialInterval({ ...input.arm, prior, alpha: input.alpha / 2 });
  const baseline = betaBinomialInterval({ ...input.baseline, prior, alpha: input.alpha / 2 });
  return { lower: arm.lower - baseline.upper, upper: arm.upper - baseline.lower };
}

function checked(input: BetaBinomialEvidenceInput): { n: number; sum: number; prior: BetaPrior } {
  const { n, sum } = input;
  const prior = input.prior ?? UNIFORM_PRIOR;
  if (!(n >= 0 && Number.isFinite(n)))
    throw new AppError('internal', `A count must be finite and not negative, got ${n}.`);
  const slack = ROUNDING_SHARE * Math.max(1, n);
  if (!(sum >= -slack && sum <= n + slack)) {
    throw new AppError('internal', `A sum of ${n} rewards in [0, 1] must be within [0, ${n}], got ${sum}.`);
  }
  if (!(prior.a > 0 && prior.b > 0 && Number.isFinite(prior.a + prior.b))) {
    throw new AppError('internal', `A Beta prior needs two positive numbers, got (${prior.a}, ${prior.b}).`);
  }
  return { n, sum: Math.min(n, Math.max(0, sum)), prior };
}

/** log E_n at p = s/n, where it is smallest: never positive. Stirling's main terms are cancelled on paper. */
function peakLogEvidence(n: number, s: number, { a, b }: BetaPrior): number {
  const failures = n - s;
  const total = a + b + n;
  return (
    timesLog1pRatio(s, a) +
    timesLog1pRatio(failures, b) -
    timesLog1pRatio(n, a + b) +
    (a - 0.5) * log(a + s) +
    (b - 0.5) * log(b + failures) -
    (a + b - 0.5) * log(total) +
    HALF_LN_2_PI +
    stirlingRest(a + s) +
    stirlingRest(b + failures) -
    stirlingRest(total) -
    lnBeta(a, b)
  );
}

/** x ln(1 + y/x), which is 0 at x = 0. */
function timesLog1pRatio(x: number, y: number): number {
  const ratio = y / x;
  return Number.isFinite(ratio) ? x * log1p(ratio) : 0;
}

/** n KL(s/n || p): how much less likely the rewards are under p than under their own mean. */
function deviance(n: number, s: number, p: number): number {
  const failures = n - s;
  if (s === 0) return p === 0 ? 0 : -n * log1p(-p);
  if (failures === 0) return p === 1 ? 0 : -n * log(p);
  if (p === 0 || p === 1) return Number.POSITIVE_INFINITY;
  const linear = n * p - s;
  const up = linear / s;
  const down = -linear / failures;
  // The linear parts of the two halves cancel: s * up + failures * down = 0.
  const ofSuccesses = isNear(up) ? s * linearLessLog1p(up) : linear - s * (log(p) + log(n) - log(s));
  const ofFailures = isNear(down)
    ? failures * linearLessLog1p(down)
    : -linear - failures * (log1p(-p) + log(n) - log(failures));
  return ofSuccesses + ofFailures;
}

function isNear(x: number): boolean {
  return Math.abs(x) < 0.5;
}

/** The end of the interval between `mean` (inside) and `outside`, rounded outward. */
function outermost(n: number, sum: number, room: number, mean: number, outside: 0 | 1): number {
  let excluded: number = outside;
  let included = mean;
  for (let step = 0; step < BISECTION_STEPS; step += 1) {
    const middle = (excluded + included) / 2;
    if (middle === excluded || middle === included) break;
    if (deviance(n, sum, middle) < room) included = middle;
    else excluded = middle;
  }
  return excluded;
}
