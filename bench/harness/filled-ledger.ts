import Database from 'better-sqlite3';

import { latencyBucket } from '../../src/ledger/index.ts';
import { loadMigrations, migrate } from '../../src/storage/sqlite/migrations.ts';

export interface FilledLedger {
  readonly generations: number;
  readonly outcomes: number;
  readonly fileBytes: number;
  readonly seconds: number;
  /** Of that, what 0008 took: the sums by day and month from those by hour. */
  readonly coarseRollupsSeconds: number;
}

const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;
/** Calls of the last two weeks, every twentieth of them, belong to an experiment: two calls of each unit. */
const EXPERIMENT_MS = 14 * DAY_MS;
/** The migration that sums hours up to days and months. */
const COARSE_ROLLUPS = '0008_coarse_rollups.sql';

/**
 * A year of calls of prompt `tip` without texts, ending at `endMs`: four versions, two models, three sources, one in fifty
 * degraded, one in a hundred failed, every third with an outcome. Rows are made by one statement; rollups are summed from the
 * rows, as the writer would have: `db verify` finds nothing wrong.
 */
export function fillLedger(file: string, generations: number, endMs: number): FilledLedger {
  const startedMs = performance.now();
  const database = new Database(file);
  try {
    // Nobody else reads it yet, and a fill that breaks off is thrown away.
    database.pragma('auto_vacuum = INCREMENTAL');
    database.pragma('journal_mode = OFF');
    database.pragma('synchronous = OFF');
    database.pragma('cache_size = -262144');
    database.function('latency_bucket', { deterministic: true }, (durationMs: unknown) =>
      latencyBucket(Number(durationMs)),
    );
    const migrations = loadMigrations();
    migrate(
      database,
      file,
      migrations.filter(({ name }) => name < COARSE_ROLLUPS),
      endMs,
    );
    database.exec('BEGIN');
    database
      .prepare(GENERATIONS)
      .run({ generations, beginMs: endMs - YEAR_MS, yearMs: YEAR_MS, experimentMs: endMs - EXPERIMENT_MS });
    for (const sql of [OUTCOMES, COUNTING, UNITS, DECISIONS, ...ROLLUPS]) database.exec(sql);
    database.exec('COMMIT');
    const migratedMs = performance.now();
    migrate(database, file, migrations, endMs);
    const count = (table: string): number =>
      Number(database.prepare(`SELECT count(*) FROM ${table}`).pluck().get());
    const endedMs = performance.now();
    return {
      generations: count('generations'),
      outcomes: count('outcomes'),
      fileBytes:
        Number(database.pragma('page_count', { simple: true })) *
        Number(database.pragma('page_size', { simple: true })),
      seconds: (endedMs - startedMs) / 1_000,
      coarseRollupsSeconds: (endedMs - migratedMs) / 1_000,
    };
  } finally {
    database.close();
  }
}

/** `a`, `b`, `c`: three well-mixed numbers from 0 to 65,535 for each call, the same at every run. */
const GENERATIONS = `
  WITH RECURSIVE counted (n) AS (
    SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n < @generations - 1
  ),
  mixed AS (
    SELECT CAST(n AS INTEGER) AS n,
      CAST(@beginMs + n * (@yearMs / @generations) AS INTEGER) AS at_ms,
      (CAST(n AS INTEGER) * 2654435761 % 4294967296) >> 16 AS a,
      (CAST(n AS INTEGER) * 2246822519 % 4294967296) >> 16 AS b,
      (CAST(n AS INTEGER) * 3266489917 % 4294967296) >> 16 AS c
    FROM counted
  )
  INSERT INTO generations (
    id, created_at_ms, finished_at_ms, surface, api_key_id, request_id, trace_id, prompt, prompt_version, prompt_hash,
    version_source, experiment, experiment_revision, arm, propensity, assigned_policy_revision, unit_kind, unit_key,
    forced, degraded, fell_back, replay, test, delivered, tags_json, streamed, route, provider, model, parameters_json,
    attempts_json, repairs, status, error_code, input_tokens, output_tokens, cost_nano_usd, total_ms, provider_ms,
    overhead_ms, commit_wait_ms, tool_calls_json, config_hash, registry_hash, gateway_version
  )
  SELECT 'gen_' || printf('%010d', n), at_ms, at_ms + 400, 'generate', 'local', '', '',
    'tip', CASE WHEN in_experiment THEN CASE a % 2 WHEN 0 THEN 'v1' ELSE 'v2' END ELSE 'v' || (1 + a % 4) END, 'sha256:aa',
    CASE WHEN in_experiment THEN 'default' ELSE CASE b % 3 WHEN 0 THEN 'body' WHEN 1 THEN 'env' ELSE 'default' END END,
    CASE WHEN in_experiment THEN 'tone' END, CASE WHEN in_experiment THEN 'sha256:filled' END,
    CASE WHEN in_experiment THEN CASE a % 2 WHEN 0 THEN 'plain' ELSE 'warm' END END,
    CASE WHEN in_experiment THEN 0.5 END, CASE WHEN in_experiment THEN 'filled-1' END,
    CASE WHEN in_experiment THEN 'user_id' END, CASE WHEN in_experiment THEN 'u' || (n / 40) END,
    NOT in_experiment AND b % 3 = 0, c % 50 = 0, c % 50 = 0, 0, 0, c % 100 <> 1, '[]', 0, 'default', 'openai',
    CASE c / 64 % 2 WHEN 0 THEN 'small' ELSE 'large' END, '{}', '[]', 0,
    CASE c % 100 WHEN 1 THEN 'error' ELSE 'ok' END, CASE c % 100 WHEN 1 THEN 'upstream_timeout' END,
    300 + a % 200, 20 + b % 60, CASE WHEN a % 20 = 0 THEN NULL ELSE 40000 + 100 * (b % 500) END,
    150.0 + (a % 1000) * (b % 1000) / 500.0, 150.0, 1.0, 1.0, '[]', '', '', ''
  FROM (SELECT *, at_ms >= @experimentMs AND n % 20 = 7 AS in_experiment FROM mixed)`;

/** Of every third call that was delivered: an hour after it, more often good the later the version. */
const OUTCOMES = `
  INSERT INTO outcomes (
    api_key_id, outcome_id, generation_id, metric, value_json, reward, received_at_ms, window_ms, test, tags_json, source
  )
  SELECT 'local', substr(id, 5), id, 'completed', CASE good WHEN 1 THEN 'true' ELSE 'false' END, good,
    created_at_ms + 3600000, 604800000, 0, '[]', 'http'
  FROM (
    SELECT seq, id, created_at_ms,
      (seq * 668265263 % 4294967296) >> 16 < 9000 + 3000 * CAST(substr(prompt_version, 2) AS INTEGER) AS good
    FROM generations WHERE delivered = 1 AND seq % 3 = 0
    ORDER BY seq
  )`;

const COUNTING = `
  INSERT INTO counting_outcomes (generation_id, metric, api_key_id, outcome_id, effective_at_ms, reward)
  SELECT generation_id, metric, api_key_id, outcome_id, received_at_ms, reward FROM outcomes ORDER BY seq`;

const UNITS = `
  INSERT INTO experiment_units (experiment, unit_kind, unit_key, generation_id)
  SELECT experiment, unit_kind, unit_key, id FROM generations
  WHERE experiment IS NOT NULL AND delivered = 1 AND forced = 0
  ORDER BY seq
  ON CONFLICT DO NOTHING`;

const DECISIONS = `
  INSERT INTO experiment_decisions (experiment, experiment_revision, created_at_ms, generation_id)
  SELECT u.experiment, g.experiment_revision, g.created_at_ms, g.id
  FROM experiment_units u JOIN generations g ON g.id = u.generation_id`;

/** What tells the series of these calls apart; everything else is the same in all, or follows from these. */
const SERIES_KEY = 'prompt_version, model, version_source, degraded, arm, first_exposure';

const CALLS = `
  SELECT g.*, g.created_at_ms - g.created_at_ms % 3600000 AS hour_ms, u.generation_id IS NOT NULL AS first_exposure
  FROM generations g
  LEFT JOIN experiment_units u ON u.experiment = g.experiment AND u.unit_kind = g.unit_kind
    AND u.unit_key = g.unit_key AND u.generation_id = g.id`;

const isSameSeries = [
  's.prompt_version = c.prompt_version',
  's.model = c.model',
  "s.arm = coalesce(c.arm, '')",
]
  .concat(['version_source', 'degraded', 'first_exposure'].map((column) => `s.${column} = c.${column}`))
  .join(' AND ');

const ROLLUPS = [
  `CREATE TEMP TABLE hour_cells AS
   SELECT ${SERIES_KEY}, hour_ms, max(forced) AS forced, max(experiment) AS experiment,
     max(experiment_revision) AS experiment_revision, max(assigned_policy_revision) AS policy_revision,
     count(*) AS generations, sum(delivered) AS delivered, sum(status = 'error') AS errors, sum(fell_back) AS fallbacks,
     sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
     total(cost_nano_usd) AS cost_nano_usd, count(cost_nano_usd) AS cost_known
   FROM (${CALLS}) GROUP BY ${SERIES_KEY}, hour_ms`,
  `INSERT INTO rollup_series (
     prompt, prompt_version, prompt_hash, model, version_source, forced, degraded, replay, shadow, test, experiment,
     experiment_revision, arm, policy_revision, first_exposure
   )
   SELECT DISTINCT 'tip', prompt_version, 'sha256:aa', model, version_source, forced, degraded, 0, 0, 0,
     coalesce(experiment, ''), coalesce(experiment_revision, ''), coalesce(arm, ''), coalesce(policy_revision, ''),
     first_exposure
   FROM hour_cells`,
  `INSERT INTO generation_rollups (
     series_id, hour_ms, generations, delivered, errors, incomplete, client_closed, fallbacks, input_tokens, output_tokens,
     cached_input_tokens, reasoning_tokens, tokens_known, cost_nano_usd, cost_known
   )
   SELECT s.id, c.hour_ms, c.generations, c.delivered, c.errors, 0, 0, c.fallbacks, c.input_tokens, c.output_tokens, 0, 0,
     c.generations, CAST(c.cost_nano_usd AS INTEGER), c.cost_known
   FROM hour_cells c JOIN rollup_series s ON ${isSameSeries}`,
  `CREATE TEMP TABLE latency_cells AS
   SELECT ${SERIES_KEY}, hour_ms, latency_bucket(total_ms) AS bucket, count(*) AS n
   FROM (${CALLS}) WHERE delivered = 1 GROUP BY ${SERIES_KEY}, hour_ms, bucket`,
  `INSERT INTO latency_rollups (series_id, hour_ms, bucket, n)
   SELECT s.id, c.hour_ms, c.bucket, c.n FROM latency_cells c JOIN rollup_series s ON ${isSameSeries}`,
  `INSERT INTO latency_day_rollups (series_id, day_ms, bucket, n)
   SELECT series_id, hour_ms - hour_ms % 86400000 AS begin_ms, bucket, sum(n) FROM latency_rollups
   GROUP BY series_id, begin_ms, bucket`,
  `CREATE TEMP TABLE outcome_cells AS
   SELECT ${SERIES_KEY}, hour_ms, count(*) AS n, sum(o.reward) AS reward_sum
   FROM (${CALLS}) g JOIN counting_outcomes o ON o.generation_id = g.id AND o.metric = 'completed'
   GROUP BY ${SERIES_KEY}, hour_ms`,
  // A reward is 0 or 1: its square is itself.
  `INSERT INTO outcome_rollups (
     series_id, hour_ms, metric, n, reward_sum, reward_sum_low, reward_sum_sq, reward_sum_sq_low
   )
   SELECT s.id, c.hour_ms, 'completed', c.n, c.reward_sum, 0.0, c.reward_sum, 0.0
   FROM outcome_cells c JOIN rollup_series s ON ${isSameSeries}`,
  `INSERT INTO api_key_spend (api_key_id, day_ms, cost_nano_usd)
   SELECT 'local', hour_ms - hour_ms % 86400000 AS begin_ms, CAST(sum(cost_nano_usd) AS INTEGER) FROM hour_cells
   GROUP BY begin_ms HAVING sum(cost_nano_usd) > 0`,
];
