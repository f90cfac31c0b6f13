CREATE TABLE permits (
  id INTEGER NOT NULL,
  never INTEGER NOT NULL,
  reason TEXT NOT NULL,
  CONSTRAINT pk_permits PRIMARY KEY (id),
  CONSTRAINT fk_permits_never FOREIGN KEY(never) REFERENCES permits (id) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT ck_permits_only_one CHECK (id = 1 AND never = 0)
)
 STRICT

CREATE TABLE telegram_chats (
  id INTEGER NOT NULL,
  chat_id INTEGER NOT NULL,
  user_id INTEGER,
  username TEXT,
  is_authorized INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_telegram_chats_is_authorized CHECK (is_authorized IN (0,1)),
  notification_enabled INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_telegram_chats_notification_enabled CHECK (notification_enabled IN (0,1)),
  created_at INTEGER NOT NULL,
  CONSTRAINT pk_telegram_chats PRIMARY KEY (id),
  CONSTRAINT uq_telegram_chats_chat_id UNIQUE (chat_id)
)
 STRICT

CREATE TABLE write_marks (
  writer INTEGER NOT NULL,
  unit INTEGER NOT NULL,
  marked_at INTEGER NOT NULL,
  CONSTRAINT pk_write_marks PRIMARY KEY (writer)
)
 STRICT

CREATE TABLE telegram_messages (
  id INTEGER NOT NULL,
  chat_id INTEGER NOT NULL,
  message_type TEXT CONSTRAINT ck_telegram_messages_message_type CHECK (message_type IN ('order','alert','error')),
  content TEXT,
  sent_at INTEGER NOT NULL,
  delivered INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_telegram_messages_delivered CHECK (delivered IN (0,1)),
  CONSTRAINT pk_telegram_messages PRIMARY KEY (id),
  CONSTRAINT fk_telegram_messages_chat_id FOREIGN KEY(chat_id) REFERENCES telegram_chats (chat_id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_telegram_messages_chat_id_sent_at ON telegram_messages (chat_id, sent_at)

-- down

DROP TABLE telegram_messages

DROP TABLE write_marks

DROP TABLE telegram_chats

DROP TABLE permits
