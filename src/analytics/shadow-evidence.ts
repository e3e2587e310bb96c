/** Which shadow runs speak for a change: of one prompt's version, or of one definition of a scoring policy. */
export interface ShadowEvidenceQuery {
  /** Null: shadow runs of `/score`. */
  readonly prompt: string | null;
  /** The candidate version; null: every version of the prompt. */
  readonly version: string | null;
  /** Content hash of the candidate policy's definition. */
  readonly policyDefinition?: string;
  /** Runs of live calls received at or after this, epoch milliseconds; counted in whole hours, an hour begun counts whole. */
  readonly sinceMs: number;
}

export interface ShadowTotals {
  readonly runs: number;
  /** Runs whose shadow call failed, and those whose live call did. */
  readonly errors: number;
  readonly liveErrors: number;
  /** Answered, but not as `output.schema` asks. Part of the errors where the answer could not be served. */
  readonly schemaFailures: number;
  readonly liveSchemaFailures: number;
  /** Geometric mean of shadow over live latency, over pairs that both answered; null without one. */
  readonly latencyRatio: number | null;
  /** Cost of the shadow calls over that of their live calls, over pairs with both known; null without one. */
  readonly costRatio: number | null;
}

/** What shadow runs say about a candidate, for whoever decides whether it may go live. */
export interface ShadowEvidence {
  totals(query: ShadowEvidenceQuery): Promise<ShadowTotals>;
}
