-- What: indexes for lists of calls, newest first: of all, of a version, of an experiment, of failures.
-- Why: a page is found by one of them, however many calls there are. All grow at their ends, or seldom: together they
--   cost a write next to nothing. One by unit would cost a quarter of it, so that lists of a unit are read through.
-- Not for: reports, which read rollups.

CREATE INDEX generations_by_time ON generations (created_at_ms);
CREATE INDEX generations_by_version ON generations (prompt, prompt_version, created_at_ms);
CREATE INDEX generations_by_experiment ON generations (experiment, created_at_ms) WHERE experiment IS NOT NULL;
CREATE INDEX generations_by_failure ON generations (status, created_at_ms) WHERE status <> 'ok';
-- The delivered ones have an index already.
CREATE INDEX generations_undelivered_by_external_id ON generations (external_id, created_at_ms)
  WHERE external_id IS NOT NULL AND delivered = 0;
