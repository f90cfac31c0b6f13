CREATE TABLE permits (
  id BIGINT NOT NULL,
  never BIGINT NOT NULL,
  reason TEXT NOT NULL,
  CONSTRAINT pk_permits PRIMARY KEY (id),
  CONSTRAINT fk_permits_never FOREIGN KEY(never) REFERENCES permits (id) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT ck_permits_only_one CHECK (id = 1 AND never = 0)
)

CREATE TABLE telegram_chats (
  id BIGINT NOT NULL,
  chat_id BIGINT NOT NULL,
  user_id BIGINT,
  username TEXT,
  is_authorized SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_telegram_chats_is_authorized CHECK (is_authorized IN (0,1)),
  notification_enabled SMALLINT DEFAULT 1 NOT NULL CONSTRAINT ck_telegram_chats_notification_enabled CHECK (notification_enabled IN (0,1)),
  created_at BIGINT NOT NULL,
  CONSTRAINT pk_telegram_chats PRIMARY KEY (id),
  CONSTRAINT uq_telegram_chats_chat_id UNIQUE (chat_id)
)

CREATE TABLE write_marks (
  writer BIGINT NOT NULL,
  unit BIGINT NOT NULL,
  marked_at BIGINT NOT NULL,
  CONSTRAINT pk_write_marks PRIMARY KEY (writer)
)

CREATE TABLE telegram_messages (
  id BIGINT NOT NULL,
  chat_id BIGINT NOT NULL,
  message_type TEXT CONSTRAINT ck_telegram_messages_message_type CHECK (message_type IN ('order','alert','error')),
  content TEXT,
  sent_at BIGINT NOT NULL,
  delivered SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_telegram_messages_delivered CHECK (delivered IN (0,1)),
  CONSTRAINT pk_telegram_messages PRIMARY KEY (id),
  CONSTRAINT fk_telegram_messages_chat_id FOREIGN KEY(chat_id) REFERENCES telegram_chats (chat_id) ON DELETE CASCADE
)

CREATE INDEX ix_telegram_messages_chat_id_sent_at ON telegram_messages (chat_id, sent_at)

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

-- down

DROP TABLE telegram_messages

DROP TABLE write_marks

DROP TABLE telegram_chats

DROP TABLE permits

DROP FUNCTION refuse_change()

DROP FUNCTION touch()
