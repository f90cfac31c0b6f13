CREATE TABLE api_calls (
  id BIGINT NOT NULL,
  account_id BIGINT,
  copy_role TEXT CONSTRAINT ck_api_calls_copy_role CHECK (copy_role IN ('leader','follower')),
  broker TEXT,
  module TEXT,
  operation TEXT,
  order_ref TEXT,
  request JSONB,
  response JSONB,
  status_code BIGINT,
  success SMALLINT CONSTRAINT ck_api_calls_success CHECK (success IN (0,1)),
  error_message TEXT,
  started_at BIGINT,
  ended_at BIGINT,
  duration_us BIGINT,
  CONSTRAINT pk_api_calls PRIMARY KEY (id)
)

CREATE INDEX ix_api_calls_account_id_started_at ON api_calls (account_id, started_at)

CREATE INDEX ix_api_calls_module_started_at ON api_calls (module, started_at)

CREATE INDEX ix_api_calls_operation_started_at ON api_calls (operation, started_at)

CREATE INDEX ix_api_calls_order_ref ON api_calls (order_ref)

CREATE TABLE audit_seals (
  seal_no BIGINT NOT NULL,
  previous_seal_no BIGINT,
  previous_digest TEXT,
  digest TEXT NOT NULL,
  row_count BIGINT NOT NULL,
  sealed_at BIGINT NOT NULL,
  CONSTRAINT pk_audit_seals PRIMARY KEY (seal_no),
  CONSTRAINT uq_audit_seals_previous_seal_no UNIQUE (previous_seal_no)
)

CREATE TABLE audit_trail (
  id BIGINT NOT NULL,
  user_id BIGINT,
  actor TEXT,
  entity_type TEXT DEFAULT 'activity' NOT NULL,
  entity_id TEXT,
  action TEXT NOT NULL,
  old_value JSONB,
  new_value JSONB,
  details TEXT,
  ip_address TEXT,
  user_agent TEXT,
  request_id TEXT,
  at BIGINT NOT NULL,
  CONSTRAINT pk_audit_trail PRIMARY KEY (id)
)

CREATE INDEX ix_audit_trail_action_at ON audit_trail (action, at)

CREATE INDEX ix_audit_trail_at ON audit_trail (at)

CREATE INDEX ix_audit_trail_entity_type_entity_id_at ON audit_trail (entity_type, entity_id, at)

CREATE INDEX ix_audit_trail_user_id_at ON audit_trail (user_id, at)

CREATE TABLE orders (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  client_order_id TEXT,
  broker_order_id TEXT,
  correlation_id TEXT,
  instrument_id BIGINT,
  exchange_segment TEXT NOT NULL CONSTRAINT ck_orders_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
  security_id TEXT,
  symbol TEXT,
  side TEXT CONSTRAINT ck_orders_side CHECK (side IN ('BUY','SELL')),
  product TEXT CONSTRAINT ck_orders_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
  order_type TEXT CONSTRAINT ck_orders_order_type CHECK (order_type IN ('MARKET','LIMIT','STOP_LOSS','STOP_LOSS_MARKET')),
  validity TEXT CONSTRAINT ck_orders_validity CHECK (validity IN ('DAY','IOC')),
  quantity BIGINT,
  disclosed_qty BIGINT,
  price BIGINT,
  trigger_price BIGINT,
  status TEXT NOT NULL CONSTRAINT ck_orders_status CHECK (status IN ('PENDING','TRANSIT','UNKNOWN','OPEN','PARTIAL','EXECUTED','CANCELLED','REJECTED','EXPIRED')),
  broker_status TEXT,
  trigger_pending SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_orders_trigger_pending CHECK (trigger_pending IN (0,1)),
  filled_qty BIGINT DEFAULT 0 NOT NULL,
  remaining_qty BIGINT,
  average_price BIGINT,
  co_stop_loss BIGINT,
  co_trigger_price BIGINT,
  bo_profit BIGINT,
  bo_stop_loss BIGINT,
  bo_order_type TEXT,
  parent_order_id BIGINT,
  leg_type TEXT CONSTRAINT ck_orders_leg_type CHECK (leg_type IN ('ENTRY','TARGET','SL')),
  is_sliced SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_orders_is_sliced CHECK (is_sliced IN (0,1)),
  slice_group_id TEXT,
  slice_index BIGINT,
  slice_total_qty BIGINT,
  is_amo SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_orders_is_amo CHECK (is_amo IN (0,1)),
  amo_time TEXT CONSTRAINT ck_orders_amo_time CHECK (amo_time IN ('PRE_OPEN','OPEN','OPEN_30','OPEN_60')),
  exchange_order_id TEXT,
  exchange_at BIGINT,
  algo_id TEXT,
  drv_expiry TEXT CONSTRAINT ck_orders_drv_expiry CHECK (length(drv_expiry) = 10),
  drv_option_type TEXT CONSTRAINT ck_orders_drv_option_type CHECK (drv_option_type IN ('CE','PE')),
  drv_strike BIGINT,
  error_code TEXT,
  error_message TEXT,
  strategy TEXT,
  actor TEXT,
  node BIGINT,
  version BIGINT DEFAULT 1 NOT NULL,
  send_before BIGINT,
  intent_at BIGINT,
  sent_at BIGINT,
  acked_at BIGINT,
  first_fill_at BIGINT,
  placed_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  completed_at BIGINT,
  raw_request JSONB,
  raw_response JSONB,
  CONSTRAINT pk_orders PRIMARY KEY (id),
  CONSTRAINT uq_orders_account_id_client_order_id UNIQUE (account_id, client_order_id),
  CONSTRAINT uq_orders_account_id_broker_order_id UNIQUE (account_id, broker_order_id),
  CONSTRAINT fk_orders_parent_order_id FOREIGN KEY(parent_order_id) REFERENCES orders (id) ON DELETE CASCADE
)

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
  id BIGINT NOT NULL,
  never BIGINT NOT NULL,
  reason TEXT NOT NULL,
  CONSTRAINT pk_permits PRIMARY KEY (id),
  CONSTRAINT fk_permits_never FOREIGN KEY(never) REFERENCES permits (id) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT ck_permits_only_one CHECK (id = 1 AND never = 0)
)

CREATE TABLE trades (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  order_id BIGINT,
  broker_trade_id TEXT,
  exchange_order_id TEXT,
  exchange_trade_id TEXT,
  instrument_id BIGINT,
  exchange_segment TEXT CONSTRAINT ck_trades_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
  security_id TEXT,
  symbol TEXT,
  side TEXT NOT NULL CONSTRAINT ck_trades_side CHECK (side IN ('BUY','SELL')),
  product TEXT CONSTRAINT ck_trades_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
  order_type TEXT CONSTRAINT ck_trades_order_type CHECK (order_type IN ('MARKET','LIMIT','STOP_LOSS','STOP_LOSS_MARKET')),
  quantity BIGINT NOT NULL,
  price BIGINT NOT NULL,
  trade_value BIGINT,
  brokerage BIGINT DEFAULT 0 NOT NULL,
  exchange_charges BIGINT DEFAULT 0 NOT NULL,
  clearing_charges BIGINT DEFAULT 0 NOT NULL,
  stt BIGINT DEFAULT 0 NOT NULL,
  stamp_duty BIGINT DEFAULT 0 NOT NULL,
  transaction_charges BIGINT DEFAULT 0 NOT NULL,
  sebi_fee BIGINT DEFAULT 0 NOT NULL,
  ipft BIGINT DEFAULT 0 NOT NULL,
  gst BIGINT DEFAULT 0 NOT NULL,
  total_charges BIGINT DEFAULT 0 NOT NULL,
  net_amount BIGINT,
  traded_at BIGINT NOT NULL,
  exchange_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT,
  drv_expiry TEXT CONSTRAINT ck_trades_drv_expiry CHECK (length(drv_expiry) = 10),
  drv_option_type TEXT CONSTRAINT ck_trades_drv_option_type CHECK (drv_option_type IN ('CE','PE')),
  drv_strike BIGINT,
  raw JSONB,
  CONSTRAINT pk_trades PRIMARY KEY (id),
  CONSTRAINT uq_trades_account_id_broker_trade_id UNIQUE (account_id, broker_trade_id)
)

CREATE INDEX ix_trades_account_id_traded_at ON trades (account_id, traded_at)

CREATE INDEX ix_trades_exchange_order_id ON trades (exchange_order_id)

CREATE INDEX ix_trades_exchange_trade_id ON trades (exchange_trade_id)

CREATE INDEX ix_trades_order_id ON trades (order_id)

CREATE INDEX ix_trades_security_id_exchange_segment ON trades (security_id, exchange_segment)

CREATE TABLE write_marks (
  writer BIGINT NOT NULL,
  unit BIGINT NOT NULL,
  marked_at BIGINT NOT NULL,
  CONSTRAINT pk_write_marks PRIMARY KEY (writer)
)

CREATE TABLE audit_seal_rows (
  audit_id BIGINT NOT NULL,
  seal_no BIGINT NOT NULL,
  CONSTRAINT pk_audit_seal_rows PRIMARY KEY (audit_id),
  CONSTRAINT fk_audit_seal_rows_seal_no FOREIGN KEY(seal_no) REFERENCES audit_seals (seal_no) ON DELETE RESTRICT
)

CREATE INDEX ix_audit_seal_rows_seal_no ON audit_seal_rows (seal_no)

CREATE TABLE order_events (
  id BIGINT NOT NULL,
  order_id BIGINT NOT NULL,
  event_type TEXT NOT NULL CONSTRAINT ck_order_events_event_type CHECK (event_type IN ('PLACED','TRANSIT','UNKNOWN','OPEN','TRIGGERED','MODIFIED','PARTIAL','EXECUTED','CANCELLED','REJECTED','EXPIRED')),
  source TEXT CONSTRAINT ck_order_events_source CHECK (source IN ('REST_API','WEBSOCKET','POSTBACK','SYSTEM')),
  data JSONB,
  schema_number BIGINT DEFAULT 1 NOT NULL,
  event_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  sequence BIGINT,
  CONSTRAINT pk_order_events PRIMARY KEY (id),
  CONSTRAINT fk_order_events_order_id FOREIGN KEY(order_id) REFERENCES orders (id) ON DELETE CASCADE,
  CONSTRAINT uq_order_events_order_id_sequence UNIQUE (order_id, sequence)
)

CREATE INDEX ix_order_events_event_type_event_at ON order_events (event_type, event_at)

CREATE INDEX ix_order_events_order_id_event_at ON order_events (order_id, event_at)

CREATE INDEX ix_order_events_source_event_at ON order_events (source, event_at)

CREATE TABLE order_modifications (
  id BIGINT NOT NULL,
  order_id BIGINT NOT NULL,
  modification_type TEXT NOT NULL CONSTRAINT ck_order_modifications_modification_type CHECK (modification_type IN ('QUANTITY','PRICE','TRIGGER_PRICE','VALIDITY')),
  old_value JSONB,
  new_value JSONB,
  status TEXT CONSTRAINT ck_order_modifications_status CHECK (status IN ('PENDING','SUCCESS','FAILED')),
  error_message TEXT,
  modified_at BIGINT NOT NULL,
  CONSTRAINT pk_order_modifications PRIMARY KEY (id),
  CONSTRAINT fk_order_modifications_order_id FOREIGN KEY(order_id) REFERENCES orders (id) ON DELETE CASCADE
)

CREATE INDEX ix_order_modifications_order_id_modified_at ON order_modifications (order_id, modified_at)

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE permitted boolean;
BEGIN
  EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.permits)', TG_TABLE_SCHEMA) INTO permitted;
  IF NOT permitted THEN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $$

CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := greatest(OLD.updated_at + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
  RETURN NEW;
END $$

CREATE TRIGGER api_calls_no_update BEFORE UPDATE ON api_calls
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER api_calls_no_delete BEFORE DELETE ON api_calls
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER api_calls_no_truncate BEFORE TRUNCATE ON api_calls
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

CREATE TRIGGER audit_seals_no_update BEFORE UPDATE ON audit_seals
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER audit_seals_no_delete BEFORE DELETE ON audit_seals
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER audit_seals_no_truncate BEFORE TRUNCATE ON audit_seals
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

CREATE TRIGGER audit_trail_no_update BEFORE UPDATE ON audit_trail
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER audit_trail_no_delete BEFORE DELETE ON audit_trail
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER audit_trail_no_truncate BEFORE TRUNCATE ON audit_trail
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

CREATE TRIGGER orders_touch BEFORE UPDATE ON orders
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()

CREATE TRIGGER trades_no_update BEFORE UPDATE ON trades
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER trades_no_delete BEFORE DELETE ON trades
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER trades_no_truncate BEFORE TRUNCATE ON trades
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

CREATE TRIGGER audit_seal_rows_no_update BEFORE UPDATE ON audit_seal_rows
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER audit_seal_rows_no_delete BEFORE DELETE ON audit_seal_rows
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER audit_seal_rows_no_truncate BEFORE TRUNCATE ON audit_seal_rows
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

CREATE TRIGGER order_events_no_update BEFORE UPDATE ON order_events
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER order_events_no_delete BEFORE DELETE ON order_events
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER order_events_no_truncate BEFORE TRUNCATE ON order_events
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

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

DROP FUNCTION refuse_change()

DROP FUNCTION touch()
