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

CREATE TABLE books (
  account_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  user_id BIGINT NOT NULL,
  copy_role TEXT CONSTRAINT ck_books_copy_role CHECK (copy_role IN ('leader','follower')),
  mode TEXT NOT NULL CONSTRAINT ck_books_mode CHECK (mode IN ('live','paper')),
  version BIGINT DEFAULT 0 NOT NULL,
  killed_globally SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_books_killed_globally CHECK (killed_globally IN (0,1)),
  killed_for_user SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_books_killed_for_user CHECK (killed_for_user IN (0,1)),
  killed_for_account SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_books_killed_for_account CHECK (killed_for_account IN (0,1)),
  killed_strategies JSONB,
  kill_reason TEXT,
  killed_at BIGINT,
  rate_bucket JSONB,
  trading_day TEXT CONSTRAINT ck_books_trading_day CHECK (length(trading_day) = 10),
  orders_today BIGINT DEFAULT 0 NOT NULL,
  trades_today BIGINT DEFAULT 0 NOT NULL,
  open_orders BIGINT DEFAULT 0 NOT NULL,
  realized_today BIGINT DEFAULT 0 NOT NULL,
  unrealized_mark BIGINT,
  marked_at BIGINT,
  loss_latched_at BIGINT,
  last_positions_at BIGINT,
  last_holdings_at BIGINT,
  last_funds_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CONSTRAINT pk_books PRIMARY KEY (account_id)
)

CREATE INDEX ix_books_user_id ON books (user_id)

CREATE TABLE jobs (
  id BIGINT NOT NULL,
  job_id TEXT NOT NULL,
  job_type TEXT NOT NULL,
  payload JSONB,
  status TEXT NOT NULL CONSTRAINT ck_jobs_status CHECK (status IN ('pending','running','completed','failed')),
  message TEXT,
  progress_percent BIGINT DEFAULT 0 NOT NULL,
  priority BIGINT DEFAULT 0 NOT NULL,
  run_at BIGINT NOT NULL,
  attempts BIGINT DEFAULT 0 NOT NULL,
  lease_owner TEXT,
  leased_until BIGINT,
  fence BIGINT DEFAULT 0 NOT NULL,
  source_job_id BIGINT,
  created_by TEXT,
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  updated_at BIGINT NOT NULL,
  completed_at BIGINT,
  result JSONB,
  error_details TEXT,
  CONSTRAINT pk_jobs PRIMARY KEY (id),
  CONSTRAINT uq_jobs_job_id UNIQUE (job_id),
  CONSTRAINT uq_jobs_source_job_id UNIQUE (source_job_id),
  CONSTRAINT ck_jobs_progress CHECK (progress_percent BETWEEN 0 AND 100)
)

CREATE INDEX ix_jobs_leased_until ON jobs (leased_until) WHERE status = 'running'

CREATE INDEX ix_jobs_run_at_priority ON jobs (run_at, priority) WHERE status = 'pending'

CREATE INDEX ix_jobs_status_job_type ON jobs (status, job_type)

CREATE TABLE paper_depth (
  exchange_segment TEXT NOT NULL CONSTRAINT ck_paper_depth_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
  symbol TEXT NOT NULL,
  version BIGINT DEFAULT 0 NOT NULL,
  quoted_at BIGINT,
  bids JSONB,
  asks JSONB,
  updated_at BIGINT NOT NULL,
  CONSTRAINT pk_paper_depth PRIMARY KEY (exchange_segment, symbol)
)

CREATE TABLE paper_orders (
  id BIGINT NOT NULL,
  client_id BIGINT NOT NULL,
  tag TEXT,
  exchange_segment TEXT NOT NULL CONSTRAINT ck_paper_orders_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
  symbol TEXT NOT NULL,
  side TEXT NOT NULL CONSTRAINT ck_paper_orders_side CHECK (side IN ('BUY','SELL')),
  product TEXT NOT NULL CONSTRAINT ck_paper_orders_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
  order_type TEXT NOT NULL CONSTRAINT ck_paper_orders_order_type CHECK (order_type IN ('MARKET','LIMIT','STOP_LOSS','STOP_LOSS_MARKET')),
  validity TEXT DEFAULT 'DAY' NOT NULL CONSTRAINT ck_paper_orders_validity CHECK (validity IN ('DAY','IOC')),
  quantity BIGINT NOT NULL,
  disclosed_qty BIGINT,
  price BIGINT,
  trigger_price BIGINT,
  is_triggered SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_paper_orders_is_triggered CHECK (is_triggered IN (0,1)),
  is_amo SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_paper_orders_is_amo CHECK (is_amo IN (0,1)),
  amo_time TEXT CONSTRAINT ck_paper_orders_amo_time CHECK (amo_time IN ('PRE_OPEN','OPEN','OPEN_30','OPEN_60')),
  status TEXT NOT NULL CONSTRAINT ck_paper_orders_status CHECK (status IN ('PENDING','TRANSIT','UNKNOWN','OPEN','PARTIAL','EXECUTED','CANCELLED','REJECTED','EXPIRED')),
  filled_qty BIGINT DEFAULT 0 NOT NULL,
  reject_code TEXT,
  reject_message TEXT,
  version BIGINT DEFAULT 1 NOT NULL,
  priority BIGINT NOT NULL,
  placed_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  completed_at BIGINT,
  CONSTRAINT pk_paper_orders PRIMARY KEY (id),
  CONSTRAINT uq_paper_orders_client_id_tag UNIQUE (client_id, tag),
  CONSTRAINT ck_paper_orders_filled CHECK (filled_qty >= 0 AND filled_qty <= quantity)
)

CREATE INDEX ix_paper_orders_client_id_placed_at ON paper_orders (client_id, placed_at)

CREATE INDEX ix_paper_orders_exchange_segment_symbol_side_price_priority ON paper_orders (exchange_segment, symbol, side, price, priority) WHERE status IN ('OPEN','PARTIAL')

CREATE TABLE permits (
  id BIGINT NOT NULL,
  never BIGINT NOT NULL,
  reason TEXT NOT NULL,
  CONSTRAINT pk_permits PRIMARY KEY (id),
  CONSTRAINT fk_permits_never FOREIGN KEY(never) REFERENCES permits (id) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT ck_permits_only_one CHECK (id = 1 AND never = 0)
)

CREATE TABLE risk_violations (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  scope TEXT DEFAULT 'ACCOUNT' NOT NULL CONSTRAINT ck_risk_violations_scope CHECK (scope IN ('GLOBAL','USER','ACCOUNT','STRATEGY')),
  strategy TEXT,
  violation_type TEXT NOT NULL CONSTRAINT ck_risk_violations_violation_type CHECK (violation_type IN ('DAILY_LOSS','POSITION_SIZE','ORDER_VALUE','KILL_SWITCH','ORDERS_PER_DAY','OPEN_ORDERS','ORDER_RATE','PRICE_BAND','NOT_ALLOWED','TRADING_HOURS','ELIGIBILITY','MARGIN','STALE_PRICE')),
  limit_value BIGINT NOT NULL,
  actual_value BIGINT NOT NULL,
  order_id BIGINT,
  security_id TEXT,
  action_taken TEXT CONSTRAINT ck_risk_violations_action_taken CHECK (action_taken IN ('ORDER_REJECTED','KILL_SWITCH_ACTIVATED')),
  message TEXT,
  evidence JSONB,
  violated_at BIGINT NOT NULL,
  CONSTRAINT pk_risk_violations PRIMARY KEY (id)
)

CREATE INDEX ix_risk_violations_account_id_violated_at ON risk_violations (account_id, violated_at)

CREATE INDEX ix_risk_violations_violation_type ON risk_violations (violation_type)

CREATE TABLE write_marks (
  writer BIGINT NOT NULL,
  unit BIGINT NOT NULL,
  marked_at BIGINT NOT NULL,
  CONSTRAINT pk_write_marks PRIMARY KEY (writer)
)

CREATE TABLE alerts (
  id BIGINT NOT NULL,
  severity TEXT NOT NULL CONSTRAINT ck_alerts_severity CHECK (severity IN ('info','warning','critical')),
  source TEXT NOT NULL,
  message TEXT NOT NULL,
  details JSONB,
  account_id BIGINT,
  raised_at BIGINT NOT NULL,
  acknowledged_at BIGINT,
  acknowledged_by TEXT,
  CONSTRAINT pk_alerts PRIMARY KEY (id),
  CONSTRAINT fk_alerts_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)

CREATE INDEX ix_alerts_account_id ON alerts (account_id)

CREATE INDEX ix_alerts_raised_at ON alerts (raised_at)

CREATE INDEX ix_alerts_severity_raised_at ON alerts (severity, raised_at) WHERE acknowledged_at IS NULL

CREATE TABLE audit_seal_rows (
  audit_id BIGINT NOT NULL,
  seal_no BIGINT NOT NULL,
  CONSTRAINT pk_audit_seal_rows PRIMARY KEY (audit_id),
  CONSTRAINT fk_audit_seal_rows_seal_no FOREIGN KEY(seal_no) REFERENCES audit_seals (seal_no) ON DELETE RESTRICT
)

CREATE INDEX ix_audit_seal_rows_seal_no ON audit_seal_rows (seal_no)

CREATE TABLE edis_transactions (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  isin TEXT NOT NULL,
  quantity BIGINT NOT NULL,
  exchange TEXT NOT NULL,
  segment TEXT NOT NULL,
  is_bulk SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_edis_transactions_is_bulk CHECK (is_bulk IN (0,1)),
  tpin_enc BYTEA,
  status TEXT NOT NULL CONSTRAINT ck_edis_transactions_status CHECK (status IN ('PENDING','AUTHORIZED','REJECTED','EXPIRED')),
  request_id TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  authorized_at BIGINT,
  expires_at BIGINT,
  raw_request JSONB,
  raw_response JSONB,
  error_message TEXT,
  CONSTRAINT pk_edis_transactions PRIMARY KEY (id),
  CONSTRAINT fk_edis_transactions_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)

CREATE INDEX ix_edis_transactions_account_id_status ON edis_transactions (account_id, status)

CREATE INDEX ix_edis_transactions_isin ON edis_transactions (isin)

CREATE INDEX ix_edis_transactions_request_id ON edis_transactions (request_id)

CREATE TABLE fund_snapshots (
  account_id BIGINT NOT NULL,
  snapshot_at BIGINT NOT NULL,
  available_balance BIGINT NOT NULL,
  sod_limit BIGINT,
  collateral BIGINT,
  margin_used BIGINT,
  margin_available BIGINT,
  withdrawable_balance BIGINT,
  blocked_margin BIGINT,
  raw JSONB,
  CONSTRAINT pk_fund_snapshots PRIMARY KEY (account_id, snapshot_at),
  CONSTRAINT fk_fund_snapshots_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)

CREATE TABLE funds (
  account_id BIGINT NOT NULL,
  available_balance BIGINT NOT NULL,
  sod_limit BIGINT,
  collateral BIGINT,
  margin_used BIGINT,
  margin_available BIGINT,
  withdrawable_balance BIGINT,
  blocked_margin BIGINT,
  raw JSONB,
  updated_at BIGINT NOT NULL,
  CONSTRAINT pk_funds PRIMARY KEY (account_id),
  CONSTRAINT fk_funds_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)

CREATE TABLE holding_snapshots (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  snapshot_at BIGINT NOT NULL,
  instrument_id BIGINT,
  exchange_segment TEXT NOT NULL CONSTRAINT ck_holding_snapshots_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
  security_id TEXT,
  symbol TEXT,
  isin TEXT,
  total_qty BIGINT NOT NULL,
  dp_qty BIGINT DEFAULT 0,
  t1_qty BIGINT DEFAULT 0,
  available_qty BIGINT,
  collateral_qty BIGINT DEFAULT 0,
  collateral_update_qty BIGINT DEFAULT 0,
  average_price BIGINT,
  last_price BIGINT,
  invested_value BIGINT,
  current_value BIGINT,
  realized_pnl BIGINT DEFAULT 0,
  unrealized_pnl BIGINT DEFAULT 0,
  pnl BIGINT,
  pnl_pct BIGINT,
  raw JSONB,
  CONSTRAINT pk_holding_snapshots PRIMARY KEY (id),
  CONSTRAINT fk_holding_snapshots_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)

CREATE INDEX ix_holding_snapshots_account_id_symbol ON holding_snapshots (account_id, symbol)

CREATE INDEX ix_holding_snapshots_isin ON holding_snapshots (isin)

CREATE INDEX ix_holding_snapshots_security_id ON holding_snapshots (security_id)

CREATE UNIQUE INDEX uq_holding_snapshots_account_id_snapshot_at_exchange_segment ON holding_snapshots (account_id, snapshot_at, exchange_segment, coalesce(symbol,''), coalesce(security_id,''))

CREATE TABLE holdings (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  instrument_id BIGINT,
  exchange_segment TEXT NOT NULL CONSTRAINT ck_holdings_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
  security_id TEXT,
  symbol TEXT NOT NULL,
  isin TEXT,
  total_qty BIGINT NOT NULL,
  dp_qty BIGINT DEFAULT 0 NOT NULL,
  t1_qty BIGINT DEFAULT 0 NOT NULL,
  available_qty BIGINT,
  collateral_qty BIGINT DEFAULT 0 NOT NULL,
  collateral_update_qty BIGINT DEFAULT 0 NOT NULL,
  average_price BIGINT,
  last_price BIGINT,
  invested_value BIGINT,
  current_value BIGINT,
  realized_pnl BIGINT DEFAULT 0 NOT NULL,
  unrealized_pnl BIGINT DEFAULT 0 NOT NULL,
  pnl BIGINT,
  pnl_pct BIGINT,
  raw JSONB,
  updated_at BIGINT NOT NULL,
  CONSTRAINT pk_holdings PRIMARY KEY (id),
  CONSTRAINT fk_holdings_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
  CONSTRAINT uq_holdings_account_id_exchange_segment_symbol UNIQUE (account_id, exchange_segment, symbol)
)

CREATE INDEX ix_holdings_account_id_symbol ON holdings (account_id, symbol)

CREATE INDEX ix_holdings_isin ON holdings (isin)

CREATE INDEX ix_holdings_security_id ON holdings (security_id)

CREATE TABLE ledger_entries (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  entry_date TEXT NOT NULL CONSTRAINT ck_ledger_entries_entry_date CHECK (length(entry_date) = 10),
  particulars TEXT,
  voucher_no TEXT,
  voucher_date TEXT,
  debit BIGINT DEFAULT 0 NOT NULL,
  credit BIGINT DEFAULT 0 NOT NULL,
  balance BIGINT,
  created_at BIGINT NOT NULL,
  CONSTRAINT pk_ledger_entries PRIMARY KEY (id),
  CONSTRAINT fk_ledger_entries_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
  CONSTRAINT ck_ledger_entries_debit_and_credit CHECK (debit >= 0 AND credit >= 0)
)

CREATE INDEX ix_ledger_entries_account_id_entry_date ON ledger_entries (account_id, entry_date)

CREATE INDEX ix_ledger_entries_entry_date ON ledger_entries (entry_date)

CREATE TABLE margin_blocks (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  order_id BIGINT,
  exchange_segment TEXT NOT NULL CONSTRAINT ck_margin_blocks_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
  symbol TEXT NOT NULL,
  product TEXT NOT NULL CONSTRAINT ck_margin_blocks_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
  amount BIGINT NOT NULL,
  is_approximate SMALLINT DEFAULT 1 NOT NULL CONSTRAINT ck_margin_blocks_is_approximate CHECK (is_approximate IN (0,1)),
  reason TEXT NOT NULL,
  recorded_at BIGINT NOT NULL,
  CONSTRAINT pk_margin_blocks PRIMARY KEY (id),
  CONSTRAINT fk_margin_blocks_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)

CREATE INDEX ix_margin_blocks_account_id_exchange_segment_symbol_product ON margin_blocks (account_id, exchange_segment, symbol, product)

CREATE INDEX ix_margin_blocks_account_id_order_id ON margin_blocks (account_id, order_id)

CREATE TABLE order_keys (
  account_id BIGINT NOT NULL,
  client_order_id TEXT NOT NULL,
  order_id BIGINT NOT NULL,
  archived_at BIGINT NOT NULL,
  CONSTRAINT pk_order_keys PRIMARY KEY (account_id, client_order_id),
  CONSTRAINT fk_order_keys_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)

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
  CONSTRAINT fk_orders_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
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

CREATE TABLE paper_fills (
  id BIGINT NOT NULL,
  order_id BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  quantity BIGINT NOT NULL,
  price BIGINT NOT NULL,
  filled_at BIGINT NOT NULL,
  CONSTRAINT pk_paper_fills PRIMARY KEY (id),
  CONSTRAINT fk_paper_fills_order_id FOREIGN KEY(order_id) REFERENCES paper_orders (id) ON DELETE RESTRICT,
  CONSTRAINT uq_paper_fills_order_id_sequence UNIQUE (order_id, sequence),
  CONSTRAINT ck_paper_fills_positive CHECK (quantity > 0)
)

CREATE TABLE position_adjustments (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  kind TEXT NOT NULL CONSTRAINT ck_position_adjustments_kind CHECK (kind IN ('OPENING','CONVERSION','CORPORATE_ACTION','EXPIRY')),
  instrument_id BIGINT,
  exchange_segment TEXT NOT NULL CONSTRAINT ck_position_adjustments_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
  symbol TEXT NOT NULL,
  product TEXT NOT NULL CONSTRAINT ck_position_adjustments_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
  quantity BIGINT NOT NULL,
  price BIGINT,
  amount BIGINT DEFAULT 0 NOT NULL,
  lots JSONB,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  adjusted_at BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL,
  CONSTRAINT pk_position_adjustments PRIMARY KEY (id),
  CONSTRAINT fk_position_adjustments_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)

CREATE INDEX ix_position_adjustments_account_id_adjusted_at ON position_adjustments (account_id, adjusted_at)

CREATE INDEX ix_position_adjustments_account_id_exchange_segment_symbol_p ON position_adjustments (account_id, exchange_segment, symbol, product)

CREATE TABLE position_snapshots (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  snapshot_at BIGINT NOT NULL,
  instrument_id BIGINT,
  exchange_segment TEXT NOT NULL CONSTRAINT ck_position_snapshots_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
  security_id TEXT,
  symbol TEXT,
  product TEXT CONSTRAINT ck_position_snapshots_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
  position_type TEXT CONSTRAINT ck_position_snapshots_position_type CHECK (position_type IN ('DAY','NET')),
  buy_qty BIGINT DEFAULT 0,
  sell_qty BIGINT DEFAULT 0,
  net_qty BIGINT NOT NULL,
  day_qty BIGINT,
  overnight_qty BIGINT,
  buy_avg BIGINT DEFAULT 0,
  sell_avg BIGINT DEFAULT 0,
  average_price BIGINT,
  last_price BIGINT,
  close_price BIGINT,
  realized_pnl BIGINT DEFAULT 0,
  unrealized_pnl BIGINT DEFAULT 0,
  total_pnl BIGINT DEFAULT 0,
  pnl_pct BIGINT,
  day_change BIGINT,
  day_change_pct BIGINT,
  multiplier BIGINT,
  margin_required BIGINT,
  raw JSONB,
  CONSTRAINT pk_position_snapshots PRIMARY KEY (id),
  CONSTRAINT fk_position_snapshots_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)

CREATE INDEX ix_position_snapshots_account_id_symbol ON position_snapshots (account_id, symbol)

CREATE INDEX ix_position_snapshots_security_id ON position_snapshots (security_id)

CREATE UNIQUE INDEX uq_position_snapshots_account_id_snapshot_at_exchange_segmen ON position_snapshots (account_id, snapshot_at, exchange_segment, coalesce(symbol,''), coalesce(security_id,''), coalesce(product,''), coalesce(position_type,''))

CREATE TABLE positions (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  instrument_id BIGINT,
  exchange_segment TEXT NOT NULL CONSTRAINT ck_positions_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
  security_id TEXT,
  symbol TEXT NOT NULL,
  product TEXT NOT NULL CONSTRAINT ck_positions_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
  buy_qty BIGINT DEFAULT 0 NOT NULL,
  sell_qty BIGINT DEFAULT 0 NOT NULL,
  net_qty BIGINT NOT NULL,
  overnight_qty BIGINT,
  buy_avg BIGINT DEFAULT 0 NOT NULL,
  sell_avg BIGINT DEFAULT 0 NOT NULL,
  average_price BIGINT,
  last_price BIGINT,
  close_price BIGINT,
  realized_pnl BIGINT DEFAULT 0 NOT NULL,
  unrealized_pnl BIGINT DEFAULT 0 NOT NULL,
  total_pnl BIGINT DEFAULT 0 NOT NULL,
  pnl_pct BIGINT,
  day_change BIGINT,
  day_change_pct BIGINT,
  session_day TEXT CONSTRAINT ck_positions_session_day CHECK (length(session_day) = 10),
  day_buy_qty BIGINT DEFAULT 0 NOT NULL,
  day_sell_qty BIGINT DEFAULT 0 NOT NULL,
  day_qty BIGINT,
  day_buy_avg BIGINT DEFAULT 0 NOT NULL,
  day_sell_avg BIGINT DEFAULT 0 NOT NULL,
  day_realized_pnl BIGINT DEFAULT 0 NOT NULL,
  day_unrealized_pnl BIGINT DEFAULT 0 NOT NULL,
  day_total_pnl BIGINT DEFAULT 0 NOT NULL,
  multiplier BIGINT,
  margin_required BIGINT,
  raw JSONB,
  updated_at BIGINT NOT NULL,
  CONSTRAINT pk_positions PRIMARY KEY (id),
  CONSTRAINT fk_positions_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
  CONSTRAINT uq_positions_account_id_exchange_segment_symbol_product UNIQUE (account_id, exchange_segment, symbol, product)
)

CREATE INDEX ix_positions_account_id_symbol ON positions (account_id, symbol)

CREATE INDEX ix_positions_security_id ON positions (security_id)

CREATE TABLE reconciliation_breaks (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  subject TEXT NOT NULL CONSTRAINT ck_reconciliation_breaks_subject CHECK (subject IN ('order','trade','position','holding','funds','charges')),
  subject_key TEXT NOT NULL,
  classification TEXT,
  explanation TEXT,
  ours JSONB,
  theirs JSONB,
  status TEXT DEFAULT 'open' NOT NULL CONSTRAINT ck_reconciliation_breaks_status CHECK (status IN ('open','explained','settled')),
  found_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  settled_at BIGINT,
  settled_by TEXT,
  CONSTRAINT pk_reconciliation_breaks PRIMARY KEY (id),
  CONSTRAINT fk_reconciliation_breaks_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)

CREATE INDEX ix_reconciliation_breaks_account_id_status ON reconciliation_breaks (account_id, status)

CREATE INDEX ix_reconciliation_breaks_account_id_subject_subject_key ON reconciliation_breaks (account_id, subject, subject_key)

CREATE TABLE traders_control (
  id BIGINT NOT NULL,
  scope TEXT DEFAULT 'ACCOUNT' NOT NULL CONSTRAINT ck_traders_control_scope CHECK (scope IN ('GLOBAL','USER','ACCOUNT','STRATEGY')),
  account_id BIGINT,
  user_id BIGINT,
  strategy TEXT,
  control_type TEXT NOT NULL CONSTRAINT ck_traders_control_control_type CHECK (control_type IN ('KILL_SWITCH','RISK_LIMIT','POSITION_LIMIT')),
  kill_switch_status TEXT CONSTRAINT ck_traders_control_kill_switch_status CHECK (kill_switch_status IN ('ACTIVE','INACTIVE')),
  daily_loss_limit BIGINT,
  position_size_limit BIGINT,
  order_value_limit BIGINT,
  orders_per_day_limit BIGINT,
  open_orders_limit BIGINT,
  price_band_limit BIGINT,
  allowed JSONB,
  is_active SMALLINT DEFAULT 1 NOT NULL CONSTRAINT ck_traders_control_is_active CHECK (is_active IN (0,1)),
  effective_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  activated_at BIGINT,
  deactivated_at BIGINT,
  activated_by TEXT,
  reason TEXT,
  CONSTRAINT pk_traders_control PRIMARY KEY (id),
  CONSTRAINT ck_traders_control_scope_names_whom CHECK ((scope <> 'ACCOUNT' OR account_id IS NOT NULL) AND (scope <> 'USER' OR user_id IS NOT NULL) AND (scope <> 'STRATEGY' OR strategy IS NOT NULL)),
  CONSTRAINT fk_traders_control_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)

CREATE INDEX ix_traders_control_account_id_is_active ON traders_control (account_id, is_active)

CREATE INDEX ix_traders_control_control_type_is_active ON traders_control (control_type, is_active)

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
  CONSTRAINT fk_trades_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
  CONSTRAINT uq_trades_account_id_broker_trade_id UNIQUE (account_id, broker_trade_id)
)

CREATE INDEX ix_trades_account_id_traded_at ON trades (account_id, traded_at)

CREATE INDEX ix_trades_exchange_order_id ON trades (exchange_order_id)

CREATE INDEX ix_trades_exchange_trade_id ON trades (exchange_trade_id)

CREATE INDEX ix_trades_order_id ON trades (order_id)

CREATE INDEX ix_trades_security_id_exchange_segment ON trades (security_id, exchange_segment)

CREATE TABLE forever_orders (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  broker_order_id TEXT,
  correlation_id TEXT,
  status TEXT NOT NULL CONSTRAINT ck_forever_orders_status CHECK (status IN ('PENDING','ACTIVE','TRIGGERED','CANCELLED','EXPIRED')),
  kind TEXT NOT NULL CONSTRAINT ck_forever_orders_kind CHECK (kind IN ('SINGLE','OCO')),
  instrument_id BIGINT,
  exchange_segment TEXT NOT NULL CONSTRAINT ck_forever_orders_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
  security_id TEXT NOT NULL,
  symbol TEXT,
  trigger_type TEXT NOT NULL CONSTRAINT ck_forever_orders_trigger_type CHECK (trigger_type IN ('LTP_ABOVE','LTP_BELOW','LTP_RANGE')),
  trigger_above BIGINT,
  trigger_below BIGINT,
  side TEXT NOT NULL CONSTRAINT ck_forever_orders_side CHECK (side IN ('BUY','SELL')),
  product TEXT NOT NULL CONSTRAINT ck_forever_orders_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
  order_type TEXT NOT NULL CONSTRAINT ck_forever_orders_order_type CHECK (order_type IN ('MARKET','LIMIT','STOP_LOSS','STOP_LOSS_MARKET')),
  quantity BIGINT NOT NULL,
  price BIGINT,
  disclosed_qty BIGINT,
  validity TEXT DEFAULT 'DAY' CONSTRAINT ck_forever_orders_validity CHECK (validity IN ('DAY','IOC')),
  oco_leg_id BIGINT,
  triggered_order_id BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  triggered_at BIGINT,
  expires_at BIGINT,
  raw_request JSONB,
  raw_response JSONB,
  CONSTRAINT pk_forever_orders PRIMARY KEY (id),
  CONSTRAINT uq_forever_orders_account_id_broker_order_id UNIQUE (account_id, broker_order_id),
  CONSTRAINT fk_forever_orders_triggered_order_id FOREIGN KEY(triggered_order_id) REFERENCES orders (id) ON DELETE SET NULL,
  CONSTRAINT fk_forever_orders_oco_leg_id FOREIGN KEY(oco_leg_id) REFERENCES forever_orders (id) ON DELETE SET NULL,
  CONSTRAINT fk_forever_orders_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)

CREATE INDEX ix_forever_orders_account_id_status ON forever_orders (account_id, status)

CREATE INDEX ix_forever_orders_correlation_id ON forever_orders (correlation_id)

CREATE INDEX ix_forever_orders_security_id_exchange_segment ON forever_orders (security_id, exchange_segment)

CREATE INDEX ix_forever_orders_status ON forever_orders (status)

CREATE TABLE margin_requirements (
  id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  order_id BIGINT,
  security_id TEXT NOT NULL,
  exchange_segment TEXT NOT NULL CONSTRAINT ck_margin_requirements_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
  quantity BIGINT NOT NULL,
  price BIGINT,
  product TEXT NOT NULL CONSTRAINT ck_margin_requirements_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
  total_margin BIGINT NOT NULL,
  span_margin BIGINT,
  exposure_margin BIGINT,
  var_margin BIGINT,
  calculated_at BIGINT NOT NULL,
  CONSTRAINT pk_margin_requirements PRIMARY KEY (id),
  CONSTRAINT fk_margin_requirements_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
  CONSTRAINT fk_margin_requirements_order_id FOREIGN KEY(order_id) REFERENCES orders (id) ON DELETE SET NULL
)

CREATE INDEX ix_margin_requirements_account_id_calculated_at ON margin_requirements (account_id, calculated_at)

CREATE INDEX ix_margin_requirements_order_id ON margin_requirements (order_id)

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

CREATE TABLE copy_mappings (
  id BIGINT NOT NULL,
  leader_order_id BIGINT,
  follower_order_id BIGINT,
  leader_forever_id BIGINT,
  follower_forever_id BIGINT,
  follower_account_id BIGINT,
  leader_qty BIGINT NOT NULL,
  follower_qty BIGINT NOT NULL,
  sizing_strategy TEXT CONSTRAINT ck_copy_mappings_sizing_strategy CHECK (sizing_strategy IN ('capital_proportional','fixed_ratio','risk_based')),
  capital_ratio BIGINT,
  status TEXT NOT NULL CONSTRAINT ck_copy_mappings_status CHECK (status IN ('pending','placed','failed','cancelled')),
  error_message TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CONSTRAINT pk_copy_mappings PRIMARY KEY (id),
  CONSTRAINT uq_copy_mappings_follower_order_id UNIQUE (follower_order_id),
  CONSTRAINT uq_copy_mappings_follower_forever_id UNIQUE (follower_forever_id),
  CONSTRAINT uq_copy_mappings_leader_forever_id_follower_account_id UNIQUE (leader_forever_id, follower_account_id),
  CONSTRAINT fk_copy_mappings_leader_order_id FOREIGN KEY(leader_order_id) REFERENCES orders (id) ON DELETE CASCADE,
  CONSTRAINT ck_copy_mappings_one_leader CHECK ((leader_order_id IS NULL) <> (leader_forever_id IS NULL)),
  CONSTRAINT uq_copy_mappings_leader_order_id_follower_account_id UNIQUE (leader_order_id, follower_account_id),
  CONSTRAINT fk_copy_mappings_leader_forever_id FOREIGN KEY(leader_forever_id) REFERENCES forever_orders (id) ON DELETE CASCADE
)

CREATE INDEX ix_copy_mappings_status_created_at ON copy_mappings (status, created_at)

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

CREATE TRIGGER books_touch BEFORE UPDATE ON books
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()

CREATE TRIGGER jobs_touch BEFORE UPDATE ON jobs
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()

CREATE TRIGGER paper_depth_touch BEFORE UPDATE ON paper_depth
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()

CREATE TRIGGER paper_orders_touch BEFORE UPDATE ON paper_orders
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()

CREATE TRIGGER risk_violations_no_update BEFORE UPDATE ON risk_violations
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER risk_violations_no_delete BEFORE DELETE ON risk_violations
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER risk_violations_no_truncate BEFORE TRUNCATE ON risk_violations
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

CREATE TRIGGER audit_seal_rows_no_update BEFORE UPDATE ON audit_seal_rows
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER audit_seal_rows_no_delete BEFORE DELETE ON audit_seal_rows
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER audit_seal_rows_no_truncate BEFORE TRUNCATE ON audit_seal_rows
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

CREATE TRIGGER edis_transactions_touch BEFORE UPDATE ON edis_transactions
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()

CREATE TRIGGER fund_snapshots_no_update BEFORE UPDATE ON fund_snapshots
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER fund_snapshots_no_delete BEFORE DELETE ON fund_snapshots
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER fund_snapshots_no_truncate BEFORE TRUNCATE ON fund_snapshots
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

CREATE TRIGGER funds_touch BEFORE UPDATE ON funds
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()

CREATE TRIGGER holding_snapshots_no_update BEFORE UPDATE ON holding_snapshots
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER holding_snapshots_no_delete BEFORE DELETE ON holding_snapshots
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER holding_snapshots_no_truncate BEFORE TRUNCATE ON holding_snapshots
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

CREATE TRIGGER holdings_touch BEFORE UPDATE ON holdings
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()

CREATE TRIGGER ledger_entries_no_update BEFORE UPDATE ON ledger_entries
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER ledger_entries_no_delete BEFORE DELETE ON ledger_entries
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER ledger_entries_no_truncate BEFORE TRUNCATE ON ledger_entries
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

CREATE TRIGGER margin_blocks_no_update BEFORE UPDATE ON margin_blocks
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER margin_blocks_no_delete BEFORE DELETE ON margin_blocks
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER margin_blocks_no_truncate BEFORE TRUNCATE ON margin_blocks
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

CREATE TRIGGER orders_touch BEFORE UPDATE ON orders
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()

CREATE TRIGGER paper_fills_no_update BEFORE UPDATE ON paper_fills
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER paper_fills_no_delete BEFORE DELETE ON paper_fills
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER paper_fills_no_truncate BEFORE TRUNCATE ON paper_fills
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

CREATE TRIGGER position_adjustments_no_update BEFORE UPDATE ON position_adjustments
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER position_adjustments_no_delete BEFORE DELETE ON position_adjustments
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER position_adjustments_no_truncate BEFORE TRUNCATE ON position_adjustments
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

CREATE TRIGGER position_snapshots_no_update BEFORE UPDATE ON position_snapshots
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER position_snapshots_no_delete BEFORE DELETE ON position_snapshots
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER position_snapshots_no_truncate BEFORE TRUNCATE ON position_snapshots
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

CREATE TRIGGER positions_touch BEFORE UPDATE ON positions
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()

CREATE TRIGGER reconciliation_breaks_touch BEFORE UPDATE ON reconciliation_breaks
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()

CREATE TRIGGER traders_control_touch BEFORE UPDATE ON traders_control
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()

CREATE TRIGGER trades_no_update BEFORE UPDATE ON trades
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER trades_no_delete BEFORE DELETE ON trades
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER trades_no_truncate BEFORE TRUNCATE ON trades
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

CREATE TRIGGER forever_orders_touch BEFORE UPDATE ON forever_orders
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()

CREATE TRIGGER order_events_no_update BEFORE UPDATE ON order_events
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER order_events_no_delete BEFORE DELETE ON order_events
FOR EACH ROW EXECUTE FUNCTION refuse_change()

CREATE TRIGGER order_events_no_truncate BEFORE TRUNCATE ON order_events
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

CREATE TRIGGER copy_mappings_touch BEFORE UPDATE ON copy_mappings
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()

CREATE VIEW activity_logs AS
SELECT t.id AS id, t.user_id AS user_id, t.action AS action, t.details AS details, t.ip_address AS ip_address, t.user_agent AS user_agent, to_char(to_timestamp(t.at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS timestamp
FROM audit_trail t

CREATE VIEW v_active_orders AS
SELECT o.id AS id, o.account_id AS account_id, o.client_order_id AS client_order_id, o.broker_order_id AS broker_order_id, o.correlation_id AS correlation_id, o.instrument_id AS instrument_id, o.exchange_segment AS exchange_segment, o.security_id AS security_id, o.symbol AS symbol, o.side AS side, o.product AS product, o.order_type AS order_type, o.validity AS validity, o.quantity AS quantity, o.disclosed_qty AS disclosed_qty, CASE WHEN o.price % 100 = 0 THEN round(o.price / 10000.0, 2)::text ELSE trim_scale(round(o.price / 10000.0, 4))::text END AS price, CASE WHEN o.trigger_price % 100 = 0 THEN round(o.trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.trigger_price / 10000.0, 4))::text END AS trigger_price, o.status AS status, o.broker_status AS broker_status, o.trigger_pending AS trigger_pending, o.filled_qty AS filled_qty, o.remaining_qty AS remaining_qty, CASE WHEN o.average_price % 100 = 0 THEN round(o.average_price / 10000.0, 2)::text ELSE trim_scale(round(o.average_price / 10000.0, 4))::text END AS average_price, CASE WHEN o.co_stop_loss % 100 = 0 THEN round(o.co_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.co_stop_loss / 10000.0, 4))::text END AS co_stop_loss, CASE WHEN o.co_trigger_price % 100 = 0 THEN round(o.co_trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.co_trigger_price / 10000.0, 4))::text END AS co_trigger_price, CASE WHEN o.bo_profit % 100 = 0 THEN round(o.bo_profit / 10000.0, 2)::text ELSE trim_scale(round(o.bo_profit / 10000.0, 4))::text END AS bo_profit, CASE WHEN o.bo_stop_loss % 100 = 0 THEN round(o.bo_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.bo_stop_loss / 10000.0, 4))::text END AS bo_stop_loss, o.bo_order_type AS bo_order_type, o.parent_order_id AS parent_order_id, o.leg_type AS leg_type, o.is_sliced AS is_sliced, o.slice_group_id AS slice_group_id, o.slice_index AS slice_index, o.slice_total_qty AS slice_total_qty, o.is_amo AS is_amo, o.amo_time AS amo_time, o.exchange_order_id AS exchange_order_id, to_char(to_timestamp(o.exchange_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS exchange_at, o.algo_id AS algo_id, o.drv_expiry AS drv_expiry, o.drv_option_type AS drv_option_type, CASE WHEN o.drv_strike % 100 = 0 THEN round(o.drv_strike / 10000.0, 2)::text ELSE trim_scale(round(o.drv_strike / 10000.0, 4))::text END AS drv_strike, o.error_code AS error_code, o.error_message AS error_message, o.strategy AS strategy, o.actor AS actor, o.node AS node, o.version AS version, to_char(to_timestamp(o.send_before / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS send_before, to_char(to_timestamp(o.intent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS intent_at, to_char(to_timestamp(o.sent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS sent_at, to_char(to_timestamp(o.acked_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS acked_at, to_char(to_timestamp(o.first_fill_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS first_fill_at, to_char(to_timestamp(o.placed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS placed_at, to_char(to_timestamp(o.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS updated_at, to_char(to_timestamp(o.completed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS completed_at, o.raw_request AS raw_request, o.raw_response AS raw_response, b.copy_role AS account_type, m.follower_order_id, m.sizing_strategy
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

CREATE VIEW v_active_bracket_orders AS
SELECT o.id AS parent_order_id, b.copy_role AS account_type, o.account_id AS account_id, o.security_id AS security_id, o.exchange_segment AS exchange_segment, CASE WHEN o.bo_profit % 100 = 0 THEN round(o.bo_profit / 10000.0, 2)::text ELSE trim_scale(round(o.bo_profit / 10000.0, 4))::text END AS bo_profit_value, CASE WHEN o.bo_stop_loss % 100 = 0 THEN round(o.bo_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.bo_stop_loss / 10000.0, 4))::text END AS bo_stop_loss_value, min(CASE WHEN l.leg_type = 'ENTRY' THEN l.id END) AS entry_leg_id, min(CASE WHEN l.leg_type = 'TARGET' THEN l.id END) AS target_leg_id, min(CASE WHEN l.leg_type = 'SL' THEN l.id END) AS sl_leg_id, o.status AS status, to_char(to_timestamp(o.placed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS placed_at
FROM orders o
JOIN books b ON b.account_id = o.account_id
LEFT JOIN orders l ON l.parent_order_id = o.id
WHERE (o.bo_profit IS NOT NULL OR o.bo_stop_loss IS NOT NULL)
  AND o.parent_order_id IS NULL AND o.status IN ('PENDING','TRANSIT','UNKNOWN','OPEN','PARTIAL')
GROUP BY o.id, b.account_id

CREATE VIEW v_cover_orders AS
SELECT o.id AS id, o.account_id AS account_id, o.client_order_id AS client_order_id, o.broker_order_id AS broker_order_id, o.correlation_id AS correlation_id, o.instrument_id AS instrument_id, o.exchange_segment AS exchange_segment, o.security_id AS security_id, o.symbol AS symbol, o.side AS side, o.product AS product, o.order_type AS order_type, o.validity AS validity, o.quantity AS quantity, o.disclosed_qty AS disclosed_qty, CASE WHEN o.price % 100 = 0 THEN round(o.price / 10000.0, 2)::text ELSE trim_scale(round(o.price / 10000.0, 4))::text END AS price, CASE WHEN o.trigger_price % 100 = 0 THEN round(o.trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.trigger_price / 10000.0, 4))::text END AS trigger_price, o.status AS status, o.broker_status AS broker_status, o.trigger_pending AS trigger_pending, o.filled_qty AS filled_qty, o.remaining_qty AS remaining_qty, CASE WHEN o.average_price % 100 = 0 THEN round(o.average_price / 10000.0, 2)::text ELSE trim_scale(round(o.average_price / 10000.0, 4))::text END AS average_price, CASE WHEN o.co_stop_loss % 100 = 0 THEN round(o.co_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.co_stop_loss / 10000.0, 4))::text END AS co_stop_loss, CASE WHEN o.co_trigger_price % 100 = 0 THEN round(o.co_trigger_price / 10000.0, 2)::text ELSE trim_scale(round(o.co_trigger_price / 10000.0, 4))::text END AS co_trigger_price, CASE WHEN o.bo_profit % 100 = 0 THEN round(o.bo_profit / 10000.0, 2)::text ELSE trim_scale(round(o.bo_profit / 10000.0, 4))::text END AS bo_profit, CASE WHEN o.bo_stop_loss % 100 = 0 THEN round(o.bo_stop_loss / 10000.0, 2)::text ELSE trim_scale(round(o.bo_stop_loss / 10000.0, 4))::text END AS bo_stop_loss, o.bo_order_type AS bo_order_type, o.parent_order_id AS parent_order_id, o.leg_type AS leg_type, o.is_sliced AS is_sliced, o.slice_group_id AS slice_group_id, o.slice_index AS slice_index, o.slice_total_qty AS slice_total_qty, o.is_amo AS is_amo, o.amo_time AS amo_time, o.exchange_order_id AS exchange_order_id, to_char(to_timestamp(o.exchange_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS exchange_at, o.algo_id AS algo_id, o.drv_expiry AS drv_expiry, o.drv_option_type AS drv_option_type, CASE WHEN o.drv_strike % 100 = 0 THEN round(o.drv_strike / 10000.0, 2)::text ELSE trim_scale(round(o.drv_strike / 10000.0, 4))::text END AS drv_strike, o.error_code AS error_code, o.error_message AS error_message, o.strategy AS strategy, o.actor AS actor, o.node AS node, o.version AS version, to_char(to_timestamp(o.send_before / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS send_before, to_char(to_timestamp(o.intent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS intent_at, to_char(to_timestamp(o.sent_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS sent_at, to_char(to_timestamp(o.acked_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS acked_at, to_char(to_timestamp(o.first_fill_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS first_fill_at, to_char(to_timestamp(o.placed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS placed_at, to_char(to_timestamp(o.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS updated_at, to_char(to_timestamp(o.completed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS completed_at, o.raw_request AS raw_request, o.raw_response AS raw_response, b.copy_role AS account_type
FROM orders o
JOIN books b ON b.account_id = o.account_id
WHERE o.co_stop_loss IS NOT NULL

CREATE VIEW bracket_order_legs AS
SELECT l.id, p.broker_order_id AS parent_order_id, l.broker_order_id AS leg_order_id, l.leg_type, b.copy_role AS account_type, l.status, to_char(to_timestamp(l.placed_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS created_at, to_char(to_timestamp(l.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS updated_at
FROM orders l
JOIN orders p ON p.id = l.parent_order_id
JOIN books b ON b.account_id = l.account_id
WHERE l.leg_type IS NOT NULL

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

CREATE VIEW v_latest_holdings AS
SELECT h.id AS id, h.account_id AS account_id, to_char(to_timestamp(h.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS snapshot_at, h.instrument_id AS instrument_id, h.exchange_segment AS exchange_segment, h.security_id AS security_id, h.symbol AS symbol, h.isin AS isin, h.total_qty AS total_qty, h.dp_qty AS dp_qty, h.t1_qty AS t1_qty, h.available_qty AS available_qty, h.collateral_qty AS collateral_qty, h.collateral_update_qty AS collateral_update_qty, CASE WHEN h.average_price % 100 = 0 THEN round(h.average_price / 10000.0, 2)::text ELSE trim_scale(round(h.average_price / 10000.0, 4))::text END AS average_price, CASE WHEN h.last_price % 100 = 0 THEN round(h.last_price / 10000.0, 2)::text ELSE trim_scale(round(h.last_price / 10000.0, 4))::text END AS last_price, CASE WHEN h.invested_value % 100 = 0 THEN round(h.invested_value / 10000.0, 2)::text ELSE trim_scale(round(h.invested_value / 10000.0, 4))::text END AS invested_value, CASE WHEN h.current_value % 100 = 0 THEN round(h.current_value / 10000.0, 2)::text ELSE trim_scale(round(h.current_value / 10000.0, 4))::text END AS current_value, CASE WHEN h.realized_pnl % 100 = 0 THEN round(h.realized_pnl / 10000.0, 2)::text ELSE trim_scale(round(h.realized_pnl / 10000.0, 4))::text END AS realized_pnl, CASE WHEN h.unrealized_pnl % 100 = 0 THEN round(h.unrealized_pnl / 10000.0, 2)::text ELSE trim_scale(round(h.unrealized_pnl / 10000.0, 4))::text END AS unrealized_pnl, CASE WHEN h.pnl % 100 = 0 THEN round(h.pnl / 10000.0, 2)::text ELSE trim_scale(round(h.pnl / 10000.0, 4))::text END AS pnl, CASE WHEN h.pnl_pct % 100 = 0 THEN round(h.pnl_pct / 10000.0, 2)::text ELSE trim_scale(round(h.pnl_pct / 10000.0, 4))::text END AS pnl_pct, h.raw AS raw, b.copy_role AS account_type
FROM holdings h
JOIN books b ON b.account_id = h.account_id
WHERE h.total_qty <> 0

CREATE VIEW v_latest_funds AS
SELECT f.account_id, to_char(to_timestamp(f.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS snapshot_at, CASE WHEN f.available_balance % 100 = 0 THEN round(f.available_balance / 10000.0, 2)::text ELSE trim_scale(round(f.available_balance / 10000.0, 4))::text END AS available_balance, CASE WHEN f.sod_limit % 100 = 0 THEN round(f.sod_limit / 10000.0, 2)::text ELSE trim_scale(round(f.sod_limit / 10000.0, 4))::text END AS sod_limit, CASE WHEN f.collateral % 100 = 0 THEN round(f.collateral / 10000.0, 2)::text ELSE trim_scale(round(f.collateral / 10000.0, 4))::text END AS collateral, CASE WHEN f.margin_used % 100 = 0 THEN round(f.margin_used / 10000.0, 2)::text ELSE trim_scale(round(f.margin_used / 10000.0, 4))::text END AS margin_used, CASE WHEN f.margin_available % 100 = 0 THEN round(f.margin_available / 10000.0, 2)::text ELSE trim_scale(round(f.margin_available / 10000.0, 4))::text END AS margin_available, CASE WHEN f.withdrawable_balance % 100 = 0 THEN round(f.withdrawable_balance / 10000.0, 2)::text ELSE trim_scale(round(f.withdrawable_balance / 10000.0, 4))::text END AS withdrawable_balance, CASE WHEN f.blocked_margin % 100 = 0 THEN round(f.blocked_margin / 10000.0, 2)::text ELSE trim_scale(round(f.blocked_margin / 10000.0, 4))::text END AS blocked_margin, f.raw AS raw, b.copy_role AS account_type
FROM funds f
JOIN books b ON b.account_id = f.account_id

CREATE VIEW v_latest_positions AS
SELECT p.id AS id, p.account_id AS account_id, to_char(to_timestamp(p.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS snapshot_at, p.instrument_id AS instrument_id, p.exchange_segment AS exchange_segment, p.security_id AS security_id, p.symbol AS symbol, p.product AS product, 'NET' AS position_type, p.buy_qty AS buy_qty, p.sell_qty AS sell_qty, p.net_qty AS net_qty, p.day_qty AS day_qty, p.overnight_qty AS overnight_qty, CASE WHEN p.buy_avg % 100 = 0 THEN round(p.buy_avg / 10000.0, 2)::text ELSE trim_scale(round(p.buy_avg / 10000.0, 4))::text END AS buy_avg, CASE WHEN p.sell_avg % 100 = 0 THEN round(p.sell_avg / 10000.0, 2)::text ELSE trim_scale(round(p.sell_avg / 10000.0, 4))::text END AS sell_avg, CASE WHEN p.average_price % 100 = 0 THEN round(p.average_price / 10000.0, 2)::text ELSE trim_scale(round(p.average_price / 10000.0, 4))::text END AS average_price, CASE WHEN p.last_price % 100 = 0 THEN round(p.last_price / 10000.0, 2)::text ELSE trim_scale(round(p.last_price / 10000.0, 4))::text END AS last_price, CASE WHEN p.close_price % 100 = 0 THEN round(p.close_price / 10000.0, 2)::text ELSE trim_scale(round(p.close_price / 10000.0, 4))::text END AS close_price, CASE WHEN p.realized_pnl % 100 = 0 THEN round(p.realized_pnl / 10000.0, 2)::text ELSE trim_scale(round(p.realized_pnl / 10000.0, 4))::text END AS realized_pnl, CASE WHEN p.unrealized_pnl % 100 = 0 THEN round(p.unrealized_pnl / 10000.0, 2)::text ELSE trim_scale(round(p.unrealized_pnl / 10000.0, 4))::text END AS unrealized_pnl, CASE WHEN p.total_pnl % 100 = 0 THEN round(p.total_pnl / 10000.0, 2)::text ELSE trim_scale(round(p.total_pnl / 10000.0, 4))::text END AS total_pnl, CASE WHEN p.pnl_pct % 100 = 0 THEN round(p.pnl_pct / 10000.0, 2)::text ELSE trim_scale(round(p.pnl_pct / 10000.0, 4))::text END AS pnl_pct, CASE WHEN p.day_change % 100 = 0 THEN round(p.day_change / 10000.0, 2)::text ELSE trim_scale(round(p.day_change / 10000.0, 4))::text END AS day_change, CASE WHEN p.day_change_pct % 100 = 0 THEN round(p.day_change_pct / 10000.0, 2)::text ELSE trim_scale(round(p.day_change_pct / 10000.0, 4))::text END AS day_change_pct, p.multiplier AS multiplier, CASE WHEN p.margin_required % 100 = 0 THEN round(p.margin_required / 10000.0, 2)::text ELSE trim_scale(round(p.margin_required / 10000.0, 4))::text END AS margin_required, p.raw AS raw, b.copy_role AS account_type
FROM positions p
JOIN books b ON b.account_id = p.account_id
WHERE p.net_qty <> 0 OR p.day_buy_qty <> 0 OR p.day_sell_qty <> 0
UNION ALL
SELECT p.id AS id, p.account_id AS account_id, to_char(to_timestamp(p.updated_at / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS snapshot_at, p.instrument_id AS instrument_id, p.exchange_segment AS exchange_segment, p.security_id AS security_id, p.symbol AS symbol, p.product AS product, 'DAY' AS position_type, p.day_buy_qty AS buy_qty, p.day_sell_qty AS sell_qty, p.day_qty AS net_qty, p.day_qty AS day_qty, p.overnight_qty AS overnight_qty, CASE WHEN p.day_buy_avg % 100 = 0 THEN round(p.day_buy_avg / 10000.0, 2)::text ELSE trim_scale(round(p.day_buy_avg / 10000.0, 4))::text END AS buy_avg, CASE WHEN p.day_sell_avg % 100 = 0 THEN round(p.day_sell_avg / 10000.0, 2)::text ELSE trim_scale(round(p.day_sell_avg / 10000.0, 4))::text END AS sell_avg, CASE WHEN p.average_price % 100 = 0 THEN round(p.average_price / 10000.0, 2)::text ELSE trim_scale(round(p.average_price / 10000.0, 4))::text END AS average_price, CASE WHEN p.last_price % 100 = 0 THEN round(p.last_price / 10000.0, 2)::text ELSE trim_scale(round(p.last_price / 10000.0, 4))::text END AS last_price, CASE WHEN p.close_price % 100 = 0 THEN round(p.close_price / 10000.0, 2)::text ELSE trim_scale(round(p.close_price / 10000.0, 4))::text END AS close_price, CASE WHEN p.day_realized_pnl % 100 = 0 THEN round(p.day_realized_pnl / 10000.0, 2)::text ELSE trim_scale(round(p.day_realized_pnl / 10000.0, 4))::text END AS realized_pnl, CASE WHEN p.day_unrealized_pnl % 100 = 0 THEN round(p.day_unrealized_pnl / 10000.0, 2)::text ELSE trim_scale(round(p.day_unrealized_pnl / 10000.0, 4))::text END AS unrealized_pnl, CASE WHEN p.day_total_pnl % 100 = 0 THEN round(p.day_total_pnl / 10000.0, 2)::text ELSE trim_scale(round(p.day_total_pnl / 10000.0, 4))::text END AS total_pnl, CASE WHEN p.pnl_pct % 100 = 0 THEN round(p.pnl_pct / 10000.0, 2)::text ELSE trim_scale(round(p.pnl_pct / 10000.0, 4))::text END AS pnl_pct, CASE WHEN p.day_change % 100 = 0 THEN round(p.day_change / 10000.0, 2)::text ELSE trim_scale(round(p.day_change / 10000.0, 4))::text END AS day_change, CASE WHEN p.day_change_pct % 100 = 0 THEN round(p.day_change_pct / 10000.0, 2)::text ELSE trim_scale(round(p.day_change_pct / 10000.0, 4))::text END AS day_change_pct, p.multiplier AS multiplier, CASE WHEN p.margin_required % 100 = 0 THEN round(p.margin_required / 10000.0, 2)::text ELSE trim_scale(round(p.margin_required / 10000.0, 4))::text END AS margin_required, p.raw AS raw, b.copy_role AS account_type
FROM positions p
JOIN books b ON b.account_id = p.account_id
WHERE p.net_qty <> 0 OR p.day_buy_qty <> 0 OR p.day_sell_qty <> 0

-- down

DROP VIEW v_latest_positions

DROP VIEW v_latest_funds

DROP VIEW v_latest_holdings

DROP VIEW v_recent_trades

DROP VIEW v_sliced_orders

DROP VIEW bracket_order_legs

DROP VIEW v_cover_orders

DROP VIEW v_active_bracket_orders

DROP VIEW v_active_forever_orders

DROP VIEW v_active_orders

DROP VIEW activity_logs

DROP TABLE copy_mappings

DROP TABLE order_modifications

DROP TABLE order_events

DROP TABLE margin_requirements

DROP TABLE forever_orders

DROP TABLE trades

DROP TABLE traders_control

DROP TABLE reconciliation_breaks

DROP TABLE positions

DROP TABLE position_snapshots

DROP TABLE position_adjustments

DROP TABLE paper_fills

DROP TABLE orders

DROP TABLE order_keys

DROP TABLE margin_blocks

DROP TABLE ledger_entries

DROP TABLE holdings

DROP TABLE holding_snapshots

DROP TABLE funds

DROP TABLE fund_snapshots

DROP TABLE edis_transactions

DROP TABLE audit_seal_rows

DROP TABLE alerts

DROP TABLE write_marks

DROP TABLE risk_violations

DROP TABLE permits

DROP TABLE paper_orders

DROP TABLE paper_depth

DROP TABLE jobs

DROP TABLE books

DROP TABLE audit_trail

DROP TABLE audit_seals

DROP FUNCTION refuse_change()

DROP FUNCTION touch()
