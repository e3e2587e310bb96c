import { stirlingRest } from './gamma-function.ts';
import { linearLessLog1p } from './linear-less-log1p.ts';

// Short names: formulas read like their sources, and no lookup of a global in a hot loop.
const { abs, exp, log, log1p } = Math;

const LN_2_PI = 1.837_877_066_409_345_3;

/** Both expansions need about 10 sqrt(a) terms at worst: this is enough for a up to 1e9. */
const MAX_TERMS = 1_000_000;

const EPSILON = 1e-17;

/** Keeps a continued fraction from dividing by 0 (Lentz's method as modified by Thompson and Barnett, 1986). */
const TINY = 1e-300;

/**
 * ln P(a, x), the logarithm of the regularised lower incomplete gamma function, for a > 0 and x >= 0: also the
 * cumulative distribution of a Gamma(a, 1) variable. Power series below a + 1 (Abramowitz & Stegun 6.5.29), continued
 * fraction of the upper function above (6.5.31). O(sqrt(a)) near x = a, a few dozen steps elsewhere.
 */
export function lnRegularisedLowerGamma(a: number, x: number): number {
  if (x <= 0) return Number.NEGATIVE_INFINITY;
  if (x < a + 1) return lnGammaKernel(a, x) + log(lowerSeries(a, x));
  return log1p(-exp(lnGammaKernel(a, x)) * upperFraction(a, x));
}

/**
 * ln [gamma(a, x) e^x x^-a] with gamma the (not regularised) lower incomplete gamma function; a > 0, x > 0. The scaled
 * function is what mixtures need: their huge factors e^x x^-a cancel on paper instead of in floating point.
 */
export function lnScaledLowerGamma(a: number, x: number): number {
  if (x < a + 1) return log(lowerSeries(a, x));
  const kernel = lnGammaKernel(a, x);
  return log1p(-exp(kernel) * upperFraction(a, x)) - kernel;
}

/** ln [x^a e^-x / Gamma(a)], by Stirling's formula with its main terms cancelled on paper. */
function lnGammaKernel(a: number, x: number): number {
  const excess = (x - a) / a;
  // Next to -1 the excess has lost the digits of x.
  const distance = excess > -0.999 ? a * linearLessLog1p(excess) : x - a - a * (log(x) - log(a));
  return -distance + 0.5 * (log(a) - LN_2_PI) - stirlingRest(a);
}

/** gamma(a, x) e^x x^-a = sum of x^n / (a (a + 1) … (a + n)): only positive terms. */
function lowerSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < MAX_TERMS; n += 1) {
    term *= x / (a + n);
    sum += term;
    if (term < sum * EPSILON) break;
  }
  return sum;
}

/** Gamma(a, x) e^x x^-a = 1/(x+1-a- 1(1-a)/(x+3-a- 2(2-a)/(x+5-a- …))), evaluated forward. */
function upperFraction(a: number, x: number): number {
  let denominator = x + 1 - a;
  let c = 1 / TINY;
  let d = 1 / denominator;
  let fraction = d;
  for (let n = 1; n < MAX_TERMS; n += 1) {
    const numerator = -n * (n - a);
    denominator += 2;
    d = awayFromZero(numerator * d + denominator);
    c = awayFromZero(denominator + numerator / c);
    d = 1 / d;
    const factor = c * d;
    fraction *= factor;
    // Rounding keeps factors from ever being exactly 1.
    if (abs(factor - 1) < 1e-15) break;
  }
  return fraction;
}

function awayFromZero(x: number): number {
  return abs(x) < TINY ? TINY : x;
}
