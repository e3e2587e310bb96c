import { stirlingRest } from './gamma-function.ts';
import type { BetaPosterior, GaussianPosterior } from './posterior.ts';

// Short names: formulas read like their sources, and no lookup of a global in a hot loop.
const { exp, expm1, log, log1p, sqrt } = Math;

const HALF_LN_2_PI = 0.918_938_533_204_672_8;

/**
 * A smooth density on the real line whose logarithm is concave: exp(-drop(x - mode) - lnMass) at x. `drop` is 0 at 0
 * and grows to both sides, faster and faster or at least steadily.
 */
export interface LogConcaveDensity {
  readonly mode: number;
  readonly lnMass: number;
  drop(offset: number): number;
  /** Offsets from the mode, ascending, between which the density is as good as a polynomial; beyond them it is nothing. */
  readonly edges: readonly number[];
}

/** Edges are the mode and where the logarithm has fallen by these: 1 to 9 standard deviations of a normal density. */
const LEVELS = [0.5, 2, 4.5, 8, 12.5, 18, 24.5, 31.5, 40] as const;

/** The logistic function bends within a few units of 0, however wide its density is. */
const LOGISTIC_EDGES = [1, 4, 16, 64, 256] as const;

/** Beyond this exp overflows long before the answer needs it: ln(q + p e^v) is v + ln(p + q e^-v). */
const LARGE_EXPONENT = 30;

const BISECTION_STEPS = 24;

export function gaussianDensity({ mean, variance }: GaussianPosterior): LogConcaveDensity {
  const deviation = sqrt(variance);
  return {
    mode: mean,
    lnMass: log(deviation) + HALF_LN_2_PI,
    drop: (offset) => (offset * offset) / (2 * variance),
    edges: aroundMode(
      LEVELS.map((level) => -deviation * sqrt(2 * level)),
      LEVELS.map((level) => deviation * sqrt(2 * level)),
    ),
  };
}

/**
 * The density of ln(x / (1 - x)) for x ~ Beta(a, b): x^a (1-x)^b / B(a, b). The logit keeps the order of the arms, and on
 * its scale every Beta is log-concave and smooth, also where the density of x itself has a pole (a < 1 or b < 1).
 *
 * Written around its mode ln(a/b), ln x^a (1-x)^b has no terms of size n: it keeps its digits for n up to 1e12.
 */
export function logitBetaDensity({ a, b }: BetaPosterior): LogConcaveDensity {
  const p = a / (a + b);
  const q = b / (a + b);
  const drop = (offset: number): number => a * lnMixture(q, -offset) + b * lnMixture(p, offset);
  // Close where the peak is round; the exponential tails of small a or b reach further.
  const deviation = sqrt((a + b) / a / b);
  const reach = (level: number, side: -1 | 1): number => {
    let outside = deviation;
    while (drop(side * outside) < level) outside *= 2;
    let inside = 0;
    for (let step = 0; step < BISECTION_STEPS; step += 1) {
      const middle = (inside + outside) / 2;
      if (drop(side * middle) < level) inside = middle;
      else outside = middle;
    }
    return outside;
  };
  const edgesOf = (side: -1 | 1): readonly number[] => {
    const reaches = LEVELS.map((level) => reach(level, side));
    const bends = LOGISTIC_EDGES.filter((edge) => edge < (reaches[0] ?? 0));
    return [...reaches, ...bends].map((edge) => side * edge);
  };
  return {
    mode: log(a) - log(b),
    lnMass: log(deviation) + HALF_LN_2_PI + stirlingRest(a) + stirlingRest(b) - stirlingRest(a + b),
    drop,
    edges: aroundMode(edgesOf(-1), edgesOf(1)),
  };
}

function aroundMode(below: readonly number[], above: readonly number[]): readonly number[] {
  return [...below, 0, ...above].sort((x, y) => x - y);
}

/** ln(1 - w + w e^v) for w in (0, 1). */
function lnMixture(w: number, v: number): number {
  return v < LARGE_EXPONENT ? log1p(w * expm1(v)) : v + log(w + (1 - w) * exp(-v));
}
