import type { Random } from '../kernel/index.ts';

// Short names: formulas read like their sources, and no lookup of a global in a hot loop.
const { exp, log, log1p, sqrt } = Math;

/** A standard normal number: Marsaglia's polar method (Marsaglia & Bray, SIAM Review 6, 1964). About 2.5 uniform numbers. */
export function sampleNormal(random: Random): number {
  for (;;) {
    const x = 2 * random.next() - 1;
    const y = 2 * random.next() - 1;
    const square = x * x + y * y;
    // The second number of the pair is dropped: keeping it would be state between calls.
    if (square > 0 && square < 1) return x * sqrt((-2 * log(square)) / square);
  }
}

/**
 * A Gamma(shape, 1) number, shape > 0: squeeze-free method of Marsaglia & Tsang (ACM TOMS 26, 2000); shapes below 1 by
 * their G(shape) = G(shape + 1) U^(1/shape). RangeError on other shapes. O(1) expected.
 */
export function sampleGamma(random: Random, shape: number): number {
  return exp(sampleLnGamma(random, shape));
}

/**
 * A Beta(a, b) number, a, b > 0, as X / (X + Y) of two gamma numbers; by logarithms, because for shapes near 0 both
 * are too small for a double. RangeError on other shapes. O(1) expected.
 */
export function sampleBeta(random: Random, a: number, b: number): number {
  return 1 / (1 + exp(sampleLnGamma(random, b) - sampleLnGamma(random, a)));
}

function sampleLnGamma(random: Random, shape: number): number {
  if (!(shape > 0 && Number.isFinite(shape))) {
    throw new RangeError(`shape must be positive and finite, got ${shape}.`);
  }
  if (shape < 1) return sampleLnGamma(random, shape + 1) + lnUniform(random) / shape;
  const d = shape - 1 / 3;
  const c = 1 / sqrt(9 * d);
  for (;;) {
    const x = sampleNormal(random);
    const root = 1 + c * x;
    if (root <= 0) continue;
    const v = root * root * root;
    if (lnUniform(random) < 0.5 * x * x + d - d * v + d * log(v)) return log(d * v);
  }
}

/** ln(1 - u): u may be 0 but never 1. */
function lnUniform(random: Random): number {
  return log1p(-random.next());
}
