import { usdFromNanoUsd } from '../kernel/index.ts';
import type { Interval } from '../statistics/index.ts';
import { latencyQuantileMs } from './latency-quantile.ts';
import type { VersionTotals } from './report-reader.ts';
import { meanReward, type SettledRewards } from './settled-rewards.ts';
import type { Lift, VersionReportRow } from './version-report.ts';

/** One version of the report before anything is computed about it. */
export interface ReportedVersion {
  readonly promptVersion: string;
  readonly known: boolean;
  readonly retired: boolean;
  readonly totals: VersionTotals;
}

export interface RowEvidence {
  /** Of the metric: nobody buys what shall be little. */
  readonly optimize: 'max' | 'min';
  readonly settled: SettledRewards;
  readonly interval: Interval;
  readonly confidence: number;
  readonly lift: Lift | null;
}

/** Name of the interval, as the report states it. */
const METHOD = 'beta-binomial confidence sequence';

export function versionReportRow(version: ReportedVersion, evidence: RowEvidence): VersionReportRow {
  const { totals } = version;
  const { settled } = evidence;
  const share = (count: number): number => (totals.generations === 0 ? 0 : count / totals.generations);
  const costUsd = totals.costKnown === 0 ? null : usdFromNanoUsd(totals.costNanoUsd);
  const meanCostUsd = costUsd === null ? null : costUsd / totals.costKnown;
  const mean = meanReward(settled);
  return {
    promptVersion: version.promptVersion,
    known: version.known,
    retired: version.retired,
    generations: totals.generations,
    delivered: totals.delivered,
    outcomes: totals.outcomes.n,
    mature: settled.mature,
    pending: settled.pending,
    sum: settled.sum,
    mean,
    lower: evidence.interval.lower,
    upper: evidence.interval.upper,
    confidence: evidence.confidence,
    method: METHOD,
    lift: evidence.lift,
    latencyMs: {
      p50: latencyQuantileMs(totals.latency, 0.5),
      p95: latencyQuantileMs(totals.latency, 0.95),
    },
    costUsd,
    costKnown: totals.costKnown,
    meanCostUsd,
    costPerRewardUsd: evidence.optimize === 'max' ? quotientOrNull(meanCostUsd, mean) : null,
    inputTokens: totals.inputTokens,
    outputTokens: totals.outputTokens,
    errorShare: share(totals.errors),
    fallbackShare: share(totals.fallbacks),
    degradedShare: share(totals.degraded),
    clientClosedShare: share(totals.clientClosed),
    forced: totals.forced,
    sources: totals.sources,
    hashes: totals.hashes,
  };
}

function quotientOrNull(cost: number | null, reward: number | null): number | null {
  return cost === null || reward === null || reward <= 0 ? null : cost / reward;
}
