CREATE TABLE day_ends (
	id BIGINT NOT NULL,
	user_id BIGINT NOT NULL,
	actor TEXT NOT NULL,
	day TEXT NOT NULL CONSTRAINT ck_day_ends_day CHECK (length(day) = 10),
	signed_at BIGINT NOT NULL,
	note TEXT,
	findings JSONB NOT NULL,
	CONSTRAINT pk_day_ends PRIMARY KEY (id)
)

CREATE TABLE equity_points (
	account_id BIGINT NOT NULL,
	minute BIGINT NOT NULL,
	at BIGINT NOT NULL,
	realized BIGINT NOT NULL,
	unrealized BIGINT,
	charges BIGINT NOT NULL,
	why TEXT,
	CONSTRAINT fk_equity_points_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
	CONSTRAINT pk_equity_points PRIMARY KEY (account_id, minute)
)

CREATE INDEX ix_day_ends_day ON day_ends (day)

CREATE INDEX ix_day_ends_user_id_day ON day_ends (user_id, day)

CREATE INDEX ix_equity_points_minute ON equity_points (minute)

CREATE TRIGGER day_ends_no_update BEFORE UPDATE ON day_ends
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER day_ends_no_delete BEFORE DELETE ON day_ends
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER day_ends_no_truncate BEFORE TRUNCATE ON day_ends
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

-- down

DROP TABLE equity_points

DROP TABLE day_ends
