CREATE TABLE day_ends (
	id INTEGER NOT NULL,
	user_id INTEGER NOT NULL,
	actor TEXT NOT NULL,
	day TEXT NOT NULL CONSTRAINT ck_day_ends_day CHECK (length(day) = 10),
	signed_at INTEGER NOT NULL,
	note TEXT,
	findings TEXT NOT NULL,
	CONSTRAINT pk_day_ends PRIMARY KEY (id)
)
 STRICT

CREATE TABLE equity_points (
	account_id INTEGER NOT NULL,
	minute INTEGER NOT NULL,
	at INTEGER NOT NULL,
	realized INTEGER NOT NULL,
	unrealized INTEGER,
	charges INTEGER NOT NULL,
	why TEXT,
	CONSTRAINT fk_equity_points_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
	CONSTRAINT pk_equity_points PRIMARY KEY (account_id, minute)
)
 STRICT

CREATE INDEX ix_day_ends_day ON day_ends (day)

CREATE INDEX ix_day_ends_user_id_day ON day_ends (user_id, day)

CREATE INDEX ix_equity_points_minute ON equity_points (minute)

CREATE TRIGGER day_ends_no_update BEFORE UPDATE ON day_ends
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'day_ends is append-only'); END

CREATE TRIGGER day_ends_no_delete BEFORE DELETE ON day_ends
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'day_ends is append-only'); END

-- down

DROP TABLE equity_points

DROP TABLE day_ends
