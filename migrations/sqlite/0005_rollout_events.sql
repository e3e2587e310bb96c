-- What: everything that was about to reach users, or was taken back: moves of labels, definitions of experiments and
--   policies that came into force, what a gate refused, stops by guardrails, alarms of the assignment.
-- Why: a gate exempts what was live before, a stopped experiment stays stopped after a restart, an alarm stays on.
--   The history is the state: nothing else says any of it.
-- Not for: what shadow runs have shown (a gate's finding is copied here when it decided).
-- `gate_json` holds the finding, `live_json` the versions that users get by a label from then on, `facts_json` the
--   numbers behind a stop or an alarm. `revision` is '' for a label.

CREATE TABLE rollout_events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  created_at_ms INTEGER NOT NULL,
  subject_kind TEXT NOT NULL CHECK (subject_kind IN ('label', 'experiment', 'policy')),
  subject TEXT NOT NULL,
  from_state TEXT,
  to_state TEXT NOT NULL,
  revision TEXT NOT NULL,
  decision TEXT NOT NULL CHECK (
    decision IN ('allowed', 'exempt', 'overridden', 'refused', 'stopped', 'resumed', 'alarmed')
  ),
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  gate_json TEXT,
  live_json TEXT,
  facts_json TEXT
) STRICT;

CREATE INDEX rollout_events_by_subject ON rollout_events (subject_kind, subject, seq);

-- Moves made before there were gates: what they led to was live. Which versions an experiment had then is not known;
-- its definition of the next start counts as the one in force.
INSERT INTO rollout_events (
  id, created_at_ms, subject_kind, subject, from_state, to_state, revision, decision, reason, actor, live_json
)
SELECT
  'rol_' || substr(id, 5), created_at_ms, 'label', prompt || '@' || label, from_kind || ' ' || from_target,
  to_kind || ' ' || to_target, '', 'allowed', reason, actor,
  CASE WHEN to_kind = 'version' AND to_hash IS NOT NULL THEN
    json_array(json_object('prompt', prompt, 'label', label, 'version', to_target, 'hash', to_hash))
  END
FROM label_events
ORDER BY seq;
