CREATE TABLE app_log (
  id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  level TEXT DEFAULT 'ERROR' NOT NULL CONSTRAINT ck_app_log_level CHECK (level IN ('DEBUG','INFO','WARNING','ERROR','CRITICAL')),
  logger TEXT,
  error_type TEXT,
  error_code TEXT,
  message TEXT,
  module TEXT,
  function TEXT,
  line_number BIGINT,
  stack_trace TEXT,
  context JSONB,
  account_id BIGINT,
  copy_role TEXT CONSTRAINT ck_app_log_copy_role CHECK (copy_role IN ('leader','follower')),
  order_ref TEXT,
  CONSTRAINT pk_app_log PRIMARY KEY (id)
)

CREATE INDEX ix_app_log_account_id_at ON app_log (account_id, at)

CREATE INDEX ix_app_log_error_type_at ON app_log (error_type, at)

CREATE INDEX ix_app_log_level_at ON app_log (level, at)

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

CREATE TRIGGER app_log_no_update BEFORE UPDATE ON app_log
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER app_log_no_delete BEFORE DELETE ON app_log
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER app_log_no_truncate BEFORE TRUNCATE ON app_log
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

CREATE VIEW error_log AS
SELECT l.id AS id, to_char(to_timestamp(l.at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS at, l.level AS level, l.logger AS logger, l.error_type AS error_type, l.error_code AS error_code, l.message AS message, l.module AS module, l.function AS function, l.line_number AS line_number, l.stack_trace AS stack_trace, l.context AS context, l.account_id AS account_id, l.copy_role AS copy_role, l.order_ref AS order_ref
FROM app_log l WHERE l.error_type IS NOT NULL

CREATE VIEW v_recent_errors AS
SELECT l.error_type, l.level AS severity, count(*) AS error_count, to_char(to_timestamp(max(l.at) / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS last_occurred, string_agg(DISTINCT l.copy_role, ',') AS affected_accounts
FROM app_log l
WHERE l.error_type IS NOT NULL AND l.at > (floor(extract(epoch FROM clock_timestamp()))::bigint - 86400) * 1000000
GROUP BY l.error_type, l.level

-- down

DROP VIEW v_recent_errors

DROP VIEW error_log

DROP TABLE write_marks

DROP TABLE permits

DROP TABLE app_log

DROP FUNCTION refuse_change()

DROP FUNCTION touch()
