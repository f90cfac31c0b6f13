ALTER TABLE jobs ADD COLUMN user_id BIGINT

ALTER TABLE alerts ADD COLUMN user_id BIGINT

ALTER TABLE alerts ADD COLUMN topic TEXT

ALTER TABLE alerts ADD COLUMN times BIGINT DEFAULT 1 NOT NULL

ALTER TABLE alerts ADD COLUMN last_raised_at BIGINT

CREATE UNIQUE INDEX uq_alerts_topic ON alerts (topic) WHERE acknowledged_at IS NULL

ALTER TABLE audit_seal_rows ADD COLUMN row_digest TEXT

-- down

ALTER TABLE jobs DROP COLUMN user_id

DROP INDEX uq_alerts_topic

ALTER TABLE alerts DROP COLUMN user_id

ALTER TABLE alerts DROP COLUMN topic

ALTER TABLE alerts DROP COLUMN times

ALTER TABLE alerts DROP COLUMN last_raised_at

ALTER TABLE audit_seal_rows DROP COLUMN row_digest
