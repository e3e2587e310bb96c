import type { VersionTotals, VersionTotalsQuery } from '../../analytics/index.ts';
import type { Connection } from './connection.ts';
import { filterParameters, REPORTED } from './reported-series.ts';
import { REWARD_SUMS, type RewardSumsRow, rewardsOf } from './reward-sums.ts';
import { DAY_MS, dayOf } from './rollups.ts';

/** Before and after every hour there is; exact as a double. */
const UNBOUNDED_MS = 8_640_000_000_000_000;

export const TOTALS_SQL = `
  SELECT s.prompt_version, s.prompt_hash,
    sum(r.generations) AS generations,
    sum(r.delivered) AS delivered,
    sum(r.errors) AS errors,
    sum(r.client_closed) AS client_closed,
    sum(CASE WHEN s.degraded = 1 THEN r.generations ELSE 0 END) AS degraded,
    sum(r.fallbacks) AS fallbacks,
    sum(CASE WHEN s.forced = 1 THEN r.generations ELSE 0 END) AS forced,
    sum(r.input_tokens) AS input_tokens,
    sum(r.output_tokens) AS output_tokens,
    sum(r.tokens_known) AS tokens_known,
    sum(r.cost_nano_usd) AS cost_nano_usd,
    sum(r.cost_known) AS cost_known,
    sum(CASE WHEN s.version_source = 'body' THEN r.generations ELSE 0 END) AS from_body,
    sum(CASE WHEN s.version_source = 'env' THEN r.generations ELSE 0 END) AS from_env,
    sum(CASE WHEN s.version_source = 'default' THEN r.generations ELSE 0 END) AS from_default,
    sum(CASE WHEN r.hour_ms < @closedBeforeMs THEN r.delivered ELSE 0 END) AS closed_delivered
  FROM rollup_series s
  JOIN generation_rollups r ON r.series_id = s.id
  WHERE ${REPORTED} AND r.hour_ms >= @fromMs AND r.hour_ms < @toMs
  GROUP BY s.prompt_version, s.prompt_hash
  ORDER BY s.prompt_version, s.prompt_hash`;

export const LATENCY_SQL = `
  SELECT prompt_version, bucket, sum(n) AS n FROM (
    SELECT s.prompt_version AS prompt_version, r.bucket AS bucket, r.n AS n
    FROM rollup_series s JOIN latency_rollups r ON r.series_id = s.id
    WHERE ${REPORTED} AND r.hour_ms >= @headFromMs AND r.hour_ms < @headToMs
    UNION ALL
    SELECT s.prompt_version AS prompt_version, r.bucket AS bucket, r.n AS n
    FROM rollup_series s JOIN latency_day_rollups r ON r.series_id = s.id
    WHERE ${REPORTED} AND r.day_ms >= @daysFromMs AND r.day_ms < @daysToMs
    UNION ALL
    SELECT s.prompt_version AS prompt_version, r.bucket AS bucket, r.n AS n
    FROM rollup_series s JOIN latency_rollups r ON r.series_id = s.id
    WHERE ${REPORTED} AND r.hour_ms >= @tailFromMs AND r.hour_ms < @tailToMs
  )
  GROUP BY prompt_version, bucket
  ORDER BY prompt_version, bucket`;

export const OUTCOMES_SQL = `
  SELECT s.prompt_version,
    ${REWARD_SUMS}
  FROM rollup_series s
  JOIN outcome_rollups r ON r.series_id = s.id
  WHERE ${REPORTED} AND r.metric = @metric AND r.hour_ms >= @fromMs AND r.hour_ms < @toMs
  GROUP BY s.prompt_version`;

type TotalsRow = Readonly<
  Record<
    | 'generations'
    | 'delivered'
    | 'errors'
    | 'client_closed'
    | 'degraded'
    | 'fallbacks'
    | 'forced'
    | 'input_tokens'
    | 'output_tokens'
    | 'tokens_known'
    | 'cost_nano_usd'
    | 'cost_known'
    | 'from_body'
    | 'from_env'
    | 'from_default'
    | 'closed_delivered',
    number
  >
> & { readonly prompt_version: string; readonly prompt_hash: string };

interface LatencyRow {
  readonly prompt_version: string;
  readonly bucket: number;
  readonly n: number;
}

type OutcomeRow = RewardSumsRow & { readonly prompt_version: string };

/** The per-version report's numbers from rollups alone. */
export function createVersionTotals(
  database: Connection,
): (query: VersionTotalsQuery) => readonly VersionTotals[] {
  const totals = database.prepare(TOTALS_SQL);
  const latency = database.prepare(LATENCY_SQL);
  const outcomes = database.prepare(OUTCOMES_SQL);

  // One transaction: the three statements see the same state.
  return database.transaction((query: VersionTotalsQuery): readonly VersionTotals[] => {
    const { prompt, metric, closedBeforeMs } = query;
    const fromMs = query.fromMs ?? -UNBOUNDED_MS;
    const toMs = query.toMs ?? UNBOUNDED_MS;
    const series = { prompt, ...filterParameters(query.filter) };
    // Row mappers: the columns are those of the statements above.
    const totalsRows = totals.all({ ...series, fromMs, toMs, closedBeforeMs }) as TotalsRow[];
    const latencyRows = latency.all({ ...series, ...latencyRanges(fromMs, toMs) }) as LatencyRow[];
    const outcomeRows = outcomes.all({ ...series, metric, fromMs, toMs, closedBeforeMs }) as OutcomeRow[];

    const versions = new Set(totalsRows.map((row) => row.prompt_version));
    return [...versions].map((version) =>
      versionTotals(
        version,
        totalsRows.filter((row) => row.prompt_version === version),
        latencyRows.filter((row) => row.prompt_version === version),
        outcomeRows.find((row) => row.prompt_version === version),
      ),
    );
  });
}

function versionTotals(
  promptVersion: string,
  rows: readonly TotalsRow[],
  latency: readonly LatencyRow[],
  outcomes: OutcomeRow | undefined,
): VersionTotals {
  const total = (column: Exclude<keyof TotalsRow, 'prompt_version' | 'prompt_hash'>): number =>
    rows.reduce((sum, row) => sum + row[column], 0);
  const tokensUnknown = total('generations') > 0 && total('tokens_known') === 0;
  return {
    promptVersion,
    generations: total('generations'),
    delivered: total('delivered'),
    errors: total('errors'),
    clientClosed: total('client_closed'),
    degraded: total('degraded'),
    fallbacks: total('fallbacks'),
    forced: total('forced'),
    inputTokens: tokensUnknown ? null : total('input_tokens'),
    outputTokens: tokensUnknown ? null : total('output_tokens'),
    costNanoUsd: total('cost_nano_usd'),
    costKnown: total('cost_known'),
    sources: { body: total('from_body'), env: total('from_env'), default: total('from_default') },
    hashes: rows.map((row) => row.prompt_hash).filter((hash) => hash !== ''),
    latency: latency.map((row) => [row.bucket, row.n] as const),
    ...rewardsOf(outcomes),
    closedDelivered: total('closed_delivered'),
  };
}

/** Whole days from the day table, the hours before and after them from the hour table. */
function latencyRanges(fromMs: number, toMs: number): Readonly<Record<string, number>> {
  const firstDayMs = fromMs === -UNBOUNDED_MS ? fromMs : dayOf(fromMs + DAY_MS - 1);
  const lastDayMs = toMs === UNBOUNDED_MS ? toMs : dayOf(toMs);
  if (firstDayMs >= lastDayMs) {
    return { headFromMs: fromMs, headToMs: toMs, daysFromMs: 0, daysToMs: 0, tailFromMs: 0, tailToMs: 0 };
  }
  return {
    headFromMs: fromMs,
    headToMs: firstDayMs,
    daysFromMs: firstDayMs,
    daysToMs: lastDayMs,
    tailFromMs: lastDayMs,
    tailToMs: toMs,
  };
}
