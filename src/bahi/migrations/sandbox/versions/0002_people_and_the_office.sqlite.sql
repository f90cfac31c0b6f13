ALTER TABLE jobs ADD COLUMN user_id INTEGER

ALTER TABLE alerts ADD COLUMN user_id INTEGER

ALTER TABLE alerts ADD COLUMN topic TEXT

ALTER TABLE alerts ADD COLUMN times INTEGER DEFAULT 1 NOT NULL

ALTER TABLE alerts ADD COLUMN last_raised_at INTEGER

CREATE UNIQUE INDEX uq_alerts_topic ON alerts (topic) WHERE acknowledged_at IS NULL

ALTER TABLE audit_seal_rows ADD COLUMN row_digest TEXT

-- down

DROP INDEX uq_alerts_topic
