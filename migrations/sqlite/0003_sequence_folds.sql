-- What: the confidence sequences of experiments, folded once per decision in decision order, and what that needs.
-- Why: an interval that stays true under drift depends on the order of the decisions, so no sum of a rollup can give
--   it; a checkpoint per hour lets a corrected reward be folded anew from the hour before it.
-- Not for: the truth. All three tables are derived: experiment_decisions by the writer, the others by the leader,
--   which begins again where it finds nothing.

-- Derived: the units of an experiment in decision order, one row per row of experiment_units.
CREATE TABLE experiment_decisions (
  experiment TEXT NOT NULL,
  experiment_revision TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  generation_id TEXT NOT NULL,
  PRIMARY KEY (experiment, experiment_revision, created_at_ms, generation_id)
) STRICT, WITHOUT ROWID;

INSERT INTO experiment_decisions (experiment, experiment_revision, created_at_ms, generation_id)
SELECT u.experiment, COALESCE(g.experiment_revision, ''), g.created_at_ms, g.id
FROM experiment_units u
JOIN generations g ON g.id = u.generation_id;

-- How far a sequence has come. The writer lowers sound_until_ms in the transaction that changes a reward of an hour
-- before claimed_until_ms; the leader claims hours before it reads them, so that no change falls between.
CREATE TABLE sequence_heads (
  experiment TEXT NOT NULL,
  experiment_revision TEXT NOT NULL,
  metric TEXT NOT NULL,
  -- Changes of decision hours before this are counted as corrections.
  claimed_until_ms INTEGER NOT NULL,
  -- Decision hours before this have been folded.
  folded_until_ms INTEGER NOT NULL,
  -- Checkpoints of hours before this are what the present rows give.
  sound_until_ms INTEGER NOT NULL,
  corrections INTEGER NOT NULL,
  PRIMARY KEY (experiment, experiment_revision, metric)
) STRICT, WITHOUT ROWID;

-- The state after the last decision of an hour; hours without a decision have none.
CREATE TABLE sequence_checkpoints (
  experiment TEXT NOT NULL,
  experiment_revision TEXT NOT NULL,
  metric TEXT NOT NULL,
  hour_ms INTEGER NOT NULL,
  decisions INTEGER NOT NULL,
  state_json TEXT NOT NULL,
  PRIMARY KEY (experiment, experiment_revision, metric, hour_ms)
) STRICT, WITHOUT ROWID;
