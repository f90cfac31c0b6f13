ALTER TABLE orders ADD COLUMN traded_value BIGINT DEFAULT 0 NOT NULL

ALTER TABLE orders ADD COLUMN margin_blocked BIGINT DEFAULT 0 NOT NULL

ALTER TABLE orders ADD COLUMN bo_trailing BIGINT

ALTER TABLE orders ADD COLUMN key_id BIGINT

ALTER TABLE orders ADD COLUMN is_exit SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_orders_is_exit CHECK (is_exit IN (0,1))

ALTER TABLE orders ADD COLUMN is_external SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_orders_is_external CHECK (is_external IN (0,1))

ALTER TABLE orders ADD COLUMN waits_for TEXT

ALTER TABLE orders ADD COLUMN release_at BIGINT

ALTER TABLE orders ADD COLUMN expires_at BIGINT

ALTER TABLE orders ADD COLUMN approved_by TEXT

ALTER TABLE orders ADD COLUMN told_at BIGINT

ALTER TABLE trades ADD COLUMN is_cumulative SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_trades_is_cumulative CHECK (is_cumulative IN (0,1))

CREATE INDEX ix_orders_release_at ON orders (release_at) WHERE status = 'PENDING'

CREATE INDEX ix_trades_account_id_symbol_traded_at ON trades (account_id, symbol, traded_at)

-- down

DROP INDEX ix_orders_release_at

DROP INDEX ix_trades_account_id_symbol_traded_at

ALTER TABLE orders DROP COLUMN traded_value

ALTER TABLE orders DROP COLUMN margin_blocked

ALTER TABLE orders DROP COLUMN bo_trailing

ALTER TABLE orders DROP COLUMN key_id

ALTER TABLE orders DROP COLUMN is_exit

ALTER TABLE orders DROP COLUMN is_external

ALTER TABLE orders DROP COLUMN waits_for

ALTER TABLE orders DROP COLUMN release_at

ALTER TABLE orders DROP COLUMN expires_at

ALTER TABLE orders DROP COLUMN approved_by

ALTER TABLE orders DROP COLUMN told_at

ALTER TABLE trades DROP COLUMN is_cumulative
