import { hourOf } from '../../kernel/index.ts';
import { latencyBucket } from '../../ledger/index.ts';
import type { Connection } from './connection.ts';
import type { GenerationFacts } from './generation-facts.ts';
import { CELL_BEGIN, GRAINS, perGrain, rollupTable } from './rollup-grains.ts';

export const COUNTERS = [
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

type Counters = Record<(typeof COUNTERS)[number], number>;

interface CallCell {
  readonly seriesId: number;
  beginMs: number;
  readonly counters: Counters;
  /** Bucket → delivered calls. */
  readonly latency: Map<number, number>;
}

/** What calls add to counters and latency histograms, gathered by series and hour and written once per cell. */
export interface CallCells {
  add(seriesId: number, facts: GenerationFacts): void;
  flush(): void;
  forget(): void;
}

export function createCallCells(database: Connection): CallCells {
  const addCounters = perGrain((grain) => {
    const table = rollupTable('generation', grain);
    return database.prepare(
      `INSERT INTO ${table} (series_id, ${grain}_ms, ${COUNTERS.join(', ')})
       VALUES (?, ?, ${COUNTERS.map(() => '?').join(', ')})
       ON CONFLICT (series_id, ${grain}_ms) DO UPDATE SET
         ${COUNTERS.map((column) => `${column} = ${table}.${column} + excluded.${column}`).join(', ')}`,
    );
  });
  const addLatency = perGrain((grain) => {
    const table = rollupTable('latency', grain);
    return database.prepare(
      `INSERT INTO ${table} (series_id, ${grain}_ms, bucket, n) VALUES (?, ?, ?, ?)
       ON CONFLICT (series_id, ${grain}_ms, bucket) DO UPDATE SET n = ${table}.n + excluded.n`,
    );
  });
  let cells = new Map<string, CallCell>();

  return {
    add: (seriesId, facts) => {
      const beginMs = hourOf(facts.created_at_ms);
      const key = `${seriesId}:${beginMs}`;
      let cell = cells.get(key);
      if (cell === undefined) {
        cell = { seriesId, beginMs, counters: zeroCounters(), latency: new Map() };
        cells.set(key, cell);
      }
      count(cell.counters, facts);
      if (facts.delivered === 1) addTo(cell.latency, latencyBucket(facts.total_ms), 1);
    },
    flush: () => {
      for (const grain of GRAINS) {
        cells = coarser(cells, CELL_BEGIN[grain]);
        for (const { seriesId, beginMs, counters, latency } of cells.values()) {
          addCounters[grain].run(seriesId, beginMs, ...COUNTERS.map((column) => counters[column]));
          for (const [bucket, n] of latency) addLatency[grain].run(seriesId, beginMs, bucket, n);
        }
      }
      cells.clear();
    },
    forget: () => cells.clear(),
  };
}

/** The finer cells are written already: the first of each coarser one becomes it. */
function coarser(
  cells: ReadonlyMap<string, CallCell>,
  beginOf: (epochMs: number) => number,
): Map<string, CallCell> {
  const sums = new Map<string, CallCell>();
  for (const cell of cells.values()) {
    cell.beginMs = beginOf(cell.beginMs);
    const key = `${cell.seriesId}:${cell.beginMs}`;
    const sum = sums.get(key);
    if (sum === undefined) {
      sums.set(key, cell);
      continue;
    }
    for (const column of COUNTERS) sum.counters[column] += cell.counters[column];
    for (const [bucket, n] of cell.latency) addTo(sum.latency, bucket, n);
  }
  return sums;
}

function addTo(latency: Map<number, number>, bucket: number, n: number): void {
  latency.set(bucket, (latency.get(bucket) ?? 0) + n);
}

function zeroCounters(): Counters {
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
function count(counters: Counters, facts: GenerationFacts): void {
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
