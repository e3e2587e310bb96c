import type { Interval } from '../statistics/index.ts';
import type { ReportFilterRequest } from './report-filter.ts';
import type { FilterChoices } from './report-reader.ts';

/** Question of an admin. Null: the default. */
export interface VersionReportRequest {
  readonly prompt: string;
  /** Default: the prompt's primary metric, else the first declared one. */
  readonly metric: string | null;
  /** ISO 8601, snapped outward to UTC hours; null: unbounded. */
  readonly from: string | null;
  readonly to: string | null;
  /** Default: the prompt's configured baseline, else `v1`, else the first version. */
  readonly baseline: string | null;
  /** Absent: every call. */
  readonly filters?: ReportFilterRequest;
}

export interface VersionReport {
  readonly prompt: string;
  readonly metric: string;
  readonly optimize: 'max' | 'min';
  readonly missing: 'exclude' | 'zero';
  readonly attributionWindowHours: number;
  /** A value that an outcome of the metric may have. */
  readonly exampleValue: boolean | number | string;
  /** Smallest and largest reward of the metric. */
  readonly scale: { readonly min: number; readonly max: number };
  /** ISO 8601 on UTC hours, `to` excluded. */
  readonly from: string | null;
  readonly to: string | null;
  /** ISO 8601. */
  readonly generatedAt: string;
  /** As asked for. */
  readonly filters: ReportFilterRequest;
  /** Declared metrics, and values seen in recorded calls of the prompt: what a request can name. */
  readonly choices: FilterChoices & { readonly metrics: readonly string[] };
  /** Null only for a prompt without any version. */
  readonly baseline: string | null;
  /**
   * `anytime-valid`: over everything recorded, the intervals hold however often they are read. `descriptive`: a window
   * or a part of the calls chosen by the reader; choosing it after seeing results voids the guarantee.
   */
  readonly evidence: 'anytime-valid' | 'descriptive';
  /** Versions compared with the baseline; the lifts of all of them hold together at their confidence. */
  readonly comparisons: number;
  /** The result in one sentence. */
  readonly summary: string;
  readonly warnings: readonly ReportWarning[];
  /** In natural order of the names: v2 before v10. */
  readonly versions: readonly VersionReportRow[];
}

/**
 * `mixed_content` one version name stands for several contents · `unknown_version` traffic of a version the registry
 * does not have · `reward_out_of_range` rewards the metric's present declaration does not allow · `forced_traffic`
 * calls named their version without saying how it was assigned · `degraded_traffic` a notable share of the answers were
 * authored lines instead of a model's.
 */
export interface ReportWarning {
  readonly code:
    | 'mixed_content'
    | 'unknown_version'
    | 'reward_out_of_range'
    | 'forced_traffic'
    | 'degraded_traffic';
  readonly promptVersion: string;
  readonly message: string;
}

/** `difference` is null while one of the two has no mature observation. */
export interface Lift extends Interval {
  readonly difference: number | null;
  readonly confidence: number;
}

/** Shares are of all generations, 0 when there are none. */
export interface VersionReportRow {
  readonly promptVersion: string;
  /** The registry has it. */
  readonly known: boolean;
  readonly retired: boolean;
  /** All answered calls, failures included. */
  readonly generations: number;
  /** Whole answers that reached the caller: only these can earn a reward. */
  readonly delivered: number;
  /** Delivered generations with an observed outcome of the metric. */
  readonly outcomes: number;
  /** Generations whose reward is settled: what `mean` averages over. */
  readonly mature: number;
  /** Delivered generations whose reward may still come. */
  readonly pending: number;
  /** Sum of the rewards of the mature generations. */
  readonly sum: number;
  readonly mean: number | null;
  readonly lower: number;
  readonly upper: number;
  readonly confidence: number;
  readonly method: string;
  /** Mean of this version minus mean of the baseline; null for the baseline itself. */
  readonly lift: Lift | null;
  /** From the histogram, at most 4.5 % off; null without a delivered call. */
  readonly latencyMs: { readonly p50: number | null; readonly p95: number | null };
  /** Over the calls whose cost is known; null when it is known of none: unknown is never 0. */
  readonly costUsd: number | null;
  readonly costKnown: number;
  readonly meanCostUsd: number | null;
  /**
   * Mean cost of a call over the mean reward; null where either is unknown, the mean is not above 0, or the metric shall be
   * little.
   */
  readonly costPerRewardUsd: number | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly errorShare: number;
  readonly fallbackShare: number;
  readonly degradedShare: number;
  readonly clientClosedShare: number;
  /** Calls that named the version and did not say how it was assigned. */
  readonly forced: number;
  readonly sources: { readonly body: number; readonly env: number; readonly default: number };
  /** Content hashes seen in traffic under this name. */
  readonly hashes: readonly string[];
}
