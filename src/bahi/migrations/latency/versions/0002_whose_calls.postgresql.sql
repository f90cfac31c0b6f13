ALTER TABLE api_calls ADD COLUMN user_id BIGINT

ALTER TABLE api_calls ADD COLUMN request_id TEXT

-- down

ALTER TABLE api_calls DROP COLUMN user_id

ALTER TABLE api_calls DROP COLUMN request_id
