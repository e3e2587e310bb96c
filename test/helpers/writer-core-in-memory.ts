import type { GenerationRecord, OutcomeRecord } from '../../src/ledger/index.ts';
import { toGenerationValues } from '../../src/storage/sqlite/generation-columns.ts';
import { loadMigrations, migrate } from '../../src/storage/sqlite/migrations.ts';
import { toOutcomeRow } from '../../src/storage/sqlite/outcome-columns.ts';
import { type Connection, openDatabase } from '../../src/storage/sqlite/sqlite-driver.ts';
import type { WriterCommand, WriterReply } from '../../src/storage/sqlite/writer-commands.ts';
import { createWriterCore } from '../../src/storage/sqlite/writer-core.ts';

export interface WriterCoreInMemory {
  readonly database: Connection;
  apply(...commands: readonly WriterCommand[]): readonly WriterReply[];
}

/** The writer's rules over a fresh database in memory. */
export function writerCoreInMemory(maxBytes: number | null = null): WriterCoreInMemory {
  const database = openDatabase(':memory:');
  // As a file has it.
  database.pragma('auto_vacuum = INCREMENTAL');
  migrate(database, ':memory:', loadMigrations(), 0);
  const core = createWriterCore(database, maxBytes);
  return {
    database,
    apply: (...commands) => core.applyBatch(commands.map((command) => ({ command, waitedMs: 0 }))),
  };
}

export function appendGeneration(record: GenerationRecord): WriterCommand {
  return { kind: 'append_generation', values: toGenerationValues(record), completes: null };
}

export function appendOutcomes(apiKeyId: string, ...outcomes: readonly OutcomeRecord[]): WriterCommand {
  return {
    kind: 'append_outcomes',
    apiKeyId,
    entries: outcomes.map((outcome) => ({ kind: 'outcome', row: toOutcomeRow(outcome) })),
  };
}

export function voidOutcome(apiKeyId: string, outcomeId: string): WriterCommand {
  return {
    kind: 'append_outcomes',
    apiKeyId,
    entries: [{ kind: 'void', void: { outcomeId, receivedAtMs: 0 } }],
  };
}

const SERIES = `s.prompt, s.prompt_version, s.prompt_hash, s.model, s.version_source, s.forced, s.degraded, s.replay,
  s.shadow, s.test, s.experiment, s.experiment_revision, s.arm, s.policy_revision, s.first_exposure`;

const CALL_SUMS = `r.generations, r.delivered, r.errors, r.incomplete, r.client_closed, r.fallbacks, r.input_tokens,
  r.output_tokens, r.cached_input_tokens, r.reasoning_tokens, r.tokens_known, r.cost_nano_usd, r.cost_known`;
const REWARD_SUMS = 'r.metric, r.n, r.reward_sum, r.reward_sum_low, r.reward_sum_sq, r.reward_sum_sq_low';

const cellsOf = (table: string, values: string, begin: string): string =>
  `SELECT ${SERIES}, r.${begin}, ${values} FROM ${table} r JOIN rollup_series s ON s.id = r.series_id
   ORDER BY ${SERIES}, r.${begin}, ${values}`;

const DERIVED = {
  counting: `SELECT generation_id, metric, api_key_id, outcome_id, effective_at_ms, reward
    FROM counting_outcomes ORDER BY generation_id, metric`,
  orphans: `SELECT o.api_key_id, o.outcome_id FROM orphan_outcomes p JOIN outcomes o ON o.seq = p.outcome_seq
    ORDER BY o.api_key_id, o.outcome_id`,
  generations: cellsOf('generation_rollups', CALL_SUMS, 'hour_ms'),
  generationDays: cellsOf('generation_day_rollups', CALL_SUMS, 'day_ms'),
  generationMonths: cellsOf('generation_month_rollups', CALL_SUMS, 'month_ms'),
  latency: cellsOf('latency_rollups', 'r.bucket, r.n', 'hour_ms'),
  latencyDays: cellsOf('latency_day_rollups', 'r.bucket, r.n', 'day_ms'),
  latencyMonths: cellsOf('latency_month_rollups', 'r.bucket, r.n', 'month_ms'),
  rewards: cellsOf('outcome_rollups', REWARD_SUMS, 'hour_ms'),
  rewardDays: cellsOf('outcome_day_rollups', REWARD_SUMS, 'day_ms'),
  rewardMonths: cellsOf('outcome_month_rollups', REWARD_SUMS, 'month_ms'),
} as const;

type Rows = readonly Record<string, unknown>[];
export type DerivedState = Readonly<Record<keyof typeof DERIVED, Rows>>;

/** Everything derived, by content: ids of series and the order of arrival do not show. */
export function derivedState(database: Connection): DerivedState {
  const lists = Object.entries(DERIVED).map(([name, sql]): [string, Rows] => {
    // Row mapper: an object per row.
    return [name, database.prepare(sql).all() as Rows];
  });
  // One list per statement.
  return Object.fromEntries(lists) as DerivedState;
}
