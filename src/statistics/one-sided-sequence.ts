import { lnScaledLowerGamma } from './incomplete-gamma.ts';

// Short names: formulas read like their sources, and no lookup of a global in a hot loop.
const { exp, log, max, min, sqrt } = Math;

/** Running sums of scaled observations: all that the lower confidence bound needs. Plain data. */
export interface OneSidedSums {
  /** Sum of xi = x / (range + 1). */
  readonly sumXi: number;
  /** Sum of (xi - its predictor)^2: the variance process. */
  readonly sumV: number;
}

export const NO_SUMS: OneSidedSums = { sumXi: 0, sumV: 0 };

/** Parameter of the gamma mixture; the reference values are computed with 1. */
const RHO = 1;

/** Newton's method on a convex function takes about 6 steps here; more would mean that it stands still. */
const NEWTON_STEPS = 60;

/** Steps below this share are rounding. */
const PRECISION = 1e-14;

interface Observation {
  /** At least -range, with conditional mean at most 1. */
  readonly x: number;
  readonly range: number;
  /** Observations folded before this one. */
  readonly before: number;
  /** Guess of the mean before anything was seen; any fixed number at most 1 is valid. */
  readonly firstGuess: number;
}

/**
 * One more observation. The predictor of xi, (sum of earlier xi + firstGuess / (range + 1)) / t, is known before x and
 * capped at 1 / (range + 1), the greatest possible mean. Without the cap xi - predictor could fall below -1 after a
 * burst of great weights, and the supermartingale of {@link lowerBound} would be none. O(1).
 */
export function foldObservation(
  sums: OneSidedSums,
  { x, range, before, firstGuess }: Observation,
): OneSidedSums {
  const scale = range + 1;
  const xi = x / scale;
  const predictor = min((sums.sumXi + firstGuess / scale) / (before + 1), 1 / scale);
  return { sumXi: sums.sumXi + xi, sumV: sums.sumV + (xi - predictor) ** 2 };
}

interface LowerBoundInput {
  readonly range: number;
  /** Observations folded. */
  readonly t: number;
  /** One-sided share of sequences that may ever miss. */
  readonly alpha: number;
  /** The least value that the mean can have. */
  readonly least: number;
}

/**
 * Lower end of a confidence sequence for the running average of the conditional means, which may drift: the least nu
 * whose gamma-exponential mixture stays below 1/alpha. With s = sum xi - t nu / (range + 1), V = sumV, z = s + V + rho,
 * ln M = s + V + rho ln rho - (V + rho) ln z + ln gamma(V + rho, z) - ln gamma(rho, rho).
 *
 * For xi - predictor >= -1 and lambda in [0, 1), exp(lambda (xi - mean) - psi(lambda) (xi - predictor)^2) with psi(lambda)
 * = -ln(1 - lambda) - lambda has expectation at most 1 (Fan, Grama, Liu, Electron. J. Probab. 20, 2015); M mixes these over
 * lambda (Howard, Ramdas, McAuliffe, Sekhon, Ann. Statist. 49, 2021, Prop. 9; Karampatziakis, Mineiro, Ramdas,
 * ICML 2021), so by Ville's inequality it ever reaches 1/alpha with probability at most alpha.
 *
 * Substituting the scaled gamma function g(a, z) = gamma(a, z) e^z z^-a cancels all great terms: ln M = ln g(V + rho, z)
 * - ln g(rho, rho). As a function of s it depends on V and alpha only, so that one root gives the bound. Rounded outward.
 * O(sqrt(V)).
 */
export function lowerBound(sums: OneSidedSums, { range, t, alpha, least }: LowerBoundInput): number {
  if (t === 0) return least;
  const excess = leastExcludedExcess(sums.sumV, alpha);
  // Above 1 all possible means are excluded: in a share alpha of sequences, or where propensities are not true.
  return min(1, max(least, ((range + 1) * (sums.sumXi - excess)) / t));
}

/**
 * The least s at which the mixture reaches 1/alpha. ln M is convex in s, being the logarithm of a mixture of exp(lambda s):
 * Newton's method from above descends to the root and never passes it.
 */
function leastExcludedExcess(sumV: number, alpha: number): number {
  const a = sumV + RHO;
  const lnOdds = -log(alpha);
  const threshold = lnOdds + lnScaledLowerGamma(RHO, RHO);
  let s = sqrt(2 * a * lnOdds) + lnOdds;
  while (lnScaledLowerGamma(a, a + s) < threshold) s *= 2;
  for (let step = 0; step < NEWTON_STEPS; step += 1) {
    const z = a + s;
    const lnScaled = lnScaledLowerGamma(a, z);
    // From gamma'(a, z) = z^(a-1) e^-z: d/dz ln g = 1 / (z g) + 1 - a / z.
    const slope = (exp(-lnScaled) + s) / z;
    const descent = (lnScaled - threshold) / slope;
    if (!(descent > PRECISION * s)) break;
    s -= descent;
  }
  return s * (1 + PRECISION);
}

/** Throws a RangeError unless `alpha` is within (0, 1). */
export function assertAlpha(alpha: number): void {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`alpha must be within (0, 1), got ${alpha}.`);
}
