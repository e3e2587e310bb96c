-- What: the sums of the hourly rollups by UTC day and by UTC calendar month. latency_day_rollups exists from 0001.
-- Why: a report over a year reads months, the days at its ends and the hours at theirs: some dozen cells of a series
--   instead of thousands, however many calls there were.
-- Not for: more truth than the hours hold. All are derived, change in the transaction that changes the hour, and are
--   rebuilt with it.

CREATE TABLE generation_day_rollups (
  series_id INTEGER NOT NULL,
  day_ms INTEGER NOT NULL,
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
  PRIMARY KEY (series_id, day_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE generation_month_rollups (
  series_id INTEGER NOT NULL,
  month_ms INTEGER NOT NULL,
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
  PRIMARY KEY (series_id, month_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE latency_month_rollups (
  series_id INTEGER NOT NULL,
  month_ms INTEGER NOT NULL,
  bucket INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (series_id, month_ms, bucket)
) STRICT, WITHOUT ROWID;

-- Unevaluated pairs, as in outcome_rollups.
CREATE TABLE outcome_day_rollups (
  series_id INTEGER NOT NULL,
  day_ms INTEGER NOT NULL,
  metric TEXT NOT NULL,
  n INTEGER NOT NULL,
  reward_sum REAL NOT NULL,
  reward_sum_low REAL NOT NULL,
  reward_sum_sq REAL NOT NULL,
  reward_sum_sq_low REAL NOT NULL,
  PRIMARY KEY (series_id, metric, day_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE outcome_month_rollups (
  series_id INTEGER NOT NULL,
  month_ms INTEGER NOT NULL,
  metric TEXT NOT NULL,
  n INTEGER NOT NULL,
  reward_sum REAL NOT NULL,
  reward_sum_low REAL NOT NULL,
  reward_sum_sq REAL NOT NULL,
  reward_sum_sq_low REAL NOT NULL,
  PRIMARY KEY (series_id, metric, month_ms)
) STRICT, WITHOUT ROWID;

INSERT INTO generation_day_rollups (
  series_id, day_ms, generations, delivered, errors, incomplete, client_closed, fallbacks, input_tokens, output_tokens,
  cached_input_tokens, reasoning_tokens, tokens_known, cost_nano_usd, cost_known
)
SELECT
  series_id, hour_ms - hour_ms % 86400000 AS begin_ms, sum(generations), sum(delivered), sum(errors), sum(incomplete),
  sum(client_closed), sum(fallbacks), sum(input_tokens), sum(output_tokens), sum(cached_input_tokens),
  sum(reasoning_tokens), sum(tokens_known), sum(cost_nano_usd), sum(cost_known)
FROM generation_rollups
GROUP BY series_id, begin_ms;

INSERT INTO generation_month_rollups (
  series_id, month_ms, generations, delivered, errors, incomplete, client_closed, fallbacks, input_tokens, output_tokens,
  cached_input_tokens, reasoning_tokens, tokens_known, cost_nano_usd, cost_known
)
SELECT
  series_id, 1000 * CAST(strftime('%s', day_ms / 1000, 'unixepoch', 'start of month') AS INTEGER) AS begin_ms,
  sum(generations), sum(delivered), sum(errors), sum(incomplete), sum(client_closed), sum(fallbacks),
  sum(input_tokens), sum(output_tokens), sum(cached_input_tokens), sum(reasoning_tokens), sum(tokens_known),
  sum(cost_nano_usd), sum(cost_known)
FROM generation_day_rollups
GROUP BY series_id, begin_ms;

INSERT INTO latency_month_rollups (series_id, month_ms, bucket, n)
SELECT
  series_id, 1000 * CAST(strftime('%s', day_ms / 1000, 'unixepoch', 'start of month') AS INTEGER) AS begin_ms, bucket,
  sum(n)
FROM latency_day_rollups
GROUP BY series_id, begin_ms, bucket;

INSERT INTO outcome_day_rollups (
  series_id, day_ms, metric, n, reward_sum, reward_sum_low, reward_sum_sq, reward_sum_sq_low
)
SELECT
  series_id, hour_ms - hour_ms % 86400000 AS begin_ms, metric, sum(n), sum(reward_sum), sum(reward_sum_low),
  sum(reward_sum_sq), sum(reward_sum_sq_low)
FROM outcome_rollups
GROUP BY series_id, metric, begin_ms;

INSERT INTO outcome_month_rollups (
  series_id, month_ms, metric, n, reward_sum, reward_sum_low, reward_sum_sq, reward_sum_sq_low
)
SELECT
  series_id, 1000 * CAST(strftime('%s', day_ms / 1000, 'unixepoch', 'start of month') AS INTEGER) AS begin_ms, metric,
  sum(n), sum(reward_sum), sum(reward_sum_low), sum(reward_sum_sq), sum(reward_sum_sq_low)
FROM outcome_day_rollups
GROUP BY series_id, metric, begin_ms;
