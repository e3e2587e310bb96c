-- What: pairs of a live call and the same call on a candidate. shadow_pairs is append-only truth, one row per shadow
--   run, written with the shadow's own row (generations.shadow_of, scores.shadow_of) in one transaction; shadow_series,
--   shadow_rollups and shadow_latency_rollups are derived from it and can be rebuilt.
-- Why: reports and rollout gates compare candidates by hour, without reading rows.
-- Not for: rules (gateway.config.json), runs that were dropped (/metrics), rewards: nobody saw a shadow's answer.
-- Conventions: as in 0001. live_ and shadow_ columns describe the two sides alike.

CREATE TABLE shadow_pairs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  shadow_id TEXT NOT NULL UNIQUE,
  live_id TEXT NOT NULL,
  rule TEXT NOT NULL,
  rule_revision TEXT NOT NULL,
  -- What the rule changes: version, route, model, joined by +; or policy.
  changes TEXT NOT NULL,
  -- NULL: a pair of scores.
  prompt TEXT,
  created_at_ms INTEGER NOT NULL,
  -- 1: the shadow call reached an upstream that may have charged for it.
  charged INTEGER NOT NULL,
  -- Scores: both policies chose the same candidate.
  agrees INTEGER,
  live_version TEXT NOT NULL,
  live_hash TEXT NOT NULL,
  live_route TEXT,
  live_model TEXT,
  live_status TEXT NOT NULL,
  live_error_code TEXT,
  live_degraded INTEGER NOT NULL,
  -- NULL: no schema, or nothing answered.
  live_schema_ok INTEGER,
  live_total_ms REAL NOT NULL,
  live_cost_nano_usd INTEGER,
  live_input_tokens INTEGER,
  live_output_tokens INTEGER,
  shadow_version TEXT NOT NULL,
  shadow_hash TEXT NOT NULL,
  shadow_route TEXT,
  shadow_model TEXT,
  shadow_status TEXT NOT NULL,
  shadow_error_code TEXT,
  shadow_degraded INTEGER NOT NULL,
  shadow_schema_ok INTEGER,
  shadow_total_ms REAL NOT NULL,
  shadow_cost_nano_usd INTEGER,
  shadow_input_tokens INTEGER,
  shadow_output_tokens INTEGER
) STRICT;

CREATE INDEX shadow_pairs_by_live ON shadow_pairs (live_id);

-- One row per combination of what reports and gates group or filter by; prompt '' stands for scores.
CREATE TABLE shadow_series (
  id INTEGER PRIMARY KEY,
  rule TEXT NOT NULL,
  rule_revision TEXT NOT NULL,
  changes TEXT NOT NULL,
  prompt TEXT NOT NULL,
  live_version TEXT NOT NULL,
  shadow_version TEXT NOT NULL,
  shadow_hash TEXT NOT NULL,
  UNIQUE (rule, rule_revision, changes, prompt, live_version, shadow_version, shadow_hash)
) STRICT;

-- hour_ms is the UTC hour in which the shadow call began. *_only_*: one side alone, the discordant pairs. Latency is
-- compared over the pairs whose two sides answered; cost and tokens over the pairs with both known.
CREATE TABLE shadow_rollups (
  series_id INTEGER NOT NULL,
  hour_ms INTEGER NOT NULL,
  runs INTEGER NOT NULL,
  live_failed INTEGER NOT NULL,
  shadow_failed INTEGER NOT NULL,
  live_only_failed INTEGER NOT NULL,
  shadow_only_failed INTEGER NOT NULL,
  live_degraded INTEGER NOT NULL,
  shadow_degraded INTEGER NOT NULL,
  live_schema_checked INTEGER NOT NULL,
  live_schema_failed INTEGER NOT NULL,
  shadow_schema_checked INTEGER NOT NULL,
  shadow_schema_failed INTEGER NOT NULL,
  schema_pairs INTEGER NOT NULL,
  live_only_schema_failed INTEGER NOT NULL,
  shadow_only_schema_failed INTEGER NOT NULL,
  latency_pairs INTEGER NOT NULL,
  -- Of ln(shadow_total_ms / live_total_ms).
  log_ratio_sum REAL NOT NULL,
  log_ratio_sum_sq REAL NOT NULL,
  cost_pairs INTEGER NOT NULL,
  live_cost_nano_usd INTEGER NOT NULL,
  shadow_cost_nano_usd INTEGER NOT NULL,
  -- Of shadow minus live, squared nano-dollars.
  cost_difference_sum_sq REAL NOT NULL,
  token_pairs INTEGER NOT NULL,
  live_input_tokens INTEGER NOT NULL,
  live_output_tokens INTEGER NOT NULL,
  shadow_input_tokens INTEGER NOT NULL,
  shadow_output_tokens INTEGER NOT NULL,
  -- What the runs themselves cost, and how many may have cost something unknown: for the budget.
  spent_nano_usd INTEGER NOT NULL,
  spent_unknown INTEGER NOT NULL,
  choice_pairs INTEGER NOT NULL,
  choices_agreed INTEGER NOT NULL,
  PRIMARY KEY (series_id, hour_ms)
) STRICT, WITHOUT ROWID;

-- Histogram of the total latency of both sides of the pairs that both answered, by UTC day.
CREATE TABLE shadow_latency_rollups (
  series_id INTEGER NOT NULL,
  day_ms INTEGER NOT NULL,
  side TEXT NOT NULL CHECK (side IN ('live', 'shadow')),
  bucket INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (series_id, day_ms, side, bucket)
) STRICT, WITHOUT ROWID;
