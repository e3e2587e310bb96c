-- What: the writers of ranking decisions. Columns that `scores` lacked, the rewards of decisions, their rollups, and what
--   policies learn.
-- Why: a policy reads the log of changed rewards after its own position, so that late, corrected and withdrawn rewards
--   are learnt once each, whatever order they come in, and a restart goes on where it stopped.
-- Not for: the definitions of policies (gateway.config.json) and the choice of prompt versions (policy_snapshots).

-- Revision of the definition that decided, and of what shapes its learning.
ALTER TABLE scores ADD COLUMN policy_definition TEXT;
ALTER TABLE scores ADD COLUMN model_revision TEXT;
-- Encoded features of the chosen candidate, before redaction: what is learnt from.
ALTER TABLE scores ADD COLUMN chosen_input_json TEXT;
ALTER TABLE scores ADD COLUMN candidate_count INTEGER;
-- 1: no candidate had a better estimate than the chosen one.
ALTER TABLE scores ADD COLUMN chosen_best INTEGER;

CREATE INDEX scores_by_policy ON scores (policy);

-- As for generations: in the order in which outcomes win.
DROP INDEX outcomes_by_score;
CREATE INDEX outcomes_by_score
  ON outcomes (score_id, metric, COALESCE(occurred_at_ms, received_at_ms), outcome_id, api_key_id)
  WHERE score_id IS NOT NULL;

-- Derived: the one outcome that is a decision's reward for a metric.
CREATE TABLE counting_score_outcomes (
  score_id TEXT NOT NULL,
  metric TEXT NOT NULL,
  api_key_id TEXT NOT NULL,
  outcome_id TEXT NOT NULL,
  effective_at_ms INTEGER NOT NULL,
  reward REAL NOT NULL,
  PRIMARY KEY (score_id, metric)
) STRICT, WITHOUT ROWID;

-- Every change of a row of counting_score_outcomes, in the same transaction; NULL: no reward. Only real decisions: test
-- traffic and shadows teach nothing. A rebuild appends what it corrects and never removes a row.
CREATE TABLE score_reward_changes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  policy TEXT NOT NULL,
  metric TEXT NOT NULL,
  score_id TEXT NOT NULL,
  score_seq INTEGER NOT NULL,
  -- The change before, of the same decision and metric.
  previous_seq INTEGER,
  reward_before REAL,
  reward_after REAL,
  changed_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX score_reward_changes_by_policy ON score_reward_changes (policy, metric);
CREATE INDEX score_reward_changes_by_score ON score_reward_changes (score_id, metric);

-- Derived. hour_ms is the UTC hour of the decision, for its rewards too. Absent values are ''.
CREATE TABLE score_rollups (
  policy TEXT NOT NULL,
  policy_definition TEXT NOT NULL,
  policy_revision TEXT NOT NULL,
  test INTEGER NOT NULL,
  shadow INTEGER NOT NULL,
  hour_ms INTEGER NOT NULL,
  decisions INTEGER NOT NULL,
  candidates INTEGER NOT NULL,
  -- Decisions whose chosen candidate had the best estimate of all.
  chosen_best INTEGER NOT NULL,
  chosen_propensity_sum REAL NOT NULL,
  PRIMARY KEY (policy, policy_definition, policy_revision, test, shadow, hour_ms)
) STRICT, WITHOUT ROWID;

-- Derived. Sums are unevaluated pairs, as in outcome_rollups.
CREATE TABLE score_reward_rollups (
  policy TEXT NOT NULL,
  policy_definition TEXT NOT NULL,
  policy_revision TEXT NOT NULL,
  test INTEGER NOT NULL,
  shadow INTEGER NOT NULL,
  metric TEXT NOT NULL,
  hour_ms INTEGER NOT NULL,
  n INTEGER NOT NULL,
  reward_sum REAL NOT NULL,
  reward_sum_low REAL NOT NULL,
  reward_sum_sq REAL NOT NULL,
  reward_sum_sq_low REAL NOT NULL,
  PRIMARY KEY (policy, policy_definition, policy_revision, test, shadow, metric, hour_ms)
) STRICT, WITHOUT ROWID;

-- Immutable states of a policy, named by the rows that used them.
CREATE TABLE score_policy_snapshots (
  policy TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  revision TEXT NOT NULL,
  policy_definition TEXT NOT NULL,
  model_revision TEXT NOT NULL,
  computed_at_ms INTEGER NOT NULL,
  rewards INTEGER NOT NULL,
  weight REAL NOT NULL,
  coefficients_json TEXT NOT NULL,
  PRIMARY KEY (policy, sequence)
) STRICT, WITHOUT ROWID;

-- How far a model has read, and its sums. One row per model a policy ever had: going back to one costs nothing.
CREATE TABLE score_training_state (
  policy TEXT NOT NULL,
  model_revision TEXT NOT NULL,
  change_position INTEGER NOT NULL,
  closed_position INTEGER NOT NULL,
  state_json TEXT NOT NULL,
  PRIMARY KEY (policy, model_revision)
) STRICT, WITHOUT ROWID;

-- Where each discount of a model fell: tells what is left of a reward that must be taken back.
CREATE TABLE score_training_marks (
  policy TEXT NOT NULL,
  model_revision TEXT NOT NULL,
  update_number INTEGER NOT NULL,
  change_position INTEGER NOT NULL,
  closed_position INTEGER NOT NULL,
  PRIMARY KEY (policy, model_revision, update_number)
) STRICT, WITHOUT ROWID;

CREATE INDEX score_training_marks_by_change
  ON score_training_marks (policy, model_revision, change_position, update_number);
CREATE INDEX score_training_marks_by_close
  ON score_training_marks (policy, model_revision, closed_position, update_number);
