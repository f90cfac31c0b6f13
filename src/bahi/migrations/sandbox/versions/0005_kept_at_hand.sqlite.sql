DROP VIEW v_latest_holdings

DROP INDEX ix_orders_correlation_id

DROP INDEX ix_orders_exchange_order_id

DROP INDEX ix_orders_parent_order_id_leg_type

DROP INDEX ix_orders_security_id_exchange_segment

DROP INDEX ix_orders_slice_group_id_slice_index

DROP INDEX ix_positions_security_id

DROP INDEX ix_trades_exchange_order_id

DROP INDEX ix_trades_security_id_exchange_segment

ALTER TABLE holdings ADD COLUMN mtf_qty INTEGER DEFAULT 0 NOT NULL

ALTER TABLE holdings ADD COLUMN mtf_t1_qty INTEGER DEFAULT 0 NOT NULL

ALTER TABLE holdings ADD COLUMN mtf_pledged_qty INTEGER DEFAULT 0 NOT NULL

ALTER TABLE holdings ADD COLUMN mtf_average_price INTEGER

ALTER TABLE holdings ADD COLUMN mtf_value INTEGER DEFAULT 0 NOT NULL

ALTER TABLE holdings ADD COLUMN mtf_own_value INTEGER DEFAULT 0 NOT NULL

ALTER TABLE positions ADD COLUMN eve TEXT

CREATE INDEX ix_orders_correlation_id ON orders (correlation_id) WHERE correlation_id IS NOT NULL

CREATE INDEX ix_orders_exchange_order_id ON orders (exchange_order_id) WHERE exchange_order_id IS NOT NULL

CREATE INDEX ix_orders_parent_order_id_leg_type ON orders (parent_order_id, leg_type) WHERE parent_order_id IS NOT NULL

CREATE INDEX ix_orders_security_id_exchange_segment ON orders (security_id, exchange_segment) WHERE security_id IS NOT NULL

CREATE INDEX ix_orders_slice_group_id_slice_index ON orders (slice_group_id, slice_index) WHERE slice_group_id IS NOT NULL

CREATE INDEX ix_positions_security_id ON positions (security_id) WHERE security_id IS NOT NULL

CREATE INDEX ix_trades_exchange_order_id ON trades (exchange_order_id) WHERE exchange_order_id IS NOT NULL

CREATE INDEX ix_trades_security_id_exchange_segment ON trades (security_id, exchange_segment) WHERE security_id IS NOT NULL

CREATE VIEW v_latest_holdings AS
SELECT h.id AS id, h.account_id AS account_id, strftime('%Y-%m-%d %H:%M:%S', h.updated_at / 1000000, 'unixepoch', '+330 minutes') AS snapshot_at, h.instrument_id AS instrument_id, h.exchange_segment AS exchange_segment, h.security_id AS security_id, h.symbol AS symbol, h.isin AS isin, h.total_qty AS total_qty, h.dp_qty AS dp_qty, h.t1_qty AS t1_qty, h.available_qty AS available_qty, h.collateral_qty AS collateral_qty, h.collateral_update_qty AS collateral_update_qty, CASE WHEN h.average_price IS NOT NULL THEN CASE WHEN h.average_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.average_price) / 10000, abs(h.average_price) % 10000 / 100) || CASE WHEN abs(h.average_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.average_price) % 100), '0') END END AS average_price, CASE WHEN h.last_price IS NOT NULL THEN CASE WHEN h.last_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.last_price) / 10000, abs(h.last_price) % 10000 / 100) || CASE WHEN abs(h.last_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.last_price) % 100), '0') END END AS last_price, CASE WHEN h.invested_value IS NOT NULL THEN CASE WHEN h.invested_value < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.invested_value) / 10000, abs(h.invested_value) % 10000 / 100) || CASE WHEN abs(h.invested_value) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.invested_value) % 100), '0') END END AS invested_value, CASE WHEN h.current_value IS NOT NULL THEN CASE WHEN h.current_value < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.current_value) / 10000, abs(h.current_value) % 10000 / 100) || CASE WHEN abs(h.current_value) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.current_value) % 100), '0') END END AS current_value, CASE WHEN h.realized_pnl IS NOT NULL THEN CASE WHEN h.realized_pnl < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.realized_pnl) / 10000, abs(h.realized_pnl) % 10000 / 100) || CASE WHEN abs(h.realized_pnl) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.realized_pnl) % 100), '0') END END AS realized_pnl, CASE WHEN h.unrealized_pnl IS NOT NULL THEN CASE WHEN h.unrealized_pnl < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.unrealized_pnl) / 10000, abs(h.unrealized_pnl) % 10000 / 100) || CASE WHEN abs(h.unrealized_pnl) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.unrealized_pnl) % 100), '0') END END AS unrealized_pnl, CASE WHEN h.pnl IS NOT NULL THEN CASE WHEN h.pnl < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.pnl) / 10000, abs(h.pnl) % 10000 / 100) || CASE WHEN abs(h.pnl) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.pnl) % 100), '0') END END AS pnl, CASE WHEN h.pnl_pct IS NOT NULL THEN CASE WHEN h.pnl_pct < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.pnl_pct) / 10000, abs(h.pnl_pct) % 10000 / 100) || CASE WHEN abs(h.pnl_pct) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.pnl_pct) % 100), '0') END END AS pnl_pct, h.raw AS raw, h.mtf_qty AS mtf_qty, h.mtf_t1_qty AS mtf_t1_qty, h.mtf_pledged_qty AS mtf_pledged_qty, CASE WHEN h.mtf_average_price IS NOT NULL THEN CASE WHEN h.mtf_average_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.mtf_average_price) / 10000, abs(h.mtf_average_price) % 10000 / 100) || CASE WHEN abs(h.mtf_average_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.mtf_average_price) % 100), '0') END END AS mtf_average_price, CASE WHEN h.mtf_value IS NOT NULL THEN CASE WHEN h.mtf_value < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.mtf_value) / 10000, abs(h.mtf_value) % 10000 / 100) || CASE WHEN abs(h.mtf_value) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.mtf_value) % 100), '0') END END AS mtf_value, CASE WHEN h.mtf_own_value IS NOT NULL THEN CASE WHEN h.mtf_own_value < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.mtf_own_value) / 10000, abs(h.mtf_own_value) % 10000 / 100) || CASE WHEN abs(h.mtf_own_value) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.mtf_own_value) % 100), '0') END END AS mtf_own_value, b.copy_role AS account_type
FROM holdings h
JOIN books b ON b.account_id = h.account_id
WHERE h.total_qty <> 0 OR h.mtf_qty <> 0

-- down

DROP VIEW v_latest_holdings

DROP INDEX ix_orders_correlation_id

DROP INDEX ix_orders_exchange_order_id

DROP INDEX ix_orders_parent_order_id_leg_type

DROP INDEX ix_orders_security_id_exchange_segment

DROP INDEX ix_orders_slice_group_id_slice_index

DROP INDEX ix_positions_security_id

DROP INDEX ix_trades_exchange_order_id

DROP INDEX ix_trades_security_id_exchange_segment

-- rebuild
CREATE TABLE holdings (
	id INTEGER NOT NULL,
	account_id INTEGER NOT NULL,
	instrument_id INTEGER,
	exchange_segment TEXT NOT NULL CONSTRAINT ck_holdings_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
	security_id TEXT,
	symbol TEXT NOT NULL,
	isin TEXT,
	total_qty INTEGER NOT NULL,
	dp_qty INTEGER DEFAULT 0 NOT NULL,
	t1_qty INTEGER DEFAULT 0 NOT NULL,
	available_qty INTEGER,
	collateral_qty INTEGER DEFAULT 0 NOT NULL,
	collateral_update_qty INTEGER DEFAULT 0 NOT NULL,
	average_price INTEGER,
	last_price INTEGER,
	invested_value INTEGER,
	current_value INTEGER,
	realized_pnl INTEGER DEFAULT 0 NOT NULL,
	unrealized_pnl INTEGER DEFAULT 0 NOT NULL,
	pnl INTEGER,
	pnl_pct INTEGER,
	raw TEXT,
	updated_at INTEGER NOT NULL,
	CONSTRAINT fk_holdings_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
	CONSTRAINT pk_holdings PRIMARY KEY (id),
	CONSTRAINT uq_holdings_account_id_exchange_segment_symbol UNIQUE (account_id, exchange_segment, symbol)
)
 STRICT

-- rebuild
CREATE TABLE positions (
	id INTEGER NOT NULL,
	account_id INTEGER NOT NULL,
	instrument_id INTEGER,
	exchange_segment TEXT NOT NULL CONSTRAINT ck_positions_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
	security_id TEXT,
	symbol TEXT NOT NULL,
	product TEXT NOT NULL CONSTRAINT ck_positions_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
	buy_qty INTEGER DEFAULT 0 NOT NULL,
	sell_qty INTEGER DEFAULT 0 NOT NULL,
	net_qty INTEGER NOT NULL,
	overnight_qty INTEGER,
	buy_avg INTEGER DEFAULT 0 NOT NULL,
	sell_avg INTEGER DEFAULT 0 NOT NULL,
	buy_value INTEGER DEFAULT 0 NOT NULL,
	sell_value INTEGER DEFAULT 0 NOT NULL,
	open_cost INTEGER DEFAULT 0 NOT NULL,
	average_price INTEGER,
	last_price INTEGER,
	close_price INTEGER,
	realized_pnl INTEGER DEFAULT 0 NOT NULL,
	unrealized_pnl INTEGER DEFAULT 0 NOT NULL,
	total_pnl INTEGER DEFAULT 0 NOT NULL,
	pnl_pct INTEGER,
	day_change INTEGER,
	day_change_pct INTEGER,
	session_day TEXT CONSTRAINT ck_positions_session_day CHECK (length(session_day) = 10),
	day_buy_qty INTEGER DEFAULT 0 NOT NULL,
	day_sell_qty INTEGER DEFAULT 0 NOT NULL,
	day_qty INTEGER,
	day_buy_value INTEGER DEFAULT 0 NOT NULL,
	day_sell_value INTEGER DEFAULT 0 NOT NULL,
	day_buy_avg INTEGER DEFAULT 0 NOT NULL,
	day_sell_avg INTEGER DEFAULT 0 NOT NULL,
	day_realized_pnl INTEGER DEFAULT 0 NOT NULL,
	day_unrealized_pnl INTEGER DEFAULT 0 NOT NULL,
	day_total_pnl INTEGER DEFAULT 0 NOT NULL,
	multiplier INTEGER,
	margin_required INTEGER,
	folded_at INTEGER,
	folded_id INTEGER,
	raw TEXT,
	updated_at INTEGER NOT NULL,
	CONSTRAINT fk_positions_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
	CONSTRAINT pk_positions PRIMARY KEY (id),
	CONSTRAINT uq_positions_account_id_exchange_segment_symbol_product UNIQUE (account_id, exchange_segment, symbol, product)
)
 STRICT

CREATE INDEX ix_orders_correlation_id ON orders (correlation_id)

CREATE INDEX ix_orders_exchange_order_id ON orders (exchange_order_id)

CREATE INDEX ix_orders_parent_order_id_leg_type ON orders (parent_order_id, leg_type)

CREATE INDEX ix_orders_security_id_exchange_segment ON orders (security_id, exchange_segment)

CREATE INDEX ix_orders_slice_group_id_slice_index ON orders (slice_group_id, slice_index)

CREATE INDEX ix_positions_security_id ON positions (security_id)

CREATE INDEX ix_trades_exchange_order_id ON trades (exchange_order_id)

CREATE INDEX ix_trades_security_id_exchange_segment ON trades (security_id, exchange_segment)

CREATE VIEW v_latest_holdings AS
SELECT h.id AS id, h.account_id AS account_id, strftime('%Y-%m-%d %H:%M:%S', h.updated_at / 1000000, 'unixepoch', '+330 minutes') AS snapshot_at, h.instrument_id AS instrument_id, h.exchange_segment AS exchange_segment, h.security_id AS security_id, h.symbol AS symbol, h.isin AS isin, h.total_qty AS total_qty, h.dp_qty AS dp_qty, h.t1_qty AS t1_qty, h.available_qty AS available_qty, h.collateral_qty AS collateral_qty, h.collateral_update_qty AS collateral_update_qty, CASE WHEN h.average_price IS NOT NULL THEN CASE WHEN h.average_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.average_price) / 10000, abs(h.average_price) % 10000 / 100) || CASE WHEN abs(h.average_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.average_price) % 100), '0') END END AS average_price, CASE WHEN h.last_price IS NOT NULL THEN CASE WHEN h.last_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.last_price) / 10000, abs(h.last_price) % 10000 / 100) || CASE WHEN abs(h.last_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.last_price) % 100), '0') END END AS last_price, CASE WHEN h.invested_value IS NOT NULL THEN CASE WHEN h.invested_value < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.invested_value) / 10000, abs(h.invested_value) % 10000 / 100) || CASE WHEN abs(h.invested_value) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.invested_value) % 100), '0') END END AS invested_value, CASE WHEN h.current_value IS NOT NULL THEN CASE WHEN h.current_value < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.current_value) / 10000, abs(h.current_value) % 10000 / 100) || CASE WHEN abs(h.current_value) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.current_value) % 100), '0') END END AS current_value, CASE WHEN h.realized_pnl IS NOT NULL THEN CASE WHEN h.realized_pnl < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.realized_pnl) / 10000, abs(h.realized_pnl) % 10000 / 100) || CASE WHEN abs(h.realized_pnl) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.realized_pnl) % 100), '0') END END AS realized_pnl, CASE WHEN h.unrealized_pnl IS NOT NULL THEN CASE WHEN h.unrealized_pnl < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.unrealized_pnl) / 10000, abs(h.unrealized_pnl) % 10000 / 100) || CASE WHEN abs(h.unrealized_pnl) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.unrealized_pnl) % 100), '0') END END AS unrealized_pnl, CASE WHEN h.pnl IS NOT NULL THEN CASE WHEN h.pnl < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.pnl) / 10000, abs(h.pnl) % 10000 / 100) || CASE WHEN abs(h.pnl) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.pnl) % 100), '0') END END AS pnl, CASE WHEN h.pnl_pct IS NOT NULL THEN CASE WHEN h.pnl_pct < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.pnl_pct) / 10000, abs(h.pnl_pct) % 10000 / 100) || CASE WHEN abs(h.pnl_pct) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.pnl_pct) % 100), '0') END END AS pnl_pct, h.raw AS raw, b.copy_role AS account_type
FROM holdings h
JOIN books b ON b.account_id = h.account_id
WHERE h.total_qty <> 0
