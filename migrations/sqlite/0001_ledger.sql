-- What: the ledger. Raw rows (generations, outcomes, outcome_voids and the other record tables) are the append-only
--   truth; counting_outcomes, orphan_outcomes and everything named rollup are derived from them and can be rebuilt.
-- Why: reports read rollups only, so their time does not grow with raw rows; the columns of features whose writers
--   come later exist from the first day, because history that was never written cannot be added afterwards.
-- Not for: configuration (gateway.config.json), prompt texts (prompts/), metrics of the process (/metrics).
-- Conventions: times are epoch milliseconds UTC (`_ms`), durations milliseconds, money nano-dollars, booleans 0 or 1,
--   JSON is text (`_json`), `seq` is the order of insertion. Forward only: a released file is never edited.

CREATE TABLE instance_settings (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

-- Copied from the configuration at every start, for the tip_scores view. Not the place to change a metric.
CREATE TABLE metric_definitions (
  metric TEXT NOT NULL PRIMARY KEY,
  type TEXT NOT NULL,
  optimize TEXT NOT NULL,
  window_ms INTEGER NOT NULL,
  missing TEXT NOT NULL CHECK (missing IN ('exclude', 'zero'))
) STRICT;

-- Copied from the configuration at every start. The row of prompt '' holds for every prompt without its own.
CREATE TABLE prompt_settings (
  prompt TEXT NOT NULL PRIMARY KEY,
  primary_metric TEXT NOT NULL
) STRICT;

CREATE TABLE generations (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  created_at_ms INTEGER NOT NULL,
  finished_at_ms INTEGER NOT NULL,
  surface TEXT NOT NULL,
  api_key_id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  external_id TEXT,
  prompt TEXT,
  prompt_version TEXT,
  prompt_hash TEXT,
  version_source TEXT,
  label TEXT,
  experiment TEXT,
  experiment_revision TEXT,
  arm TEXT,
  propensity REAL,
  propensities_json TEXT,
  assigned_policy_revision TEXT,
  current_policy_revision TEXT,
  assignment_json TEXT,
  unit_kind TEXT,
  unit_key TEXT,
  session_key TEXT,
  forced INTEGER NOT NULL,
  degraded INTEGER NOT NULL,
  fell_back INTEGER NOT NULL,
  replay INTEGER NOT NULL,
  test INTEGER NOT NULL,
  shadow_of TEXT,
  delivered INTEGER NOT NULL,
  variables_json TEXT,
  profile_features_json TEXT,
  messages_json TEXT,
  metadata_json TEXT,
  tags_json TEXT NOT NULL,
  streamed INTEGER NOT NULL,
  route TEXT,
  provider TEXT,
  model_requested TEXT,
  model TEXT,
  parameters_json TEXT NOT NULL,
  attempts_json TEXT NOT NULL,
  repairs INTEGER NOT NULL,
  finish_reason TEXT,
  finish_reason_raw TEXT,
  status TEXT NOT NULL,
  error_code TEXT,
  input_tokens INTEGER,
  output_tokens INTEGER,
  cached_input_tokens INTEGER,
  reasoning_tokens INTEGER,
  usage_raw_json TEXT,
  cost_nano_usd INTEGER,
  cost_source TEXT,
  price_table_version TEXT,
  total_ms REAL NOT NULL,
  provider_ms REAL NOT NULL,
  overhead_ms REAL NOT NULL,
  first_token_ms REAL,
  commit_wait_ms REAL NOT NULL,
  text TEXT,
  output_json TEXT,
  tool_calls_json TEXT NOT NULL,
  config_hash TEXT NOT NULL,
  registry_hash TEXT NOT NULL,
  gateway_version TEXT NOT NULL
) STRICT;

-- Finds the latest delivered generation of a caller's own id: only that one receives its outcomes.
CREATE INDEX generations_by_external_id ON generations (external_id, created_at_ms, id)
  WHERE external_id IS NOT NULL AND delivered = 1;
CREATE INDEX generations_by_prompt ON generations (prompt, created_at_ms);

-- No foreign key: an outcome may arrive before its generation, or for one that never comes.
CREATE TABLE outcomes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  api_key_id TEXT NOT NULL,
  outcome_id TEXT NOT NULL,
  generation_id TEXT,
  score_id TEXT,
  external_id TEXT,
  metric TEXT NOT NULL,
  value_json TEXT NOT NULL,
  reward REAL NOT NULL,
  occurred_at_ms INTEGER,
  received_at_ms INTEGER NOT NULL,
  window_ms INTEGER NOT NULL,
  test INTEGER NOT NULL,
  tags_json TEXT NOT NULL,
  source TEXT NOT NULL,
  metadata_json TEXT,
  UNIQUE (api_key_id, outcome_id),
  CHECK ((generation_id IS NOT NULL) + (score_id IS NOT NULL) + (external_id IS NOT NULL) = 1)
) STRICT;

-- In the order in which outcomes win: the reward is found without sorting, however many outcomes a target has.
CREATE INDEX outcomes_by_generation
  ON outcomes (generation_id, metric, COALESCE(occurred_at_ms, received_at_ms), outcome_id, api_key_id)
  WHERE generation_id IS NOT NULL;
CREATE INDEX outcomes_by_external_id
  ON outcomes (external_id, metric, COALESCE(occurred_at_ms, received_at_ms), outcome_id, api_key_id)
  WHERE external_id IS NOT NULL;
CREATE INDEX outcomes_by_score ON outcomes (score_id, metric) WHERE score_id IS NOT NULL;

-- Withdrawals, kept apart from the outcomes: one may arrive before the outcome it withdraws.
CREATE TABLE outcome_voids (
  api_key_id TEXT NOT NULL,
  outcome_id TEXT NOT NULL,
  received_at_ms INTEGER NOT NULL,
  PRIMARY KEY (api_key_id, outcome_id)
) STRICT, WITHOUT ROWID;

-- Derived: the one outcome that is a generation's reward for a metric.
CREATE TABLE counting_outcomes (
  generation_id TEXT NOT NULL,
  metric TEXT NOT NULL,
  api_key_id TEXT NOT NULL,
  outcome_id TEXT NOT NULL,
  effective_at_ms INTEGER NOT NULL,
  reward REAL NOT NULL,
  PRIMARY KEY (generation_id, metric)
) STRICT, WITHOUT ROWID;

-- Derived: outcomes that name a generation nobody has recorded (yet).
CREATE TABLE orphan_outcomes (
  outcome_seq INTEGER PRIMARY KEY
) STRICT;

-- A running row is a lease: its holder may complete or release it, anybody may take it once it has expired.
CREATE TABLE idempotency_keys (
  api_key_id TEXT NOT NULL,
  key TEXT NOT NULL,
  request_hash TEXT NOT NULL,
  lease_id TEXT NOT NULL,
  claimed_at_ms INTEGER NOT NULL,
  lease_expires_at_ms INTEGER NOT NULL,
  completed_at_ms INTEGER,
  generation_id TEXT,
  response_json TEXT,
  PRIMARY KEY (api_key_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_completed ON idempotency_keys (completed_at_ms) WHERE completed_at_ms IS NOT NULL;
CREATE INDEX idempotency_keys_running ON idempotency_keys (lease_expires_at_ms) WHERE completed_at_ms IS NULL;

-- Derived: the first delivered call of each unit within an experiment, in order of insertion. Its reward is the unit's.
CREATE TABLE experiment_units (
  experiment TEXT NOT NULL,
  unit_kind TEXT NOT NULL,
  unit_key TEXT NOT NULL,
  generation_id TEXT NOT NULL,
  PRIMARY KEY (experiment, unit_kind, unit_key)
) STRICT, WITHOUT ROWID;

-- One row per combination of what reports group or filter by. Absent values are '' so that the combination is unique.
CREATE TABLE rollup_series (
  id INTEGER PRIMARY KEY,
  prompt TEXT NOT NULL,
  prompt_version TEXT NOT NULL,
  prompt_hash TEXT NOT NULL,
  model TEXT NOT NULL,
  version_source TEXT NOT NULL,
  forced INTEGER NOT NULL,
  degraded INTEGER NOT NULL,
  replay INTEGER NOT NULL,
  shadow INTEGER NOT NULL,
  test INTEGER NOT NULL,
  experiment TEXT NOT NULL,
  experiment_revision TEXT NOT NULL,
  arm TEXT NOT NULL,
  policy_revision TEXT NOT NULL,
  -- 1: the generations that experiments count, the first delivered one of each unit (experiment_units).
  first_exposure INTEGER NOT NULL,
  UNIQUE (
    prompt, prompt_version, prompt_hash, model, version_source, forced, degraded, replay, shadow, test, experiment,
    experiment_revision, arm, policy_revision, first_exposure
  )
) STRICT;

CREATE INDEX rollup_series_by_experiment ON rollup_series (experiment);

-- hour_ms is the decision hour: the UTC hour in which the generation was created, for its outcomes too.
CREATE TABLE generation_rollups (
  series_id INTEGER NOT NULL,
  hour_ms INTEGER NOT NULL,
  generations INTEGER NOT NULL,
  delivered INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  incomplete INTEGER NOT NULL,
  client_closed INTEGER NOT NULL,
  fallbacks INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cached_input_tokens INTEGER NOT NULL,
  reasoning_tokens INTEGER NOT NULL,
  tokens_known INTEGER NOT NULL,
  cost_nano_usd INTEGER NOT NULL,
  cost_known INTEGER NOT NULL,
  PRIMARY KEY (series_id, hour_ms)
) STRICT, WITHOUT ROWID;

-- Histogram of the total latency of delivered calls, by hour for the ends of a window and by day for its middle: a
-- year of hours would be too many rows for one report.
CREATE TABLE latency_rollups (
  series_id INTEGER NOT NULL,
  hour_ms INTEGER NOT NULL,
  bucket INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (series_id, hour_ms, bucket)
) STRICT, WITHOUT ROWID;

CREATE TABLE latency_day_rollups (
  series_id INTEGER NOT NULL,
  day_ms INTEGER NOT NULL,
  bucket INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (series_id, day_ms, bucket)
) STRICT, WITHOUT ROWID;

-- Each sum is kept as an unevaluated pair (high + low part): corrections subtract exactly what was once added, so a
-- cell does not drift from what a rebuild would give.
CREATE TABLE outcome_rollups (
  series_id INTEGER NOT NULL,
  hour_ms INTEGER NOT NULL,
  metric TEXT NOT NULL,
  n INTEGER NOT NULL,
  reward_sum REAL NOT NULL,
  reward_sum_low REAL NOT NULL,
  reward_sum_sq REAL NOT NULL,
  reward_sum_sq_low REAL NOT NULL,
  PRIMARY KEY (series_id, metric, hour_ms)
) STRICT, WITHOUT ROWID;

-- One row per tip that users saw, with its reward by the primary metric of `tip`. NULL: no reward (yet); with
-- `missing: zero` a silent tip counts 0 once its attribution window has closed.
CREATE VIEW tip_scores AS
SELECT
  g.id AS generation_id,
  g.external_id AS external_id,
  g.prompt_version AS prompt_version,
  g.prompt_hash AS prompt_hash,
  g.created_at_ms AS created_at_ms,
  g.unit_key AS unit_key,
  m.metric AS metric,
  CASE
    WHEN c.outcome_id IS NOT NULL THEN c.reward
    WHEN m.missing = 'zero' AND g.created_at_ms + m.window_ms < (julianday('now') - 2440587.5) * 86400000.0 THEN 0.0
  END AS reward
FROM generations g
LEFT JOIN metric_definitions m ON m.metric = COALESCE(
  (SELECT p.primary_metric FROM prompt_settings p WHERE p.prompt = 'tip'),
  (SELECT p.primary_metric FROM prompt_settings p WHERE p.prompt = '')
)
LEFT JOIN counting_outcomes c ON c.generation_id = g.id AND c.metric = m.metric
WHERE g.prompt = 'tip' AND g.delivered = 1 AND g.test = 0 AND g.replay = 0 AND g.shadow_of IS NULL;

-- Ranking decisions: features, scores and propensities of all candidates inline, so that any policy can be evaluated
-- on them later. No writer yet.
CREATE TABLE scores (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  created_at_ms INTEGER NOT NULL,
  finished_at_ms INTEGER NOT NULL,
  api_key_id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  external_id TEXT,
  policy TEXT NOT NULL,
  policy_revision TEXT NOT NULL,
  experiment TEXT,
  experiment_revision TEXT,
  predictor TEXT,
  predictor_version TEXT,
  unit_kind TEXT,
  unit_key TEXT,
  session_key TEXT,
  forced INTEGER NOT NULL,
  degraded INTEGER NOT NULL,
  replay INTEGER NOT NULL,
  test INTEGER NOT NULL,
  shadow_of TEXT,
  delivered INTEGER NOT NULL,
  candidates_json TEXT NOT NULL,
  chosen TEXT,
  chosen_propensity REAL,
  profile_features_json TEXT,
  context_json TEXT,
  metadata_json TEXT,
  tags_json TEXT NOT NULL,
  status TEXT NOT NULL,
  error_code TEXT,
  total_ms REAL NOT NULL,
  commit_wait_ms REAL NOT NULL,
  config_hash TEXT NOT NULL,
  gateway_version TEXT NOT NULL
) STRICT;

-- Every move of a label, with its reason: the history is the state.
CREATE TABLE label_events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  prompt TEXT NOT NULL,
  label TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  from_kind TEXT,
  from_target TEXT,
  to_kind TEXT NOT NULL,
  to_target TEXT NOT NULL,
  to_hash TEXT,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  seeded INTEGER NOT NULL,
  gate_overridden INTEGER NOT NULL,
  gate_json TEXT
) STRICT;

CREATE INDEX label_events_by_label ON label_events (prompt, label, seq);

-- First assignment of a unit, written with its first generation and kept longer than raw rows: a change of weights
-- moves nobody, and a row outlives a rebuild of what is derived.
CREATE TABLE assignments (
  experiment TEXT NOT NULL,
  unit_kind TEXT NOT NULL,
  unit_key TEXT NOT NULL,
  experiment_revision TEXT NOT NULL,
  arm TEXT NOT NULL,
  propensity REAL NOT NULL,
  propensities_json TEXT NOT NULL,
  policy_revision TEXT NOT NULL,
  assigned_at_ms INTEGER NOT NULL,
  generation_id TEXT,
  PRIMARY KEY (experiment, unit_kind, unit_key)
) STRICT, WITHOUT ROWID;

-- Immutable states of a policy, named by the rows that used them. `sequence` counts an experiment's states.
CREATE TABLE policy_snapshots (
  experiment TEXT NOT NULL,
  revision TEXT NOT NULL,
  experiment_revision TEXT NOT NULL,
  policy TEXT NOT NULL,
  computed_at_ms INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  propensities_json TEXT NOT NULL,
  posteriors_json TEXT NOT NULL,
  PRIMARY KEY (experiment, revision),
  UNIQUE (experiment, sequence)
) STRICT, WITHOUT ROWID;

-- Events about users that features are computed from. No writer yet.
CREATE TABLE signals (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  unit_kind TEXT NOT NULL,
  unit_key TEXT NOT NULL,
  value_json TEXT NOT NULL,
  occurred_at_ms INTEGER NOT NULL,
  received_at_ms INTEGER NOT NULL,
  source TEXT NOT NULL,
  metadata_json TEXT
) STRICT;

CREATE INDEX signals_by_unit ON signals (unit_kind, unit_key, name, occurred_at_ms);

-- Only the SHA-256 of a secret is kept. No writer yet.
CREATE TABLE api_keys (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  secret_sha256 TEXT NOT NULL,
  scopes_json TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER,
  revoked_at_ms INTEGER,
  last_used_at_ms INTEGER
) STRICT, WITHOUT ROWID;
