import { usdFromNanoUsd } from '../kernel/index.ts';
import { asymptoticInterval, betaBinomialDifference, betaBinomialInterval } from '../statistics/index.ts';
import type { ShadowSums } from './shadow-reader.ts';
import type { EstimateShown, PairedShares, ShadowReport, ShareShown } from './shadow-report.ts';

/** Every interval is built for this, on its own. */
export const SHADOW_ALPHA = 0.05;
/** Pairs below which an asymptotic interval promises more than it can keep. */
const LEAST_PAIRS = 30;

/** The same on both sides: of `pairs` pairs `liveOnly` had the event on the live side alone. */
interface PairedCounts {
  readonly live: { readonly of: number; readonly count: number };
  readonly shadow: { readonly of: number; readonly count: number };
  readonly pairs: number;
  readonly liveOnly: number;
  readonly shadowOnly: number;
}

export function errorShares(sums: ShadowSums): PairedShares {
  return pairedShares({
    live: { of: sums.runs, count: sums.liveFailed },
    shadow: { of: sums.runs, count: sums.shadowFailed },
    pairs: sums.runs,
    liveOnly: sums.liveOnlyFailed,
    shadowOnly: sums.shadowOnlyFailed,
  });
}

export function schemaShares(sums: ShadowSums): PairedShares | null {
  if (sums.liveSchemaChecked === 0 && sums.shadowSchemaChecked === 0) return null;
  return pairedShares({
    live: { of: sums.liveSchemaChecked, count: sums.liveSchemaFailed },
    shadow: { of: sums.shadowSchemaChecked, count: sums.shadowSchemaFailed },
    pairs: sums.schemaPairs,
    liveOnly: sums.liveOnlySchemaFailed,
    shadowOnly: sums.shadowOnlySchemaFailed,
  });
}

/**
 * The difference of two shares on the same pairs is the share of pairs where the shadow alone had the event, less that
 * where the live call alone had it. Both are means of 0 and 1; a union bound over their two sequences needs no
 * independence, and is narrow where both sides mostly agree.
 */
function pairedShares({ live, shadow, pairs, liveOnly, shadowOnly }: PairedCounts): PairedShares {
  const interval = betaBinomialDifference({
    baseline: { n: pairs, sum: liveOnly },
    arm: { n: pairs, sum: shadowOnly },
    alpha: SHADOW_ALPHA,
  });
  return {
    live: { of: live.of, ...shareOf(live.of, live.count) },
    shadow: { of: shadow.of, ...shareOf(shadow.of, shadow.count) },
    difference: {
      pairs,
      liveOnly,
      shadowOnly,
      value: pairs === 0 ? null : (shadowOnly - liveOnly) / pairs,
      lower: interval.lower,
      upper: interval.upper,
      method: 'beta_binomial_union_of_discordant_pairs',
    },
  };
}

export function shareOf(n: number, count: number): ShareShown {
  const { lower, upper } = betaBinomialInterval({ n, sum: count, alpha: SHADOW_ALPHA });
  return { count, share: n === 0 ? null : count / n, lower, upper, method: 'beta_binomial' };
}

export function latencyRatio({
  latencyPairs: n,
  logRatioSum,
  logRatioSumSq,
}: ShadowSums): EstimateShown | null {
  if (n === 0) return null;
  const interval = asymptotic(n, logRatioSum, logRatioSumSq);
  return {
    value: Math.exp(logRatioSum / n),
    lower: interval === null ? null : Math.exp(interval.lower),
    upper: interval === null ? null : Math.exp(interval.upper),
    method: 'asymptotic_sequence_of_log_ratios',
  };
}

export function costComparison(sums: ShadowSums): ShadowReport['cost'] {
  const { costPairs: n, liveCostNanoUsd, shadowCostNanoUsd, costDifferenceSumSq } = sums;
  const difference = shadowCostNanoUsd - liveCostNanoUsd;
  const interval = asymptotic(n, difference, costDifferenceSumSq);
  return {
    pairs: n,
    liveUsd: n === 0 ? null : usdFromNanoUsd(liveCostNanoUsd),
    shadowUsd: n === 0 ? null : usdFromNanoUsd(shadowCostNanoUsd),
    ratio: costRatio(sums),
    difference:
      n === 0
        ? null
        : {
            value: usdFromNanoUsd(difference / n),
            lower: usdFromNanoUsd(interval?.lower ?? null),
            upper: usdFromNanoUsd(interval?.upper ?? null),
            method: 'asymptotic_sequence',
          },
    spentUsd: usdFromNanoUsd(sums.spentNanoUsd) ?? 0,
    runsOfUnknownCost: sums.spentUnknown,
  };
}

export function costRatio({ costPairs, liveCostNanoUsd, shadowCostNanoUsd }: ShadowSums): number | null {
  return costPairs === 0 || liveCostNanoUsd === 0 ? null : shadowCostNanoUsd / liveCostNanoUsd;
}

export function tokenComparison(sums: ShadowSums): ShadowReport['tokens'] {
  const n = sums.tokenPairs;
  const meanOf = (input: number, output: number) =>
    n === 0 ? null : { input: input / n, output: output / n };
  return {
    pairs: n,
    live: meanOf(sums.liveInputTokens, sums.liveOutputTokens),
    shadow: meanOf(sums.shadowInputTokens, sums.shadowOutputTokens),
  };
}

function asymptotic(n: number, sum: number, sumOfSquares: number) {
  return n < LEAST_PAIRS ? null : asymptoticInterval({ n, sum, sumOfSquares, alpha: SHADOW_ALPHA });
}
