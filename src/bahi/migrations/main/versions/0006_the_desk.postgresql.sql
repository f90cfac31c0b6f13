ALTER TABLE instruments SET (fillfactor = 45)

DROP VIEW v_cover_orders

DROP VIEW v_active_forever_orders

DROP VIEW v_active_orders

ALTER TABLE charge_rates DROP CONSTRAINT ck_charge_rates_charge

ALTER TABLE charge_rates ADD CONSTRAINT ck_charge_rates_charge CHECK (charge IN ('brokerage','exchange','clearing','stt','stamp_duty','transaction','sebi_fee','ipft','gst','dp','square_off','margin','margin_extra'))

ALTER TABLE charge_rates DROP CONSTRAINT ck_charge_rates_basis

ALTER TABLE charge_rates ADD CONSTRAINT ck_charge_rates_basis CHECK (basis IN ('turnover','premium','intrinsic','fees','ipft','order','lot','isin_day','contract_note','contract'))

ALTER TABLE charge_rates ADD COLUMN release BIGINT

CREATE TABLE eligibility_lists (
	id BIGINT NOT NULL,
	name TEXT NOT NULL CONSTRAINT ck_eligibility_lists_name CHECK (name IN ('FNO_BAN','ASM','GSM','TRADE_TO_TRADE','NOT_INTRADAY','NOT_MTF')),
	since TEXT NOT NULL CONSTRAINT ck_eligibility_lists_since CHECK (length(since) = 10),
	source TEXT NOT NULL,
	symbols JSONB NOT NULL,
	loaded_by TEXT NOT NULL,
	loaded_at BIGINT NOT NULL,
	CONSTRAINT pk_eligibility_lists PRIMARY KEY (id)
)

ALTER TABLE api_keys ADD COLUMN needs_approval SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_api_keys_needs_approval CHECK (needs_approval IN (0,1))

ALTER TABLE books ADD COLUMN limits JSONB

ALTER TABLE ledger_entries ADD COLUMN kind TEXT CONSTRAINT ck_ledger_entries_kind CHECK (kind IN ('OPENING','TRADE','CHARGES','NOTE','DP','FEE','CONVERSION','EXPIRY','EXERCISE','DIVIDEND','RESET'))

ALTER TABLE orders ADD COLUMN is_kept SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_orders_is_kept CHECK (is_kept IN (0,1))

ALTER TABLE orders ADD COLUMN instrument_type TEXT CONSTRAINT ck_orders_instrument_type CHECK (instrument_type IN ('EQUITY','INDEX','FUTIDX','FUTSTK','FUTCUR','FUTIRC','FUTCOM','OPTIDX','OPTSTK','OPTCUR','OPTIRC','OPTFUT'))

ALTER TABLE orders ADD COLUMN lot_size BIGINT

ALTER TABLE orders ADD COLUMN asked_at BIGINT

ALTER TABLE orders ADD COLUMN cancel_asked SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_orders_cancel_asked CHECK (cancel_asked IN (0,1))

ALTER TABLE orders ADD COLUMN cancelled_by TEXT

ALTER TABLE orders ADD COLUMN asked_quantity BIGINT

ALTER TABLE orders ADD COLUMN asked_margin BIGINT

ALTER TABLE position_adjustments ADD COLUMN value BIGINT

ALTER TABLE position_adjustments ADD COLUMN action TEXT CONSTRAINT ck_position_adjustments_action CHECK (action IN ('SPLIT','BONUS','DIVIDEND'))

ALTER TABLE position_adjustments ADD COLUMN carried JSONB

ALTER TABLE position_adjustments ADD COLUMN carried_net BIGINT

ALTER TABLE position_adjustments ADD COLUMN known_at BIGINT

CREATE TABLE position_conversions (
	id BIGINT NOT NULL,
	account_id BIGINT NOT NULL,
	tag TEXT NOT NULL,
	exchange_segment TEXT NOT NULL CONSTRAINT ck_position_conversions_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
	symbol TEXT NOT NULL,
	product TEXT NOT NULL CONSTRAINT ck_position_conversions_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
	to_product TEXT NOT NULL CONSTRAINT ck_position_conversions_to_product CHECK (to_product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
	moves BIGINT NOT NULL,
	session_day TEXT NOT NULL CONSTRAINT ck_position_conversions_session_day CHECK (length(session_day) = 10),
	stage TEXT NOT NULL CONSTRAINT ck_position_conversions_stage CHECK (stage IN ('ASKED','MADE','TAKING_BACK','REFUSED')),
	actor TEXT NOT NULL,
	why TEXT,
	asked_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	CONSTRAINT ck_position_conversions_moves_something CHECK (moves <> 0),
	CONSTRAINT fk_position_conversions_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
	CONSTRAINT pk_position_conversions PRIMARY KEY (id),
	CONSTRAINT uq_position_conversions_account_id_tag UNIQUE (account_id, tag)
)

ALTER TABLE forever_orders ADD COLUMN order_trigger_price BIGINT

ALTER TABLE forever_orders ADD COLUMN guard_stop BIGINT

ALTER TABLE forever_orders ADD COLUMN guard_target BIGINT

ALTER TABLE forever_orders ADD COLUMN guard_trailing BIGINT

ALTER TABLE forever_orders ADD COLUMN strategy TEXT

ALTER TABLE forever_orders ADD COLUMN needs_approval SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_forever_orders_needs_approval CHECK (needs_approval IN (0,1))

CREATE INDEX ix_eligibility_lists_name_since ON eligibility_lists (name, since)

CREATE INDEX ix_ledger_entries_account_id_voucher_no ON ledger_entries (account_id, voucher_no) WHERE voucher_no IS NOT NULL

CREATE INDEX ix_orders_account_id ON orders (account_id) WHERE is_kept = 1

CREATE INDEX ix_orders_account_id_symbol ON orders (account_id, symbol) WHERE status IN ('PENDING','TRANSIT','UNKNOWN','OPEN','PARTIAL')

CREATE INDEX ix_orders_asked_at ON orders (asked_at) WHERE asked_at IS NOT NULL

CREATE INDEX ix_position_conversions_stage ON position_conversions (stage) WHERE stage IN ('ASKED','TAKING_BACK')

CREATE TRIGGER eligibility_lists_no_update BEFORE UPDATE ON eligibility_lists
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER eligibility_lists_no_delete BEFORE DELETE ON eligibility_lists
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER eligibility_lists_no_truncate BEFORE TRUNCATE ON eligibility_lists
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

CREATE TRIGGER position_conversions_touch BEFORE UPDATE ON position_conversions
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()

CREATE VIEW v_active_orders AS
SELECT o.id AS id, o.account_id AS account_id, o.client_order_id AS client_order_id, o.broker_order_id AS broker_order_id, o.correlation_id AS correlation_id, o.instrument_id AS instrument_id, o.exchange_segment AS exchange_segment, o.security_id AS security_id, o.symbol AS symbol, o.side AS side, o.product AS product, o.order_type AS order_type, o.validity AS validity, o.quantity AS quantity, o.disclosed_qty AS disclosed_qty, CASE WHEN o.price % 100 = 0 THEN round(o.price / 10000.0, 2)::text ELSE trim_scale(round(o.price / 10000.0, 4))::text END AS price, CASE WHEN o.trigger_price % 100 = 0 THEN round(o.trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.trigger_price / 10000.0, 4))::text END AS trigger_price, o.status AS status, o.broker_status AS broker_status, o.trigger_pending AS trigger_pending, o.filled_qty AS filled_qty, o.remaining_qty AS remaining_qty, CASE WHEN o.average_price % 100 = 0 THEN round(o.average_price / 10000.0, 2)::text ELSE trim_scale(round(o.average_price / 10000.0, 4))::text END AS average_price, CASE WHEN o.traded_value % 100 = 0 THEN round(o.traded_value / 10000.0, 2)::text ELSE trim_scale(round(o.traded_value / 10000.0, 4))::text END AS traded_value, CASE WHEN o.margin_blocked % 100 = 0 THEN round(o.margin_blocked / 10000.0, 2)::text ELSE trim_scale(round(o.margin_blocked / 10000.0, 4))::text END AS margin_blocked, CASE WHEN o.co_stop_loss % 100 = 0 THEN round(o.co_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.co_stop_loss / 10000.0, 4))::text END AS co_stop_loss, CASE WHEN o.co_trigger_price % 100 = 0 THEN round(o.co_trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.co_trigger_price / 10000.0, 4))::text END AS co_trigger_price, CASE WHEN o.bo_profit % 100 = 0 THEN round(o.bo_profit / 10000.0, 2)::text ELSE trim_scale(round(o.bo_profit / 10000.0, 4))::text END AS bo_profit, CASE WHEN o.bo_stop_loss % 100 = 0 THEN round(o.bo_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.bo_stop_loss / 10000.0, 4))::text END AS bo_stop_loss, CASE WHEN o.bo_trailing % 100 = 0 THEN round(o.bo_trailing / 10000.0, 2)::text ELSE trim_scale(round(o.bo_trailing / 10000.0, 4))::text END AS bo_trailing, o.bo_order_type AS bo_order_type, o.parent_order_id AS parent_order_id, o.leg_type AS leg_type, o.is_kept AS is_kept, o.is_sliced AS is_sliced, o.slice_group_id AS slice_group_id, o.slice_index AS slice_index, o.slice_total_qty AS slice_total_qty, o.is_amo AS is_amo, o.amo_time AS amo_time, o.exchange_order_id AS exchange_order_id, to_char(to_timestamp(o.exchange_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS exchange_at, o.algo_id AS algo_id, o.instrument_type AS instrument_type, o.lot_size AS lot_size, o.drv_expiry AS drv_expiry, o.drv_option_type AS drv_option_type, CASE WHEN o.drv_strike % 100 = 0 THEN round(o.drv_strike / 10000.0, 2)::text ELSE trim_scale(round(o.drv_strike / 10000.0, 4))::text END AS drv_strike, o.error_code AS error_code, o.error_message AS error_message, o.strategy AS strategy, o.actor AS actor, o.key_id AS key_id, o.is_exit AS is_exit, o.is_external AS is_external, o.waits_for AS waits_for, to_char(to_timestamp(o.release_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS release_at, to_char(to_timestamp(o.expires_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS expires_at, o.approved_by AS approved_by, to_char(to_timestamp(o.told_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS told_at, to_char(to_timestamp(o.asked_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS asked_at, o.cancel_asked AS cancel_asked, o.cancelled_by AS cancelled_by, o.asked_quantity AS asked_quantity, CASE WHEN o.asked_margin % 100 = 0 THEN round(o.asked_margin / 10000.0, 2)::text ELSE trim_scale(round(o.asked_margin / 10000.0, 4))::text END AS asked_margin, o.node AS node, o.version AS version, to_char(to_timestamp(o.send_before / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS send_before, to_char(to_timestamp(o.intent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS intent_at, to_char(to_timestamp(o.sent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS sent_at, to_char(to_timestamp(o.acked_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS acked_at, to_char(to_timestamp(o.first_fill_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS first_fill_at, to_char(to_timestamp(o.placed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS placed_at, to_char(to_timestamp(o.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS updated_at, to_char(to_timestamp(o.completed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS completed_at, o.raw_request AS raw_request, o.raw_response AS raw_response, b.copy_role AS account_type, m.follower_order_id, m.sizing_strategy
FROM orders o
JOIN books b ON b.account_id = o.account_id
LEFT JOIN copy_mappings m ON m.leader_order_id = o.id
WHERE o.status IN ('PENDING','TRANSIT','UNKNOWN','OPEN','PARTIAL')

CREATE VIEW v_active_forever_orders AS
SELECT f.id AS id, f.account_id AS account_id, f.broker_order_id AS broker_order_id, f.correlation_id AS correlation_id, f.status AS status, f.kind AS kind, f.instrument_id AS instrument_id, f.exchange_segment AS exchange_segment, f.security_id AS security_id, f.symbol AS symbol, f.trigger_type AS trigger_type, CASE WHEN f.trigger_above % 100 = 0 THEN round(f.trigger_above / 10000.0, 2)::text ELSE trim_scale(round(f.trigger_above / 10000.0, 4))::text END AS trigger_above, CASE WHEN f.trigger_below % 100 = 0 THEN round(f.trigger_below / 10000.0, 2)::text ELSE trim_scale(round(f.trigger_below / 10000.0, 4))::text END AS trigger_below, f.side AS side, f.product AS product, f.order_type AS order_type, f.quantity AS quantity, CASE WHEN f.price % 100 = 0 THEN round(f.price / 10000.0, 2)::text ELSE trim_scale(round(f.price / 10000.0, 4))::text END AS price, CASE WHEN f.order_trigger_price % 100 = 0 THEN round(f.order_trigger_price / 10000.0, 2)::text ELSE trim_scale(round(f.order_trigger_price / 10000.0, 4))::text END AS order_trigger_price, CASE WHEN f.guard_stop % 100 = 0 THEN round(f.guard_stop / 10000.0, 2)::text ELSE trim_scale(round(f.guard_stop / 10000.0, 4))::text END AS guard_stop, CASE WHEN f.guard_target % 100 = 0 THEN round(f.guard_target / 10000.0, 2)::text ELSE trim_scale(round(f.guard_target / 10000.0, 4))::text END AS guard_target, CASE WHEN f.guard_trailing % 100 = 0 THEN round(f.guard_trailing / 10000.0, 2)::text ELSE trim_scale(round(f.guard_trailing / 10000.0, 4))::text END AS guard_trailing, f.strategy AS strategy, f.needs_approval AS needs_approval, f.disclosed_qty AS disclosed_qty, f.validity AS validity, f.oco_leg_id AS oco_leg_id, f.triggered_order_id AS triggered_order_id, to_char(to_timestamp(f.created_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS created_at, to_char(to_timestamp(f.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS updated_at, to_char(to_timestamp(f.triggered_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS triggered_at, to_char(to_timestamp(f.expires_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS expires_at, f.raw_request AS raw_request, f.raw_response AS raw_response, b.copy_role AS account_type, m.follower_forever_id AS replicated_forever_order_id
FROM forever_orders f
JOIN books b ON b.account_id = f.account_id
LEFT JOIN copy_mappings m ON m.leader_forever_id = f.id
WHERE f.status IN ('PENDING','ACTIVE')

CREATE VIEW v_cover_orders AS
SELECT o.id AS id, o.account_id AS account_id, o.client_order_id AS client_order_id, o.broker_order_id AS broker_order_id, o.correlation_id AS correlation_id, o.instrument_id AS instrument_id, o.exchange_segment AS exchange_segment, o.security_id AS security_id, o.symbol AS symbol, o.side AS side, o.product AS product, o.order_type AS order_type, o.validity AS validity, o.quantity AS quantity, o.disclosed_qty AS disclosed_qty, CASE WHEN o.price % 100 = 0 THEN round(o.price / 10000.0, 2)::text ELSE trim_scale(round(o.price / 10000.0, 4))::text END AS price, CASE WHEN o.trigger_price % 100 = 0 THEN round(o.trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.trigger_price / 10000.0, 4))::text END AS trigger_price, o.status AS status, o.broker_status AS broker_status, o.trigger_pending AS trigger_pending, o.filled_qty AS filled_qty, o.remaining_qty AS remaining_qty, CASE WHEN o.average_price % 100 = 0 THEN round(o.average_price / 10000.0, 2)::text ELSE trim_scale(round(o.average_price / 10000.0, 4))::text END AS average_price, CASE WHEN o.traded_value % 100 = 0 THEN round(o.traded_value / 10000.0, 2)::text ELSE trim_scale(round(o.traded_value / 10000.0, 4))::text END AS traded_value, CASE WHEN o.margin_blocked % 100 = 0 THEN round(o.margin_blocked / 10000.0, 2)::text ELSE trim_scale(round(o.margin_blocked / 10000.0, 4))::text END AS margin_blocked, CASE WHEN o.co_stop_loss % 100 = 0 THEN round(o.co_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.co_stop_loss / 10000.0, 4))::text END AS co_stop_loss, CASE WHEN o.co_trigger_price % 100 = 0 THEN round(o.co_trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.co_trigger_price / 10000.0, 4))::text END AS co_trigger_price, CASE WHEN o.bo_profit % 100 = 0 THEN round(o.bo_profit / 10000.0, 2)::text ELSE trim_scale(round(o.bo_profit / 10000.0, 4))::text END AS bo_profit, CASE WHEN o.bo_stop_loss % 100 = 0 THEN round(o.bo_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.bo_stop_loss / 10000.0, 4))::text END AS bo_stop_loss, CASE WHEN o.bo_trailing % 100 = 0 THEN round(o.bo_trailing / 10000.0, 2)::text ELSE trim_scale(round(o.bo_trailing / 10000.0, 4))::text END AS bo_trailing, o.bo_order_type AS bo_order_type, o.parent_order_id AS parent_order_id, o.leg_type AS leg_type, o.is_kept AS is_kept, o.is_sliced AS is_sliced, o.slice_group_id AS slice_group_id, o.slice_index AS slice_index, o.slice_total_qty AS slice_total_qty, o.is_amo AS is_amo, o.amo_time AS amo_time, o.exchange_order_id AS exchange_order_id, to_char(to_timestamp(o.exchange_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS exchange_at, o.algo_id AS algo_id, o.instrument_type AS instrument_type, o.lot_size AS lot_size, o.drv_expiry AS drv_expiry, o.drv_option_type AS drv_option_type, CASE WHEN o.drv_strike % 100 = 0 THEN round(o.drv_strike / 10000.0, 2)::text ELSE trim_scale(round(o.drv_strike / 10000.0, 4))::text END AS drv_strike, o.error_code AS error_code, o.error_message AS error_message, o.strategy AS strategy, o.actor AS actor, o.key_id AS key_id, o.is_exit AS is_exit, o.is_external AS is_external, o.waits_for AS waits_for, to_char(to_timestamp(o.release_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS release_at, to_char(to_timestamp(o.expires_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS expires_at, o.approved_by AS approved_by, to_char(to_timestamp(o.told_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS told_at, to_char(to_timestamp(o.asked_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS asked_at, o.cancel_asked AS cancel_asked, o.cancelled_by AS cancelled_by, o.asked_quantity AS asked_quantity, CASE WHEN o.asked_margin % 100 = 0 THEN round(o.asked_margin / 10000.0, 2)::text ELSE trim_scale(round(o.asked_margin / 10000.0, 4))::text END AS asked_margin, o.node AS node, o.version AS version, to_char(to_timestamp(o.send_before / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS send_before, to_char(to_timestamp(o.intent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS intent_at, to_char(to_timestamp(o.sent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS sent_at, to_char(to_timestamp(o.acked_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS acked_at, to_char(to_timestamp(o.first_fill_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS first_fill_at, to_char(to_timestamp(o.placed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS placed_at, to_char(to_timestamp(o.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS updated_at, to_char(to_timestamp(o.completed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS completed_at, o.raw_request AS raw_request, o.raw_response AS raw_response, b.copy_role AS account_type
FROM orders o
JOIN books b ON b.account_id = o.account_id
WHERE o.co_stop_loss IS NOT NULL

-- down

DELETE FROM charge_rates WHERE charge IN ('margin','margin_extra') OR basis IN ('ipft','contract')

DROP VIEW v_cover_orders

DROP VIEW v_active_forever_orders

DROP VIEW v_active_orders

DROP INDEX ix_ledger_entries_account_id_voucher_no

DROP INDEX ix_orders_account_id

DROP INDEX ix_orders_account_id_symbol

DROP INDEX ix_orders_asked_at

DROP TABLE position_conversions

DROP TABLE eligibility_lists

ALTER TABLE charge_rates DROP CONSTRAINT ck_charge_rates_charge

ALTER TABLE charge_rates ADD CONSTRAINT ck_charge_rates_charge CHECK (charge IN ('brokerage','exchange','clearing','stt','stamp_duty','transaction','sebi_fee','ipft','gst','dp','square_off'))

ALTER TABLE charge_rates DROP CONSTRAINT ck_charge_rates_basis

ALTER TABLE charge_rates ADD CONSTRAINT ck_charge_rates_basis CHECK (basis IN ('turnover','premium','intrinsic','fees','order','lot','isin_day','contract_note'))

ALTER TABLE charge_rates DROP COLUMN release

ALTER TABLE api_keys DROP COLUMN needs_approval

ALTER TABLE books DROP COLUMN limits

ALTER TABLE ledger_entries DROP COLUMN kind

ALTER TABLE orders DROP COLUMN is_kept

ALTER TABLE orders DROP COLUMN instrument_type

ALTER TABLE orders DROP COLUMN lot_size

ALTER TABLE orders DROP COLUMN asked_at

ALTER TABLE orders DROP COLUMN cancel_asked

ALTER TABLE orders DROP COLUMN cancelled_by

ALTER TABLE orders DROP COLUMN asked_quantity

ALTER TABLE orders DROP COLUMN asked_margin

ALTER TABLE position_adjustments DROP COLUMN value

ALTER TABLE position_adjustments DROP COLUMN action

ALTER TABLE position_adjustments DROP COLUMN carried

ALTER TABLE position_adjustments DROP COLUMN carried_net

ALTER TABLE position_adjustments DROP COLUMN known_at

ALTER TABLE forever_orders DROP COLUMN order_trigger_price

ALTER TABLE forever_orders DROP COLUMN guard_stop

ALTER TABLE forever_orders DROP COLUMN guard_target

ALTER TABLE forever_orders DROP COLUMN guard_trailing

ALTER TABLE forever_orders DROP COLUMN strategy

ALTER TABLE forever_orders DROP COLUMN needs_approval

CREATE VIEW v_active_orders AS
SELECT o.id AS id, o.account_id AS account_id, o.client_order_id AS client_order_id, o.broker_order_id AS broker_order_id, o.correlation_id AS correlation_id, o.instrument_id AS instrument_id, o.exchange_segment AS exchange_segment, o.security_id AS security_id, o.symbol AS symbol, o.side AS side, o.product AS product, o.order_type AS order_type, o.validity AS validity, o.quantity AS quantity, o.disclosed_qty AS disclosed_qty, CASE WHEN o.price % 100 = 0 THEN round(o.price / 10000.0, 2)::text ELSE trim_scale(round(o.price / 10000.0, 4))::text END AS price, CASE WHEN o.trigger_price % 100 = 0 THEN round(o.trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.trigger_price / 10000.0, 4))::text END AS trigger_price, o.status AS status, o.broker_status AS broker_status, o.trigger_pending AS trigger_pending, o.filled_qty AS filled_qty, o.remaining_qty AS remaining_qty, CASE WHEN o.average_price % 100 = 0 THEN round(o.average_price / 10000.0, 2)::text ELSE trim_scale(round(o.average_price / 10000.0, 4))::text END AS average_price, CASE WHEN o.traded_value % 100 = 0 THEN round(o.traded_value / 10000.0, 2)::text ELSE trim_scale(round(o.traded_value / 10000.0, 4))::text END AS traded_value, CASE WHEN o.margin_blocked % 100 = 0 THEN round(o.margin_blocked / 10000.0, 2)::text ELSE trim_scale(round(o.margin_blocked / 10000.0, 4))::text END AS margin_blocked, CASE WHEN o.co_stop_loss % 100 = 0 THEN round(o.co_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.co_stop_loss / 10000.0, 4))::text END AS co_stop_loss, CASE WHEN o.co_trigger_price % 100 = 0 THEN round(o.co_trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.co_trigger_price / 10000.0, 4))::text END AS co_trigger_price, CASE WHEN o.bo_profit % 100 = 0 THEN round(o.bo_profit / 10000.0, 2)::text ELSE trim_scale(round(o.bo_profit / 10000.0, 4))::text END AS bo_profit, CASE WHEN o.bo_stop_loss % 100 = 0 THEN round(o.bo_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.bo_stop_loss / 10000.0, 4))::text END AS bo_stop_loss, CASE WHEN o.bo_trailing % 100 = 0 THEN round(o.bo_trailing / 10000.0, 2)::text ELSE trim_scale(round(o.bo_trailing / 10000.0, 4))::text END AS bo_trailing, o.bo_order_type AS bo_order_type, o.parent_order_id AS parent_order_id, o.leg_type AS leg_type, o.is_sliced AS is_sliced, o.slice_group_id AS slice_group_id, o.slice_index AS slice_index, o.slice_total_qty AS slice_total_qty, o.is_amo AS is_amo, o.amo_time AS amo_time, o.exchange_order_id AS exchange_order_id, to_char(to_timestamp(o.exchange_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS exchange_at, o.algo_id AS algo_id, o.drv_expiry AS drv_expiry, o.drv_option_type AS drv_option_type, CASE WHEN o.drv_strike % 100 = 0 THEN round(o.drv_strike / 10000.0, 2)::text ELSE trim_scale(round(o.drv_strike / 10000.0, 4))::text END AS drv_strike, o.error_code AS error_code, o.error_message AS error_message, o.strategy AS strategy, o.actor AS actor, o.key_id AS key_id, o.is_exit AS is_exit, o.is_external AS is_external, o.waits_for AS waits_for, to_char(to_timestamp(o.release_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS release_at, to_char(to_timestamp(o.expires_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS expires_at, o.approved_by AS approved_by, to_char(to_timestamp(o.told_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS told_at, o.node AS node, o.version AS version, to_char(to_timestamp(o.send_before / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS send_before, to_char(to_timestamp(o.intent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS intent_at, to_char(to_timestamp(o.sent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS sent_at, to_char(to_timestamp(o.acked_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS acked_at, to_char(to_timestamp(o.first_fill_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS first_fill_at, to_char(to_timestamp(o.placed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS placed_at, to_char(to_timestamp(o.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS updated_at, to_char(to_timestamp(o.completed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS completed_at, o.raw_request AS raw_request, o.raw_response AS raw_response, b.copy_role AS account_type, m.follower_order_id, m.sizing_strategy
FROM orders o
JOIN books b ON b.account_id = o.account_id
LEFT JOIN copy_mappings m ON m.leader_order_id = o.id
WHERE o.status IN ('PENDING','TRANSIT','UNKNOWN','OPEN','PARTIAL')

CREATE VIEW v_active_forever_orders AS
SELECT f.id AS id, f.account_id AS account_id, f.broker_order_id AS broker_order_id, f.correlation_id AS correlation_id, f.status AS status, f.kind AS kind, f.instrument_id AS instrument_id, f.exchange_segment AS exchange_segment, f.security_id AS security_id, f.symbol AS symbol, f.trigger_type AS trigger_type, CASE WHEN f.trigger_above % 100 = 0 THEN round(f.trigger_above / 10000.0, 2)::text ELSE trim_scale(round(f.trigger_above / 10000.0, 4))::text END AS trigger_above, CASE WHEN f.trigger_below % 100 = 0 THEN round(f.trigger_below / 10000.0, 2)::text ELSE trim_scale(round(f.trigger_below / 10000.0, 4))::text END AS trigger_below, f.side AS side, f.product AS product, f.order_type AS order_type, f.quantity AS quantity, CASE WHEN f.price % 100 = 0 THEN round(f.price / 10000.0, 2)::text ELSE trim_scale(round(f.price / 10000.0, 4))::text END AS price, f.disclosed_qty AS disclosed_qty, f.validity AS validity, f.oco_leg_id AS oco_leg_id, f.triggered_order_id AS triggered_order_id, to_char(to_timestamp(f.created_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS created_at, to_char(to_timestamp(f.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS updated_at, to_char(to_timestamp(f.triggered_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS triggered_at, to_char(to_timestamp(f.expires_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS expires_at, f.raw_request AS raw_request, f.raw_response AS raw_response, b.copy_role AS account_type, m.follower_forever_id AS replicated_forever_order_id
FROM forever_orders f
JOIN books b ON b.account_id = f.account_id
LEFT JOIN copy_mappings m ON m.leader_forever_id = f.id
WHERE f.status IN ('PENDING','ACTIVE')

CREATE VIEW v_cover_orders AS
SELECT o.id AS id, o.account_id AS account_id, o.client_order_id AS client_order_id, o.broker_order_id AS broker_order_id, o.correlation_id AS correlation_id, o.instrument_id AS instrument_id, o.exchange_segment AS exchange_segment, o.security_id AS security_id, o.symbol AS symbol, o.side AS side, o.product AS product, o.order_type AS order_type, o.validity AS validity, o.quantity AS quantity, o.disclosed_qty AS disclosed_qty, CASE WHEN o.price % 100 = 0 THEN round(o.price / 10000.0, 2)::text ELSE trim_scale(round(o.price / 10000.0, 4))::text END AS price, CASE WHEN o.trigger_price % 100 = 0 THEN round(o.trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.trigger_price / 10000.0, 4))::text END AS trigger_price, o.status AS status, o.broker_status AS broker_status, o.trigger_pending AS trigger_pending, o.filled_qty AS filled_qty, o.remaining_qty AS remaining_qty, CASE WHEN o.average_price % 100 = 0 THEN round(o.average_price / 10000.0, 2)::text ELSE trim_scale(round(o.average_price / 10000.0, 4))::text END AS average_price, CASE WHEN o.traded_value % 100 = 0 THEN round(o.traded_value / 10000.0, 2)::text ELSE trim_scale(round(o.traded_value / 10000.0, 4))::text END AS traded_value, CASE WHEN o.margin_blocked % 100 = 0 THEN round(o.margin_blocked / 10000.0, 2)::text ELSE trim_scale(round(o.margin_blocked / 10000.0, 4))::text END AS margin_blocked, CASE WHEN o.co_stop_loss % 100 = 0 THEN round(o.co_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.co_stop_loss / 10000.0, 4))::text END AS co_stop_loss, CASE WHEN o.co_trigger_price % 100 = 0 THEN round(o.co_trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.co_trigger_price / 10000.0, 4))::text END AS co_trigger_price, CASE WHEN o.bo_profit % 100 = 0 THEN round(o.bo_profit / 10000.0, 2)::text ELSE trim_scale(round(o.bo_profit / 10000.0, 4))::text END AS bo_profit, CASE WHEN o.bo_stop_loss % 100 = 0 THEN round(o.bo_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.bo_stop_loss / 10000.0, 4))::text END AS bo_stop_loss, CASE WHEN o.bo_trailing % 100 = 0 THEN round(o.bo_trailing / 10000.0, 2)::text ELSE trim_scale(round(o.bo_trailing / 10000.0, 4))::text END AS bo_trailing, o.bo_order_type AS bo_order_type, o.parent_order_id AS parent_order_id, o.leg_type AS leg_type, o.is_sliced AS is_sliced, o.slice_group_id AS slice_group_id, o.slice_index AS slice_index, o.slice_total_qty AS slice_total_qty, o.is_amo AS is_amo, o.amo_time AS amo_time, o.exchange_order_id AS exchange_order_id, to_char(to_timestamp(o.exchange_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS exchange_at, o.algo_id AS algo_id, o.drv_expiry AS drv_expiry, o.drv_option_type AS drv_option_type, CASE WHEN o.drv_strike % 100 = 0 THEN round(o.drv_strike / 10000.0, 2)::text ELSE trim_scale(round(o.drv_strike / 10000.0, 4))::text END AS drv_strike, o.error_code AS error_code, o.error_message AS error_message, o.strategy AS strategy, o.actor AS actor, o.key_id AS key_id, o.is_exit AS is_exit, o.is_external AS is_external, o.waits_for AS waits_for, to_char(to_timestamp(o.release_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS release_at, to_char(to_timestamp(o.expires_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS expires_at, o.approved_by AS approved_by, to_char(to_timestamp(o.told_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS told_at, o.node AS node, o.version AS version, to_char(to_timestamp(o.send_before / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS send_before, to_char(to_timestamp(o.intent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS intent_at, to_char(to_timestamp(o.sent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS sent_at, to_char(to_timestamp(o.acked_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS acked_at, to_char(to_timestamp(o.first_fill_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS first_fill_at, to_char(to_timestamp(o.placed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS placed_at, to_char(to_timestamp(o.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS updated_at, to_char(to_timestamp(o.completed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS completed_at, o.raw_request AS raw_request, o.raw_response AS raw_response, b.copy_role AS account_type
FROM orders o
JOIN books b ON b.account_id = o.account_id
WHERE o.co_stop_loss IS NOT NULL

ALTER TABLE instruments RESET (fillfactor)
