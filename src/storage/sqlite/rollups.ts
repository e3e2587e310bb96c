import { HOUR_MS, hourOf } from '../../kernel/index.ts';
import { latencyBucket } from '../../ledger/index.ts';
import type { Connection } from './connection.ts';
import { addExactly, type ExactSum, ZERO_SUM } from './exact-sum.ts';
import { createExperimentUnits } from './experiment-units.ts';
import { type GenerationFacts, seriesOf } from './generation-facts.ts';
import { createRollupSeries } from './rollup-series.ts';
import { createSequenceChanges } from './sequence-changes.ts';

export const DAY_MS = 24 * HOUR_MS;

/** Start of the UTC day that holds `epochMs`. */
export function dayOf(epochMs: number): number {
  return Math.floor(epochMs / DAY_MS) * DAY_MS;
}

const COUNTERS = [
  'generations',
  'delivered',
  'errors',
  'incomplete',
  'client_closed',
  'fallbacks',
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'reasoning_tokens',
  'tokens_known',
  'cost_nano_usd',
  'cost_known',
] as const;

interface GenerationCell {
  readonly seriesId: number;
  readonly hourMs: number;
  readonly counters: Record<(typeof COUNTERS)[number], number>;
}

interface LatencyCell {
  readonly seriesId: number;
  readonly startMs: number;
  readonly bucket: number;
  n: number;
}

interface OutcomeCell {
  readonly seriesId: number;
  readonly hourMs: number;
  readonly metric: string;
  n: number;
  sum: ExactSum;
  sumSq: ExactSum;
}

/**
 * Changes of the rollups, gathered over one transaction and written once per cell by `flush`: many rows of the same
 * version and hour cost one update.
 */
export interface Rollups {
  addGeneration(facts: GenerationFacts): void;
  /** A generation's reward for a metric changed; null: had none, has none. */
  changeReward(facts: GenerationFacts, metric: string, before: number | null, after: number | null): void;
  flush(): void;
  /** Drops what is gathered: must follow every rollback. */
  forget(): void;
}

export function createRollups(database: Connection): Rollups {
  const series = createRollupSeries(database);
  const units = createExperimentUnits(database);
  const sequences = createSequenceChanges(database);
  const generations = new Map<string, GenerationCell>();
  const hours = new Map<string, LatencyCell>();
  const days = new Map<string, LatencyCell>();
  const outcomes = new Map<string, OutcomeCell>();

  const upsertGeneration = database.prepare(
    `INSERT INTO generation_rollups (series_id, hour_ms, ${COUNTERS.join(', ')})
     VALUES (?, ?, ${COUNTERS.map(() => '?').join(', ')})
     ON CONFLICT (series_id, hour_ms) DO UPDATE SET
       ${COUNTERS.map((column) => `${column} = generation_rollups.${column} + excluded.${column}`).join(', ')}`,
  );
  const upsertHour = database.prepare(
    `INSERT INTO latency_rollups (series_id, hour_ms, bucket, n) VALUES (?, ?, ?, ?)
     ON CONFLICT (series_id, hour_ms, bucket) DO UPDATE SET n = latency_rollups.n + excluded.n`,
  );
  const upsertDay = database.prepare(
    `INSERT INTO latency_day_rollups (series_id, day_ms, bucket, n) VALUES (?, ?, ?, ?)
     ON CONFLICT (series_id, day_ms, bucket) DO UPDATE SET n = latency_day_rollups.n + excluded.n`,
  );
  const readOutcome = database.prepare(
    `SELECT n, reward_sum, reward_sum_low, reward_sum_sq, reward_sum_sq_low
     FROM outcome_rollups WHERE series_id = ? AND metric = ? AND hour_ms = ?`,
  );
  const deleteOutcome = database.prepare(
    'DELETE FROM outcome_rollups WHERE series_id = ? AND metric = ? AND hour_ms = ?',
  );
  const upsertOutcome = database.prepare(
    `INSERT INTO outcome_rollups
       (series_id, metric, hour_ms, n, reward_sum, reward_sum_low, reward_sum_sq, reward_sum_sq_low)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (series_id, metric, hour_ms) DO UPDATE SET
       n = excluded.n, reward_sum = excluded.reward_sum, reward_sum_low = excluded.reward_sum_low,
       reward_sum_sq = excluded.reward_sum_sq, reward_sum_sq_low = excluded.reward_sum_sq_low`,
  );

  const writeOutcome = (cell: OutcomeCell): void => {
    // Row mapper: all five columns are NOT NULL numbers.
    const stored = readOutcome.get(cell.seriesId, cell.metric, cell.hourMs) as OutcomeCellRow | undefined;
    const n = (stored?.n ?? 0) + cell.n;
    if (n === 0) {
      deleteOutcome.run(cell.seriesId, cell.metric, cell.hourMs);
      return;
    }
    const sum = addPair({ high: stored?.reward_sum ?? 0, low: stored?.reward_sum_low ?? 0 }, cell.sum);
    const sumSq = addPair(
      { high: stored?.reward_sum_sq ?? 0, low: stored?.reward_sum_sq_low ?? 0 },
      cell.sumSq,
    );
    upsertOutcome.run(cell.seriesId, cell.metric, cell.hourMs, n, sum.high, sum.low, sumSq.high, sumSq.low);
  };

  const forgetCells = (): void => {
    for (const cells of [generations, hours, days, outcomes]) cells.clear();
  };

  return {
    addGeneration: (facts) => {
      if (units.enter(facts)) sequences.decisionArrived(facts);
      const seriesId = series.idOf(seriesOf(facts, units.isFirst(facts)));
      const hourMs = hourOf(facts.created_at_ms);
      const key = `${seriesId}:${hourMs}`;
      let cell = generations.get(key);
      if (cell === undefined) {
        cell = { seriesId, hourMs, counters: zeroCounters() };
        generations.set(key, cell);
      }
      count(cell.counters, facts);
      if (facts.delivered === 1) {
        const bucket = latencyBucket(facts.total_ms);
        addLatency(hours, seriesId, hourMs, bucket);
        addLatency(days, seriesId, dayOf(facts.created_at_ms), bucket);
      }
    },
    changeReward: (facts, metric, before, after) => {
      const isFirst = units.isFirst(facts);
      if (isFirst && before !== after) sequences.rewardChanged(facts, metric);
      const seriesId = series.idOf(seriesOf(facts, isFirst));
      const hourMs = hourOf(facts.created_at_ms);
      const key = `${seriesId}:${hourMs}:${metric}`;
      let cell = outcomes.get(key);
      if (cell === undefined) {
        cell = { seriesId, hourMs, metric, n: 0, sum: ZERO_SUM, sumSq: ZERO_SUM };
        outcomes.set(key, cell);
      }
      if (before !== null) {
        cell.n -= 1;
        cell.sum = addExactly(cell.sum, -before);
        cell.sumSq = addExactly(cell.sumSq, -(before * before));
      }
      if (after !== null) {
        cell.n += 1;
        cell.sum = addExactly(cell.sum, after);
        cell.sumSq = addExactly(cell.sumSq, after * after);
      }
    },
    flush: () => {
      for (const cell of generations.values()) {
        const counters = COUNTERS.map((column) => cell.counters[column]);
        upsertGeneration.run(cell.seriesId, cell.hourMs, ...counters);
      }
      for (const cell of hours.values()) upsertHour.run(cell.seriesId, cell.startMs, cell.bucket, cell.n);
      for (const cell of days.values()) upsertDay.run(cell.seriesId, cell.startMs, cell.bucket, cell.n);
      for (const cell of outcomes.values()) writeOutcome(cell);
      forgetCells();
    },
    forget: () => {
      forgetCells();
      series.forget();
    },
  };
}

interface OutcomeCellRow {
  readonly n: number;
  readonly reward_sum: number;
  readonly reward_sum_low: number;
  readonly reward_sum_sq: number;
  readonly reward_sum_sq_low: number;
}

function addPair(stored: ExactSum, change: ExactSum): ExactSum {
  return addExactly(addExactly(stored, change.high), change.low);
}

function addLatency(
  cells: Map<string, LatencyCell>,
  seriesId: number,
  startMs: number,
  bucket: number,
): void {
  const key = `${seriesId}:${startMs}:${bucket}`;
  const cell = cells.get(key);
  if (cell === undefined) cells.set(key, { seriesId, startMs, bucket, n: 1 });
  else cell.n += 1;
}

function zeroCounters(): GenerationCell['counters'] {
  return {
    generations: 0,
    delivered: 0,
    errors: 0,
    incomplete: 0,
    client_closed: 0,
    fallbacks: 0,
    input_tokens: 0,
    output_tokens: 0,
    cached_input_tokens: 0,
    reasoning_tokens: 0,
    tokens_known: 0,
    cost_nano_usd: 0,
    cost_known: 0,
  };
}

/** A stream that broke off is an error too, and counted again as `incomplete`. */
function count(counters: GenerationCell['counters'], facts: GenerationFacts): void {
  counters.generations += 1;
  counters.delivered += facts.delivered;
  if (facts.status === 'error' || facts.status === 'incomplete') counters.errors += 1;
  if (facts.status === 'incomplete') counters.incomplete += 1;
  if (facts.status === 'client_closed') counters.client_closed += 1;
  counters.fallbacks += facts.fell_back;
  counters.input_tokens += facts.input_tokens ?? 0;
  counters.output_tokens += facts.output_tokens ?? 0;
  counters.cached_input_tokens += facts.cached_input_tokens ?? 0;
  counters.reasoning_tokens += facts.reasoning_tokens ?? 0;
  if (facts.input_tokens !== null || facts.output_tokens !== null) counters.tokens_known += 1;
  if (facts.cost_nano_usd !== null) {
    counters.cost_nano_usd += facts.cost_nano_usd;
    counters.cost_known += 1;
  }
}
