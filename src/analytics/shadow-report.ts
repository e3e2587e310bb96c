/** A rule as configured, with what it does at the moment. */
export interface ShadowRuleSummary {
  readonly shadow: string;
  readonly kind: 'prompt' | 'policy';
  readonly revision: string;
  /** What the candidate changes about the live call. */
  readonly changes: readonly string[];
  readonly prompt: string | null;
  readonly version: string | null;
  readonly route: string | null;
  readonly model: string | null;
  readonly onlyVersion: string | null;
  readonly policy: string | null;
  readonly of: string | null;
  readonly sample: number;
  readonly runs: number;
  readonly running: number;
  readonly queued: number;
  /** Sampled and not run since this process started, by reason. */
  readonly dropped: readonly { readonly reason: string; readonly calls: number }[];
  readonly budgetUsdPerDay: number;
  readonly spentTodayUsd: number;
}

export interface ShadowReport extends ShadowRuleSummary {
  readonly generatedAt: string;
  readonly summary: string;
  /** Runs under another definition of the rule or of another text of the version: not part of the comparison. */
  readonly earlierRuns: number;
  readonly confidence: number;
  readonly errors: PairedShares;
  /** Null where no output schema was checked on either side. */
  readonly schemaFailures: PairedShares | null;
  readonly degraded: { readonly live: number; readonly shadow: number };
  readonly latency: {
    /** Both sides answered. */
    readonly pairs: number;
    readonly live: LatencyShown;
    readonly shadow: LatencyShown;
    /** Geometric mean of shadow over live; null without pairs. */
    readonly ratio: EstimateShown | null;
  };
  readonly cost: {
    /** Both costs are known. */
    readonly pairs: number;
    readonly liveUsd: number | null;
    readonly shadowUsd: number | null;
    /** Sum over sum; null without pairs or where the live calls cost nothing. */
    readonly ratio: number | null;
    /** Of one call, shadow minus live, in US dollars. */
    readonly difference: EstimateShown | null;
    /** Everything that runs under this definition cost, as far as known. */
    readonly spentUsd: number;
    readonly runsOfUnknownCost: number;
  };
  readonly tokens: {
    readonly pairs: number;
    readonly live: TokensShown | null;
    readonly shadow: TokensShown | null;
  };
  /** Of scores: how often both policies choose the same candidate. */
  readonly choices: { readonly pairs: number; readonly agreed: ShareShown } | null;
  readonly versions: readonly {
    readonly liveVersion: string;
    readonly shadowVersion: string;
    readonly shadowHash: string;
    readonly runs: number;
  }[];
}

export interface ShareShown {
  readonly count: number;
  readonly share: number | null;
  readonly lower: number;
  readonly upper: number;
  readonly method: string;
}

/** The same event on both sides of pairs. */
export interface PairedShares {
  readonly live: ShareShown & { readonly of: number };
  readonly shadow: ShareShown & { readonly of: number };
  /** Shadow minus live, over the pairs alone. */
  readonly difference: EstimateShown & {
    readonly pairs: number;
    readonly liveOnly: number;
    readonly shadowOnly: number;
  };
}

/** `lower` and `upper` are null where an interval would promise more than the data can keep. */
export interface EstimateShown {
  readonly value: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly method: string;
}

export interface LatencyShown {
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

/** Means per call. */
export interface TokensShown {
  readonly input: number;
  readonly output: number;
}
