CREATE TABLE api_calls (
  id INTEGER NOT NULL,
  account_id INTEGER,
  copy_role TEXT CONSTRAINT ck_api_calls_copy_role CHECK (copy_role IN ('leader','follower')),
  broker TEXT,
  module TEXT,
  operation TEXT,
  order_ref TEXT,
  request TEXT,
  response TEXT,
  status_code INTEGER,
  success INTEGER CONSTRAINT ck_api_calls_success CHECK (success IN (0,1)),
  error_message TEXT,
  started_at INTEGER,
  ended_at INTEGER,
  duration_us INTEGER,
  CONSTRAINT pk_api_calls PRIMARY KEY (id)
)
 STRICT

CREATE INDEX ix_api_calls_account_id_started_at ON api_calls (account_id, started_at)

CREATE INDEX ix_api_calls_module_started_at ON api_calls (module, started_at)

CREATE INDEX ix_api_calls_operation_started_at ON api_calls (operation, started_at)

CREATE INDEX ix_api_calls_order_ref ON api_calls (order_ref)

CREATE TABLE audit_seals (
  seal_no INTEGER NOT NULL,
  previous_seal_no INTEGER,
  previous_digest TEXT,
  digest TEXT NOT NULL,
  row_count INTEGER NOT NULL,
  sealed_at INTEGER NOT NULL,
  CONSTRAINT pk_audit_seals PRIMARY KEY (seal_no),
  CONSTRAINT uq_audit_seals_previous_seal_no UNIQUE (previous_seal_no)
)
 STRICT

CREATE TABLE audit_trail (
  id INTEGER NOT NULL,
  user_id INTEGER,
  actor TEXT,
  entity_type TEXT DEFAULT 'activity' NOT NULL,
  entity_id TEXT,
  action TEXT NOT NULL,
  old_value TEXT,
  new_value TEXT,
  details TEXT,
  ip_address TEXT,
  user_agent TEXT,
  request_id TEXT,
  at INTEGER NOT NULL,
  CONSTRAINT pk_audit_trail PRIMARY KEY (id)
)
 STRICT

CREATE INDEX ix_audit_trail_action_at ON audit_trail (action, at)

CREATE INDEX ix_audit_trail_at ON audit_trail (at)

CREATE INDEX ix_audit_trail_entity_type_entity_id_at ON audit_trail (entity_type, entity_id, at)

CREATE INDEX ix_audit_trail_user_id_at ON audit_trail (user_id, at)

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
  co_stop_loss INTEGER,
  co_trigger_price INTEGER,
  bo_profit INTEGER,
  bo_stop_loss INTEGER,
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
  CONSTRAINT pk_orders PRIMARY KEY (id),
  CONSTRAINT uq_orders_account_id_client_order_id UNIQUE (account_id, client_order_id),
  CONSTRAINT uq_orders_account_id_broker_order_id UNIQUE (account_id, broker_order_id),
  CONSTRAINT fk_orders_parent_order_id FOREIGN KEY(parent_order_id) REFERENCES orders (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_orders_account_id_placed_at ON orders (account_id, placed_at)

CREATE INDEX ix_orders_account_id_status ON orders (account_id, status)

CREATE INDEX ix_orders_correlation_id ON orders (correlation_id)

CREATE INDEX ix_orders_exchange_order_id ON orders (exchange_order_id)

CREATE INDEX ix_orders_parent_order_id_leg_type ON orders (parent_order_id, leg_type)

CREATE INDEX ix_orders_security_id_exchange_segment ON orders (security_id, exchange_segment)

CREATE INDEX ix_orders_send_before ON orders (send_before) WHERE status IN ('TRANSIT','UNKNOWN')

CREATE INDEX ix_orders_slice_group_id_slice_index ON orders (slice_group_id, slice_index)

CREATE INDEX ix_orders_symbol_placed_at ON orders (symbol, placed_at)

CREATE TABLE permits (
  id INTEGER NOT NULL,
  never INTEGER NOT NULL,
  reason TEXT NOT NULL,
  CONSTRAINT pk_permits PRIMARY KEY (id),
  CONSTRAINT fk_permits_never FOREIGN KEY(never) REFERENCES permits (id) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT ck_permits_only_one CHECK (id = 1 AND never = 0)
)
 STRICT

CREATE TABLE trades (
  id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  order_id INTEGER,
  broker_trade_id TEXT,
  exchange_order_id TEXT,
  exchange_trade_id TEXT,
  instrument_id INTEGER,
  exchange_segment TEXT CONSTRAINT ck_trades_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
  security_id TEXT,
  symbol TEXT,
  side TEXT NOT NULL CONSTRAINT ck_trades_side CHECK (side IN ('BUY','SELL')),
  product TEXT CONSTRAINT ck_trades_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
  order_type TEXT CONSTRAINT ck_trades_order_type CHECK (order_type IN ('MARKET','LIMIT','STOP_LOSS','STOP_LOSS_MARKET')),
  quantity INTEGER NOT NULL,
  price INTEGER NOT NULL,
  trade_value INTEGER,
  brokerage INTEGER DEFAULT 0 NOT NULL,
  exchange_charges INTEGER DEFAULT 0 NOT NULL,
  clearing_charges INTEGER DEFAULT 0 NOT NULL,
  stt INTEGER DEFAULT 0 NOT NULL,
  stamp_duty INTEGER DEFAULT 0 NOT NULL,
  transaction_charges INTEGER DEFAULT 0 NOT NULL,
  sebi_fee INTEGER DEFAULT 0 NOT NULL,
  ipft INTEGER DEFAULT 0 NOT NULL,
  gst INTEGER DEFAULT 0 NOT NULL,
  total_charges INTEGER DEFAULT 0 NOT NULL,
  net_amount INTEGER,
  traded_at INTEGER NOT NULL,
  exchange_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER,
  drv_expiry TEXT CONSTRAINT ck_trades_drv_expiry CHECK (length(drv_expiry) = 10),
  drv_option_type TEXT CONSTRAINT ck_trades_drv_option_type CHECK (drv_option_type IN ('CE','PE')),
  drv_strike INTEGER,
  raw TEXT,
  CONSTRAINT pk_trades PRIMARY KEY (id),
  CONSTRAINT uq_trades_account_id_broker_trade_id UNIQUE (account_id, broker_trade_id)
)
 STRICT

CREATE INDEX ix_trades_account_id_traded_at ON trades (account_id, traded_at)

CREATE INDEX ix_trades_exchange_order_id ON trades (exchange_order_id)

CREATE INDEX ix_trades_exchange_trade_id ON trades (exchange_trade_id)

CREATE INDEX ix_trades_order_id ON trades (order_id)

CREATE INDEX ix_trades_security_id_exchange_segment ON trades (security_id, exchange_segment)

CREATE TABLE write_marks (
  writer INTEGER NOT NULL,
  unit INTEGER NOT NULL,
  marked_at INTEGER NOT NULL,
  CONSTRAINT pk_write_marks PRIMARY KEY (writer)
)
 STRICT

CREATE TABLE audit_seal_rows (
  audit_id INTEGER NOT NULL,
  seal_no INTEGER NOT NULL,
  CONSTRAINT pk_audit_seal_rows PRIMARY KEY (audit_id),
  CONSTRAINT fk_audit_seal_rows_seal_no FOREIGN KEY(seal_no) REFERENCES audit_seals (seal_no) ON DELETE RESTRICT
)
 STRICT

CREATE INDEX ix_audit_seal_rows_seal_no ON audit_seal_rows (seal_no)

CREATE TABLE order_events (
  id INTEGER NOT NULL,
  order_id INTEGER NOT NULL,
  event_type TEXT NOT NULL CONSTRAINT ck_order_events_event_type CHECK (event_type IN ('PLACED','TRANSIT','UNKNOWN','OPEN','TRIGGERED','MODIFIED','PARTIAL','EXECUTED','CANCELLED','REJECTED','EXPIRED')),
  source TEXT CONSTRAINT ck_order_events_source CHECK (source IN ('REST_API','WEBSOCKET','POSTBACK','SYSTEM')),
  data TEXT,
  schema_number INTEGER DEFAULT 1 NOT NULL,
  event_at INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL,
  sequence INTEGER,
  CONSTRAINT pk_order_events PRIMARY KEY (id),
  CONSTRAINT fk_order_events_order_id FOREIGN KEY(order_id) REFERENCES orders (id) ON DELETE CASCADE,
  CONSTRAINT uq_order_events_order_id_sequence UNIQUE (order_id, sequence)
)
 STRICT

CREATE INDEX ix_order_events_event_type_event_at ON order_events (event_type, event_at)

CREATE INDEX ix_order_events_order_id_event_at ON order_events (order_id, event_at)

CREATE INDEX ix_order_events_source_event_at ON order_events (source, event_at)

CREATE TABLE order_modifications (
  id INTEGER NOT NULL,
  order_id INTEGER NOT NULL,
  modification_type TEXT NOT NULL CONSTRAINT ck_order_modifications_modification_type CHECK (modification_type IN ('QUANTITY','PRICE','TRIGGER_PRICE','VALIDITY')),
  old_value TEXT,
  new_value TEXT,
  status TEXT CONSTRAINT ck_order_modifications_status CHECK (status IN ('PENDING','SUCCESS','FAILED')),
  error_message TEXT,
  modified_at INTEGER NOT NULL,
  CONSTRAINT pk_order_modifications PRIMARY KEY (id),
  CONSTRAINT fk_order_modifications_order_id FOREIGN KEY(order_id) REFERENCES orders (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_order_modifications_order_id_modified_at ON order_modifications (order_id, modified_at)

CREATE TRIGGER api_calls_no_update BEFORE UPDATE ON api_calls
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'api_calls is append-only'); END

CREATE TRIGGER api_calls_no_delete BEFORE DELETE ON api_calls
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'api_calls is append-only'); END

CREATE TRIGGER audit_seals_no_update BEFORE UPDATE ON audit_seals
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'audit_seals is append-only'); END

CREATE TRIGGER audit_seals_no_delete BEFORE DELETE ON audit_seals
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'audit_seals is append-only'); END

CREATE TRIGGER audit_trail_no_update BEFORE UPDATE ON audit_trail
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'audit_trail is append-only'); END

CREATE TRIGGER audit_trail_no_delete BEFORE DELETE ON audit_trail
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'audit_trail is append-only'); END

CREATE TRIGGER orders_touch AFTER UPDATE ON orders
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE orders SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER trades_no_update BEFORE UPDATE ON trades
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'trades is append-only'); END

CREATE TRIGGER trades_no_delete BEFORE DELETE ON trades
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'trades is append-only'); END

CREATE TRIGGER audit_seal_rows_no_update BEFORE UPDATE ON audit_seal_rows
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'audit_seal_rows is append-only'); END

CREATE TRIGGER audit_seal_rows_no_delete BEFORE DELETE ON audit_seal_rows
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'audit_seal_rows is append-only'); END

CREATE TRIGGER order_events_no_update BEFORE UPDATE ON order_events
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'order_events is append-only'); END

CREATE TRIGGER order_events_no_delete BEFORE DELETE ON order_events
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'order_events is append-only'); END

-- down

DROP TABLE order_modifications

DROP TABLE order_events

DROP TABLE audit_seal_rows

DROP TABLE write_marks

DROP TABLE trades

DROP TABLE permits

DROP TABLE orders

DROP TABLE audit_trail

DROP TABLE audit_seals

DROP TABLE api_calls
