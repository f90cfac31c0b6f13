ALTER TABLE jobs ADD COLUMN user_id BIGINT

CREATE TABLE login_turns (
  login TEXT NOT NULL, 
  lease_owner TEXT, 
  leased_until BIGINT, 
  fence BIGINT DEFAULT 0 NOT NULL, 
  last_login_at BIGINT, 
  throttled_at BIGINT, 
  updated_at BIGINT NOT NULL, 
  CONSTRAINT pk_login_turns PRIMARY KEY (login)
)

CREATE TRIGGER login_turns_touch BEFORE UPDATE ON login_turns
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()

CREATE TABLE revisions (
  topic TEXT NOT NULL, 
  number BIGINT DEFAULT 0 NOT NULL, 
  CONSTRAINT pk_revisions PRIMARY KEY (topic)
)

CREATE TABLE schedules (
  name TEXT NOT NULL, 
  title TEXT NOT NULL, 
  job_type TEXT NOT NULL, 
  payload JSONB, 
  cron TEXT NOT NULL, 
  grace_s BIGINT DEFAULT 300 NOT NULL, 
  is_active SMALLINT DEFAULT 1 NOT NULL CONSTRAINT ck_schedules_is_active CHECK (is_active IN (0,1)), 
  next_run_at BIGINT, 
  last_run_at BIGINT, 
  updated_at BIGINT NOT NULL, 
  CONSTRAINT pk_schedules PRIMARY KEY (name)
)

CREATE TRIGGER schedules_touch BEFORE UPDATE ON schedules
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()

CREATE TABLE sign_in_failures (
  subject TEXT NOT NULL, 
  failures BIGINT NOT NULL, 
  last_failed_at BIGINT NOT NULL, 
  blocked_until BIGINT, 
  CONSTRAINT pk_sign_in_failures PRIMARY KEY (subject)
)

CREATE INDEX ix_sign_in_failures_last_failed_at ON sign_in_failures (last_failed_at)

ALTER TABLE users ADD COLUMN totp_last_step BIGINT

ALTER TABLE audit_seal_rows ADD COLUMN row_digest TEXT

CREATE TABLE sign_in_links (
  id BIGINT NOT NULL, 
  user_id BIGINT NOT NULL, 
  token_hash TEXT NOT NULL, 
  created_at BIGINT NOT NULL, 
  expires_at BIGINT NOT NULL, 
  used_at BIGINT, 
  CONSTRAINT pk_sign_in_links PRIMARY KEY (id), 
  CONSTRAINT uq_sign_in_links_token_hash UNIQUE (token_hash), 
  CONSTRAINT fk_sign_in_links_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
)

CREATE INDEX ix_sign_in_links_user_id ON sign_in_links (user_id)

ALTER TABLE egress_addresses ADD COLUMN public_address TEXT

ALTER TABLE egress_addresses ADD COLUMN provider TEXT

ALTER TABLE egress_addresses ADD COLUMN person_id BIGINT CONSTRAINT fk_egress_addresses_person_id REFERENCES persons (id) ON DELETE SET NULL

ALTER TABLE egress_addresses ADD COLUMN family_declared SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_egress_addresses_family_declared CHECK (family_declared IN (0,1))

ALTER TABLE accounts ADD COLUMN secondary_egress_address_id BIGINT CONSTRAINT fk_accounts_secondary_egress_address_id REFERENCES egress_addresses (id) ON DELETE RESTRICT

ALTER TABLE accounts ADD COLUMN egress_changed_at BIGINT

ALTER TABLE accounts ADD COLUMN opening_cash BIGINT

ALTER TABLE broker_apis ADD COLUMN pin_enc BYTEA

ALTER TABLE broker_apis ADD COLUMN totp_enc BYTEA

ALTER TABLE broker_apis ADD COLUMN redirect_uri TEXT

ALTER TABLE broker_apis ADD COLUMN notifier_hash TEXT

CREATE UNIQUE INDEX uq_broker_apis_notifier_hash ON broker_apis (notifier_hash)

ALTER TABLE token_runs ADD COLUMN mode TEXT DEFAULT 'INVALID_ONLY' NOT NULL CONSTRAINT ck_token_runs_mode CHECK (mode IN ('ALL','INVALID_ONLY','PARTIAL'))

ALTER TABLE token_runs ADD COLUMN apis JSONB

ALTER TABLE token_runs ADD COLUMN due_at BIGINT

ALTER TABLE token_runs ADD COLUMN stop_requested SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_token_runs_stop_requested CHECK (stop_requested IN (0,1))

ALTER TABLE token_runs ADD COLUMN started_by TEXT

ALTER TABLE token_runs ADD COLUMN ended_at BIGINT

ALTER TABLE token_runs DROP CONSTRAINT ck_token_runs_status

ALTER TABLE token_runs ADD CONSTRAINT ck_token_runs_status CHECK (status IN ('RUNNING','COOLDOWN','RESUMING','WAITING','COMPLETED','INCOMPLETE','STOPPED'))

ALTER TABLE alerts ADD COLUMN user_id BIGINT

ALTER TABLE alerts ADD COLUMN topic TEXT

ALTER TABLE alerts ADD COLUMN times BIGINT DEFAULT 1 NOT NULL

ALTER TABLE alerts ADD COLUMN last_raised_at BIGINT

CREATE UNIQUE INDEX uq_alerts_topic ON alerts (topic) WHERE acknowledged_at IS NULL

ALTER TABLE broker_tokens ADD COLUMN fingerprint TEXT

ALTER TABLE broker_tokens ADD COLUMN lease_owner TEXT

ALTER TABLE broker_tokens ADD COLUMN leased_until BIGINT

ALTER TABLE broker_tokens ADD COLUMN checked_at BIGINT

ALTER TABLE broker_tokens ADD COLUMN checked_state TEXT CONSTRAINT ck_broker_tokens_checked_state CHECK (checked_state IN ('VALID','INVALID','EXPIRED','MISSING'))

ALTER TABLE broker_tokens ADD COLUMN retired_at BIGINT

ALTER TABLE broker_tokens ADD COLUMN retired_because TEXT

CREATE TABLE login_handovers (
  id BIGINT NOT NULL, 
  broker_api_id BIGINT NOT NULL, 
  execution_id TEXT, 
  state_hash TEXT NOT NULL, 
  code_hash TEXT NOT NULL, 
  state_enc BYTEA, 
  created_by TEXT, 
  created_at BIGINT NOT NULL, 
  expires_at BIGINT NOT NULL, 
  opened_at BIGINT, 
  used_at BIGINT, 
  CONSTRAINT pk_login_handovers PRIMARY KEY (id), 
  CONSTRAINT uq_login_handovers_state_hash UNIQUE (state_hash), 
  CONSTRAINT uq_login_handovers_code_hash UNIQUE (code_hash), 
  CONSTRAINT fk_login_handovers_broker_api_id FOREIGN KEY(broker_api_id) REFERENCES broker_apis (id) ON DELETE CASCADE
)

CREATE INDEX ix_login_handovers_broker_api_id_expires_at ON login_handovers (broker_api_id, expires_at)

CREATE INDEX ix_login_handovers_execution_id ON login_handovers (execution_id)

CREATE TABLE token_attempts (
  id BIGINT NOT NULL, 
  execution_id TEXT, 
  broker_api_id BIGINT NOT NULL, 
  outcome TEXT NOT NULL CONSTRAINT ck_token_attempts_outcome CHECK (outcome IN ('TRYING','MADE','FAILED','THROTTLED','WAITING','STOPPED')), 
  reason TEXT CONSTRAINT ck_token_attempts_reason CHECK (reason IN ('NETWORK_TIMEOUT','INVALID_CREDENTIALS','CAPTCHA','RATE_LIMIT','SELENIUM_DOM_CHANGE','BROWSER_CRASH','TOKEN_EXCHANGE_FAILED','PROFILE_VERIFICATION_FAILED','CONSENT_FAILED','UNKNOWN')), 
  broker_code TEXT, 
  message TEXT, 
  started_at BIGINT NOT NULL, 
  ended_at BIGINT, 
  CONSTRAINT pk_token_attempts PRIMARY KEY (id), 
  CONSTRAINT fk_token_attempts_broker_api_id FOREIGN KEY(broker_api_id) REFERENCES broker_apis (id) ON DELETE CASCADE
)

CREATE INDEX ix_token_attempts_broker_api_id_started_at ON token_attempts (broker_api_id, started_at)

CREATE INDEX ix_token_attempts_execution_id_started_at ON token_attempts (execution_id, started_at)

CREATE FUNCTION sp_getactivesession(service text) RETURNS TABLE (
  id bigint, service_type text, session_token bytea, access_token bytea, user_id text,
  user_name text, expires_at bigint, created_at bigint, updated_at bigint
) LANGUAGE sql STABLE AS $$
SELECT t.id, a.broker, t.session_token_enc, t.access_token_enc, a.broker_user_id,
  a.broker_user_name, t.expires_at, t.created_at, t.updated_at
FROM broker_tokens t
JOIN broker_apis b ON b.id = t.broker_api_id
JOIN accounts a ON a.id = b.account_id
WHERE a.broker = service AND t.is_active = 1 AND (t.expires_at IS NULL
  OR t.expires_at > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
ORDER BY t.updated_at DESC, t.id DESC LIMIT 1
$$

CREATE FUNCTION sp_updateauthsession(
  token_id bigint, api_id bigint, access_token bytea, session_token bytea, refresh_token bytea,
  feed_token bytea, expires bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE moment bigint := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
BEGIN
  UPDATE broker_tokens SET is_active = 0, retired_at = moment, retired_because = 'replaced',
    updated_at = moment WHERE broker_api_id = api_id AND is_active = 1;
  INSERT INTO broker_tokens (id, broker_api_id, access_token_enc, session_token_enc,
    refresh_token_enc, feed_token_enc, generated_at, expires_at, is_active, created_at, updated_at)
  VALUES (token_id, api_id, access_token, session_token, refresh_token, feed_token, moment,
    coalesce(expires, moment + 86400000000), 1, moment, moment);
  RETURN token_id;
END $$

CREATE FUNCTION sp_cleanupexpiredsessions() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE moment bigint := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
  touched bigint; total bigint;
BEGIN
  UPDATE broker_tokens SET is_active = 0, retired_at = moment, retired_because = 'expired',
    updated_at = moment WHERE is_active = 1 AND expires_at <= moment;
  GET DIAGNOSTICS total = ROW_COUNT;
  UPDATE user_sessions SET is_active = 0 WHERE is_active = 1 AND expires_at <= moment;
  GET DIAGNOSTICS touched = ROW_COUNT;
  total := total + touched;
  DELETE FROM cache_entries WHERE expires_at <= moment;
  GET DIAGNOSTICS touched = ROW_COUNT;
  RETURN total + touched;
END $$

-- down

DROP FUNCTION sp_getactivesession

DROP FUNCTION sp_updateauthsession

DROP FUNCTION sp_cleanupexpiredsessions

DROP TABLE token_attempts

DROP TABLE login_handovers

DROP TABLE sign_in_links

DROP TABLE sign_in_failures

DROP TABLE schedules

DROP TABLE revisions

DROP TABLE login_turns

ALTER TABLE jobs DROP COLUMN user_id

ALTER TABLE users DROP COLUMN totp_last_step

ALTER TABLE audit_seal_rows DROP COLUMN row_digest

ALTER TABLE egress_addresses DROP COLUMN public_address

ALTER TABLE egress_addresses DROP COLUMN provider

ALTER TABLE egress_addresses DROP COLUMN person_id

ALTER TABLE egress_addresses DROP COLUMN family_declared

ALTER TABLE accounts DROP COLUMN secondary_egress_address_id

ALTER TABLE accounts DROP COLUMN egress_changed_at

ALTER TABLE accounts DROP COLUMN opening_cash

DROP INDEX uq_broker_apis_notifier_hash

ALTER TABLE broker_apis DROP COLUMN pin_enc

ALTER TABLE broker_apis DROP COLUMN totp_enc

ALTER TABLE broker_apis DROP COLUMN redirect_uri

ALTER TABLE broker_apis DROP COLUMN notifier_hash

UPDATE token_runs SET status = NULL WHERE status IN ('WAITING','INCOMPLETE','STOPPED')

ALTER TABLE token_runs DROP CONSTRAINT ck_token_runs_status

ALTER TABLE token_runs ADD CONSTRAINT ck_token_runs_status CHECK (status IN ('RUNNING','COOLDOWN','RESUMING','COMPLETED'))

ALTER TABLE token_runs DROP COLUMN mode

ALTER TABLE token_runs DROP COLUMN apis

ALTER TABLE token_runs DROP COLUMN due_at

ALTER TABLE token_runs DROP COLUMN stop_requested

ALTER TABLE token_runs DROP COLUMN started_by

ALTER TABLE token_runs DROP COLUMN ended_at

DROP INDEX uq_alerts_topic

ALTER TABLE alerts DROP COLUMN user_id

ALTER TABLE alerts DROP COLUMN topic

ALTER TABLE alerts DROP COLUMN times

ALTER TABLE alerts DROP COLUMN last_raised_at

ALTER TABLE broker_tokens DROP COLUMN fingerprint

ALTER TABLE broker_tokens DROP COLUMN lease_owner

ALTER TABLE broker_tokens DROP COLUMN leased_until

ALTER TABLE broker_tokens DROP COLUMN checked_at

ALTER TABLE broker_tokens DROP COLUMN checked_state

ALTER TABLE broker_tokens DROP COLUMN retired_at

ALTER TABLE broker_tokens DROP COLUMN retired_because
