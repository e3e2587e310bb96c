import type { LatencyHistogram, ShadowSeriesTotals, ShadowTotalsQuery } from '../../analytics/index.ts';
import type { ShadowSpend } from '../../serving/index.ts';
import type { Connection } from './connection.ts';
import { SHADOW_SUM_COLUMNS } from './shadow-sums.ts';

const SUMS = Object.entries(SHADOW_SUM_COLUMNS)
  .map(([field, column]) => `sum(r.${column}) AS ${field}`)
  .join(', ');

export const SHADOW_TOTALS_SQL = `
  SELECT s.rule, s.rule_revision AS ruleRevision, s.changes, s.prompt, s.live_version AS liveVersion,
    s.shadow_version AS shadowVersion, s.shadow_hash AS shadowHash, ${SUMS}
  FROM shadow_series s
  JOIN shadow_rollups r ON r.series_id = s.id
  WHERE (@rule IS NULL OR s.rule = @rule) AND (@prompt IS NULL OR s.prompt = @prompt) AND r.hour_ms >= @fromMs
  GROUP BY s.id
  ORDER BY s.rule, s.live_version, s.shadow_version, s.id`;

export const SHADOW_LATENCY_SQL = `
  SELECT r.side, r.bucket, sum(r.n) AS n
  FROM shadow_series s
  JOIN shadow_latency_rollups r ON r.series_id = s.id
  WHERE s.rule = @rule AND s.rule_revision = @ruleRevision AND (@shadowHash IS NULL OR s.shadow_hash = @shadowHash)
  GROUP BY r.side, r.bucket
  ORDER BY r.side, r.bucket`;

export const SHADOW_SPEND_SQL = `
  SELECT s.rule, sum(r.spent_nano_usd) AS costNanoUsd, sum(r.spent_unknown) AS unknownCost
  FROM shadow_series s
  JOIN shadow_rollups r ON r.series_id = s.id
  WHERE r.hour_ms >= @sinceMs
  GROUP BY s.rule
  ORDER BY s.rule`;

export interface ShadowLatencyQuery {
  readonly rule: string;
  readonly ruleRevision: string;
  readonly shadowHash: string | null;
}

/** What the reader can be asked about shadow runs. */
export interface ShadowReads {
  readonly shadowTotals: (query: ShadowTotalsQuery) => readonly ShadowSeriesTotals[];
  readonly shadowLatency: (query: ShadowLatencyQuery) => {
    readonly live: LatencyHistogram;
    readonly shadow: LatencyHistogram;
  };
  readonly shadowSpend: (query: { readonly sinceMs: number }) => readonly ShadowSpend[];
}

export function createShadowReads(database: Connection): ShadowReads {
  const totals = database.prepare(SHADOW_TOTALS_SQL);
  const latency = database.prepare(SHADOW_LATENCY_SQL);
  const spend = database.prepare(SHADOW_SPEND_SQL);
  // Row mappers: the columns are named after the fields in the statements above.
  return {
    shadowTotals: ({ rule, prompt, fromMs }) => totals.all({ rule, prompt, fromMs }) as ShadowSeriesTotals[],
    shadowLatency: ({ rule, ruleRevision, shadowHash }) => {
      const rows = latency.all({ rule, ruleRevision, shadowHash }) as {
        side: string;
        bucket: number;
        n: number;
      }[];
      const of = (side: string): LatencyHistogram =>
        rows.filter((row) => row.side === side).map((row) => [row.bucket, row.n] as const);
      return { live: of('live'), shadow: of('shadow') };
    },
    shadowSpend: ({ sinceMs }) => spend.all({ sinceMs }) as ShadowSpend[],
  };
}
