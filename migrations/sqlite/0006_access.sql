-- What: limits, revocation and history of API keys; one-time sign-in links; what each key spent per day.
-- Why: keys are in force in every process within a second, so changes carry a sequence that is polled.

ALTER TABLE api_keys ADD COLUMN requests_per_minute INTEGER;
ALTER TABLE api_keys ADD COLUMN tokens_per_minute INTEGER;
ALTER TABLE api_keys ADD COLUMN nano_usd_per_day INTEGER;
ALTER TABLE api_keys ADD COLUMN created_by TEXT NOT NULL DEFAULT 'local';
ALTER TABLE api_keys ADD COLUMN revoked_reason TEXT;

-- Every creation and revocation: the history, and by its greatest `seq` the revision of the key ring.
CREATE TABLE api_key_events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  key_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('created', 'revoked')),
  at_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  reason TEXT
) STRICT;

-- Derived: cost of a key's calls by UTC day, for budgets that survive a restart.
CREATE TABLE api_key_spend (
  api_key_id TEXT NOT NULL,
  day_ms INTEGER NOT NULL,
  cost_nano_usd INTEGER NOT NULL,
  PRIMARY KEY (api_key_id, day_ms)
) STRICT, WITHOUT ROWID;

-- One-time links; only the SHA-256 of a token is kept.
CREATE TABLE sign_in_tokens (
  token_sha256 TEXT NOT NULL PRIMARY KEY,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  used_at_ms INTEGER
) STRICT, WITHOUT ROWID;
