DROP VIEW v_latest_holdings

DROP INDEX ix_orders_correlation_id

DROP INDEX ix_orders_exchange_order_id

DROP INDEX ix_orders_parent_order_id_leg_type

DROP INDEX ix_orders_security_id_exchange_segment

DROP INDEX ix_orders_slice_group_id_slice_index

DROP INDEX ix_positions_security_id

DROP INDEX ix_trades_exchange_order_id

DROP INDEX ix_trades_security_id_exchange_segment

ALTER TABLE holdings ADD COLUMN mtf_qty BIGINT DEFAULT 0 NOT NULL

ALTER TABLE holdings ADD COLUMN mtf_t1_qty BIGINT DEFAULT 0 NOT NULL

ALTER TABLE holdings ADD COLUMN mtf_pledged_qty BIGINT DEFAULT 0 NOT NULL

ALTER TABLE holdings ADD COLUMN mtf_average_price BIGINT

ALTER TABLE holdings ADD COLUMN mtf_value BIGINT DEFAULT 0 NOT NULL

ALTER TABLE holdings ADD COLUMN mtf_own_value BIGINT DEFAULT 0 NOT NULL

ALTER TABLE positions ADD COLUMN eve JSONB

CREATE INDEX ix_orders_correlation_id ON orders (correlation_id) WHERE correlation_id IS NOT NULL

CREATE INDEX ix_orders_exchange_order_id ON orders (exchange_order_id) WHERE exchange_order_id IS NOT NULL

CREATE INDEX ix_orders_parent_order_id_leg_type ON orders (parent_order_id, leg_type) WHERE parent_order_id IS NOT NULL

CREATE INDEX ix_orders_security_id_exchange_segment ON orders (security_id, exchange_segment) WHERE security_id IS NOT NULL

CREATE INDEX ix_orders_slice_group_id_slice_index ON orders (slice_group_id, slice_index) WHERE slice_group_id IS NOT NULL

CREATE INDEX ix_positions_security_id ON positions (security_id) WHERE security_id IS NOT NULL

CREATE INDEX ix_trades_exchange_order_id ON trades (exchange_order_id) WHERE exchange_order_id IS NOT NULL

CREATE INDEX ix_trades_security_id_exchange_segment ON trades (security_id, exchange_segment) WHERE security_id IS NOT NULL

CREATE VIEW v_latest_holdings AS
SELECT h.id AS id, h.account_id AS account_id, to_char(to_timestamp(h.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS snapshot_at, h.instrument_id AS instrument_id, h.exchange_segment AS exchange_segment, h.security_id AS security_id, h.symbol AS symbol, h.isin AS isin, h.total_qty AS total_qty, h.dp_qty AS dp_qty, h.t1_qty AS t1_qty, h.available_qty AS available_qty, h.collateral_qty AS collateral_qty, h.collateral_update_qty AS collateral_update_qty, CASE WHEN h.average_price % 100 = 0 THEN round(h.average_price / 10000.0, 2)::text ELSE trim_scale(round(h.average_price / 10000.0, 4))::text END AS average_price, CASE WHEN h.last_price % 100 = 0 THEN round(h.last_price / 10000.0, 2)::text ELSE trim_scale(round(h.last_price / 10000.0, 4))::text END AS last_price, CASE WHEN h.invested_value % 100 = 0 THEN round(h.invested_value / 10000.0, 2)::text ELSE trim_scale(round(h.invested_value / 10000.0, 4))::text END AS invested_value, CASE WHEN h.current_value % 100 = 0 THEN round(h.current_value / 10000.0, 2)::text ELSE trim_scale(round(h.current_value / 10000.0, 4))::text END AS current_value, CASE WHEN h.realized_pnl % 100 = 0 THEN round(h.realized_pnl / 10000.0, 2)::text ELSE trim_scale(round(h.realized_pnl / 10000.0, 4))::text END AS realized_pnl, CASE WHEN h.unrealized_pnl % 100 = 0 THEN round(h.unrealized_pnl / 10000.0, 2)::text ELSE trim_scale(round(h.unrealized_pnl / 10000.0, 4))::text END AS unrealized_pnl, CASE WHEN h.pnl % 100 = 0 THEN round(h.pnl / 10000.0, 2)::text ELSE trim_scale(round(h.pnl / 10000.0, 4))::text END AS pnl, CASE WHEN h.pnl_pct % 100 = 0 THEN round(h.pnl_pct / 10000.0, 2)::text ELSE trim_scale(round(h.pnl_pct / 10000.0, 4))::text END AS pnl_pct, h.raw AS raw, h.mtf_qty AS mtf_qty, h.mtf_t1_qty AS mtf_t1_qty, h.mtf_pledged_qty AS mtf_pledged_qty, CASE WHEN h.mtf_average_price % 100 = 0 THEN round(h.mtf_average_price / 10000.0, 2)::text ELSE trim_scale(round(h.mtf_average_price / 10000.0, 4))::text END AS mtf_average_price, CASE WHEN h.mtf_value % 100 = 0 THEN round(h.mtf_value / 10000.0, 2)::text ELSE trim_scale(round(h.mtf_value / 10000.0, 4))::text END AS mtf_value, CASE WHEN h.mtf_own_value % 100 = 0 THEN round(h.mtf_own_value / 10000.0, 2)::text ELSE trim_scale(round(h.mtf_own_value / 10000.0, 4))::text END AS mtf_own_value, b.copy_role AS account_type
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

ALTER TABLE holdings DROP COLUMN mtf_qty

ALTER TABLE holdings DROP COLUMN mtf_t1_qty

ALTER TABLE holdings DROP COLUMN mtf_pledged_qty

ALTER TABLE holdings DROP COLUMN mtf_average_price

ALTER TABLE holdings DROP COLUMN mtf_value

ALTER TABLE holdings DROP COLUMN mtf_own_value

ALTER TABLE positions DROP COLUMN eve

CREATE INDEX ix_orders_correlation_id ON orders (correlation_id)

CREATE INDEX ix_orders_exchange_order_id ON orders (exchange_order_id)

CREATE INDEX ix_orders_parent_order_id_leg_type ON orders (parent_order_id, leg_type)

CREATE INDEX ix_orders_security_id_exchange_segment ON orders (security_id, exchange_segment)

CREATE INDEX ix_orders_slice_group_id_slice_index ON orders (slice_group_id, slice_index)

CREATE INDEX ix_positions_security_id ON positions (security_id)

CREATE INDEX ix_trades_exchange_order_id ON trades (exchange_order_id)

CREATE INDEX ix_trades_security_id_exchange_segment ON trades (security_id, exchange_segment)

CREATE VIEW v_latest_holdings AS
SELECT h.id AS id, h.account_id AS account_id, to_char(to_timestamp(h.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS snapshot_at, h.instrument_id AS instrument_id, h.exchange_segment AS exchange_segment, h.security_id AS security_id, h.symbol AS symbol, h.isin AS isin, h.total_qty AS total_qty, h.dp_qty AS dp_qty, h.t1_qty AS t1_qty, h.available_qty AS available_qty, h.collateral_qty AS collateral_qty, h.collateral_update_qty AS collateral_update_qty, CASE WHEN h.average_price % 100 = 0 THEN round(h.average_price / 10000.0, 2)::text ELSE trim_scale(round(h.average_price / 10000.0, 4))::text END AS average_price, CASE WHEN h.last_price % 100 = 0 THEN round(h.last_price / 10000.0, 2)::text ELSE trim_scale(round(h.last_price / 10000.0, 4))::text END AS last_price, CASE WHEN h.invested_value % 100 = 0 THEN round(h.invested_value / 10000.0, 2)::text ELSE trim_scale(round(h.invested_value / 10000.0, 4))::text END AS invested_value, CASE WHEN h.current_value % 100 = 0 THEN round(h.current_value / 10000.0, 2)::text ELSE trim_scale(round(h.current_value / 10000.0, 4))::text END AS current_value, CASE WHEN h.realized_pnl % 100 = 0 THEN round(h.realized_pnl / 10000.0, 2)::text ELSE trim_scale(round(h.realized_pnl / 10000.0, 4))::text END AS realized_pnl, CASE WHEN h.unrealized_pnl % 100 = 0 THEN round(h.unrealized_pnl / 10000.0, 2)::text ELSE trim_scale(round(h.unrealized_pnl / 10000.0, 4))::text END AS unrealized_pnl, CASE WHEN h.pnl % 100 = 0 THEN round(h.pnl / 10000.0, 2)::text ELSE trim_scale(round(h.pnl / 10000.0, 4))::text END AS pnl, CASE WHEN h.pnl_pct % 100 = 0 THEN round(h.pnl_pct / 10000.0, 2)::text ELSE trim_scale(round(h.pnl_pct / 10000.0, 4))::text END AS pnl_pct, h.raw AS raw, b.copy_role AS account_type
FROM holdings h
JOIN books b ON b.account_id = h.account_id
WHERE h.total_qty <> 0
