import { normalised } from './distribution.ts';
import { stirlingRest } from './gamma-function.ts';

/** Equally strong prior belief in the declared split as that many units seen: little power for tiny deviations early. */
const DEFAULT_CONCENTRATION = 10_000;

/** State of the sequential test that units were split as declared. Plain data, as JSON if need be. */
export interface SampleRatioTest {
  readonly kind: 'sample-ratio';
  /** Declared shares, sum 1. */
  readonly shares: readonly number[];
  /** Of the Dirichlet prior of the alternative: it equals that many units that were split as declared. */
  readonly concentration: number;
  /** Units seen per arm. */
  readonly counts: readonly number[];
  /** ln of the Bayes factor of all counts: an e-process, so that independent tests combine by adding theirs. */
  readonly lnBayesFactor: number;
  /** Least of 1 / Bayes factor over all looks, at most 1: a valid p-value at any time. */
  readonly p: number;
}

/**
 * Anytime-valid test for sample ratio mismatch, for assignment with fixed weights: no units yet. `weights` in any unit,
 * all positive. `concentration` c: 10,000 is the reference; 100 finds gross faults sooner where traffic is small. Raise
 * an alarm at p < 0.001 at any look: the share of sound experiments that ever see one is at most 0.001.
 *
 * Dirichlet-multinomial mixture (Lindon & Malek, "Anytime-valid inference for multinomial count data", NeurIPS 2022).
 */
export function sequentialSampleRatio(
  weights: readonly number[],
  concentration = DEFAULT_CONCENTRATION,
): SampleRatioTest {
  if (weights.length < 2) throw new RangeError(`weights must be two or more, got ${weights.length}.`);
  weights.forEach((weight, arm) => {
    if (!(weight > 0 && Number.isFinite(weight))) {
      throw new RangeError(`weights[${arm}] must be positive and finite, got ${weight}.`);
    }
  });
  if (!(concentration > 0 && Number.isFinite(concentration))) {
    throw new RangeError(`concentration must be positive and finite, got ${concentration}.`);
  }
  const shares = normalised(weights);
  return { kind: 'sample-ratio', shares, concentration, counts: shares.map(() => 0), lnBayesFactor: 0, p: 1 };
}

/** The test after more units, counted per arm since the last look. RangeError unless whole and not negative. O(K). */
export function foldCounts(test: SampleRatioTest, increments: readonly number[]): SampleRatioTest {
  if (increments.length !== test.counts.length) {
    throw new RangeError(`increments must have ${test.counts.length} arms, got ${increments.length}.`);
  }
  const counts = test.counts.map((count, arm) => {
    const increment = increments[arm] ?? Number.NaN;
    if (!(Number.isInteger(increment) && increment >= 0)) {
      throw new RangeError(`increments[${arm}] must be a whole number, not negative, got ${increment}.`);
    }
    return count + increment;
  });
  const lnBayesFactor = lnBayesFactorOf({ ...test, counts });
  return { ...test, counts, lnBayesFactor, p: Math.min(test.p, Math.exp(-lnBayesFactor)) };
}

/**
 * ln BF = lnG(c) - lnG(c + n) + sum over arms of [lnG(c p_j + x_j) - lnG(c p_j) - x_j ln p_j]. From all counts at once:
 * nothing accumulates.
 */
function lnBayesFactorOf({ shares, concentration, counts }: SampleRatioTest): number {
  let n = 0;
  let sum = 0;
  for (let arm = 0; arm < counts.length; arm += 1) {
    const count = counts[arm] ?? 0;
    n += count;
    sum += lnGammaExcess(concentration * (shares[arm] ?? 0), count);
  }
  return sum - lnGammaExcess(concentration, n);
}

/** lnG(x + d) - lnG(x) - d ln x + d: these last two terms cancel over all arms. */
function lnGammaExcess(x: number, d: number): number {
  return (x + d - 0.5) * Math.log1p(d / x) + stirlingRest(x + d) - stirlingRest(x);
}
