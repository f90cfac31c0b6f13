ALTER TABLE api_keys ADD COLUMN goes_live INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_api_keys_goes_live CHECK (goes_live IN (0,1))

ALTER TABLE postback_configs ADD COLUMN path_hash TEXT

CREATE TABLE webhooks (
	id INTEGER NOT NULL,
	user_id INTEGER NOT NULL,
	account_id INTEGER NOT NULL,
	name TEXT NOT NULL,
	source TEXT NOT NULL CONSTRAINT ck_webhooks_source CHECK (source IN ('tradingview','chartink','other')),
	path_hash TEXT NOT NULL,
	signing_enc BLOB,
	template TEXT NOT NULL,
	addresses TEXT,
	opens_at TEXT,
	closes_at TEXT,
	repeats_within_s INTEGER DEFAULT 60 NOT NULL,
	is_active INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_webhooks_is_active CHECK (is_active IN (0,1)),
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	last_alert_at INTEGER,
	CONSTRAINT fk_webhooks_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE,
	CONSTRAINT fk_webhooks_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
	CONSTRAINT pk_webhooks PRIMARY KEY (id),
	CONSTRAINT uq_webhooks_path_hash UNIQUE (path_hash)
)
 STRICT

CREATE TABLE webhook_alerts (
	id INTEGER NOT NULL,
	webhook_id INTEGER NOT NULL,
	said_key TEXT NOT NULL,
	payload TEXT,
	ip_address TEXT,
	status TEXT DEFAULT 'TAKEN' NOT NULL CONSTRAINT ck_webhook_alerts_status CHECK (status IN ('TAKEN','DONE','REFUSED')),
	outcome TEXT,
	error_message TEXT,
	received_at INTEGER NOT NULL,
	done_at INTEGER,
	CONSTRAINT fk_webhook_alerts_webhook_id FOREIGN KEY(webhook_id) REFERENCES webhooks (id) ON DELETE CASCADE,
	CONSTRAINT pk_webhook_alerts PRIMARY KEY (id),
	CONSTRAINT uq_webhook_alerts_webhook_id_said_key UNIQUE (webhook_id, said_key)
)
 STRICT

CREATE UNIQUE INDEX uq_postback_configs_path_hash ON postback_configs (path_hash)

CREATE INDEX ix_webhooks_account_id ON webhooks (account_id)

CREATE INDEX ix_webhooks_user_id ON webhooks (user_id)

CREATE INDEX ix_webhook_alerts_webhook_id_received_at ON webhook_alerts (webhook_id, received_at)

CREATE TRIGGER webhooks_touch AFTER UPDATE ON webhooks
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE webhooks SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

-- down

DROP INDEX uq_postback_configs_path_hash

DROP TABLE webhook_alerts

DROP TABLE webhooks

-- rebuild
CREATE TABLE api_keys (
	id INTEGER NOT NULL,
	user_id INTEGER NOT NULL,
	key_hash TEXT NOT NULL,
	key_enc BLOB,
	name TEXT,
	scope TEXT DEFAULT 'read' NOT NULL CONSTRAINT ck_api_keys_scope CHECK (scope IN ('read','paper','trade')),
	created_at INTEGER NOT NULL,
	last_used_at INTEGER,
	expires_at INTEGER,
	is_active INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_api_keys_is_active CHECK (is_active IN (0,1)),
	needs_approval INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_api_keys_needs_approval CHECK (needs_approval IN (0,1)),
	CONSTRAINT fk_api_keys_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
	CONSTRAINT pk_api_keys PRIMARY KEY (id),
	CONSTRAINT uq_api_keys_key_hash UNIQUE (key_hash)
)
 STRICT

-- rebuild
CREATE TABLE postback_configs (
	id INTEGER NOT NULL,
	account_id INTEGER NOT NULL,
	webhook_url TEXT NOT NULL,
	webhook_secret_enc BLOB,
	event_types TEXT,
	is_active INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_postback_configs_is_active CHECK (is_active IN (0,1)),
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	last_triggered_at INTEGER,
	CONSTRAINT fk_postback_configs_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE,
	CONSTRAINT pk_postback_configs PRIMARY KEY (id)
)
 STRICT
