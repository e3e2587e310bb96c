import type { FilterChoices, TimeTotals, TimeTotalsQuery } from '../../analytics/index.ts';
import { HOUR_MS } from '../../kernel/index.ts';
import type { Connection } from './connection.ts';
import { filterParameters, REPORTED } from './reported-series.ts';
import { REWARD_COLUMNS, REWARD_SUMS, type RewardSumsRow, rewardsOf } from './reward-sums.ts';
import { DAY_MS } from './rollup-grains.ts';
import { BEGIN_MS, cellParameters, cellsSql, windowCells } from './window-cells.ts';

const WIDTH_MS = { hour: HOUR_MS, day: DAY_MS };

/** The remainder as integers, and the width as a literal: the driver binds numbers as doubles. */
const pointOf = (by: TimeTotalsQuery['by']): string => `${BEGIN_MS} - ${BEGIN_MS} % ${WIDTH_MS[by]} AS at_ms`;

export const timeTotalsSql = (by: TimeTotalsQuery['by']): string => {
  const cells = cellsSql({
    kind: 'generation',
    columns: [
      's.prompt_version',
      pointOf(by),
      'r.generations',
      'r.delivered',
      'r.errors',
      'r.cost_nano_usd',
      'r.cost_known',
    ],
    where: REPORTED,
    coarsest: by,
  });
  return `
  SELECT prompt_version, at_ms,
    sum(generations) AS generations,
    sum(delivered) AS delivered,
    sum(errors) AS errors,
    sum(cost_nano_usd) AS cost_nano_usd,
    sum(cost_known) AS cost_known,
    sum(CASE WHEN is_closed THEN delivered ELSE 0 END) AS closed_delivered
  FROM (
    ${cells}
  )
  GROUP BY prompt_version, at_ms
  ORDER BY prompt_version, at_ms`;
};

export const timeOutcomesSql = (by: TimeTotalsQuery['by']): string => {
  const cells = cellsSql({
    kind: 'outcome',
    columns: ['s.prompt_version', pointOf(by), ...REWARD_COLUMNS],
    where: `${REPORTED} AND r.metric = @metric`,
    coarsest: by,
  });
  return `
  SELECT c.prompt_version, c.at_ms,
    ${REWARD_SUMS}
  FROM (
    ${cells}
  ) c
  GROUP BY c.prompt_version, c.at_ms`;
};

export const timeLatencySql = (by: TimeTotalsQuery['by']): string => {
  const cells = cellsSql({
    kind: 'latency',
    columns: ['s.prompt_version', pointOf(by), 'r.bucket', 'r.n'],
    where: REPORTED,
    coarsest: by,
  });
  return `
  SELECT prompt_version, at_ms, bucket, sum(n) AS n
  FROM (
    ${cells}
  )
  GROUP BY prompt_version, at_ms, bucket`;
};

export const CHOICES_SQL = `
  SELECT DISTINCT model, experiment FROM rollup_series
  WHERE prompt = ? AND test = 0 AND shadow = 0 AND replay = 0`;

interface PointRow {
  readonly prompt_version: string;
  readonly at_ms: number;
}

type TotalsRow = PointRow &
  Readonly<
    Record<
      'generations' | 'delivered' | 'errors' | 'cost_nano_usd' | 'cost_known' | 'closed_delivered',
      number
    >
  >;
type OutcomeRow = PointRow & RewardSumsRow;
type LatencyRow = PointRow & { readonly bucket: number; readonly n: number };

export interface TimeTotalsReads {
  readonly timeTotals: (query: TimeTotalsQuery) => readonly TimeTotals[];
  readonly filterChoices: (parameters: { readonly prompt: string }) => FilterChoices;
}

/** How a prompt's versions did over time, from rollups alone. */
export function createTimeTotals(database: Connection): TimeTotalsReads {
  const prepare = (by: TimeTotalsQuery['by']) => ({
    totals: database.prepare(timeTotalsSql(by)),
    outcomes: database.prepare(timeOutcomesSql(by)),
    latency: database.prepare(timeLatencySql(by)),
  });
  const statements = { hour: prepare('hour'), day: prepare('day') };
  const choices = database.prepare(CHOICES_SQL);

  return {
    // One transaction: the three statements see the same state.
    timeTotals: database.transaction((query: TimeTotalsQuery): readonly TimeTotals[] => {
      const { totals, outcomes, latency } = statements[query.by];
      const window = {
        prompt: query.prompt,
        ...filterParameters(query.filter),
        ...cellParameters(windowCells(query, query.by)),
      };
      // Row mappers: the columns are those of the statements above.
      const outcomeRows = outcomes.all({ ...window, metric: query.metric }) as OutcomeRow[];
      const outcomeAt = new Map(outcomeRows.map((row) => [pointKey(row), row]));
      const latencyAt = new Map<string, (readonly [bucket: number, count: number])[]>();
      for (const row of latency.all(window) as LatencyRow[]) {
        const key = pointKey(row);
        const histogram = latencyAt.get(key);
        if (histogram === undefined) latencyAt.set(key, [[row.bucket, row.n]]);
        else histogram.push([row.bucket, row.n]);
      }
      return (totals.all(window) as TotalsRow[]).map((row) =>
        pointTotals(row, outcomeAt.get(pointKey(row)), latencyAt.get(pointKey(row)) ?? []),
      );
    }),
    filterChoices: ({ prompt }) => {
      const rows = choices.all(prompt) as readonly { readonly model: string; readonly experiment: string }[];
      return {
        models: namesOf(rows.map(({ model }) => model)),
        experiments: namesOf(rows.map(({ experiment }) => experiment)),
      };
    },
  };
}

function pointKey({ prompt_version, at_ms }: PointRow): string {
  return `${at_ms} ${prompt_version}`;
}

function namesOf(values: readonly string[]): readonly string[] {
  return [...new Set(values)].filter((value) => value !== '').sort();
}

function pointTotals(
  row: TotalsRow,
  outcomes: OutcomeRow | undefined,
  latency: TimeTotals['latency'],
): TimeTotals {
  return {
    promptVersion: row.prompt_version,
    atMs: row.at_ms,
    generations: row.generations,
    delivered: row.delivered,
    errors: row.errors,
    costNanoUsd: row.cost_nano_usd,
    costKnown: row.cost_known,
    latency,
    ...rewardsOf(outcomes),
    closedDelivered: row.closed_delivered,
  };
}
