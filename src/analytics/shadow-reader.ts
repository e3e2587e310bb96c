/** Read model of shadow runs. Implementations read rollups only. */
export interface ShadowReader {
  /** Sums by series, in no particular order; empty without a run. */
  shadowTotals(query: ShadowTotalsQuery): Promise<readonly ShadowSeriesTotals[]>;
  /** Latency histograms of both sides, `[bucket, count]` pairs, over the pairs that both answered. */
  shadowLatency(query: {
    readonly rule: string;
    readonly ruleRevision: string;
    /** Null: of every text of the candidate. */
    readonly shadowHash: string | null;
  }): Promise<{ readonly live: LatencyHistogram; readonly shadow: LatencyHistogram }>;
}

export type LatencyHistogram = readonly (readonly [bucket: number, count: number])[];

export interface ShadowTotalsQuery {
  /** Null: every rule. */
  readonly rule: string | null;
  /** Null: every prompt, and scores. `''`: scores alone. */
  readonly prompt: string | null;
  /** Hours that begin at or after this. */
  readonly fromMs: number;
}

/** Sums of `shadow_rollups`: the columns are explained there. Money in nano-dollars. */
export interface ShadowSums {
  readonly runs: number;
  readonly liveFailed: number;
  readonly shadowFailed: number;
  readonly liveOnlyFailed: number;
  readonly shadowOnlyFailed: number;
  readonly liveDegraded: number;
  readonly shadowDegraded: number;
  readonly liveSchemaChecked: number;
  readonly liveSchemaFailed: number;
  readonly shadowSchemaChecked: number;
  readonly shadowSchemaFailed: number;
  readonly schemaPairs: number;
  readonly liveOnlySchemaFailed: number;
  readonly shadowOnlySchemaFailed: number;
  readonly latencyPairs: number;
  readonly logRatioSum: number;
  readonly logRatioSumSq: number;
  readonly costPairs: number;
  readonly liveCostNanoUsd: number;
  readonly shadowCostNanoUsd: number;
  readonly costDifferenceSumSq: number;
  readonly tokenPairs: number;
  readonly liveInputTokens: number;
  readonly liveOutputTokens: number;
  readonly shadowInputTokens: number;
  readonly shadowOutputTokens: number;
  readonly spentNanoUsd: number;
  readonly spentUnknown: number;
  readonly choicePairs: number;
  readonly choicesAgreed: number;
}

export interface ShadowSeriesTotals extends ShadowSums {
  readonly rule: string;
  readonly ruleRevision: string;
  readonly changes: string;
  /** `''`: scores. */
  readonly prompt: string;
  readonly liveVersion: string;
  readonly shadowVersion: string;
  readonly shadowHash: string;
}
