import type { DefaultTarget, LabelEvent } from '../experiments/index.ts';
import type { ExperimentState } from './experiment-report.ts';
import type { VersionReportRow } from './version-report.ts';

/** One prompt at a glance. */
export interface OverviewPrompt {
  readonly prompt: string;
  readonly serves: DefaultTarget;
  readonly labels: readonly LabelEvent[];
  readonly experiments: readonly { readonly experiment: string; readonly state: ExperimentState }[];
  /** Primary metric, with what follows from it; null where none is declared. */
  readonly metric: string | null;
  readonly optimize: 'max' | 'min' | null;
  readonly scale: { readonly min: number; readonly max: number } | null;
  readonly baseline: string | null;
  readonly summary: string | null;
  readonly versions: readonly OverviewVersion[];
  readonly generations: RecentTraffic<number>;
  /** Over the calls whose cost is known; null when it is known of none. */
  readonly costUsd: RecentTraffic<number | null>;
  /** Null without a call. */
  readonly errorShare: RecentTraffic<number | null>;
  readonly degradedShare: RecentTraffic<number | null>;
}

export interface OverviewVersion
  extends Pick<
    VersionReportRow,
    | 'promptVersion'
    | 'known'
    | 'retired'
    | 'generations'
    | 'mature'
    | 'pending'
    | 'mean'
    | 'lower'
    | 'upper'
    | 'confidence'
    | 'lift'
  > {
  /** The default, a label or a running experiment behind one of them leads users to it. */
  readonly live: boolean;
}

/** Of whole UTC hours: the present one, and those that began in the last 24 hours or 7 days. */
export interface RecentTraffic<T> {
  readonly last24h: T;
  readonly last7d: T;
}
