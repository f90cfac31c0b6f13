DROP VIEW v_cover_orders

DROP VIEW v_active_forever_orders

DROP VIEW v_active_orders

-- rebuild
CREATE TABLE charge_rates (
	id INTEGER NOT NULL,
	charge TEXT NOT NULL CONSTRAINT ck_charge_rates_charge CHECK (charge IN ('brokerage','exchange','clearing','stt','stamp_duty','transaction','sebi_fee','ipft','gst','dp','square_off','margin','margin_extra')),
	"plan" TEXT,
	exchange_segment TEXT CONSTRAINT ck_charge_rates_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
	kind TEXT CONSTRAINT ck_charge_rates_kind CHECK (kind IN ('EQUITY','FUTURE','OPTION')),
	product TEXT CONSTRAINT ck_charge_rates_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
	side TEXT CONSTRAINT ck_charge_rates_side CHECK (side IN ('BUY','SELL')),
	condition TEXT,
	basis TEXT NOT NULL CONSTRAINT ck_charge_rates_basis CHECK (basis IN ('turnover','premium','intrinsic','fees','ipft','order','lot','isin_day','contract_note','contract')),
	rate INTEGER,
	amount INTEGER,
	at_most INTEGER,
	at_least INTEGER,
	valid_from TEXT NOT NULL CONSTRAINT ck_charge_rates_valid_from CHECK (length(valid_from) = 10),
	valid_until TEXT CONSTRAINT ck_charge_rates_valid_until CHECK (length(valid_until) = 10),
	is_verified INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_charge_rates_is_verified CHECK (is_verified IN (0,1)),
	source TEXT,
	created_at INTEGER NOT NULL,
	release INTEGER,
	CONSTRAINT ck_charge_rates_rate_or_amount CHECK (rate IS NOT NULL OR amount IS NOT NULL),
	CONSTRAINT pk_charge_rates PRIMARY KEY (id)
)
 STRICT

CREATE TABLE eligibility_lists (
	id INTEGER NOT NULL,
	name TEXT NOT NULL CONSTRAINT ck_eligibility_lists_name CHECK (name IN ('FNO_BAN','ASM','GSM','TRADE_TO_TRADE','NOT_INTRADAY','NOT_MTF')),
	since TEXT NOT NULL CONSTRAINT ck_eligibility_lists_since CHECK (length(since) = 10),
	source TEXT NOT NULL,
	symbols TEXT NOT NULL,
	loaded_by TEXT NOT NULL,
	loaded_at INTEGER NOT NULL,
	CONSTRAINT pk_eligibility_lists PRIMARY KEY (id)
)
 STRICT

ALTER TABLE api_keys ADD COLUMN needs_approval INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_api_keys_needs_approval CHECK (needs_approval IN (0,1))

ALTER TABLE books ADD COLUMN limits TEXT

ALTER TABLE ledger_entries ADD COLUMN kind TEXT CONSTRAINT ck_ledger_entries_kind CHECK (kind IN ('OPENING','TRADE','CHARGES','NOTE','DP','FEE','CONVERSION','EXPIRY','EXERCISE','DIVIDEND','RESET'))

ALTER TABLE orders ADD COLUMN is_kept INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_orders_is_kept CHECK (is_kept IN (0,1))

ALTER TABLE orders ADD COLUMN instrument_type TEXT CONSTRAINT ck_orders_instrument_type CHECK (instrument_type IN ('EQUITY','INDEX','FUTIDX','FUTSTK','FUTCUR','FUTIRC','FUTCOM','OPTIDX','OPTSTK','OPTCUR','OPTIRC','OPTFUT'))

ALTER TABLE orders ADD COLUMN lot_size INTEGER

ALTER TABLE orders ADD COLUMN asked_at INTEGER

ALTER TABLE orders ADD COLUMN cancel_asked INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_orders_cancel_asked CHECK (cancel_asked IN (0,1))

ALTER TABLE orders ADD COLUMN cancelled_by TEXT

ALTER TABLE orders ADD COLUMN asked_quantity INTEGER

ALTER TABLE orders ADD COLUMN asked_margin INTEGER

ALTER TABLE position_adjustments ADD COLUMN value INTEGER

ALTER TABLE position_adjustments ADD COLUMN action TEXT CONSTRAINT ck_position_adjustments_action CHECK (action IN ('SPLIT','BONUS','DIVIDEND'))

ALTER TABLE position_adjustments ADD COLUMN carried TEXT

ALTER TABLE position_adjustments ADD COLUMN carried_net INTEGER

ALTER TABLE position_adjustments ADD COLUMN known_at INTEGER

CREATE TABLE position_conversions (
	id INTEGER NOT NULL,
	account_id INTEGER NOT NULL,
	tag TEXT NOT NULL,
	exchange_segment TEXT NOT NULL CONSTRAINT ck_position_conversions_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
	symbol TEXT NOT NULL,
	product TEXT NOT NULL CONSTRAINT ck_position_conversions_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
	to_product TEXT NOT NULL CONSTRAINT ck_position_conversions_to_product CHECK (to_product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
	moves INTEGER NOT NULL,
	session_day TEXT NOT NULL CONSTRAINT ck_position_conversions_session_day CHECK (length(session_day) = 10),
	stage TEXT NOT NULL CONSTRAINT ck_position_conversions_stage CHECK (stage IN ('ASKED','MADE','TAKING_BACK','REFUSED')),
	actor TEXT NOT NULL,
	why TEXT,
	asked_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	CONSTRAINT ck_position_conversions_moves_something CHECK (moves <> 0),
	CONSTRAINT fk_position_conversions_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
	CONSTRAINT pk_position_conversions PRIMARY KEY (id),
	CONSTRAINT uq_position_conversions_account_id_tag UNIQUE (account_id, tag)
)
 STRICT

ALTER TABLE forever_orders ADD COLUMN order_trigger_price INTEGER

ALTER TABLE forever_orders ADD COLUMN guard_stop INTEGER

ALTER TABLE forever_orders ADD COLUMN guard_target INTEGER

ALTER TABLE forever_orders ADD COLUMN guard_trailing INTEGER

ALTER TABLE forever_orders ADD COLUMN strategy TEXT

ALTER TABLE forever_orders ADD COLUMN needs_approval INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_forever_orders_needs_approval CHECK (needs_approval IN (0,1))

CREATE INDEX ix_eligibility_lists_name_since ON eligibility_lists (name, since)

CREATE INDEX ix_ledger_entries_account_id_voucher_no ON ledger_entries (account_id, voucher_no) WHERE voucher_no IS NOT NULL

CREATE INDEX ix_orders_account_id ON orders (account_id) WHERE is_kept = 1

CREATE INDEX ix_orders_account_id_symbol ON orders (account_id, symbol) WHERE status IN ('PENDING','TRANSIT','UNKNOWN','OPEN','PARTIAL')

CREATE INDEX ix_orders_asked_at ON orders (asked_at) WHERE asked_at IS NOT NULL

CREATE INDEX ix_position_conversions_stage ON position_conversions (stage) WHERE stage IN ('ASKED','TAKING_BACK')

CREATE TRIGGER eligibility_lists_no_update BEFORE UPDATE ON eligibility_lists
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'eligibility_lists is append-only'); END

CREATE TRIGGER eligibility_lists_no_delete BEFORE DELETE ON eligibility_lists
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'eligibility_lists is append-only'); END

CREATE TRIGGER position_conversions_touch AFTER UPDATE ON position_conversions
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE position_conversions SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE VIEW v_active_orders AS
SELECT o.id AS id, o.account_id AS account_id, o.client_order_id AS client_order_id, o.broker_order_id AS broker_order_id, o.correlation_id AS correlation_id, o.instrument_id AS instrument_id, o.exchange_segment AS exchange_segment, o.security_id AS security_id, o.symbol AS symbol, o.side AS side, o.product AS product, o.order_type AS order_type, o.validity AS validity, o.quantity AS quantity, o.disclosed_qty AS disclosed_qty, CASE WHEN o.price IS NOT NULL THEN CASE WHEN o.price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.price) / 10000, abs(o.price) % 10000 / 100) || CASE WHEN abs(o.price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.price) % 100), '0') END END AS price, CASE WHEN o.trigger_price IS NOT NULL THEN CASE WHEN o.trigger_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.trigger_price) / 10000, abs(o.trigger_price) % 10000 / 100) || CASE WHEN abs(o.trigger_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.trigger_price) % 100), '0') END END AS trigger_price, o.status AS status, o.broker_status AS broker_status, o.trigger_pending AS trigger_pending, o.filled_qty AS filled_qty, o.remaining_qty AS remaining_qty, CASE WHEN o.average_price IS NOT NULL THEN CASE WHEN o.average_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.average_price) / 10000, abs(o.average_price) % 10000 / 100) || CASE WHEN abs(o.average_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.average_price) % 100), '0') END END AS average_price, CASE WHEN o.traded_value IS NOT NULL THEN CASE WHEN o.traded_value < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.traded_value) / 10000, abs(o.traded_value) % 10000 / 100) || CASE WHEN abs(o.traded_value) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.traded_value) % 100), '0') END END AS traded_value, CASE WHEN o.margin_blocked IS NOT NULL THEN CASE WHEN o.margin_blocked < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.margin_blocked) / 10000, abs(o.margin_blocked) % 10000 / 100) || CASE WHEN abs(o.margin_blocked) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.margin_blocked) % 100), '0') END END AS margin_blocked, CASE WHEN o.co_stop_loss IS NOT NULL THEN CASE WHEN o.co_stop_loss < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.co_stop_loss) / 10000, abs(o.co_stop_loss) % 10000 / 100) || CASE WHEN abs(o.co_stop_loss) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.co_stop_loss) % 100), '0') END END AS co_stop_loss, CASE WHEN o.co_trigger_price IS NOT NULL THEN CASE WHEN o.co_trigger_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.co_trigger_price) / 10000, abs(o.co_trigger_price) % 10000 / 100) || CASE WHEN abs(o.co_trigger_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.co_trigger_price) % 100), '0') END END AS co_trigger_price, CASE WHEN o.bo_profit IS NOT NULL THEN CASE WHEN o.bo_profit < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.bo_profit) / 10000, abs(o.bo_profit) % 10000 / 100) || CASE WHEN abs(o.bo_profit) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.bo_profit) % 100), '0') END END AS bo_profit, CASE WHEN o.bo_stop_loss IS NOT NULL THEN CASE WHEN o.bo_stop_loss < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.bo_stop_loss) / 10000, abs(o.bo_stop_loss) % 10000 / 100) || CASE WHEN abs(o.bo_stop_loss) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.bo_stop_loss) % 100), '0') END END AS bo_stop_loss, CASE WHEN o.bo_trailing IS NOT NULL THEN CASE WHEN o.bo_trailing < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.bo_trailing) / 10000, abs(o.bo_trailing) % 10000 / 100) || CASE WHEN abs(o.bo_trailing) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.bo_trailing) % 100), '0') END END AS bo_trailing, o.bo_order_type AS bo_order_type, o.parent_order_id AS parent_order_id, o.leg_type AS leg_type, o.is_kept AS is_kept, o.is_sliced AS is_sliced, o.slice_group_id AS slice_group_id, o.slice_index AS slice_index, o.slice_total_qty AS slice_total_qty, o.is_amo AS is_amo, o.amo_time AS amo_time, o.exchange_order_id AS exchange_order_id, strftime('%Y-%m-%d %H:%M:%S', o.exchange_at / 1000000, 'unixepoch', '+330 minutes') AS exchange_at, o.algo_id AS algo_id, o.instrument_type AS instrument_type, o.lot_size AS lot_size, o.drv_expiry AS drv_expiry, o.drv_option_type AS drv_option_type, CASE WHEN o.drv_strike IS NOT NULL THEN CASE WHEN o.drv_strike < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.drv_strike) / 10000, abs(o.drv_strike) % 10000 / 100) || CASE WHEN abs(o.drv_strike) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.drv_strike) % 100), '0') END END AS drv_strike, o.error_code AS error_code, o.error_message AS error_message, o.strategy AS strategy, o.actor AS actor, o.key_id AS key_id, o.is_exit AS is_exit, o.is_external AS is_external, o.waits_for AS waits_for, strftime('%Y-%m-%d %H:%M:%S', o.release_at / 1000000, 'unixepoch', '+330 minutes') AS release_at, strftime('%Y-%m-%d %H:%M:%S', o.expires_at / 1000000, 'unixepoch', '+330 minutes') AS expires_at, o.approved_by AS approved_by, strftime('%Y-%m-%d %H:%M:%S', o.told_at / 1000000, 'unixepoch', '+330 minutes') AS told_at, strftime('%Y-%m-%d %H:%M:%S', o.asked_at / 1000000, 'unixepoch', '+330 minutes') AS asked_at, o.cancel_asked AS cancel_asked, o.cancelled_by AS cancelled_by, o.asked_quantity AS asked_quantity, CASE WHEN o.asked_margin IS NOT NULL THEN CASE WHEN o.asked_margin < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.asked_margin) / 10000, abs(o.asked_margin) % 10000 / 100) || CASE WHEN abs(o.asked_margin) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.asked_margin) % 100), '0') END END AS asked_margin, o.node AS node, o.version AS version, strftime('%Y-%m-%d %H:%M:%S', o.send_before / 1000000, 'unixepoch', '+330 minutes') AS send_before, strftime('%Y-%m-%d %H:%M:%S', o.intent_at / 1000000, 'unixepoch', '+330 minutes') AS intent_at, strftime('%Y-%m-%d %H:%M:%S', o.sent_at / 1000000, 'unixepoch', '+330 minutes') AS sent_at, strftime('%Y-%m-%d %H:%M:%S', o.acked_at / 1000000, 'unixepoch', '+330 minutes') AS acked_at, strftime('%Y-%m-%d %H:%M:%S', o.first_fill_at / 1000000, 'unixepoch', '+330 minutes') AS first_fill_at, strftime('%Y-%m-%d %H:%M:%S', o.placed_at / 1000000, 'unixepoch', '+330 minutes') AS placed_at, strftime('%Y-%m-%d %H:%M:%S', o.updated_at / 1000000, 'unixepoch', '+330 minutes') AS updated_at, strftime('%Y-%m-%d %H:%M:%S', o.completed_at / 1000000, 'unixepoch', '+330 minutes') AS completed_at, o.raw_request AS raw_request, o.raw_response AS raw_response, b.copy_role AS account_type, m.follower_order_id, m.sizing_strategy
FROM orders o
JOIN books b ON b.account_id = o.account_id
LEFT JOIN copy_mappings m ON m.leader_order_id = o.id
WHERE o.status IN ('PENDING','TRANSIT','UNKNOWN','OPEN','PARTIAL')

CREATE VIEW v_active_forever_orders AS
SELECT f.id AS id, f.account_id AS account_id, f.broker_order_id AS broker_order_id, f.correlation_id AS correlation_id, f.status AS status, f.kind AS kind, f.instrument_id AS instrument_id, f.exchange_segment AS exchange_segment, f.security_id AS security_id, f.symbol AS symbol, f.trigger_type AS trigger_type, CASE WHEN f.trigger_above IS NOT NULL THEN CASE WHEN f.trigger_above < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(f.trigger_above) / 10000, abs(f.trigger_above) % 10000 / 100) || CASE WHEN abs(f.trigger_above) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(f.trigger_above) % 100), '0') END END AS trigger_above, CASE WHEN f.trigger_below IS NOT NULL THEN CASE WHEN f.trigger_below < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(f.trigger_below) / 10000, abs(f.trigger_below) % 10000 / 100) || CASE WHEN abs(f.trigger_below) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(f.trigger_below) % 100), '0') END END AS trigger_below, f.side AS side, f.product AS product, f.order_type AS order_type, f.quantity AS quantity, CASE WHEN f.price IS NOT NULL THEN CASE WHEN f.price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(f.price) / 10000, abs(f.price) % 10000 / 100) || CASE WHEN abs(f.price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(f.price) % 100), '0') END END AS price, CASE WHEN f.order_trigger_price IS NOT NULL THEN CASE WHEN f.order_trigger_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(f.order_trigger_price) / 10000, abs(f.order_trigger_price) % 10000 / 100) || CASE WHEN abs(f.order_trigger_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(f.order_trigger_price) % 100), '0') END END AS order_trigger_price, CASE WHEN f.guard_stop IS NOT NULL THEN CASE WHEN f.guard_stop < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(f.guard_stop) / 10000, abs(f.guard_stop) % 10000 / 100) || CASE WHEN abs(f.guard_stop) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(f.guard_stop) % 100), '0') END END AS guard_stop, CASE WHEN f.guard_target IS NOT NULL THEN CASE WHEN f.guard_target < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(f.guard_target) / 10000, abs(f.guard_target) % 10000 / 100) || CASE WHEN abs(f.guard_target) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(f.guard_target) % 100), '0') END END AS guard_target, CASE WHEN f.guard_trailing IS NOT NULL THEN CASE WHEN f.guard_trailing < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(f.guard_trailing) / 10000, abs(f.guard_trailing) % 10000 / 100) || CASE WHEN abs(f.guard_trailing) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(f.guard_trailing) % 100), '0') END END AS guard_trailing, f.strategy AS strategy, f.needs_approval AS needs_approval, f.disclosed_qty AS disclosed_qty, f.validity AS validity, f.oco_leg_id AS oco_leg_id, f.triggered_order_id AS triggered_order_id, strftime('%Y-%m-%d %H:%M:%S', f.created_at / 1000000, 'unixepoch', '+330 minutes') AS created_at, strftime('%Y-%m-%d %H:%M:%S', f.updated_at / 1000000, 'unixepoch', '+330 minutes') AS updated_at, strftime('%Y-%m-%d %H:%M:%S', f.triggered_at / 1000000, 'unixepoch', '+330 minutes') AS triggered_at, strftime('%Y-%m-%d %H:%M:%S', f.expires_at / 1000000, 'unixepoch', '+330 minutes') AS expires_at, f.raw_request AS raw_request, f.raw_response AS raw_response, b.copy_role AS account_type, m.follower_forever_id AS replicated_forever_order_id
FROM forever_orders f
JOIN books b ON b.account_id = f.account_id
LEFT JOIN copy_mappings m ON m.leader_forever_id = f.id
WHERE f.status IN ('PENDING','ACTIVE')

CREATE VIEW v_cover_orders AS
SELECT o.id AS id, o.account_id AS account_id, o.client_order_id AS client_order_id, o.broker_order_id AS broker_order_id, o.correlation_id AS correlation_id, o.instrument_id AS instrument_id, o.exchange_segment AS exchange_segment, o.security_id AS security_id, o.symbol AS symbol, o.side AS side, o.product AS product, o.order_type AS order_type, o.validity AS validity, o.quantity AS quantity, o.disclosed_qty AS disclosed_qty, CASE WHEN o.price IS NOT NULL THEN CASE WHEN o.price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.price) / 10000, abs(o.price) % 10000 / 100) || CASE WHEN abs(o.price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.price) % 100), '0') END END AS price, CASE WHEN o.trigger_price IS NOT NULL THEN CASE WHEN o.trigger_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.trigger_price) / 10000, abs(o.trigger_price) % 10000 / 100) || CASE WHEN abs(o.trigger_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.trigger_price) % 100), '0') END END AS trigger_price, o.status AS status, o.broker_status AS broker_status, o.trigger_pending AS trigger_pending, o.filled_qty AS filled_qty, o.remaining_qty AS remaining_qty, CASE WHEN o.average_price IS NOT NULL THEN CASE WHEN o.average_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.average_price) / 10000, abs(o.average_price) % 10000 / 100) || CASE WHEN abs(o.average_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.average_price) % 100), '0') END END AS average_price, CASE WHEN o.traded_value IS NOT NULL THEN CASE WHEN o.traded_value < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.traded_value) / 10000, abs(o.traded_value) % 10000 / 100) || CASE WHEN abs(o.traded_value) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.traded_value) % 100), '0') END END AS traded_value, CASE WHEN o.margin_blocked IS NOT NULL THEN CASE WHEN o.margin_blocked < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.margin_blocked) / 10000, abs(o.margin_blocked) % 10000 / 100) || CASE WHEN abs(o.margin_blocked) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.margin_blocked) % 100), '0') END END AS margin_blocked, CASE WHEN o.co_stop_loss IS NOT NULL THEN CASE WHEN o.co_stop_loss < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.co_stop_loss) / 10000, abs(o.co_stop_loss) % 10000 / 100) || CASE WHEN abs(o.co_stop_loss) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.co_stop_loss) % 100), '0') END END AS co_stop_loss, CASE WHEN o.co_trigger_price IS NOT NULL THEN CASE WHEN o.co_trigger_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.co_trigger_price) / 10000, abs(o.co_trigger_price) % 10000 / 100) || CASE WHEN abs(o.co_trigger_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.co_trigger_price) % 100), '0') END END AS co_trigger_price, CASE WHEN o.bo_profit IS NOT NULL THEN CASE WHEN o.bo_profit < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.bo_profit) / 10000, abs(o.bo_profit) % 10000 / 100) || CASE WHEN abs(o.bo_profit) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.bo_profit) % 100), '0') END END AS bo_profit, CASE WHEN o.bo_stop_loss IS NOT NULL THEN CASE WHEN o.bo_stop_loss < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.bo_stop_loss) / 10000, abs(o.bo_stop_loss) % 10000 / 100) || CASE WHEN abs(o.bo_stop_loss) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.bo_stop_loss) % 100), '0') END END AS bo_stop_loss, CASE WHEN o.bo_trailing IS NOT NULL THEN CASE WHEN o.bo_trailing < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.bo_trailing) / 10000, abs(o.bo_trailing) % 10000 / 100) || CASE WHEN abs(o.bo_trailing) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.bo_trailing) % 100), '0') END END AS bo_trailing, o.bo_order_type AS bo_order_type, o.parent_order_id AS parent_order_id, o.leg_type AS leg_type, o.is_kept AS is_kept, o.is_sliced AS is_sliced, o.slice_group_id AS slice_group_id, o.slice_index AS slice_index, o.slice_total_qty AS slice_total_qty, o.is_amo AS is_amo, o.amo_time AS amo_time, o.exchange_order_id AS exchange_order_id, strftime('%Y-%m-%d %H:%M:%S', o.exchange_at / 1000000, 'unixepoch', '+330 minutes') AS exchange_at, o.algo_id AS algo_id, o.instrument_type AS instrument_type, o.lot_size AS lot_size, o.drv_expiry AS drv_expiry, o.drv_option_type AS drv_option_type, CASE WHEN o.drv_strike IS NOT NULL THEN CASE WHEN o.drv_strike < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.drv_strike) / 10000, abs(o.drv_strike) % 10000 / 100) || CASE WHEN abs(o.drv_strike) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.drv_strike) % 100), '0') END END AS drv_strike, o.error_code AS error_code, o.error_message AS error_message, o.strategy AS strategy, o.actor AS actor, o.key_id AS key_id, o.is_exit AS is_exit, o.is_external AS is_external, o.waits_for AS waits_for, strftime('%Y-%m-%d %H:%M:%S', o.release_at / 1000000, 'unixepoch', '+330 minutes') AS release_at, strftime('%Y-%m-%d %H:%M:%S', o.expires_at / 1000000, 'unixepoch', '+330 minutes') AS expires_at, o.approved_by AS approved_by, strftime('%Y-%m-%d %H:%M:%S', o.told_at / 1000000, 'unixepoch', '+330 minutes') AS told_at, strftime('%Y-%m-%d %H:%M:%S', o.asked_at / 1000000, 'unixepoch', '+330 minutes') AS asked_at, o.cancel_asked AS cancel_asked, o.cancelled_by AS cancelled_by, o.asked_quantity AS asked_quantity, CASE WHEN o.asked_margin IS NOT NULL THEN CASE WHEN o.asked_margin < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.asked_margin) / 10000, abs(o.asked_margin) % 10000 / 100) || CASE WHEN abs(o.asked_margin) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.asked_margin) % 100), '0') END END AS asked_margin, o.node AS node, o.version AS version, strftime('%Y-%m-%d %H:%M:%S', o.send_before / 1000000, 'unixepoch', '+330 minutes') AS send_before, strftime('%Y-%m-%d %H:%M:%S', o.intent_at / 1000000, 'unixepoch', '+330 minutes') AS intent_at, strftime('%Y-%m-%d %H:%M:%S', o.sent_at / 1000000, 'unixepoch', '+330 minutes') AS sent_at, strftime('%Y-%m-%d %H:%M:%S', o.acked_at / 1000000, 'unixepoch', '+330 minutes') AS acked_at, strftime('%Y-%m-%d %H:%M:%S', o.first_fill_at / 1000000, 'unixepoch', '+330 minutes') AS first_fill_at, strftime('%Y-%m-%d %H:%M:%S', o.placed_at / 1000000, 'unixepoch', '+330 minutes') AS placed_at, strftime('%Y-%m-%d %H:%M:%S', o.updated_at / 1000000, 'unixepoch', '+330 minutes') AS updated_at, strftime('%Y-%m-%d %H:%M:%S', o.completed_at / 1000000, 'unixepoch', '+330 minutes') AS completed_at, o.raw_request AS raw_request, o.raw_response AS raw_response, b.copy_role AS account_type
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

-- rebuild
CREATE TABLE charge_rates (
	id INTEGER NOT NULL,
	charge TEXT NOT NULL CONSTRAINT ck_charge_rates_charge CHECK (charge IN ('brokerage','exchange','clearing','stt','stamp_duty','transaction','sebi_fee','ipft','gst','dp','square_off')),
	"plan" TEXT,
	exchange_segment TEXT CONSTRAINT ck_charge_rates_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
	kind TEXT CONSTRAINT ck_charge_rates_kind CHECK (kind IN ('EQUITY','FUTURE','OPTION')),
	product TEXT CONSTRAINT ck_charge_rates_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
	side TEXT CONSTRAINT ck_charge_rates_side CHECK (side IN ('BUY','SELL')),
	condition TEXT,
	basis TEXT NOT NULL CONSTRAINT ck_charge_rates_basis CHECK (basis IN ('turnover','premium','intrinsic','fees','order','lot','isin_day','contract_note')),
	rate INTEGER,
	amount INTEGER,
	at_most INTEGER,
	at_least INTEGER,
	valid_from TEXT NOT NULL CONSTRAINT ck_charge_rates_valid_from CHECK (length(valid_from) = 10),
	valid_until TEXT CONSTRAINT ck_charge_rates_valid_until CHECK (length(valid_until) = 10),
	is_verified INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_charge_rates_is_verified CHECK (is_verified IN (0,1)),
	source TEXT,
	created_at INTEGER NOT NULL,
	CONSTRAINT ck_charge_rates_rate_or_amount CHECK (rate IS NOT NULL OR amount IS NOT NULL),
	CONSTRAINT pk_charge_rates PRIMARY KEY (id)
)
 STRICT

-- rebuild
CREATE TABLE api_keys (
	id INTEGER NOT NULL,
	user_id INTEGER NOT NULL,
	key_hash TEXT NOT NULL,
	key_enc BLOB,
	name TEXT,
	scope TEXT DEFAULT 'read' NOT NULL CONSTRAINT ck_api_keys_scope CHECK (scope IN ('read','paper','trade')),
	created_at INTEGER NOT NULL,
	last_used_at INTEGER,
	expires_at INTEGER,
	is_active INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_api_keys_is_active CHECK (is_active IN (0,1)),
	CONSTRAINT fk_api_keys_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
	CONSTRAINT pk_api_keys PRIMARY KEY (id),
	CONSTRAINT uq_api_keys_key_hash UNIQUE (key_hash)
)
 STRICT

-- rebuild
CREATE TABLE books (
	account_id INTEGER NOT NULL,
	name TEXT NOT NULL,
	user_id INTEGER NOT NULL,
	copy_role TEXT CONSTRAINT ck_books_copy_role CHECK (copy_role IN ('leader','follower')),
	mode TEXT NOT NULL CONSTRAINT ck_books_mode CHECK (mode IN ('live','paper')),
	version INTEGER DEFAULT 0 NOT NULL,
	killed_globally INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_books_killed_globally CHECK (killed_globally IN (0,1)),
	killed_for_user INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_books_killed_for_user CHECK (killed_for_user IN (0,1)),
	killed_for_account INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_books_killed_for_account CHECK (killed_for_account IN (0,1)),
	killed_strategies TEXT,
	kill_reason TEXT,
	killed_at INTEGER,
	rate_bucket TEXT,
	trading_day TEXT CONSTRAINT ck_books_trading_day CHECK (length(trading_day) = 10),
	orders_today INTEGER DEFAULT 0 NOT NULL,
	trades_today INTEGER DEFAULT 0 NOT NULL,
	open_orders INTEGER DEFAULT 0 NOT NULL,
	realized_today INTEGER DEFAULT 0 NOT NULL,
	unrealized_mark INTEGER,
	marked_at INTEGER,
	loss_latched_at INTEGER,
	last_positions_at INTEGER,
	last_holdings_at INTEGER,
	last_funds_at INTEGER,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	CONSTRAINT fk_books_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE,
	CONSTRAINT pk_books PRIMARY KEY (account_id)
)
 STRICT

-- rebuild
CREATE TABLE ledger_entries (
	id INTEGER NOT NULL,
	account_id INTEGER NOT NULL,
	entry_date TEXT NOT NULL CONSTRAINT ck_ledger_entries_entry_date CHECK (length(entry_date) = 10),
	particulars TEXT,
	voucher_no TEXT,
	voucher_date TEXT,
	debit INTEGER DEFAULT 0 NOT NULL,
	credit INTEGER DEFAULT 0 NOT NULL,
	balance INTEGER,
	created_at INTEGER NOT NULL,
	CONSTRAINT ck_ledger_entries_debit_and_credit CHECK (debit >= 0 AND credit >= 0),
	CONSTRAINT fk_ledger_entries_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
	CONSTRAINT pk_ledger_entries PRIMARY KEY (id)
)
 STRICT

-- rebuild
CREATE TABLE orders (
	id INTEGER NOT NULL,
	account_id INTEGER NOT NULL,
	client_order_id TEXT,
	broker_order_id TEXT,
	correlation_id TEXT,
	instrument_id INTEGER,
	exchange_segment TEXT NOT NULL CONSTRAINT ck_orders_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
	security_id TEXT,
	symbol TEXT,
	side TEXT CONSTRAINT ck_orders_side CHECK (side IN ('BUY','SELL')),
	product TEXT CONSTRAINT ck_orders_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
	order_type TEXT CONSTRAINT ck_orders_order_type CHECK (order_type IN ('MARKET','LIMIT','STOP_LOSS','STOP_LOSS_MARKET')),
	validity TEXT CONSTRAINT ck_orders_validity CHECK (validity IN ('DAY','IOC')),
	quantity INTEGER,
	disclosed_qty INTEGER,
	price INTEGER,
	trigger_price INTEGER,
	status TEXT NOT NULL CONSTRAINT ck_orders_status CHECK (status IN ('PENDING','TRANSIT','UNKNOWN','OPEN','PARTIAL','EXECUTED','CANCELLED','REJECTED','EXPIRED')),
	broker_status TEXT,
	trigger_pending INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_orders_trigger_pending CHECK (trigger_pending IN (0,1)),
	filled_qty INTEGER DEFAULT 0 NOT NULL,
	remaining_qty INTEGER,
	average_price INTEGER,
	traded_value INTEGER DEFAULT 0 NOT NULL,
	margin_blocked INTEGER DEFAULT 0 NOT NULL,
	co_stop_loss INTEGER,
	co_trigger_price INTEGER,
	bo_profit INTEGER,
	bo_stop_loss INTEGER,
	bo_trailing INTEGER,
	bo_order_type TEXT,
	parent_order_id INTEGER,
	leg_type TEXT CONSTRAINT ck_orders_leg_type CHECK (leg_type IN ('ENTRY','TARGET','SL')),
	is_sliced INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_orders_is_sliced CHECK (is_sliced IN (0,1)),
	slice_group_id TEXT,
	slice_index INTEGER,
	slice_total_qty INTEGER,
	is_amo INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_orders_is_amo CHECK (is_amo IN (0,1)),
	amo_time TEXT CONSTRAINT ck_orders_amo_time CHECK (amo_time IN ('PRE_OPEN','OPEN','OPEN_30','OPEN_60')),
	exchange_order_id TEXT,
	exchange_at INTEGER,
	algo_id TEXT,
	drv_expiry TEXT CONSTRAINT ck_orders_drv_expiry CHECK (length(drv_expiry) = 10),
	drv_option_type TEXT CONSTRAINT ck_orders_drv_option_type CHECK (drv_option_type IN ('CE','PE')),
	drv_strike INTEGER,
	error_code TEXT,
	error_message TEXT,
	strategy TEXT,
	actor TEXT,
	key_id INTEGER,
	is_exit INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_orders_is_exit CHECK (is_exit IN (0,1)),
	is_external INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_orders_is_external CHECK (is_external IN (0,1)),
	waits_for TEXT,
	release_at INTEGER,
	expires_at INTEGER,
	approved_by TEXT,
	told_at INTEGER,
	node INTEGER,
	version INTEGER DEFAULT 1 NOT NULL,
	send_before INTEGER,
	intent_at INTEGER,
	sent_at INTEGER,
	acked_at INTEGER,
	first_fill_at INTEGER,
	placed_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	completed_at INTEGER,
	raw_request TEXT,
	raw_response TEXT,
	CONSTRAINT fk_orders_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
	CONSTRAINT fk_orders_instrument_id FOREIGN KEY(instrument_id) REFERENCES instruments (id) ON DELETE SET NULL,
	CONSTRAINT fk_orders_parent_order_id FOREIGN KEY(parent_order_id) REFERENCES orders (id) ON DELETE CASCADE,
	CONSTRAINT pk_orders PRIMARY KEY (id),
	CONSTRAINT uq_orders_account_id_broker_order_id UNIQUE (account_id, broker_order_id),
	CONSTRAINT uq_orders_account_id_client_order_id UNIQUE (account_id, client_order_id)
)
 STRICT

-- rebuild
CREATE TABLE position_adjustments (
	id INTEGER NOT NULL,
	account_id INTEGER NOT NULL,
	kind TEXT NOT NULL CONSTRAINT ck_position_adjustments_kind CHECK (kind IN ('OPENING','CONVERSION','CORPORATE_ACTION','EXPIRY')),
	instrument_id INTEGER,
	exchange_segment TEXT NOT NULL CONSTRAINT ck_position_adjustments_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
	symbol TEXT NOT NULL,
	product TEXT NOT NULL CONSTRAINT ck_position_adjustments_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
	quantity INTEGER NOT NULL,
	price INTEGER,
	amount INTEGER DEFAULT 0 NOT NULL,
	lots TEXT,
	reason TEXT NOT NULL,
	actor TEXT NOT NULL,
	adjusted_at INTEGER NOT NULL,
	recorded_at INTEGER NOT NULL,
	CONSTRAINT fk_position_adjustments_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
	CONSTRAINT pk_position_adjustments PRIMARY KEY (id)
)
 STRICT

-- rebuild
CREATE TABLE forever_orders (
	id INTEGER NOT NULL,
	account_id INTEGER NOT NULL,
	broker_order_id TEXT,
	correlation_id TEXT,
	status TEXT NOT NULL CONSTRAINT ck_forever_orders_status CHECK (status IN ('PENDING','ACTIVE','TRIGGERED','CANCELLED','EXPIRED')),
	kind TEXT NOT NULL CONSTRAINT ck_forever_orders_kind CHECK (kind IN ('SINGLE','OCO')),
	instrument_id INTEGER,
	exchange_segment TEXT NOT NULL CONSTRAINT ck_forever_orders_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
	security_id TEXT NOT NULL,
	symbol TEXT,
	trigger_type TEXT NOT NULL CONSTRAINT ck_forever_orders_trigger_type CHECK (trigger_type IN ('LTP_ABOVE','LTP_BELOW','LTP_RANGE')),
	trigger_above INTEGER,
	trigger_below INTEGER,
	side TEXT NOT NULL CONSTRAINT ck_forever_orders_side CHECK (side IN ('BUY','SELL')),
	product TEXT NOT NULL CONSTRAINT ck_forever_orders_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
	order_type TEXT NOT NULL CONSTRAINT ck_forever_orders_order_type CHECK (order_type IN ('MARKET','LIMIT','STOP_LOSS','STOP_LOSS_MARKET')),
	quantity INTEGER NOT NULL,
	price INTEGER,
	disclosed_qty INTEGER,
	validity TEXT DEFAULT 'DAY' CONSTRAINT ck_forever_orders_validity CHECK (validity IN ('DAY','IOC')),
	oco_leg_id INTEGER,
	triggered_order_id INTEGER,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	triggered_at INTEGER,
	expires_at INTEGER,
	raw_request TEXT,
	raw_response TEXT,
	CONSTRAINT fk_forever_orders_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
	CONSTRAINT fk_forever_orders_instrument_id FOREIGN KEY(instrument_id) REFERENCES instruments (id) ON DELETE SET NULL,
	CONSTRAINT fk_forever_orders_oco_leg_id FOREIGN KEY(oco_leg_id) REFERENCES forever_orders (id) ON DELETE SET NULL,
	CONSTRAINT fk_forever_orders_triggered_order_id FOREIGN KEY(triggered_order_id) REFERENCES orders (id) ON DELETE SET NULL,
	CONSTRAINT pk_forever_orders PRIMARY KEY (id),
	CONSTRAINT uq_forever_orders_account_id_broker_order_id UNIQUE (account_id, broker_order_id)
)
 STRICT

CREATE VIEW v_active_orders AS
SELECT o.id AS id, o.account_id AS account_id, o.client_order_id AS client_order_id, o.broker_order_id AS broker_order_id, o.correlation_id AS correlation_id, o.instrument_id AS instrument_id, o.exchange_segment AS exchange_segment, o.security_id AS security_id, o.symbol AS symbol, o.side AS side, o.product AS product, o.order_type AS order_type, o.validity AS validity, o.quantity AS quantity, o.disclosed_qty AS disclosed_qty, CASE WHEN o.price IS NOT NULL THEN CASE WHEN o.price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.price) / 10000, abs(o.price) % 10000 / 100) || CASE WHEN abs(o.price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.price) % 100), '0') END END AS price, CASE WHEN o.trigger_price IS NOT NULL THEN CASE WHEN o.trigger_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.trigger_price) / 10000, abs(o.trigger_price) % 10000 / 100) || CASE WHEN abs(o.trigger_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.trigger_price) % 100), '0') END END AS trigger_price, o.status AS status, o.broker_status AS broker_status, o.trigger_pending AS trigger_pending, o.filled_qty AS filled_qty, o.remaining_qty AS remaining_qty, CASE WHEN o.average_price IS NOT NULL THEN CASE WHEN o.average_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.average_price) / 10000, abs(o.average_price) % 10000 / 100) || CASE WHEN abs(o.average_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.average_price) % 100), '0') END END AS average_price, CASE WHEN o.traded_value IS NOT NULL THEN CASE WHEN o.traded_value < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.traded_value) / 10000, abs(o.traded_value) % 10000 / 100) || CASE WHEN abs(o.traded_value) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.traded_value) % 100), '0') END END AS traded_value, CASE WHEN o.margin_blocked IS NOT NULL THEN CASE WHEN o.margin_blocked < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.margin_blocked) / 10000, abs(o.margin_blocked) % 10000 / 100) || CASE WHEN abs(o.margin_blocked) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.margin_blocked) % 100), '0') END END AS margin_blocked, CASE WHEN o.co_stop_loss IS NOT NULL THEN CASE WHEN o.co_stop_loss < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.co_stop_loss) / 10000, abs(o.co_stop_loss) % 10000 / 100) || CASE WHEN abs(o.co_stop_loss) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.co_stop_loss) % 100), '0') END END AS co_stop_loss, CASE WHEN o.co_trigger_price IS NOT NULL THEN CASE WHEN o.co_trigger_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.co_trigger_price) / 10000, abs(o.co_trigger_price) % 10000 / 100) || CASE WHEN abs(o.co_trigger_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.co_trigger_price) % 100), '0') END END AS co_trigger_price, CASE WHEN o.bo_profit IS NOT NULL THEN CASE WHEN o.bo_profit < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.bo_profit) / 10000, abs(o.bo_profit) % 10000 / 100) || CASE WHEN abs(o.bo_profit) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.bo_profit) % 100), '0') END END AS bo_profit, CASE WHEN o.bo_stop_loss IS NOT NULL THEN CASE WHEN o.bo_stop_loss < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.bo_stop_loss) / 10000, abs(o.bo_stop_loss) % 10000 / 100) || CASE WHEN abs(o.bo_stop_loss) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.bo_stop_loss) % 100), '0') END END AS bo_stop_loss, CASE WHEN o.bo_trailing IS NOT NULL THEN CASE WHEN o.bo_trailing < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.bo_trailing) / 10000, abs(o.bo_trailing) % 10000 / 100) || CASE WHEN abs(o.bo_trailing) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.bo_trailing) % 100), '0') END END AS bo_trailing, o.bo_order_type AS bo_order_type, o.parent_order_id AS parent_order_id, o.leg_type AS leg_type, o.is_sliced AS is_sliced, o.slice_group_id AS slice_group_id, o.slice_index AS slice_index, o.slice_total_qty AS slice_total_qty, o.is_amo AS is_amo, o.amo_time AS amo_time, o.exchange_order_id AS exchange_order_id, strftime('%Y-%m-%d %H:%M:%S', o.exchange_at / 1000000, 'unixepoch', '+330 minutes') AS exchange_at, o.algo_id AS algo_id, o.drv_expiry AS drv_expiry, o.drv_option_type AS drv_option_type, CASE WHEN o.drv_strike IS NOT NULL THEN CASE WHEN o.drv_strike < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.drv_strike) / 10000, abs(o.drv_strike) % 10000 / 100) || CASE WHEN abs(o.drv_strike) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.drv_strike) % 100), '0') END END AS drv_strike, o.error_code AS error_code, o.error_message AS error_message, o.strategy AS strategy, o.actor AS actor, o.key_id AS key_id, o.is_exit AS is_exit, o.is_external AS is_external, o.waits_for AS waits_for, strftime('%Y-%m-%d %H:%M:%S', o.release_at / 1000000, 'unixepoch', '+330 minutes') AS release_at, strftime('%Y-%m-%d %H:%M:%S', o.expires_at / 1000000, 'unixepoch', '+330 minutes') AS expires_at, o.approved_by AS approved_by, strftime('%Y-%m-%d %H:%M:%S', o.told_at / 1000000, 'unixepoch', '+330 minutes') AS told_at, o.node AS node, o.version AS version, strftime('%Y-%m-%d %H:%M:%S', o.send_before / 1000000, 'unixepoch', '+330 minutes') AS send_before, strftime('%Y-%m-%d %H:%M:%S', o.intent_at / 1000000, 'unixepoch', '+330 minutes') AS intent_at, strftime('%Y-%m-%d %H:%M:%S', o.sent_at / 1000000, 'unixepoch', '+330 minutes') AS sent_at, strftime('%Y-%m-%d %H:%M:%S', o.acked_at / 1000000, 'unixepoch', '+330 minutes') AS acked_at, strftime('%Y-%m-%d %H:%M:%S', o.first_fill_at / 1000000, 'unixepoch', '+330 minutes') AS first_fill_at, strftime('%Y-%m-%d %H:%M:%S', o.placed_at / 1000000, 'unixepoch', '+330 minutes') AS placed_at, strftime('%Y-%m-%d %H:%M:%S', o.updated_at / 1000000, 'unixepoch', '+330 minutes') AS updated_at, strftime('%Y-%m-%d %H:%M:%S', o.completed_at / 1000000, 'unixepoch', '+330 minutes') AS completed_at, o.raw_request AS raw_request, o.raw_response AS raw_response, b.copy_role AS account_type, m.follower_order_id, m.sizing_strategy
FROM orders o
JOIN books b ON b.account_id = o.account_id
LEFT JOIN copy_mappings m ON m.leader_order_id = o.id
WHERE o.status IN ('PENDING','TRANSIT','UNKNOWN','OPEN','PARTIAL')

CREATE VIEW v_active_forever_orders AS
SELECT f.id AS id, f.account_id AS account_id, f.broker_order_id AS broker_order_id, f.correlation_id AS correlation_id, f.status AS status, f.kind AS kind, f.instrument_id AS instrument_id, f.exchange_segment AS exchange_segment, f.security_id AS security_id, f.symbol AS symbol, f.trigger_type AS trigger_type, CASE WHEN f.trigger_above IS NOT NULL THEN CASE WHEN f.trigger_above < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(f.trigger_above) / 10000, abs(f.trigger_above) % 10000 / 100) || CASE WHEN abs(f.trigger_above) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(f.trigger_above) % 100), '0') END END AS trigger_above, CASE WHEN f.trigger_below IS NOT NULL THEN CASE WHEN f.trigger_below < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(f.trigger_below) / 10000, abs(f.trigger_below) % 10000 / 100) || CASE WHEN abs(f.trigger_below) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(f.trigger_below) % 100), '0') END END AS trigger_below, f.side AS side, f.product AS product, f.order_type AS order_type, f.quantity AS quantity, CASE WHEN f.price IS NOT NULL THEN CASE WHEN f.price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(f.price) / 10000, abs(f.price) % 10000 / 100) || CASE WHEN abs(f.price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(f.price) % 100), '0') END END AS price, f.disclosed_qty AS disclosed_qty, f.validity AS validity, f.oco_leg_id AS oco_leg_id, f.triggered_order_id AS triggered_order_id, strftime('%Y-%m-%d %H:%M:%S', f.created_at / 1000000, 'unixepoch', '+330 minutes') AS created_at, strftime('%Y-%m-%d %H:%M:%S', f.updated_at / 1000000, 'unixepoch', '+330 minutes') AS updated_at, strftime('%Y-%m-%d %H:%M:%S', f.triggered_at / 1000000, 'unixepoch', '+330 minutes') AS triggered_at, strftime('%Y-%m-%d %H:%M:%S', f.expires_at / 1000000, 'unixepoch', '+330 minutes') AS expires_at, f.raw_request AS raw_request, f.raw_response AS raw_response, b.copy_role AS account_type, m.follower_forever_id AS replicated_forever_order_id
FROM forever_orders f
JOIN books b ON b.account_id = f.account_id
LEFT JOIN copy_mappings m ON m.leader_forever_id = f.id
WHERE f.status IN ('PENDING','ACTIVE')

CREATE VIEW v_cover_orders AS
SELECT o.id AS id, o.account_id AS account_id, o.client_order_id AS client_order_id, o.broker_order_id AS broker_order_id, o.correlation_id AS correlation_id, o.instrument_id AS instrument_id, o.exchange_segment AS exchange_segment, o.security_id AS security_id, o.symbol AS symbol, o.side AS side, o.product AS product, o.order_type AS order_type, o.validity AS validity, o.quantity AS quantity, o.disclosed_qty AS disclosed_qty, CASE WHEN o.price IS NOT NULL THEN CASE WHEN o.price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.price) / 10000, abs(o.price) % 10000 / 100) || CASE WHEN abs(o.price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.price) % 100), '0') END END AS price, CASE WHEN o.trigger_price IS NOT NULL THEN CASE WHEN o.trigger_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.trigger_price) / 10000, abs(o.trigger_price) % 10000 / 100) || CASE WHEN abs(o.trigger_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.trigger_price) % 100), '0') END END AS trigger_price, o.status AS status, o.broker_status AS broker_status, o.trigger_pending AS trigger_pending, o.filled_qty AS filled_qty, o.remaining_qty AS remaining_qty, CASE WHEN o.average_price IS NOT NULL THEN CASE WHEN o.average_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.average_price) / 10000, abs(o.average_price) % 10000 / 100) || CASE WHEN abs(o.average_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.average_price) % 100), '0') END END AS average_price, CASE WHEN o.traded_value IS NOT NULL THEN CASE WHEN o.traded_value < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.traded_value) / 10000, abs(o.traded_value) % 10000 / 100) || CASE WHEN abs(o.traded_value) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.traded_value) % 100), '0') END END AS traded_value, CASE WHEN o.margin_blocked IS NOT NULL THEN CASE WHEN o.margin_blocked < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.margin_blocked) / 10000, abs(o.margin_blocked) % 10000 / 100) || CASE WHEN abs(o.margin_blocked) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.margin_blocked) % 100), '0') END END AS margin_blocked, CASE WHEN o.co_stop_loss IS NOT NULL THEN CASE WHEN o.co_stop_loss < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.co_stop_loss) / 10000, abs(o.co_stop_loss) % 10000 / 100) || CASE WHEN abs(o.co_stop_loss) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.co_stop_loss) % 100), '0') END END AS co_stop_loss, CASE WHEN o.co_trigger_price IS NOT NULL THEN CASE WHEN o.co_trigger_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.co_trigger_price) / 10000, abs(o.co_trigger_price) % 10000 / 100) || CASE WHEN abs(o.co_trigger_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.co_trigger_price) % 100), '0') END END AS co_trigger_price, CASE WHEN o.bo_profit IS NOT NULL THEN CASE WHEN o.bo_profit < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.bo_profit) / 10000, abs(o.bo_profit) % 10000 / 100) || CASE WHEN abs(o.bo_profit) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.bo_profit) % 100), '0') END END AS bo_profit, CASE WHEN o.bo_stop_loss IS NOT NULL THEN CASE WHEN o.bo_stop_loss < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.bo_stop_loss) / 10000, abs(o.bo_stop_loss) % 10000 / 100) || CASE WHEN abs(o.bo_stop_loss) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.bo_stop_loss) % 100), '0') END END AS bo_stop_loss, CASE WHEN o.bo_trailing IS NOT NULL THEN CASE WHEN o.bo_trailing < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.bo_trailing) / 10000, abs(o.bo_trailing) % 10000 / 100) || CASE WHEN abs(o.bo_trailing) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.bo_trailing) % 100), '0') END END AS bo_trailing, o.bo_order_type AS bo_order_type, o.parent_order_id AS parent_order_id, o.leg_type AS leg_type, o.is_sliced AS is_sliced, o.slice_group_id AS slice_group_id, o.slice_index AS slice_index, o.slice_total_qty AS slice_total_qty, o.is_amo AS is_amo, o.amo_time AS amo_time, o.exchange_order_id AS exchange_order_id, strftime('%Y-%m-%d %H:%M:%S', o.exchange_at / 1000000, 'unixepoch', '+330 minutes') AS exchange_at, o.algo_id AS algo_id, o.drv_expiry AS drv_expiry, o.drv_option_type AS drv_option_type, CASE WHEN o.drv_strike IS NOT NULL THEN CASE WHEN o.drv_strike < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.drv_strike) / 10000, abs(o.drv_strike) % 10000 / 100) || CASE WHEN abs(o.drv_strike) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.drv_strike) % 100), '0') END END AS drv_strike, o.error_code AS error_code, o.error_message AS error_message, o.strategy AS strategy, o.actor AS actor, o.key_id AS key_id, o.is_exit AS is_exit, o.is_external AS is_external, o.waits_for AS waits_for, strftime('%Y-%m-%d %H:%M:%S', o.release_at / 1000000, 'unixepoch', '+330 minutes') AS release_at, strftime('%Y-%m-%d %H:%M:%S', o.expires_at / 1000000, 'unixepoch', '+330 minutes') AS expires_at, o.approved_by AS approved_by, strftime('%Y-%m-%d %H:%M:%S', o.told_at / 1000000, 'unixepoch', '+330 minutes') AS told_at, o.node AS node, o.version AS version, strftime('%Y-%m-%d %H:%M:%S', o.send_before / 1000000, 'unixepoch', '+330 minutes') AS send_before, strftime('%Y-%m-%d %H:%M:%S', o.intent_at / 1000000, 'unixepoch', '+330 minutes') AS intent_at, strftime('%Y-%m-%d %H:%M:%S', o.sent_at / 1000000, 'unixepoch', '+330 minutes') AS sent_at, strftime('%Y-%m-%d %H:%M:%S', o.acked_at / 1000000, 'unixepoch', '+330 minutes') AS acked_at, strftime('%Y-%m-%d %H:%M:%S', o.first_fill_at / 1000000, 'unixepoch', '+330 minutes') AS first_fill_at, strftime('%Y-%m-%d %H:%M:%S', o.placed_at / 1000000, 'unixepoch', '+330 minutes') AS placed_at, strftime('%Y-%m-%d %H:%M:%S', o.updated_at / 1000000, 'unixepoch', '+330 minutes') AS updated_at, strftime('%Y-%m-%d %H:%M:%S', o.completed_at / 1000000, 'unixepoch', '+330 minutes') AS completed_at, o.raw_request AS raw_request, o.raw_response AS raw_response, b.copy_role AS account_type
FROM orders o
JOIN books b ON b.account_id = o.account_id
WHERE o.co_stop_loss IS NOT NULL
