import type { ReportFilter } from './report-filter.ts';

/** Read model of the per-version report. Implementations read rollups only: time does not grow with raw rows. */
export interface ReportReader {
  /**
   * Totals per concrete version of one prompt over decision hours in [`fromMs`, `toMs`). Test, shadow and replay rows
   * are left out. Versions without a generation in the window are absent.
   */
  versionTotals(query: VersionTotalsQuery): Promise<readonly VersionTotals[]>;
  /**
   * The same calls by point of time, oldest first within a version. Versions and points without a generation are absent.
   */
  timeTotals(query: TimeTotalsQuery): Promise<readonly TimeTotals[]>;
  /** Models and experiments that calls of the prompt were recorded with, by name. */
  filterChoices(prompt: string): Promise<FilterChoices>;
}

export interface VersionTotalsQuery {
  readonly prompt: string;
  readonly metric: string;
  /** Epoch milliseconds on UTC hours; null: unbounded. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** Decision hours that begin before this have a closed attribution window. */
  readonly closedBeforeMs: number;
  /** Absent: every call. */
  readonly filter?: ReportFilter;
}

export interface TimeTotalsQuery {
  readonly prompt: string;
  readonly metric: string;
  /** UTC hours or days. */
  readonly by: 'hour' | 'day';
  /** Epoch milliseconds on whole points, `toMs` excluded. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly closedBeforeMs: number;
  readonly filter: ReportFilter;
}

export interface TimeTotals
  extends Pick<
    VersionTotals,
    | 'promptVersion'
    | 'generations'
    | 'delivered'
    | 'errors'
    | 'costNanoUsd'
    | 'costKnown'
    | 'latency'
    | 'outcomes'
    | 'closedOutcomes'
    | 'closedDelivered'
  > {
  /** Begin of the hour or day, epoch milliseconds. */
  readonly atMs: number;
}

export interface FilterChoices {
  readonly models: readonly string[];
  readonly experiments: readonly string[];
}

export interface VersionTotals {
  readonly promptVersion: string;
  /** All answered calls, failures included. */
  readonly generations: number;
  readonly delivered: number;
  readonly errors: number;
  readonly clientClosed: number;
  readonly degraded: number;
  readonly fallbacks: number;
  readonly forced: number;
  /** Sum over calls whose tokens are known; null when there were calls and none of them is. */
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** Sum over calls whose cost is known, and how many those are. */
  readonly costNanoUsd: number;
  readonly costKnown: number;
  readonly sources: { readonly body: number; readonly env: number; readonly default: number };
  /** Content hashes seen under this version name. */
  readonly hashes: readonly string[];
  /** `[bucket, count]` of the total latency of delivered calls; see {@link latencyBucket}. */
  readonly latency: readonly (readonly [bucket: number, count: number])[];
  /** Delivered generations with a counting outcome of the metric: number, sum of rewards, sum of squares. */
  readonly outcomes: RewardSums;
  /** The same, restricted to decision hours whose window is closed. */
  readonly closedOutcomes: RewardSums;
  /** Delivered generations in decision hours whose window is closed. */
  readonly closedDelivered: number;
}

export interface RewardSums {
  readonly n: number;
  readonly sum: number;
  readonly sumOfSquares: number;
}
