ALTER TABLE orders ADD COLUMN is_kept INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_orders_is_kept CHECK (is_kept IN (0,1))

ALTER TABLE orders ADD COLUMN instrument_type TEXT CONSTRAINT ck_orders_instrument_type CHECK (instrument_type IN ('EQUITY','INDEX','FUTIDX','FUTSTK','FUTCUR','FUTIRC','FUTCOM','OPTIDX','OPTSTK','OPTCUR','OPTIRC','OPTFUT'))

ALTER TABLE orders ADD COLUMN lot_size INTEGER

ALTER TABLE orders ADD COLUMN asked_at INTEGER

ALTER TABLE orders ADD COLUMN cancel_asked INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_orders_cancel_asked CHECK (cancel_asked IN (0,1))

ALTER TABLE orders ADD COLUMN cancelled_by TEXT

ALTER TABLE orders ADD COLUMN asked_quantity INTEGER

ALTER TABLE orders ADD COLUMN asked_margin INTEGER

CREATE INDEX ix_orders_account_id ON orders (account_id) WHERE is_kept = 1

CREATE INDEX ix_orders_account_id_symbol ON orders (account_id, symbol) WHERE status IN ('PENDING','TRANSIT','UNKNOWN','OPEN','PARTIAL')

CREATE INDEX ix_orders_asked_at ON orders (asked_at) WHERE asked_at IS NOT NULL

-- down

DROP INDEX ix_orders_account_id

DROP INDEX ix_orders_account_id_symbol

DROP INDEX ix_orders_asked_at

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
	CONSTRAINT fk_orders_parent_order_id FOREIGN KEY(parent_order_id) REFERENCES orders (id) ON DELETE CASCADE,
	CONSTRAINT pk_orders PRIMARY KEY (id),
	CONSTRAINT uq_orders_account_id_broker_order_id UNIQUE (account_id, broker_order_id),
	CONSTRAINT uq_orders_account_id_client_order_id UNIQUE (account_id, client_order_id)
)
 STRICT
