/** What is known of the mean of a reward in [0, 1]: Beta(a, b). */
export interface BetaPosterior {
  readonly kind: 'beta';
  readonly a: number;
  readonly b: number;
}

/** What is known of the mean of a reward without bounds, in the unit of the reward (variance: its square). */
export interface GaussianPosterior {
  readonly kind: 'gaussian';
  readonly mean: number;
  readonly variance: number;
}

export type Posterior = BetaPosterior | GaussianPosterior;

/** `n` rewards that sum to `sum`. After discounting, n is an effective number and may be fractional. */
export interface ObservedTotal {
  readonly n: number;
  readonly sum: number;
}

/** Beta(a, b) over an unknown mean in [0, 1]. */
export interface BetaPrior {
  readonly a: number;
  readonly b: number;
}

export interface GaussianPrior {
  readonly mean: number;
  readonly variance: number;
  /** Variance of one reward around its arm's mean, taken as known. Too small a value makes the policy overconfident. */
  readonly noiseVariance: number;
}

/** Sums of many doubles overshoot by rounding: this share of n is forgiven and clamped. */
const ROUNDING_SHARE = 1e-9;

/**
 * Beta(a + s, b + n - s) after n rewards in [0, 1] that sum to s; the uniform prior unless told otherwise. Conjugate for
 * booleans; for fractions the update of Agrawal & Goyal (COLT 2012) without its extra coin toss: same mean, no
 * less spread than the rewards have. RangeError on totals that cannot be. O(1).
 */
export function betaPosterior(total: ObservedTotal, prior: BetaPrior = { a: 1, b: 1 }): BetaPosterior {
  const { n, sum } = total;
  assertCount(n);
  const slack = ROUNDING_SHARE * Math.max(1, n);
  if (!(sum >= -slack && sum <= n + slack)) {
    throw new RangeError(`sum must be within [0, n = ${n}], got ${sum}.`);
  }
  assertPositive(prior.a, 'prior.a');
  assertPositive(prior.b, 'prior.b');
  const clamped = Math.min(n, Math.max(0, sum));
  return { kind: 'beta', a: prior.a + clamped, b: prior.b + (n - clamped) };
}

/**
 * Normal posterior of a mean under a normal prior and known noise: precision 1/v0 + n/s2, mean (m0/v0 + sum/s2) /
 * precision (Gelman et al., Bayesian Data Analysis, 3rd ed., 2.5). RangeError on totals that cannot be. O(1).
 */
export function gaussianPosterior(total: ObservedTotal, prior: GaussianPrior): GaussianPosterior {
  assertCount(total.n);
  assertFinite(total.sum, 'sum');
  assertFinite(prior.mean, 'prior.mean');
  assertPositive(prior.variance, 'prior.variance');
  assertPositive(prior.noiseVariance, 'prior.noiseVariance');
  if (total.n === 0 && total.sum !== 0)
    throw new RangeError(`sum must be 0 without rewards, got ${total.sum}.`);
  const precision = 1 / prior.variance + total.n / prior.noiseVariance;
  const mean = (prior.mean / prior.variance + total.sum / prior.noiseVariance) / precision;
  return { kind: 'gaussian', mean, variance: 1 / precision };
}

/**
 * The total after one more batch, with everything before it worth `retention` of what it was: n' = g n + n_batch. All
 * arms are discounted at every batch, those without rewards too, so that an arm that was bad long ago is tried again
 * (Raj & Kalyani, "Taming non-stationary bandits", arXiv 1707.09727). On a Beta(1, 1) prior it is a' = 1 + g (a - 1) +
 * r. `retention` within (0, 1], per batch; 1 forgets nothing. O(1).
 */
export function discounted(total: ObservedTotal, batch: ObservedTotal, retention: number): ObservedTotal {
  if (!(retention > 0 && retention <= 1)) {
    throw new RangeError(`retention must be within (0, 1], got ${retention}.`);
  }
  assertCount(total.n);
  assertCount(batch.n);
  assertFinite(total.sum, 'total.sum');
  assertFinite(batch.sum, 'batch.sum');
  return { n: retention * total.n + batch.n, sum: retention * total.sum + batch.sum };
}

function assertCount(n: number): void {
  if (!(n >= 0 && Number.isFinite(n))) throw new RangeError(`n must be finite and not negative, got ${n}.`);
}

function assertFinite(value: number, what: string): void {
  if (!Number.isFinite(value)) throw new RangeError(`${what} must be finite, got ${value}.`);
}

function assertPositive(value: number, what: string): void {
  if (!(value > 0 && Number.isFinite(value))) {
    throw new RangeError(`${what} must be positive and finite, got ${value}.`);
  }
}
