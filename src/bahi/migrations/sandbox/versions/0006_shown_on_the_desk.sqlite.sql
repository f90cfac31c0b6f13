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

CREATE INDEX ix_equity_points_minute ON equity_points (minute)

-- down

DROP TABLE equity_points
