ALTER TABLE jobs ADD COLUMN user_id INTEGER

CREATE TABLE login_turns (
  login TEXT NOT NULL, 
  lease_owner TEXT, 
  leased_until INTEGER, 
  fence INTEGER DEFAULT 0 NOT NULL, 
  last_login_at INTEGER, 
  throttled_at INTEGER, 
  updated_at INTEGER NOT NULL, 
  CONSTRAINT pk_login_turns PRIMARY KEY (login)
)
 STRICT

CREATE TRIGGER login_turns_touch AFTER UPDATE ON login_turns
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE login_turns SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TABLE revisions (
  topic TEXT NOT NULL, 
  number INTEGER DEFAULT 0 NOT NULL, 
  CONSTRAINT pk_revisions PRIMARY KEY (topic)
)
 STRICT

CREATE TABLE schedules (
  name TEXT NOT NULL, 
  title TEXT NOT NULL, 
  job_type TEXT NOT NULL, 
  payload TEXT, 
  cron TEXT NOT NULL, 
  grace_s INTEGER DEFAULT 300 NOT NULL, 
  is_active INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_schedules_is_active CHECK (is_active IN (0,1)), 
  next_run_at INTEGER, 
  last_run_at INTEGER, 
  updated_at INTEGER NOT NULL, 
  CONSTRAINT pk_schedules PRIMARY KEY (name)
)
 STRICT

CREATE TRIGGER schedules_touch AFTER UPDATE ON schedules
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE schedules SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TABLE sign_in_failures (
  subject TEXT NOT NULL, 
  failures INTEGER NOT NULL, 
  last_failed_at INTEGER NOT NULL, 
  blocked_until INTEGER, 
  CONSTRAINT pk_sign_in_failures PRIMARY KEY (subject)
)
 STRICT

CREATE INDEX ix_sign_in_failures_last_failed_at ON sign_in_failures (last_failed_at)

ALTER TABLE users ADD COLUMN totp_last_step INTEGER

ALTER TABLE audit_seal_rows ADD COLUMN row_digest TEXT

CREATE TABLE sign_in_links (
  id INTEGER NOT NULL, 
  user_id INTEGER NOT NULL, 
  token_hash TEXT NOT NULL, 
  created_at INTEGER NOT NULL, 
  expires_at INTEGER NOT NULL, 
  used_at INTEGER, 
  CONSTRAINT pk_sign_in_links PRIMARY KEY (id), 
  CONSTRAINT uq_sign_in_links_token_hash UNIQUE (token_hash), 
  CONSTRAINT fk_sign_in_links_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_sign_in_links_user_id ON sign_in_links (user_id)

ALTER TABLE egress_addresses ADD COLUMN public_address TEXT

ALTER TABLE egress_addresses ADD COLUMN provider TEXT

ALTER TABLE egress_addresses ADD COLUMN person_id INTEGER CONSTRAINT fk_egress_addresses_person_id REFERENCES persons (id) ON DELETE SET NULL

ALTER TABLE egress_addresses ADD COLUMN family_declared INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_egress_addresses_family_declared CHECK (family_declared IN (0,1))

ALTER TABLE accounts ADD COLUMN secondary_egress_address_id INTEGER CONSTRAINT fk_accounts_secondary_egress_address_id REFERENCES egress_addresses (id) ON DELETE RESTRICT

ALTER TABLE accounts ADD COLUMN egress_changed_at INTEGER

ALTER TABLE accounts ADD COLUMN opening_cash INTEGER

ALTER TABLE broker_apis ADD COLUMN pin_enc BLOB

ALTER TABLE broker_apis ADD COLUMN totp_enc BLOB

ALTER TABLE broker_apis ADD COLUMN redirect_uri TEXT

ALTER TABLE broker_apis ADD COLUMN notifier_hash TEXT

CREATE UNIQUE INDEX uq_broker_apis_notifier_hash ON broker_apis (notifier_hash)

ALTER TABLE alerts ADD COLUMN user_id INTEGER

ALTER TABLE alerts ADD COLUMN topic TEXT

ALTER TABLE alerts ADD COLUMN times INTEGER DEFAULT 1 NOT NULL

ALTER TABLE alerts ADD COLUMN last_raised_at INTEGER

CREATE UNIQUE INDEX uq_alerts_topic ON alerts (topic) WHERE acknowledged_at IS NULL

ALTER TABLE broker_tokens ADD COLUMN fingerprint TEXT

ALTER TABLE broker_tokens ADD COLUMN lease_owner TEXT

ALTER TABLE broker_tokens ADD COLUMN leased_until INTEGER

ALTER TABLE broker_tokens ADD COLUMN checked_at INTEGER

ALTER TABLE broker_tokens ADD COLUMN checked_state TEXT CONSTRAINT ck_broker_tokens_checked_state CHECK (checked_state IN ('VALID','INVALID','EXPIRED','MISSING'))

ALTER TABLE broker_tokens ADD COLUMN retired_at INTEGER

ALTER TABLE broker_tokens ADD COLUMN retired_because TEXT

CREATE TABLE login_handovers (
  id INTEGER NOT NULL, 
  broker_api_id INTEGER NOT NULL, 
  execution_id TEXT, 
  state_hash TEXT NOT NULL, 
  code_hash TEXT NOT NULL, 
  state_enc BLOB, 
  created_by TEXT, 
  created_at INTEGER NOT NULL, 
  expires_at INTEGER NOT NULL, 
  opened_at INTEGER, 
  used_at INTEGER, 
  CONSTRAINT pk_login_handovers PRIMARY KEY (id), 
  CONSTRAINT uq_login_handovers_state_hash UNIQUE (state_hash), 
  CONSTRAINT uq_login_handovers_code_hash UNIQUE (code_hash), 
  CONSTRAINT fk_login_handovers_broker_api_id FOREIGN KEY(broker_api_id) REFERENCES broker_apis (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_login_handovers_broker_api_id_expires_at ON login_handovers (broker_api_id, expires_at)

CREATE INDEX ix_login_handovers_execution_id ON login_handovers (execution_id)

CREATE TABLE token_attempts (
  id INTEGER NOT NULL, 
  execution_id TEXT, 
  broker_api_id INTEGER NOT NULL, 
  outcome TEXT NOT NULL CONSTRAINT ck_token_attempts_outcome CHECK (outcome IN ('TRYING','MADE','FAILED','THROTTLED','WAITING','STOPPED')), 
  reason TEXT CONSTRAINT ck_token_attempts_reason CHECK (reason IN ('NETWORK_TIMEOUT','INVALID_CREDENTIALS','CAPTCHA','RATE_LIMIT','SELENIUM_DOM_CHANGE','BROWSER_CRASH','TOKEN_EXCHANGE_FAILED','PROFILE_VERIFICATION_FAILED','CONSENT_FAILED','UNKNOWN')), 
  broker_code TEXT, 
  message TEXT, 
  started_at INTEGER NOT NULL, 
  ended_at INTEGER, 
  CONSTRAINT pk_token_attempts PRIMARY KEY (id), 
  CONSTRAINT fk_token_attempts_broker_api_id FOREIGN KEY(broker_api_id) REFERENCES broker_apis (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_token_attempts_broker_api_id_started_at ON token_attempts (broker_api_id, started_at)

CREATE INDEX ix_token_attempts_execution_id_started_at ON token_attempts (execution_id, started_at)

-- down

DROP TABLE token_attempts

DROP TABLE login_handovers

DROP TABLE sign_in_links

DROP TABLE sign_in_failures

DROP TABLE schedules

DROP TABLE revisions

DROP TABLE login_turns

DROP INDEX uq_broker_apis_notifier_hash

UPDATE token_runs SET status = NULL WHERE status IN ('WAITING','INCOMPLETE','STOPPED')

DROP INDEX uq_alerts_topic
