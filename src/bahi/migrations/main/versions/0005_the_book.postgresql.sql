DROP VIEW v_active_orders

DROP VIEW v_cover_orders

DROP VIEW v_sliced_orders

DROP VIEW v_recent_trades

ALTER TABLE funds ADD COLUMN cash BIGINT DEFAULT 0 NOT NULL

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

ALTER TABLE positions ADD COLUMN buy_value BIGINT DEFAULT 0 NOT NULL

ALTER TABLE positions ADD COLUMN sell_value BIGINT DEFAULT 0 NOT NULL

ALTER TABLE positions ADD COLUMN open_cost BIGINT DEFAULT 0 NOT NULL

ALTER TABLE positions ADD COLUMN day_buy_value BIGINT DEFAULT 0 NOT NULL

ALTER TABLE positions ADD COLUMN day_sell_value BIGINT DEFAULT 0 NOT NULL

ALTER TABLE positions ADD COLUMN folded_at BIGINT

ALTER TABLE positions ADD COLUMN folded_id BIGINT

ALTER TABLE trades ADD COLUMN is_cumulative SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_trades_is_cumulative CHECK (is_cumulative IN (0,1))

CREATE INDEX ix_orders_release_at ON orders (release_at) WHERE status = 'PENDING'

CREATE INDEX ix_trades_account_id_symbol_traded_at ON trades (account_id, symbol, traded_at)

CREATE VIEW v_active_orders AS
SELECT o.id AS id, o.account_id AS account_id, o.client_order_id AS client_order_id, o.broker_order_id AS broker_order_id, o.correlation_id AS correlation_id, o.instrument_id AS instrument_id, o.exchange_segment AS exchange_segment, o.security_id AS security_id, o.symbol AS symbol, o.side AS side, o.product AS product, o.order_type AS order_type, o.validity AS validity, o.quantity AS quantity, o.disclosed_qty AS disclosed_qty, CASE WHEN o.price % 100 = 0 THEN round(o.price / 10000.0, 2)::text ELSE trim_scale(round(o.price / 10000.0, 4))::text END AS price, CASE WHEN o.trigger_price % 100 = 0 THEN round(o.trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.trigger_price / 10000.0, 4))::text END AS trigger_price, o.status AS status, o.broker_status AS broker_status, o.trigger_pending AS trigger_pending, o.filled_qty AS filled_qty, o.remaining_qty AS remaining_qty, CASE WHEN o.average_price % 100 = 0 THEN round(o.average_price / 10000.0, 2)::text ELSE trim_scale(round(o.average_price / 10000.0, 4))::text END AS average_price, CASE WHEN o.traded_value % 100 = 0 THEN round(o.traded_value / 10000.0, 2)::text ELSE trim_scale(round(o.traded_value / 10000.0, 4))::text END AS traded_value, CASE WHEN o.margin_blocked % 100 = 0 THEN round(o.margin_blocked / 10000.0, 2)::text ELSE trim_scale(round(o.margin_blocked / 10000.0, 4))::text END AS margin_blocked, CASE WHEN o.co_stop_loss % 100 = 0 THEN round(o.co_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.co_stop_loss / 10000.0, 4))::text END AS co_stop_loss, CASE WHEN o.co_trigger_price % 100 = 0 THEN round(o.co_trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.co_trigger_price / 10000.0, 4))::text END AS co_trigger_price, CASE WHEN o.bo_profit % 100 = 0 THEN round(o.bo_profit / 10000.0, 2)::text ELSE trim_scale(round(o.bo_profit / 10000.0, 4))::text END AS bo_profit, CASE WHEN o.bo_stop_loss % 100 = 0 THEN round(o.bo_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.bo_stop_loss / 10000.0, 4))::text END AS bo_stop_loss, CASE WHEN o.bo_trailing % 100 = 0 THEN round(o.bo_trailing / 10000.0, 2)::text ELSE trim_scale(round(o.bo_trailing / 10000.0, 4))::text END AS bo_trailing, o.bo_order_type AS bo_order_type, o.parent_order_id AS parent_order_id, o.leg_type AS leg_type, o.is_sliced AS is_sliced, o.slice_group_id AS slice_group_id, o.slice_index AS slice_index, o.slice_total_qty AS slice_total_qty, o.is_amo AS is_amo, o.amo_time AS amo_time, o.exchange_order_id AS exchange_order_id, to_char(to_timestamp(o.exchange_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS exchange_at, o.algo_id AS algo_id, o.drv_expiry AS drv_expiry, o.drv_option_type AS drv_option_type, CASE WHEN o.drv_strike % 100 = 0 THEN round(o.drv_strike / 10000.0, 2)::text ELSE trim_scale(round(o.drv_strike / 10000.0, 4))::text END AS drv_strike, o.error_code AS error_code, o.error_message AS error_message, o.strategy AS strategy, o.actor AS actor, o.key_id AS key_id, o.is_exit AS is_exit, o.is_external AS is_external, o.waits_for AS waits_for, to_char(to_timestamp(o.release_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS release_at, to_char(to_timestamp(o.expires_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS expires_at, o.approved_by AS approved_by, to_char(to_timestamp(o.told_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS told_at, o.node AS node, o.version AS version, to_char(to_timestamp(o.send_before / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS send_before, to_char(to_timestamp(o.intent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS intent_at, to_char(to_timestamp(o.sent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS sent_at, to_char(to_timestamp(o.acked_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS acked_at, to_char(to_timestamp(o.first_fill_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS first_fill_at, to_char(to_timestamp(o.placed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS placed_at, to_char(to_timestamp(o.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS updated_at, to_char(to_timestamp(o.completed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS completed_at, o.raw_request AS raw_request, o.raw_response AS raw_response, b.copy_role AS account_type, m.follower_order_id, m.sizing_strategy
FROM orders o
JOIN books b ON b.account_id = o.account_id
LEFT JOIN copy_mappings m ON m.leader_order_id = o.id
WHERE o.status IN ('PENDING','TRANSIT','UNKNOWN','OPEN','PARTIAL')

CREATE VIEW v_cover_orders AS
SELECT o.id AS id, o.account_id AS account_id, o.client_order_id AS client_order_id, o.broker_order_id AS broker_order_id, o.correlation_id AS correlation_id, o.instrument_id AS instrument_id, o.exchange_segment AS exchange_segment, o.security_id AS security_id, o.symbol AS symbol, o.side AS side, o.product AS product, o.order_type AS order_type, o.validity AS validity, o.quantity AS quantity, o.disclosed_qty AS disclosed_qty, CASE WHEN o.price % 100 = 0 THEN round(o.price / 10000.0, 2)::text ELSE trim_scale(round(o.price / 10000.0, 4))::text END AS price, CASE WHEN o.trigger_price % 100 = 0 THEN round(o.trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.trigger_price / 10000.0, 4))::text END AS trigger_price, o.status AS status, o.broker_status AS broker_status, o.trigger_pending AS trigger_pending, o.filled_qty AS filled_qty, o.remaining_qty AS remaining_qty, CASE WHEN o.average_price % 100 = 0 THEN round(o.average_price / 10000.0, 2)::text ELSE trim_scale(round(o.average_price / 10000.0, 4))::text END AS average_price, CASE WHEN o.traded_value % 100 = 0 THEN round(o.traded_value / 10000.0, 2)::text ELSE trim_scale(round(o.traded_value / 10000.0, 4))::text END AS traded_value, CASE WHEN o.margin_blocked % 100 = 0 THEN round(o.margin_blocked / 10000.0, 2)::text ELSE trim_scale(round(o.margin_blocked / 10000.0, 4))::text END AS margin_blocked, CASE WHEN o.co_stop_loss % 100 = 0 THEN round(o.co_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.co_stop_loss / 10000.0, 4))::text END AS co_stop_loss, CASE WHEN o.co_trigger_price % 100 = 0 THEN round(o.co_trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.co_trigger_price / 10000.0, 4))::text END AS co_trigger_price, CASE WHEN o.bo_profit % 100 = 0 THEN round(o.bo_profit / 10000.0, 2)::text ELSE trim_scale(round(o.bo_profit / 10000.0, 4))::text END AS bo_profit, CASE WHEN o.bo_stop_loss % 100 = 0 THEN round(o.bo_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.bo_stop_loss / 10000.0, 4))::text END AS bo_stop_loss, CASE WHEN o.bo_trailing % 100 = 0 THEN round(o.bo_trailing / 10000.0, 2)::text ELSE trim_scale(round(o.bo_trailing / 10000.0, 4))::text END AS bo_trailing, o.bo_order_type AS bo_order_type, o.parent_order_id AS parent_order_id, o.leg_type AS leg_type, o.is_sliced AS is_sliced, o.slice_group_id AS slice_group_id, o.slice_index AS slice_index, o.slice_total_qty AS slice_total_qty, o.is_amo AS is_amo, o.amo_time AS amo_time, o.exchange_order_id AS exchange_order_id, to_char(to_timestamp(o.exchange_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS exchange_at, o.algo_id AS algo_id, o.drv_expiry AS drv_expiry, o.drv_option_type AS drv_option_type, CASE WHEN o.drv_strike % 100 = 0 THEN round(o.drv_strike / 10000.0, 2)::text ELSE trim_scale(round(o.drv_strike / 10000.0, 4))::text END AS drv_strike, o.error_code AS error_code, o.error_message AS error_message, o.strategy AS strategy, o.actor AS actor, o.key_id AS key_id, o.is_exit AS is_exit, o.is_external AS is_external, o.waits_for AS waits_for, to_char(to_timestamp(o.release_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS release_at, to_char(to_timestamp(o.expires_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS expires_at, o.approved_by AS approved_by, to_char(to_timestamp(o.told_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS told_at, o.node AS node, o.version AS version, to_char(to_timestamp(o.send_before / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS send_before, to_char(to_timestamp(o.intent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS intent_at, to_char(to_timestamp(o.sent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS sent_at, to_char(to_timestamp(o.acked_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS acked_at, to_char(to_timestamp(o.first_fill_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS first_fill_at, to_char(to_timestamp(o.placed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS placed_at, to_char(to_timestamp(o.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS updated_at, to_char(to_timestamp(o.completed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS completed_at, o.raw_request AS raw_request, o.raw_response AS raw_response, b.copy_role AS account_type
FROM orders o
JOIN books b ON b.account_id = o.account_id
WHERE o.co_stop_loss IS NOT NULL

CREATE VIEW v_sliced_orders AS
SELECT s.slice_group_id AS slice_order_id, s.account_id, count(*) AS slice_count, CAST(sum(s.quantity) AS BIGINT) AS total_quantity, max(s.slice_total_qty) AS original_quantity, min(s.security_id) AS security_id, min(s.exchange_segment) AS exchange_segment, min(s.side) AS side, min(s.product) AS product, min(s.order_type) AS order_type, to_char(to_timestamp(min(s.placed_at) / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS first_order_time, to_char(to_timestamp(max(s.placed_at) / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS last_order_time, string_agg((s.id || ':' || s.quantity), ', ') AS order_details, sum(CASE WHEN s.status IN ('EXECUTED') THEN 1 ELSE 0 END) AS executed_count, sum(CASE WHEN s.status IN ('PENDING','TRANSIT','UNKNOWN','OPEN','PARTIAL') THEN 1 ELSE 0 END) AS pending_count, sum(CASE WHEN s.status IN ('CANCELLED','REJECTED','EXPIRED') THEN 1 ELSE 0 END) AS failed_count
FROM (SELECT id, account_id, slice_group_id, quantity, slice_total_qty, status, placed_at, security_id, exchange_segment, side, product, order_type
FROM orders WHERE is_sliced = 1 ORDER BY account_id, slice_index, id) s
GROUP BY s.account_id, s.slice_group_id

CREATE VIEW v_recent_trades AS
SELECT t.id AS id, t.account_id AS account_id, t.order_id AS order_id, t.broker_trade_id AS broker_trade_id, t.is_cumulative AS is_cumulative, t.exchange_order_id AS exchange_order_id, t.exchange_trade_id AS exchange_trade_id, t.instrument_id AS instrument_id, t.exchange_segment AS exchange_segment, t.security_id AS security_id, t.symbol AS symbol, t.side AS side, t.product AS product, t.order_type AS order_type, t.quantity AS quantity, CASE WHEN t.price % 100 = 0 THEN round(t.price / 10000.0, 2)::text ELSE trim_scale(round(t.price / 10000.0, 4))::text END AS price, CASE WHEN t.trade_value % 100 = 0 THEN round(t.trade_value / 10000.0, 2)::text ELSE trim_scale(round(t.trade_value / 10000.0, 4))::text END AS trade_value, CASE WHEN t.brokerage % 100 = 0 THEN round(t.brokerage / 10000.0, 2)::text ELSE trim_scale(round(t.brokerage / 10000.0, 4))::text END AS brokerage, CASE WHEN t.exchange_charges % 100 = 0 THEN round(t.exchange_charges / 10000.0, 2)::text ELSE trim_scale(round(t.exchange_charges / 10000.0, 4))::text END AS exchange_charges, CASE WHEN t.clearing_charges % 100 = 0 THEN round(t.clearing_charges / 10000.0, 2)::text ELSE trim_scale(round(t.clearing_charges / 10000.0, 4))::text END AS clearing_charges, CASE WHEN t.stt % 100 = 0 THEN round(t.stt / 10000.0, 2)::text ELSE trim_scale(round(t.stt / 10000.0, 4))::text END AS stt, CASE WHEN t.stamp_duty % 100 = 0 THEN round(t.stamp_duty / 10000.0, 2)::text ELSE trim_scale(round(t.stamp_duty / 10000.0, 4))::text END AS stamp_duty, CASE WHEN t.transaction_charges % 100 = 0 THEN round(t.transaction_charges / 10000.0, 2)::text ELSE trim_scale(round(t.transaction_charges / 10000.0, 4))::text END AS transaction_charges, CASE WHEN t.sebi_fee % 100 = 0 THEN round(t.sebi_fee / 10000.0, 2)::text ELSE trim_scale(round(t.sebi_fee / 10000.0, 4))::text END AS sebi_fee, CASE WHEN t.ipft % 100 = 0 THEN round(t.ipft / 10000.0, 2)::text ELSE trim_scale(round(t.ipft / 10000.0, 4))::text END AS ipft, CASE WHEN t.gst % 100 = 0 THEN round(t.gst / 10000.0, 2)::text ELSE trim_scale(round(t.gst / 10000.0, 4))::text END AS gst, CASE WHEN t.total_charges % 100 = 0 THEN round(t.total_charges / 10000.0, 2)::text ELSE trim_scale(round(t.total_charges / 10000.0, 4))::text END AS total_charges, CASE WHEN t.net_amount % 100 = 0 THEN round(t.net_amount / 10000.0, 2)::text ELSE trim_scale(round(t.net_amount / 10000.0, 4))::text END AS net_amount, to_char(to_timestamp(t.traded_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS traded_at, to_char(to_timestamp(t.exchange_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS exchange_at, to_char(to_timestamp(t.created_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS created_at, to_char(to_timestamp(t.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS updated_at, t.drv_expiry AS drv_expiry, t.drv_option_type AS drv_option_type, CASE WHEN t.drv_strike % 100 = 0 THEN round(t.drv_strike / 10000.0, 2)::text ELSE trim_scale(round(t.drv_strike / 10000.0, 4))::text END AS drv_strike, t.raw AS raw, b.copy_role AS account_type, o.status AS order_status, CASE WHEN (CASE t.side WHEN 'BUY' THEN -t.trade_value ELSE t.trade_value END - t.total_charges) % 100 = 0 THEN round((CASE t.side WHEN 'BUY' THEN -t.trade_value ELSE t.trade_value END - t.total_charges) / 10000.0, 2)::text ELSE trim_scale(round((CASE t.side WHEN 'BUY' THEN -t.trade_value ELSE t.trade_value END - t.total_charges) / 10000.0, 4))::text END AS net_cash
FROM trades t
JOIN books b ON b.account_id = t.account_id
LEFT JOIN orders o ON o.id = t.order_id
ORDER BY t.traded_at DESC, t.id DESC LIMIT 100

-- down

DROP VIEW v_active_orders

DROP VIEW v_cover_orders

DROP VIEW v_sliced_orders

DROP VIEW v_recent_trades

DROP INDEX ix_orders_release_at

DROP INDEX ix_trades_account_id_symbol_traded_at

ALTER TABLE funds DROP COLUMN cash

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

ALTER TABLE positions DROP COLUMN buy_value

ALTER TABLE positions DROP COLUMN sell_value

ALTER TABLE positions DROP COLUMN open_cost

ALTER TABLE positions DROP COLUMN day_buy_value

ALTER TABLE positions DROP COLUMN day_sell_value

ALTER TABLE positions DROP COLUMN folded_at

ALTER TABLE positions DROP COLUMN folded_id

ALTER TABLE trades DROP COLUMN is_cumulative

CREATE VIEW v_active_orders AS
SELECT o.id AS id, o.account_id AS account_id, o.client_order_id AS client_order_id, o.broker_order_id AS broker_order_id, o.correlation_id AS correlation_id, o.instrument_id AS instrument_id, o.exchange_segment AS exchange_segment, o.security_id AS security_id, o.symbol AS symbol, o.side AS side, o.product AS product, o.order_type AS order_type, o.validity AS validity, o.quantity AS quantity, o.disclosed_qty AS disclosed_qty, CASE WHEN o.price % 100 = 0 THEN round(o.price / 10000.0, 2)::text ELSE trim_scale(round(o.price / 10000.0, 4))::text END AS price, CASE WHEN o.trigger_price % 100 = 0 THEN round(o.trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.trigger_price / 10000.0, 4))::text END AS trigger_price, o.status AS status, o.broker_status AS broker_status, o.trigger_pending AS trigger_pending, o.filled_qty AS filled_qty, o.remaining_qty AS remaining_qty, CASE WHEN o.average_price % 100 = 0 THEN round(o.average_price / 10000.0, 2)::text ELSE trim_scale(round(o.average_price / 10000.0, 4))::text END AS average_price, CASE WHEN o.co_stop_loss % 100 = 0 THEN round(o.co_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.co_stop_loss / 10000.0, 4))::text END AS co_stop_loss, CASE WHEN o.co_trigger_price % 100 = 0 THEN round(o.co_trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.co_trigger_price / 10000.0, 4))::text END AS co_trigger_price, CASE WHEN o.bo_profit % 100 = 0 THEN round(o.bo_profit / 10000.0, 2)::text ELSE trim_scale(round(o.bo_profit / 10000.0, 4))::text END AS bo_profit, CASE WHEN o.bo_stop_loss % 100 = 0 THEN round(o.bo_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.bo_stop_loss / 10000.0, 4))::text END AS bo_stop_loss, o.bo_order_type AS bo_order_type, o.parent_order_id AS parent_order_id, o.leg_type AS leg_type, o.is_sliced AS is_sliced, o.slice_group_id AS slice_group_id, o.slice_index AS slice_index, o.slice_total_qty AS slice_total_qty, o.is_amo AS is_amo, o.amo_time AS amo_time, o.exchange_order_id AS exchange_order_id, to_char(to_timestamp(o.exchange_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS exchange_at, o.algo_id AS algo_id, o.drv_expiry AS drv_expiry, o.drv_option_type AS drv_option_type, CASE WHEN o.drv_strike % 100 = 0 THEN round(o.drv_strike / 10000.0, 2)::text ELSE trim_scale(round(o.drv_strike / 10000.0, 4))::text END AS drv_strike, o.error_code AS error_code, o.error_message AS error_message, o.strategy AS strategy, o.actor AS actor, o.node AS node, o.version AS version, to_char(to_timestamp(o.send_before / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS send_before, to_char(to_timestamp(o.intent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS intent_at, to_char(to_timestamp(o.sent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS sent_at, to_char(to_timestamp(o.acked_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS acked_at, to_char(to_timestamp(o.first_fill_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS first_fill_at, to_char(to_timestamp(o.placed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS placed_at, to_char(to_timestamp(o.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS updated_at, to_char(to_timestamp(o.completed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS completed_at, o.raw_request AS raw_request, o.raw_response AS raw_response, b.copy_role AS account_type, m.follower_order_id, m.sizing_strategy
FROM orders o
JOIN books b ON b.account_id = o.account_id
LEFT JOIN copy_mappings m ON m.leader_order_id = o.id
WHERE o.status IN ('PENDING','TRANSIT','UNKNOWN','OPEN','PARTIAL')

CREATE VIEW v_cover_orders AS
SELECT o.id AS id, o.account_id AS account_id, o.client_order_id AS client_order_id, o.broker_order_id AS broker_order_id, o.correlation_id AS correlation_id, o.instrument_id AS instrument_id, o.exchange_segment AS exchange_segment, o.security_id AS security_id, o.symbol AS symbol, o.side AS side, o.product AS product, o.order_type AS order_type, o.validity AS validity, o.quantity AS quantity, o.disclosed_qty AS disclosed_qty, CASE WHEN o.price % 100 = 0 THEN round(o.price / 10000.0, 2)::text ELSE trim_scale(round(o.price / 10000.0, 4))::text END AS price, CASE WHEN o.trigger_price % 100 = 0 THEN round(o.trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.trigger_price / 10000.0, 4))::text END AS trigger_price, o.status AS status, o.broker_status AS broker_status, o.trigger_pending AS trigger_pending, o.filled_qty AS filled_qty, o.remaining_qty AS remaining_qty, CASE WHEN o.average_price % 100 = 0 THEN round(o.average_price / 10000.0, 2)::text ELSE trim_scale(round(o.average_price / 10000.0, 4))::text END AS average_price, CASE WHEN o.co_stop_loss % 100 = 0 THEN round(o.co_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.co_stop_loss / 10000.0, 4))::text END AS co_stop_loss, CASE WHEN o.co_trigger_price % 100 = 0 THEN round(o.co_trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.co_trigger_price / 10000.0, 4))::text END AS co_trigger_price, CASE WHEN o.bo_profit % 100 = 0 THEN round(o.bo_profit / 10000.0, 2)::text ELSE trim_scale(round(o.bo_profit / 10000.0, 4))::text END AS bo_profit, CASE WHEN o.bo_stop_loss % 100 = 0 THEN round(o.bo_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.bo_stop_loss / 10000.0, 4))::text END AS bo_stop_loss, o.bo_order_type AS bo_order_type, o.parent_order_id AS parent_order_id, o.leg_type AS leg_type, o.is_sliced AS is_sliced, o.slice_group_id AS slice_group_id, o.slice_index AS slice_index, o.slice_total_qty AS slice_total_qty, o.is_amo AS is_amo, o.amo_time AS amo_time, o.exchange_order_id AS exchange_order_id, to_char(to_timestamp(o.exchange_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS exchange_at, o.algo_id AS algo_id, o.drv_expiry AS drv_expiry, o.drv_option_type AS drv_option_type, CASE WHEN o.drv_strike % 100 = 0 THEN round(o.drv_strike / 10000.0, 2)::text ELSE trim_scale(round(o.drv_strike / 10000.0, 4))::text END AS drv_strike, o.error_code AS error_code, o.error_message AS error_message, o.strategy AS strategy, o.actor AS actor, o.node AS node, o.version AS version, to_char(to_timestamp(o.send_before / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS send_before, to_char(to_timestamp(o.intent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS intent_at, to_char(to_timestamp(o.sent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS sent_at, to_char(to_timestamp(o.acked_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS acked_at, to_char(to_timestamp(o.first_fill_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS first_fill_at, to_char(to_timestamp(o.placed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS placed_at, to_char(to_timestamp(o.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS updated_at, to_char(to_timestamp(o.completed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS completed_at, o.raw_request AS raw_request, o.raw_response AS raw_response, b.copy_role AS account_type
FROM orders o
JOIN books b ON b.account_id = o.account_id
WHERE o.co_stop_loss IS NOT NULL

CREATE VIEW v_sliced_orders AS
SELECT s.slice_group_id AS slice_order_id, s.account_id, count(*) AS slice_count, CAST(sum(s.quantity) AS BIGINT) AS total_quantity, max(s.slice_total_qty) AS original_quantity, min(s.security_id) AS security_id, min(s.exchange_segment) AS exchange_segment, min(s.side) AS side, min(s.product) AS product, min(s.order_type) AS order_type, to_char(to_timestamp(min(s.placed_at) / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS first_order_time, to_char(to_timestamp(max(s.placed_at) / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS last_order_time, string_agg((s.id || ':' || s.quantity), ', ') AS order_details, sum(CASE WHEN s.status IN ('EXECUTED') THEN 1 ELSE 0 END) AS executed_count, sum(CASE WHEN s.status IN ('PENDING','TRANSIT','UNKNOWN','OPEN','PARTIAL') THEN 1 ELSE 0 END) AS pending_count, sum(CASE WHEN s.status IN ('CANCELLED','REJECTED','EXPIRED') THEN 1 ELSE 0 END) AS failed_count
FROM (SELECT * FROM orders WHERE is_sliced = 1 ORDER BY account_id, slice_index, id) s
GROUP BY s.account_id, s.slice_group_id

CREATE VIEW v_recent_trades AS
SELECT t.id AS id, t.account_id AS account_id, t.order_id AS order_id, t.broker_trade_id AS broker_trade_id, t.exchange_order_id AS exchange_order_id, t.exchange_trade_id AS exchange_trade_id, t.instrument_id AS instrument_id, t.exchange_segment AS exchange_segment, t.security_id AS security_id, t.symbol AS symbol, t.side AS side, t.product AS product, t.order_type AS order_type, t.quantity AS quantity, CASE WHEN t.price % 100 = 0 THEN round(t.price / 10000.0, 2)::text ELSE trim_scale(round(t.price / 10000.0, 4))::text END AS price, CASE WHEN t.trade_value % 100 = 0 THEN round(t.trade_value / 10000.0, 2)::text ELSE trim_scale(round(t.trade_value / 10000.0, 4))::text END AS trade_value, CASE WHEN t.brokerage % 100 = 0 THEN round(t.brokerage / 10000.0, 2)::text ELSE trim_scale(round(t.brokerage / 10000.0, 4))::text END AS brokerage, CASE WHEN t.exchange_charges % 100 = 0 THEN round(t.exchange_charges / 10000.0, 2)::text ELSE trim_scale(round(t.exchange_charges / 10000.0, 4))::text END AS exchange_charges, CASE WHEN t.clearing_charges % 100 = 0 THEN round(t.clearing_charges / 10000.0, 2)::text ELSE trim_scale(round(t.clearing_charges / 10000.0, 4))::text END AS clearing_charges, CASE WHEN t.stt % 100 = 0 THEN round(t.stt / 10000.0, 2)::text ELSE trim_scale(round(t.stt / 10000.0, 4))::text END AS stt, CASE WHEN t.stamp_duty % 100 = 0 THEN round(t.stamp_duty / 10000.0, 2)::text ELSE trim_scale(round(t.stamp_duty / 10000.0, 4))::text END AS stamp_duty, CASE WHEN t.transaction_charges % 100 = 0 THEN round(t.transaction_charges / 10000.0, 2)::text ELSE trim_scale(round(t.transaction_charges / 10000.0, 4))::text END AS transaction_charges, CASE WHEN t.sebi_fee % 100 = 0 THEN round(t.sebi_fee / 10000.0, 2)::text ELSE trim_scale(round(t.sebi_fee / 10000.0, 4))::text END AS sebi_fee, CASE WHEN t.ipft % 100 = 0 THEN round(t.ipft / 10000.0, 2)::text ELSE trim_scale(round(t.ipft / 10000.0, 4))::text END AS ipft, CASE WHEN t.gst % 100 = 0 THEN round(t.gst / 10000.0, 2)::text ELSE trim_scale(round(t.gst / 10000.0, 4))::text END AS gst, CASE WHEN t.total_charges % 100 = 0 THEN round(t.total_charges / 10000.0, 2)::text ELSE trim_scale(round(t.total_charges / 10000.0, 4))::text END AS total_charges, CASE WHEN t.net_amount % 100 = 0 THEN round(t.net_amount / 10000.0, 2)::text ELSE trim_scale(round(t.net_amount / 10000.0, 4))::text END AS net_amount, to_char(to_timestamp(t.traded_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS traded_at, to_char(to_timestamp(t.exchange_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS exchange_at, to_char(to_timestamp(t.created_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS created_at, to_char(to_timestamp(t.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS updated_at, t.drv_expiry AS drv_expiry, t.drv_option_type AS drv_option_type, CASE WHEN t.drv_strike % 100 = 0 THEN round(t.drv_strike / 10000.0, 2)::text ELSE trim_scale(round(t.drv_strike / 10000.0, 4))::text END AS drv_strike, t.raw AS raw, b.copy_role AS account_type, o.status AS order_status, CASE WHEN (CASE t.side WHEN 'BUY' THEN -t.trade_value ELSE t.trade_value END - t.total_charges) % 100 = 0 THEN round((CASE t.side WHEN 'BUY' THEN -t.trade_value ELSE t.trade_value END - t.total_charges) / 10000.0, 2)::text ELSE trim_scale(round((CASE t.side WHEN 'BUY' THEN -t.trade_value ELSE t.trade_value END - t.total_charges) / 10000.0, 4))::text END AS net_cash
FROM trades t
JOIN books b ON b.account_id = t.account_id
LEFT JOIN orders o ON o.id = t.order_id
ORDER BY t.traded_at DESC, t.id DESC LIMIT 100
