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

CREATE INDEX ix_equity_points_minute ON equity_points (minute)

-- down

DROP TABLE equity_points
