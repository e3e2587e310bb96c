import type { LabelEvent } from '../experiments/index.ts';
import type { ReportFilterRequest } from './report-filter.ts';

/** Question of an admin. Null: the default. */
export interface TimeSeriesRequest {
  readonly prompt: string;
  /** Default: the prompt's primary metric. */
  readonly metric: string | null;
  readonly by: 'hour' | 'day';
  /** ISO 8601, snapped outward to whole points. Default: 7 days of hours or 90 days of days before `to`, and now. */
  readonly from: string | null;
  readonly to: string | null;
  /** Default: every version with traffic. */
  readonly versions: readonly string[] | null;
  readonly filters: ReportFilterRequest;
}

export interface TimeSeries {
  readonly prompt: string;
  readonly metric: string;
  readonly optimize: 'max' | 'min';
  readonly missing: 'exclude' | 'zero';
  readonly scale: { readonly min: number; readonly max: number };
  readonly by: 'hour' | 'day';
  /** ISO 8601, `to` excluded. */
  readonly from: string;
  readonly to: string;
  readonly generatedAt: string;
  /** In natural order of the versions: v2 before v10. */
  readonly series: readonly { readonly promptVersion: string; readonly points: readonly TimePoint[] }[];
  /** Moves of the prompt's labels in the window, oldest first. */
  readonly labelMoves: readonly LabelEvent[];
}

/** A time without a call has no point. */
export interface TimePoint {
  /** ISO 8601: begin of the hour or day. */
  readonly at: string;
  readonly generations: number;
  readonly delivered: number;
  readonly errors: number;
  /** Observed rewards of calls made in this point, whenever they were reported. */
  readonly outcomes: number;
  /** Of the settled rewards, `mature` many; null without one. */
  readonly mean: number | null;
  readonly mature: number;
  /** Over the calls whose cost is known; null when it is known of none. */
  readonly costUsd: number | null;
  readonly costKnown: number;
  readonly latencyMs: { readonly p50: number | null; readonly p95: number | null };
}
