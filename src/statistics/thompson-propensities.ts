import { bestArmProbabilities } from './best-arm-probabilities.ts';
import { gaussianDensity, type LogConcaveDensity, logitBetaDensity } from './log-concave-density.ts';
import type { Posterior } from './posterior.ts';

/** A snapshot of this many arms takes some 20 ms; more arms than that are a ranking problem, not an experiment. */
const MAX_ARMS = 50;

/** Of the distance to the greatest mean: rounding then costs no more than 1e-10 of a probability. */
const LEAST_DEVIATION_SHARE = 1e-7;

/**
 * Thompson sampling (Biometrika 25, 1933): each arm with the probability that its mean is the greatest, given
 * independent posteriors. Computed by deterministic quadrature instead of drawing, so that the propensities are exact
 * to about 1e-10 and equal on every machine, also for n up to 1e12 rewards. All posteriors of one kind; a floor is
 * added with `withFloor`. RangeError on no arms, more than 50, mixed kinds, or parameters that make no distribution.
 */
export function thompsonPropensities(posteriors: readonly Posterior[]): readonly number[] {
  if (posteriors.length === 0 || posteriors.length > MAX_ARMS) {
    throw new RangeError(`posteriors must be 1 to ${MAX_ARMS} arms, got ${posteriors.length}.`);
  }
  const kind = posteriors[0]?.kind;
  const greatestMean = Math.max(
    ...posteriors.map((posterior) => (posterior.kind === 'gaussian' ? posterior.mean : 0)),
  );
  return bestArmProbabilities(
    posteriors.map((posterior, arm) => {
      if (posterior.kind !== kind)
        throw new RangeError(`posteriors[${arm}] must be ${kind} as the first is.`);
      return densityOf(posterior, arm, greatestMean);
    }),
  );
}

function densityOf(posterior: Posterior, arm: number, greatestMean: number): LogConcaveDensity {
  switch (posterior.kind) {
    case 'beta': {
      assertWithin(posterior.a, 1e-3, 1e12, `posteriors[${arm}].a`);
      assertWithin(posterior.b, 1e-3, 1e12, `posteriors[${arm}].b`);
      return logitBetaDensity(posterior);
    }
    case 'gaussian': {
      assertWithin(posterior.mean, -1e100, 1e100, `posteriors[${arm}].mean`);
      assertWithin(posterior.variance, 1e-200, 1e200, `posteriors[${arm}].variance`);
      // Doubles are densest around 0, so that the best arm moves there. An arm far from it is not needed to more digits
      // than its distance has: with less spread all nodes would fall together.
      const mean = posterior.mean - greatestMean;
      const leastDeviation = Math.abs(mean) * LEAST_DEVIATION_SHARE;
      const variance = Math.max(posterior.variance, leastDeviation * leastDeviation);
      return gaussianDensity({ kind: 'gaussian', mean, variance });
    }
    default:
      return posterior satisfies never;
  }
}

function assertWithin(value: number, least: number, most: number, what: string): void {
  if (!(value >= least && value <= most)) {
    throw new RangeError(`${what} must be within [${least}, ${most}], got ${value}.`);
  }
}
