ALTER TABLE api_keys ADD COLUMN goes_live SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_api_keys_goes_live CHECK (goes_live IN (0,1))

ALTER TABLE postback_configs ADD COLUMN path_hash TEXT

CREATE TABLE webhooks (
	id BIGINT NOT NULL,
	user_id BIGINT NOT NULL,
	account_id BIGINT NOT NULL,
	name TEXT NOT NULL,
	source TEXT NOT NULL CONSTRAINT ck_webhooks_source CHECK (source IN ('tradingview','chartink','other')),
	path_hash TEXT NOT NULL,
	signing_enc BYTEA,
	template JSONB NOT NULL,
	addresses JSONB,
	opens_at TEXT,
	closes_at TEXT,
	repeats_within_s BIGINT DEFAULT 60 NOT NULL,
	is_active SMALLINT DEFAULT 1 NOT NULL CONSTRAINT ck_webhooks_is_active CHECK (is_active IN (0,1)),
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	last_alert_at BIGINT,
	CONSTRAINT fk_webhooks_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE,
	CONSTRAINT fk_webhooks_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
	CONSTRAINT pk_webhooks PRIMARY KEY (id),
	CONSTRAINT uq_webhooks_path_hash UNIQUE (path_hash)
)

CREATE TABLE webhook_alerts (
	id BIGINT NOT NULL,
	webhook_id BIGINT NOT NULL,
	said_key TEXT NOT NULL,
	payload JSONB,
	ip_address TEXT,
	status TEXT DEFAULT 'TAKEN' NOT NULL CONSTRAINT ck_webhook_alerts_status CHECK (status IN ('TAKEN','DONE','REFUSED')),
	outcome JSONB,
	error_message TEXT,
	received_at BIGINT NOT NULL,
	done_at BIGINT,
	CONSTRAINT fk_webhook_alerts_webhook_id FOREIGN KEY(webhook_id) REFERENCES webhooks (id) ON DELETE CASCADE,
	CONSTRAINT pk_webhook_alerts PRIMARY KEY (id),
	CONSTRAINT uq_webhook_alerts_webhook_id_said_key UNIQUE (webhook_id, said_key)
)

CREATE UNIQUE INDEX uq_postback_configs_path_hash ON postback_configs (path_hash)

CREATE INDEX ix_webhooks_account_id ON webhooks (account_id)

CREATE INDEX ix_webhooks_user_id ON webhooks (user_id)

CREATE INDEX ix_webhook_alerts_webhook_id_received_at ON webhook_alerts (webhook_id, received_at)

CREATE TRIGGER webhooks_touch BEFORE UPDATE ON webhooks
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()

-- down

DROP INDEX uq_postback_configs_path_hash

DROP TABLE webhook_alerts

DROP TABLE webhooks

ALTER TABLE api_keys DROP COLUMN goes_live

ALTER TABLE postback_configs DROP COLUMN path_hash
