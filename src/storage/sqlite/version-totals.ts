import type { VersionTotals, VersionTotalsQuery } from '../../analytics/index.ts';
import type { Connection } from './connection.ts';
import { filterParameters, REPORTED } from './reported-series.ts';
import { REWARD_COLUMNS, REWARD_SUMS, type RewardSumsRow, rewardsOf } from './reward-sums.ts';
import { cellParameters, cellsSql, windowCells } from './window-cells.ts';

const TOTALS_CELLS = cellsSql({
  kind: 'generation',
  columns: [
    's.prompt_version',
    's.prompt_hash',
    's.degraded',
    's.forced',
    's.version_source',
    'r.generations',
    'r.delivered',
    'r.errors',
    'r.client_closed',
    'r.fallbacks',
    'r.input_tokens',
    'r.output_tokens',
    'r.tokens_known',
    'r.cost_nano_usd',
    'r.cost_known',
  ],
  where: REPORTED,
});

export const TOTALS_SQL = `
  SELECT prompt_version, prompt_hash,
    sum(generations) AS generations,
    sum(delivered) AS delivered,
    sum(errors) AS errors,
    sum(client_closed) AS client_closed,
    sum(CASE WHEN degraded = 1 THEN generations ELSE 0 END) AS degraded,
    sum(fallbacks) AS fallbacks,
    sum(CASE WHEN forced = 1 THEN generations ELSE 0 END) AS forced,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(tokens_known) AS tokens_known,
    sum(cost_nano_usd) AS cost_nano_usd,
    sum(cost_known) AS cost_known,
    sum(CASE WHEN version_source = 'body' THEN generations ELSE 0 END) AS from_body,
    sum(CASE WHEN version_source = 'env' THEN generations ELSE 0 END) AS from_env,
    sum(CASE WHEN version_source = 'default' THEN generations ELSE 0 END) AS from_default,
    sum(CASE WHEN is_closed THEN delivered ELSE 0 END) AS closed_delivered
  FROM (
    ${TOTALS_CELLS}
  )
  GROUP BY prompt_version, prompt_hash
  ORDER BY prompt_version, prompt_hash`;

const LATENCY_CELLS = cellsSql({
  kind: 'latency',
  columns: ['s.prompt_version', 'r.bucket', 'r.n'],
  where: REPORTED,
});

export const LATENCY_SQL = `
  SELECT prompt_version, bucket, sum(n) AS n FROM (
    ${LATENCY_CELLS}
  )
  GROUP BY prompt_version, bucket
  ORDER BY prompt_version, bucket`;

const OUTCOME_CELLS = cellsSql({
  kind: 'outcome',
  columns: ['s.prompt_version', ...REWARD_COLUMNS],
  where: `${REPORTED} AND r.metric = @metric`,
});

export const OUTCOMES_SQL = `
  SELECT c.prompt_version,
    ${REWARD_SUMS}
  FROM (
    ${OUTCOME_CELLS}
  ) c
  GROUP BY c.prompt_version`;

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
    const series = { prompt: query.prompt, ...filterParameters(query.filter) };
    const cells = { ...series, ...cellParameters(windowCells(query)) };
    // Latencies do not wait for outcomes: undivided, the window needs fewer cells.
    const undivided = { ...series, ...cellParameters(windowCells({ ...query, closedBeforeMs: 0 })) };
    // Row mappers: the columns are those of the statements above.
    const totalsRows = totals.all(cells) as TotalsRow[];
    const latencyRows = latency.all(undivided) as LatencyRow[];
    const outcomeRows = outcomes.all({ ...cells, metric: query.metric }) as OutcomeRow[];

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
