CREATE TABLE api_calls (
  id BIGINT NOT NULL,
  account_id BIGINT,
  copy_role TEXT CONSTRAINT ck_api_calls_copy_role CHECK (copy_role IN ('leader','follower')),
  broker TEXT,
  module TEXT,
  operation TEXT,
  order_ref TEXT,
  request JSONB,
  response JSONB,
  status_code BIGINT,
  success SMALLINT CONSTRAINT ck_api_calls_success CHECK (success IN (0,1)),
  error_message TEXT,
  started_at BIGINT,
  ended_at BIGINT,
  duration_us BIGINT,
  CONSTRAINT pk_api_calls PRIMARY KEY (id)
)

CREATE INDEX ix_api_calls_account_id_started_at ON api_calls (account_id, started_at)

CREATE INDEX ix_api_calls_module_started_at ON api_calls (module, started_at)

CREATE INDEX ix_api_calls_operation_started_at ON api_calls (operation, started_at)

CREATE INDEX ix_api_calls_order_ref ON api_calls (order_ref)

CREATE TABLE permits (
  id BIGINT NOT NULL,
  never BIGINT NOT NULL,
  reason TEXT NOT NULL,
  CONSTRAINT pk_permits PRIMARY KEY (id),
  CONSTRAINT fk_permits_never FOREIGN KEY(never) REFERENCES permits (id) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT ck_permits_only_one CHECK (id = 1 AND never = 0)
)

CREATE TABLE write_marks (
  writer BIGINT NOT NULL,
  unit BIGINT NOT NULL,
  marked_at BIGINT NOT NULL,
  CONSTRAINT pk_write_marks PRIMARY KEY (writer)
)

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE permitted boolean;
BEGIN
  EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.permits)', TG_TABLE_SCHEMA) INTO permitted;
  IF NOT permitted THEN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $$

CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := greatest(OLD.updated_at + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
  RETURN NEW;
END $$

CREATE TRIGGER api_calls_no_update BEFORE UPDATE ON api_calls
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER api_calls_no_delete BEFORE DELETE ON api_calls
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER api_calls_no_truncate BEFORE TRUNCATE ON api_calls
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

CREATE VIEW audit_log AS
SELECT c.id, c.operation AS action, c.copy_role AS account_type, c.module, c.request AS request_data, c.response AS response_data, c.status_code, c.error_message, c.duration_us / 1000 AS duration_ms, c.started_at / 1000000 AS ts
FROM api_calls c

CREATE VIEW latency_metrics AS
SELECT c.id, c.order_ref AS order_id, c.broker, c.operation, to_char(to_timestamp(c.started_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS start_time, to_char(to_timestamp(c.ended_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS end_time, round(c.duration_us / 1000.0, 3) AS latency_ms, c.success, c.error_message
FROM api_calls c

-- down

DROP VIEW latency_metrics

DROP VIEW audit_log

DROP TABLE write_marks

DROP TABLE permits

DROP TABLE api_calls

DROP FUNCTION refuse_change()

DROP FUNCTION touch()
