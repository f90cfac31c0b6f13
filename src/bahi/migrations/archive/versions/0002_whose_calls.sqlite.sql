ALTER TABLE api_calls ADD COLUMN user_id INTEGER

ALTER TABLE api_calls ADD COLUMN request_id TEXT

ALTER TABLE audit_seal_rows ADD COLUMN row_digest TEXT

-- down
