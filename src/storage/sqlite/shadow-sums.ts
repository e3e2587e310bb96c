import type { ShadowSums } from '../../analytics/index.ts';
import type { ShadowPairRow } from './shadow-pair-columns.ts';

/** Every sum with its column. */
export const SHADOW_SUM_COLUMNS = {
  runs: 'runs',
  liveFailed: 'live_failed',
  shadowFailed: 'shadow_failed',
  liveOnlyFailed: 'live_only_failed',
  shadowOnlyFailed: 'shadow_only_failed',
  liveDegraded: 'live_degraded',
  shadowDegraded: 'shadow_degraded',
  liveSchemaChecked: 'live_schema_checked',
  liveSchemaFailed: 'live_schema_failed',
  shadowSchemaChecked: 'shadow_schema_checked',
  shadowSchemaFailed: 'shadow_schema_failed',
  schemaPairs: 'schema_pairs',
  liveOnlySchemaFailed: 'live_only_schema_failed',
  shadowOnlySchemaFailed: 'shadow_only_schema_failed',
  latencyPairs: 'latency_pairs',
  logRatioSum: 'log_ratio_sum',
  logRatioSumSq: 'log_ratio_sum_sq',
  costPairs: 'cost_pairs',
  liveCostNanoUsd: 'live_cost_nano_usd',
  shadowCostNanoUsd: 'shadow_cost_nano_usd',
  costDifferenceSumSq: 'cost_difference_sum_sq',
  tokenPairs: 'token_pairs',
  liveInputTokens: 'live_input_tokens',
  liveOutputTokens: 'live_output_tokens',
  shadowInputTokens: 'shadow_input_tokens',
  shadowOutputTokens: 'shadow_output_tokens',
  spentNanoUsd: 'spent_nano_usd',
  spentUnknown: 'spent_unknown',
  choicePairs: 'choice_pairs',
  choicesAgreed: 'choices_agreed',
} as const satisfies Record<keyof ShadowSums, string>;

/** A clock that stands still would make a ratio infinite. */
const SHORTEST_MS = 0.001;

/**
 * What one pair adds. A side failed when it answered nothing whole, or served authored lines where the other side had a
 * model's answer: a route without any model serves them on both sides, and says nothing of the candidate.
 */
export function sumsOfPair(pair: ShadowPairRow): ShadowSums {
  const liveFailed = pair.live_status !== 'ok' || pair.live_degraded > pair.shadow_degraded;
  const shadowFailed = pair.shadow_status !== 'ok' || pair.shadow_degraded > pair.live_degraded;
  const bothAnswered = !liveFailed && !shadowFailed;
  const logRatio = bothAnswered ? Math.log(atLeast(pair.shadow_total_ms) / atLeast(pair.live_total_ms)) : 0;
  return {
    runs: 1,
    liveFailed: Number(liveFailed),
    shadowFailed: Number(shadowFailed),
    liveOnlyFailed: Number(liveFailed && !shadowFailed),
    shadowOnlyFailed: Number(shadowFailed && !liveFailed),
    liveDegraded: pair.live_degraded,
    shadowDegraded: pair.shadow_degraded,
    ...schemaSums(pair.live_schema_ok, pair.shadow_schema_ok),
    latencyPairs: Number(bothAnswered),
    logRatioSum: logRatio,
    logRatioSumSq: logRatio * logRatio,
    ...costSums(pair.live_cost_nano_usd, pair.shadow_cost_nano_usd),
    ...tokenSums(pair),
    spentNanoUsd: pair.shadow_cost_nano_usd ?? 0,
    spentUnknown: Number(pair.charged === 1 && pair.shadow_cost_nano_usd === null),
    choicePairs: Number(pair.agrees !== null),
    choicesAgreed: pair.agrees ?? 0,
  };
}

/** Whether the latencies of a pair may be compared. */
export function isComparable(sums: Pick<ShadowSums, 'latencyPairs'>): boolean {
  return sums.latencyPairs === 1;
}

function atLeast(durationMs: number): number {
  return Math.max(SHORTEST_MS, durationMs);
}

function schemaSums(live: number | null, shadow: number | null) {
  const liveFailed = live === 0;
  const shadowFailed = shadow === 0;
  const isPair = live !== null && shadow !== null;
  return {
    liveSchemaChecked: Number(live !== null),
    liveSchemaFailed: Number(liveFailed),
    shadowSchemaChecked: Number(shadow !== null),
    shadowSchemaFailed: Number(shadowFailed),
    schemaPairs: Number(isPair),
    liveOnlySchemaFailed: Number(isPair && liveFailed && !shadowFailed),
    shadowOnlySchemaFailed: Number(isPair && shadowFailed && !liveFailed),
  };
}

function costSums(live: number | null, shadow: number | null) {
  if (live === null || shadow === null) {
    return { costPairs: 0, liveCostNanoUsd: 0, shadowCostNanoUsd: 0, costDifferenceSumSq: 0 };
  }
  return {
    costPairs: 1,
    liveCostNanoUsd: live,
    shadowCostNanoUsd: shadow,
    costDifferenceSumSq: (shadow - live) ** 2,
  };
}

function tokenSums(pair: ShadowPairRow) {
  const { live_input_tokens, live_output_tokens, shadow_input_tokens, shadow_output_tokens } = pair;
  const isKnown =
    live_input_tokens !== null &&
    live_output_tokens !== null &&
    shadow_input_tokens !== null &&
    shadow_output_tokens !== null;
  return {
    tokenPairs: Number(isKnown),
    liveInputTokens: isKnown ? live_input_tokens : 0,
    liveOutputTokens: isKnown ? live_output_tokens : 0,
    shadowInputTokens: isKnown ? shadow_input_tokens : 0,
    shadowOutputTokens: isKnown ? shadow_output_tokens : 0,
  };
}
