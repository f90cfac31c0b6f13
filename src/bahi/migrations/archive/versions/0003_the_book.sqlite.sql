ALTER TABLE orders ADD COLUMN traded_value INTEGER DEFAULT 0 NOT NULL

ALTER TABLE orders ADD COLUMN margin_blocked INTEGER DEFAULT 0 NOT NULL

ALTER TABLE orders ADD COLUMN bo_trailing INTEGER

ALTER TABLE orders ADD COLUMN key_id INTEGER

ALTER TABLE orders ADD COLUMN is_exit INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_orders_is_exit CHECK (is_exit IN (0,1))

ALTER TABLE orders ADD COLUMN is_external INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_orders_is_external CHECK (is_external IN (0,1))

ALTER TABLE orders ADD COLUMN waits_for TEXT

ALTER TABLE orders ADD COLUMN release_at INTEGER

ALTER TABLE orders ADD COLUMN expires_at INTEGER

ALTER TABLE orders ADD COLUMN approved_by TEXT

ALTER TABLE orders ADD COLUMN told_at INTEGER

ALTER TABLE trades ADD COLUMN is_cumulative INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_trades_is_cumulative CHECK (is_cumulative IN (0,1))

CREATE INDEX ix_orders_release_at ON orders (release_at) WHERE status = 'PENDING'

CREATE INDEX ix_trades_account_id_symbol_traded_at ON trades (account_id, symbol, traded_at)

-- down

DROP INDEX ix_orders_release_at

DROP INDEX ix_trades_account_id_symbol_traded_at
