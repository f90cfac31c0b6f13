ALTER TABLE api_calls ADD COLUMN user_id INTEGER

ALTER TABLE api_calls ADD COLUMN request_id TEXT

-- down
