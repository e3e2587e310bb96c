import { AppError } from '../kernel/index.ts';
import type { Interval } from './beta-binomial-sequence.ts';

// Formulas read like their sources this way.
const { log, sqrt } = Math;

/** Observations at which the interval is about as narrow as it can be. */
const DEFAULT_BEST_AT = 100;

interface AsymptoticIntervalInput {
  readonly n: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** Share of sequences that may ever miss the mean, in (0, 1); as n grows. */
  readonly alpha: number;
  /** Default: 100. */
  readonly bestAt?: number;
}

/**
 * Asymptotic confidence sequence for a mean without a known range (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-
 * uniform central limit theory", Ann. Statist. 52, 2024, Thm 2.2):
 *
 *   mean +- s sqrt((n rho2 + 1) / (n^2 rho2) ln((n rho2 + 1) / alpha^2)),
 *
 * s the standard deviation, rho2 = (-2 ln alpha + ln(-2 ln alpha) + 1) / bestAt. It may be read at any moment once n is
 * large; early on it promises nothing, so a caller shows it only from some tens of observations on. Null below 2. Fails
 * with `internal` on an alpha outside (0, 1).
 */
export function asymptoticInterval(input: AsymptoticIntervalInput): Interval | null {
  const { n, sum, sumOfSquares, alpha, bestAt = DEFAULT_BEST_AT } = input;
  if (!(alpha > 0 && alpha < 1)) throw new AppError('internal', `alpha must be within (0, 1), got ${alpha}.`);
  if (n < 2) return null;
  const mean = sum / n;
  // Rounding may leave a tiny negative variance of equal values.
  const variance = Math.max(0, sumOfSquares / n - mean * mean);
  const twice = -2 * log(alpha);
  const rho2 = (twice + log(twice) + 1) / bestAt;
  const spread = n * rho2 + 1;
  const margin = sqrt(variance * (spread / (n * n * rho2)) * log(spread / (alpha * alpha)));
  return { lower: mean - margin, upper: mean + margin };
}
