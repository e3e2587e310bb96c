// Formulas read like their sources this way.
const { log, log1p, max, min } = Math;

const HALF_LN_2_PI = 0.918_938_533_204_672_8;

/** From here on the series below is exact to the last digit: its first left-out term is 3e-17. */
const SERIES_FROM = 10;

/** Coefficients of 1/x, 1/x^3, … 1/x^13: B(2k) / (2k (2k-1)), Abramowitz & Stegun 6.1.41. */
const SERIES = [1 / 12, -1 / 360, 1 / 1_260, -1 / 1_680, 1 / 1_188, -691 / 360_360, 1 / 156];

/** Below this lnGamma(x) = -ln(x) to the last digit, and 1/x is still finite. */
const TINY = 1e-20;

/**
 * What Stirling's formula leaves out: lnGamma(x) - ((x - 1/2) ln x - x + ln(2 pi)/2), for x > 0. Adding and taking away
 * only these small rests keeps differences of huge lnGamma values exact.
 *
 * Small x is lifted by rest(x) - rest(x + 1) = (x + 1/2) ln(1 + 1/x) - 1, which follows from Gamma(x + 1) = x Gamma(x).
 */
export function stirlingRest(x: number): number {
  if (x < TINY) return -log(x) - ((x - 0.5) * log(x) - x + HALF_LN_2_PI);
  let lifted = 0;
  let at = x;
  while (at < SERIES_FROM) {
    lifted += (at + 0.5) * log1p(1 / at) - 1;
    at += 1;
  }
  const inverseSquare = 1 / (at * at);
  let sum = 0;
  for (let k = SERIES.length - 1; k >= 0; k -= 1) sum = sum * inverseSquare + (SERIES[k] ?? 0);
  return lifted + sum / at;
}

/** Natural logarithm of the gamma function for x > 0, to about 1e-15 absolute or relative, whichever is greater. */
export function lnGamma(x: number): number {
  return (x - 0.5) * log(x) - x + HALF_LN_2_PI + stirlingRest(x);
}

/**
 * Natural logarithm of the beta function for x, y > 0. Not taken from three lnGamma values: at x = 1e9 those are near
 * 2e10, and their difference would keep five digits only.
 */
export function lnBeta(x: number, y: number): number {
  const large = max(x, y);
  const small = min(x, y);
  const sum = x + y;
  return (
    -(large - 0.5) * log1p(small / large) +
    small * log(small / sum) -
    0.5 * log(small) +
    HALF_LN_2_PI +
    stirlingRest(large) +
    stirlingRest(small) -
    stirlingRest(sum)
  );
}
