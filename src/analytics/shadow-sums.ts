import type { ShadowSums } from './shadow-reader.ts';

const NOTHING: ShadowSums = {
  runs: 0,
  liveFailed: 0,
  shadowFailed: 0,
  liveOnlyFailed: 0,
  shadowOnlyFailed: 0,
  liveDegraded: 0,
  shadowDegraded: 0,
  liveSchemaChecked: 0,
  liveSchemaFailed: 0,
  shadowSchemaChecked: 0,
  shadowSchemaFailed: 0,
  schemaPairs: 0,
  liveOnlySchemaFailed: 0,
  shadowOnlySchemaFailed: 0,
  latencyPairs: 0,
  logRatioSum: 0,
  logRatioSumSq: 0,
  costPairs: 0,
  liveCostNanoUsd: 0,
  shadowCostNanoUsd: 0,
  costDifferenceSumSq: 0,
  tokenPairs: 0,
  liveInputTokens: 0,
  liveOutputTokens: 0,
  shadowInputTokens: 0,
  shadowOutputTokens: 0,
  spentNanoUsd: 0,
  spentUnknown: 0,
  choicePairs: 0,
  choicesAgreed: 0,
};

// The record above has every sum and nothing else.
const FIELDS = Object.keys(NOTHING) as readonly (keyof ShadowSums)[];

/** Several series as one. */
export function addedSums(series: readonly ShadowSums[]): ShadowSums {
  const total: Record<keyof ShadowSums, number> = { ...NOTHING };
  for (const sums of series) for (const field of FIELDS) total[field] += sums[field];
  return total;
}
