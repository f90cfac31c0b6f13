ALTER TABLE api_calls ADD COLUMN user_id BIGINT

ALTER TABLE api_calls ADD COLUMN request_id TEXT

ALTER TABLE audit_seal_rows ADD COLUMN row_digest TEXT

-- down

ALTER TABLE api_calls DROP COLUMN user_id

ALTER TABLE api_calls DROP COLUMN request_id

ALTER TABLE audit_seal_rows DROP COLUMN row_digest
