-- What: how far retention has come, and what it needs to find the oldest rows and to keep what experiments count.
-- Why: rows go after a time, or when the file nears its size; rollups stay. A rebuild must know which hours have lost
--   rows, or it would count them anew from what is left.
-- Not for: the settings (ledger.retention of gateway.config.json).

CREATE TABLE retention_state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  -- Rows created before this have been deleted; 0: none ever was. Derived sums of these hours are kept as they are.
  rows_horizon_ms INTEGER NOT NULL,
  -- Generations up to this place, in order of (created_at_ms, seq), have lost their contents.
  contents_horizon_ms INTEGER NOT NULL,
  contents_horizon_seq INTEGER NOT NULL
) STRICT;

INSERT INTO retention_state (id, rows_horizon_ms, contents_horizon_ms, contents_horizon_seq) VALUES (1, 0, 0, 0);

-- What a decision needs of its generation, once that is gone. NULL: it is still there.
ALTER TABLE experiment_decisions ADD COLUMN arm TEXT;
ALTER TABLE experiment_decisions ADD COLUMN propensities_json TEXT;

-- The oldest of each kind. All grow at their ends.
CREATE INDEX scores_by_time ON scores (created_at_ms);
CREATE INDEX shadow_pairs_by_time ON shadow_pairs (created_at_ms);
CREATE INDEX outcome_voids_by_time ON outcome_voids (received_at_ms);
