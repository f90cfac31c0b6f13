CREATE TABLE app_log (
  id INTEGER NOT NULL,
  at INTEGER NOT NULL,
  level TEXT DEFAULT 'ERROR' NOT NULL CONSTRAINT ck_app_log_level CHECK (level IN ('DEBUG','INFO','WARNING','ERROR','CRITICAL')),
  logger TEXT,
  error_type TEXT,
  error_code TEXT,
  message TEXT,
  module TEXT,
  function TEXT,
  line_number INTEGER,
  stack_trace TEXT,
  context TEXT,
  account_id INTEGER,
  copy_role TEXT CONSTRAINT ck_app_log_copy_role CHECK (copy_role IN ('leader','follower')),
  order_ref TEXT,
  CONSTRAINT pk_app_log PRIMARY KEY (id)
)
 STRICT

CREATE INDEX ix_app_log_account_id_at ON app_log (account_id, at)

CREATE INDEX ix_app_log_error_type_at ON app_log (error_type, at)

CREATE INDEX ix_app_log_level_at ON app_log (level, at)

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

CREATE TRIGGER app_log_no_update BEFORE UPDATE ON app_log
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'app_log is append-only'); END

CREATE TRIGGER app_log_no_delete BEFORE DELETE ON app_log
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'app_log is append-only'); END

CREATE VIEW error_log AS
SELECT l.id AS id, strftime('%Y-%m-%d %H:%M:%S', l.at / 1000000, 'unixepoch', '+330 minutes') AS at, l.level AS level, l.logger AS logger, l.error_type AS error_type, l.error_code AS error_code, l.message AS message, l.module AS module, l.function AS function, l.line_number AS line_number, l.stack_trace AS stack_trace, l.context AS context, l.account_id AS account_id, l.copy_role AS copy_role, l.order_ref AS order_ref
FROM app_log l WHERE l.error_type IS NOT NULL

CREATE VIEW v_recent_errors AS
SELECT l.error_type, l.level AS severity, count(*) AS error_count, strftime('%Y-%m-%d %H:%M:%S', max(l.at) / 1000000, 'unixepoch', '+330 minutes') AS last_occurred, group_concat(DISTINCT l.copy_role) AS affected_accounts
FROM app_log l
WHERE l.error_type IS NOT NULL AND l.at > (CAST(strftime('%s', 'now') AS INTEGER) - 86400) * 1000000
GROUP BY l.error_type, l.level

-- down

DROP VIEW v_recent_errors

DROP VIEW error_log

DROP TABLE write_marks

DROP TABLE permits

DROP TABLE app_log
