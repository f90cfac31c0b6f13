CREATE TABLE api_calls (
  id INTEGER NOT NULL,
  account_id INTEGER,
  copy_role TEXT CONSTRAINT ck_api_calls_copy_role CHECK (copy_role IN ('leader','follower')),
  broker TEXT,
  module TEXT,
  operation TEXT,
  order_ref TEXT,
  request TEXT,
  response TEXT,
  status_code INTEGER,
  success INTEGER CONSTRAINT ck_api_calls_success CHECK (success IN (0,1)),
  error_message TEXT,
  started_at INTEGER,
  ended_at INTEGER,
  duration_us INTEGER,
  CONSTRAINT pk_api_calls PRIMARY KEY (id)
)
 STRICT

CREATE INDEX ix_api_calls_account_id_started_at ON api_calls (account_id, started_at)

CREATE INDEX ix_api_calls_module_started_at ON api_calls (module, started_at)

CREATE INDEX ix_api_calls_operation_started_at ON api_calls (operation, started_at)

CREATE INDEX ix_api_calls_order_ref ON api_calls (order_ref)

CREATE TABLE permits (
  id INTEGER NOT NULL,
  never INTEGER NOT NULL,
  reason TEXT NOT NULL,
  CONSTRAINT pk_permits PRIMARY KEY (id),
  CONSTRAINT fk_permits_never FOREIGN KEY(never) REFERENCES permits (id) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT ck_permits_only_one CHECK (id = 1 AND never = 0)
)
 STRICT

CREATE TABLE write_marks (
  writer INTEGER NOT NULL,
  unit INTEGER NOT NULL,
  marked_at INTEGER NOT NULL,
  CONSTRAINT pk_write_marks PRIMARY KEY (writer)
)
 STRICT

CREATE TRIGGER api_calls_no_update BEFORE UPDATE ON api_calls
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'api_calls is append-only'); END

CREATE TRIGGER api_calls_no_delete BEFORE DELETE ON api_calls
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'api_calls is append-only'); END

CREATE VIEW audit_log AS
SELECT c.id, c.operation AS action, c.copy_role AS account_type, c.module, c.request AS request_data, c.response AS response_data, c.status_code, c.error_message, c.duration_us / 1000 AS duration_ms, c.started_at / 1000000 AS ts
FROM api_calls c

CREATE VIEW latency_metrics AS
SELECT c.id, c.order_ref AS order_id, c.broker, c.operation, strftime('%Y-%m-%d %H:%M:%S', c.started_at / 1000000, 'unixepoch', '+330 minutes') AS start_time, strftime('%Y-%m-%d %H:%M:%S', c.ended_at / 1000000, 'unixepoch', '+330 minutes') AS end_time, round(c.duration_us / 1000.0, 3) AS latency_ms, c.success, c.error_message
FROM api_calls c

-- down

DROP VIEW latency_metrics

DROP VIEW audit_log

DROP TABLE write_marks

DROP TABLE permits

DROP TABLE api_calls
