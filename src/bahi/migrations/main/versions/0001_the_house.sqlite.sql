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

CREATE TABLE cache_entries (
  cache_key TEXT NOT NULL,
  cache_value TEXT,
  cache_type TEXT,
  expires_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  access_count INTEGER DEFAULT 0 NOT NULL,
  last_accessed_at INTEGER,
  CONSTRAINT pk_cache_entries PRIMARY KEY (cache_key)
)
 STRICT

CREATE INDEX ix_cache_entries_expires_at ON cache_entries (expires_at)

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
  CONSTRAINT pk_charge_rates PRIMARY KEY (id),
  CONSTRAINT ck_charge_rates_rate_or_amount CHECK (rate IS NOT NULL OR amount IS NOT NULL)
)
 STRICT

CREATE INDEX ix_charge_rates_charge_valid_from ON charge_rates (charge, valid_from)

CREATE TABLE config (
  category TEXT DEFAULT 'system' NOT NULL,
  "key" TEXT NOT NULL,
  value TEXT NOT NULL,
  value_enc BLOB,
  data_type TEXT DEFAULT 'string' NOT NULL CONSTRAINT ck_config_data_type CHECK (data_type IN ('string','integer','boolean','json')),
  description TEXT,
  is_sensitive INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_config_is_sensitive CHECK (is_sensitive IN (0,1)),
  is_active INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_config_is_active CHECK (is_active IN (0,1)),
  version INTEGER DEFAULT 1 NOT NULL,
  created_at INTEGER,
  updated_at INTEGER NOT NULL,
  updated_by TEXT,
  CONSTRAINT pk_config PRIMARY KEY (category, "key"),
  CONSTRAINT ck_config_sensitive_is_sealed CHECK (is_sensitive = 0 OR value = '')
)
 STRICT

CREATE TABLE egress_addresses (
  id INTEGER NOT NULL,
  address TEXT NOT NULL,
  description TEXT,
  is_active INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_egress_addresses_is_active CHECK (is_active IN (0,1)),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CONSTRAINT pk_egress_addresses PRIMARY KEY (id),
  CONSTRAINT uq_egress_addresses_address UNIQUE (address)
)
 STRICT

CREATE TABLE import_rows (
  source TEXT NOT NULL,
  source_table TEXT NOT NULL,
  source_key TEXT NOT NULL,
  target_table TEXT NOT NULL,
  target_key TEXT NOT NULL,
  original TEXT NOT NULL,
  secrets_enc BLOB,
  imported_at INTEGER NOT NULL,
  CONSTRAINT pk_import_rows PRIMARY KEY (source, source_table, source_key)
)
 STRICT

CREATE INDEX ix_import_rows_target_table_target_key ON import_rows (target_table, target_key)

CREATE TABLE instruments (
  id INTEGER NOT NULL,
  exchange_segment TEXT NOT NULL CONSTRAINT ck_instruments_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
  symbol TEXT NOT NULL,
  root_symbol TEXT,
  trading_symbol TEXT,
  name TEXT,
  instrument_type TEXT,
  isin TEXT,
  expiry TEXT CONSTRAINT ck_instruments_expiry CHECK (length(expiry) = 10),
  strike INTEGER,
  option_type TEXT CONSTRAINT ck_instruments_option_type CHECK (option_type IN ('CE','PE')),
  lot_size INTEGER,
  tick_size INTEGER,
  underlying_id INTEGER,
  meta TEXT,
  is_active INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_instruments_is_active CHECK (is_active IN (0,1)),
  updated_at INTEGER NOT NULL,
  CONSTRAINT pk_instruments PRIMARY KEY (id),
  CONSTRAINT fk_instruments_underlying_id FOREIGN KEY(underlying_id) REFERENCES instruments (id) ON DELETE SET NULL,
  CONSTRAINT uq_instruments_exchange_segment_symbol UNIQUE (exchange_segment, symbol)
)
 STRICT

CREATE INDEX ix_instruments_instrument_type_exchange_segment ON instruments (instrument_type, exchange_segment)

CREATE INDEX ix_instruments_isin ON instruments (isin)

CREATE INDEX ix_instruments_root_symbol_exchange_segment ON instruments (root_symbol, exchange_segment)

CREATE INDEX ix_instruments_trading_symbol ON instruments (trading_symbol)

CREATE INDEX ix_instruments_underlying_id_expiry ON instruments (underlying_id, expiry)

CREATE TABLE jobs (
  id INTEGER NOT NULL,
  job_id TEXT NOT NULL,
  job_type TEXT NOT NULL,
  payload TEXT,
  status TEXT NOT NULL CONSTRAINT ck_jobs_status CHECK (status IN ('pending','running','completed','failed')),
  message TEXT,
  progress_percent INTEGER DEFAULT 0 NOT NULL,
  priority INTEGER DEFAULT 0 NOT NULL,
  run_at INTEGER NOT NULL,
  attempts INTEGER DEFAULT 0 NOT NULL,
  lease_owner TEXT,
  leased_until INTEGER,
  fence INTEGER DEFAULT 0 NOT NULL,
  source_job_id INTEGER,
  created_by TEXT,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  updated_at INTEGER NOT NULL,
  completed_at INTEGER,
  result TEXT,
  error_details TEXT,
  CONSTRAINT pk_jobs PRIMARY KEY (id),
  CONSTRAINT uq_jobs_job_id UNIQUE (job_id),
  CONSTRAINT uq_jobs_source_job_id UNIQUE (source_job_id),
  CONSTRAINT ck_jobs_progress CHECK (progress_percent BETWEEN 0 AND 100)
)
 STRICT

CREATE INDEX ix_jobs_leased_until ON jobs (leased_until) WHERE status = 'running'

CREATE INDEX ix_jobs_run_at_priority ON jobs (run_at, priority) WHERE status = 'pending'

CREATE INDEX ix_jobs_status_job_type ON jobs (status, job_type)

CREATE TABLE ml_validation_runs (
  id INTEGER NOT NULL,
  validation_id TEXT NOT NULL,
  model_type TEXT,
  signal_type TEXT,
  date_range_start TEXT CONSTRAINT ck_ml_validation_runs_date_range_start CHECK (length(date_range_start) = 10),
  date_range_end TEXT CONSTRAINT ck_ml_validation_runs_date_range_end CHECK (length(date_range_end) = 10),
  status TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  completed_at INTEGER,
  accuracy INTEGER,
  precision_score INTEGER,
  recall_score INTEGER,
  f1_score INTEGER,
  output TEXT,
  error_message TEXT,
  created_by TEXT,
  CONSTRAINT pk_ml_validation_runs PRIMARY KEY (id),
  CONSTRAINT uq_ml_validation_runs_validation_id UNIQUE (validation_id)
)
 STRICT

CREATE TABLE nodes (
  id INTEGER NOT NULL,
  counter INTEGER NOT NULL,
  CONSTRAINT pk_nodes PRIMARY KEY (id),
  CONSTRAINT ck_nodes_only_one CHECK (id = 1)
)
 STRICT

CREATE TABLE permits (
  id INTEGER NOT NULL,
  never INTEGER NOT NULL,
  reason TEXT NOT NULL,
  CONSTRAINT pk_permits PRIMARY KEY (id),
  CONSTRAINT fk_permits_never FOREIGN KEY(never) REFERENCES permits (id) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT ck_permits_only_one CHECK (id = 1 AND never = 0)
)
 STRICT

CREATE TABLE risk_violations (
  id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  scope TEXT DEFAULT 'ACCOUNT' NOT NULL CONSTRAINT ck_risk_violations_scope CHECK (scope IN ('GLOBAL','USER','ACCOUNT','STRATEGY')),
  strategy TEXT,
  violation_type TEXT NOT NULL CONSTRAINT ck_risk_violations_violation_type CHECK (violation_type IN ('DAILY_LOSS','POSITION_SIZE','ORDER_VALUE','KILL_SWITCH','ORDERS_PER_DAY','OPEN_ORDERS','ORDER_RATE','PRICE_BAND','NOT_ALLOWED','TRADING_HOURS','ELIGIBILITY','MARGIN','STALE_PRICE')),
  limit_value INTEGER NOT NULL,
  actual_value INTEGER NOT NULL,
  order_id INTEGER,
  security_id TEXT,
  action_taken TEXT CONSTRAINT ck_risk_violations_action_taken CHECK (action_taken IN ('ORDER_REJECTED','KILL_SWITCH_ACTIVATED')),
  message TEXT,
  evidence TEXT,
  violated_at INTEGER NOT NULL,
  CONSTRAINT pk_risk_violations PRIMARY KEY (id)
)
 STRICT

CREATE INDEX ix_risk_violations_account_id_violated_at ON risk_violations (account_id, violated_at)

CREATE INDEX ix_risk_violations_violation_type ON risk_violations (violation_type)

CREATE TABLE scheduler_runs (
  id INTEGER NOT NULL,
  job_id TEXT NOT NULL,
  job_name TEXT,
  platform TEXT NOT NULL,
  executed_at INTEGER NOT NULL,
  success INTEGER NOT NULL CONSTRAINT ck_scheduler_runs_success CHECK (success IN (0,1)),
  result_message TEXT,
  error_details TEXT,
  duration_ms INTEGER,
  retry_count INTEGER DEFAULT 0,
  CONSTRAINT pk_scheduler_runs PRIMARY KEY (id)
)
 STRICT

CREATE INDEX ix_scheduler_runs_job_id_platform_executed_at ON scheduler_runs (job_id, platform, executed_at)

CREATE TABLE system_health (
  id INTEGER NOT NULL,
  component TEXT NOT NULL,
  status TEXT NOT NULL CONSTRAINT ck_system_health_status CHECK (status IN ('healthy','degraded','unhealthy')),
  checked_at INTEGER NOT NULL,
  response_time_ms INTEGER,
  error_count INTEGER DEFAULT 0,
  details TEXT,
  CONSTRAINT pk_system_health PRIMARY KEY (id)
)
 STRICT

CREATE INDEX ix_system_health_component_checked_at ON system_health (component, checked_at)

CREATE TABLE trading_calendars (
  id INTEGER NOT NULL,
  name TEXT NOT NULL,
  timezone TEXT DEFAULT 'Asia/Kolkata' NOT NULL,
  is_active INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_trading_calendars_is_active CHECK (is_active IN (0,1)),
  created_at INTEGER NOT NULL,
  CONSTRAINT pk_trading_calendars PRIMARY KEY (id)
)
 STRICT

CREATE TABLE users (
  id INTEGER NOT NULL,
  username TEXT NOT NULL,
  email TEXT,
  password_hash TEXT,
  totp_enc BLOB,
  role TEXT DEFAULT 'trader' NOT NULL CONSTRAINT ck_users_role CHECK (role IN ('admin','trader','viewer')),
  is_active INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_users_is_active CHECK (is_active IN (0,1)),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  last_login_at INTEGER,
  deleted_at INTEGER,
  CONSTRAINT pk_users PRIMARY KEY (id),
  CONSTRAINT uq_users_username UNIQUE (username),
  CONSTRAINT uq_users_email UNIQUE (email)
)
 STRICT

CREATE TABLE write_marks (
  writer INTEGER NOT NULL,
  unit INTEGER NOT NULL,
  marked_at INTEGER NOT NULL,
  CONSTRAINT pk_write_marks PRIMARY KEY (writer)
)
 STRICT

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
  CONSTRAINT pk_api_keys PRIMARY KEY (id),
  CONSTRAINT uq_api_keys_key_hash UNIQUE (key_hash),
  CONSTRAINT fk_api_keys_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_api_keys_user_id_is_active ON api_keys (user_id, is_active)

CREATE TABLE audit_seal_rows (
  audit_id INTEGER NOT NULL,
  seal_no INTEGER NOT NULL,
  CONSTRAINT pk_audit_seal_rows PRIMARY KEY (audit_id),
  CONSTRAINT fk_audit_seal_rows_seal_no FOREIGN KEY(seal_no) REFERENCES audit_seals (seal_no) ON DELETE RESTRICT
)
 STRICT

CREATE INDEX ix_audit_seal_rows_seal_no ON audit_seal_rows (seal_no)

CREATE TABLE broker_symbols (
  broker TEXT NOT NULL CONSTRAINT ck_broker_symbols_broker CHECK (broker IN ('kite','upstox','dhan','breeze','angel','openalgo','paper')),
  instrument_id INTEGER NOT NULL,
  broker_symbol TEXT,
  security_id TEXT,
  updated_at INTEGER,
  CONSTRAINT pk_broker_symbols PRIMARY KEY (broker, instrument_id),
  CONSTRAINT fk_broker_symbols_instrument_id FOREIGN KEY(instrument_id) REFERENCES instruments (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_broker_symbols_broker_security_id ON broker_symbols (broker, security_id)

CREATE INDEX ix_broker_symbols_instrument_id ON broker_symbols (instrument_id)

CREATE TABLE instrument_terms (
  id INTEGER NOT NULL,
  instrument_id INTEGER NOT NULL,
  valid_from TEXT NOT NULL CONSTRAINT ck_instrument_terms_valid_from CHECK (length(valid_from) = 10),
  lot_size INTEGER,
  tick_size INTEGER,
  freeze_qty INTEGER,
  lower_band INTEGER,
  upper_band INTEGER,
  strike INTEGER,
  source TEXT,
  created_at INTEGER NOT NULL,
  CONSTRAINT pk_instrument_terms PRIMARY KEY (id),
  CONSTRAINT uq_instrument_terms_instrument_id_valid_from UNIQUE (instrument_id, valid_from),
  CONSTRAINT fk_instrument_terms_instrument_id FOREIGN KEY(instrument_id) REFERENCES instruments (id) ON DELETE CASCADE
)
 STRICT

CREATE TABLE market_holidays (
  id INTEGER NOT NULL,
  calendar_id INTEGER NOT NULL,
  date TEXT NOT NULL CONSTRAINT ck_market_holidays_date CHECK (length(date) = 10),
  description TEXT,
  holiday_type TEXT CONSTRAINT ck_market_holidays_holiday_type CHECK (holiday_type IN ('full_day','muhurat','special')),
  market_open TEXT CONSTRAINT ck_market_holidays_market_open CHECK (length(market_open) = 5),
  market_close TEXT CONSTRAINT ck_market_holidays_market_close CHECK (length(market_close) = 5),
  CONSTRAINT pk_market_holidays PRIMARY KEY (id),
  CONSTRAINT fk_market_holidays_calendar_id FOREIGN KEY(calendar_id) REFERENCES trading_calendars (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_market_holidays_calendar_id_date ON market_holidays (calendar_id, date)

CREATE TABLE persons (
  id INTEGER NOT NULL,
  user_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  pan_enc BLOB,
  pan_hash TEXT,
  relation TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CONSTRAINT pk_persons PRIMARY KEY (id),
  CONSTRAINT uq_persons_user_id_pan_hash UNIQUE (user_id, pan_hash),
  CONSTRAINT fk_persons_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
)
 STRICT

CREATE TABLE strategies (
  id INTEGER NOT NULL,
  user_id INTEGER,
  name TEXT NOT NULL,
  description TEXT,
  style TEXT,
  source TEXT CONSTRAINT ck_strategies_source CHECK (source IN ('webhook','python','chartink')),
  config TEXT,
  is_active INTEGER NOT NULL CONSTRAINT ck_strategies_is_active CHECK (is_active IN (0,1)),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CONSTRAINT pk_strategies PRIMARY KEY (id),
  CONSTRAINT fk_strategies_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_strategies_user_id_name ON strategies (user_id, name)

CREATE TABLE trading_sessions (
  id INTEGER NOT NULL,
  calendar_id INTEGER NOT NULL,
  day_of_week INTEGER NOT NULL CONSTRAINT ck_trading_sessions_day_of_week CHECK (day_of_week IN (0,1,2,3,4,5,6)),
  pre_market_start TEXT CONSTRAINT ck_trading_sessions_pre_market_start CHECK (length(pre_market_start) = 5),
  pre_market_end TEXT CONSTRAINT ck_trading_sessions_pre_market_end CHECK (length(pre_market_end) = 5),
  market_open TEXT CONSTRAINT ck_trading_sessions_market_open CHECK (length(market_open) = 5),
  market_close TEXT CONSTRAINT ck_trading_sessions_market_close CHECK (length(market_close) = 5),
  post_market_start TEXT CONSTRAINT ck_trading_sessions_post_market_start CHECK (length(post_market_start) = 5),
  post_market_end TEXT CONSTRAINT ck_trading_sessions_post_market_end CHECK (length(post_market_end) = 5),
  is_trading_day INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_trading_sessions_is_trading_day CHECK (is_trading_day IN (0,1)),
  valid_from TEXT CONSTRAINT ck_trading_sessions_valid_from CHECK (length(valid_from) = 10),
  valid_until TEXT CONSTRAINT ck_trading_sessions_valid_until CHECK (length(valid_until) = 10),
  CONSTRAINT pk_trading_sessions PRIMARY KEY (id),
  CONSTRAINT fk_trading_sessions_calendar_id FOREIGN KEY(calendar_id) REFERENCES trading_calendars (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_trading_sessions_calendar_id_day_of_week ON trading_sessions (calendar_id, day_of_week)

CREATE TABLE user_sessions (
  id INTEGER NOT NULL,
  user_id INTEGER NOT NULL,
  token_hash TEXT NOT NULL,
  role TEXT DEFAULT 'trader' NOT NULL CONSTRAINT ck_user_sessions_role CHECK (role IN ('admin','trader','viewer')),
  ip_address TEXT,
  user_agent TEXT,
  created_at INTEGER NOT NULL,
  last_activity_at INTEGER NOT NULL,
  expires_at INTEGER,
  is_active INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_user_sessions_is_active CHECK (is_active IN (0,1)),
  CONSTRAINT pk_user_sessions PRIMARY KEY (id),
  CONSTRAINT uq_user_sessions_token_hash UNIQUE (token_hash),
  CONSTRAINT fk_user_sessions_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_user_sessions_user_id_is_active ON user_sessions (user_id, is_active)

CREATE TABLE accounts (
  id INTEGER NOT NULL,
  user_id INTEGER NOT NULL,
  person_id INTEGER,
  name TEXT NOT NULL,
  broker TEXT NOT NULL CONSTRAINT ck_accounts_broker CHECK (broker IN ('kite','upstox','dhan','breeze','angel','openalgo','paper')),
  mode TEXT DEFAULT 'live' NOT NULL CONSTRAINT ck_accounts_mode CHECK (mode IN ('live','paper')),
  copy_role TEXT CONSTRAINT ck_accounts_copy_role CHECK (copy_role IN ('leader','follower')),
  broker_user_id TEXT,
  broker_user_name TEXT,
  host_url TEXT DEFAULT 'http://127.0.0.1:5000',
  websocket_url TEXT DEFAULT 'ws://127.0.0.1:8765',
  is_primary INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_accounts_is_primary CHECK (is_primary IN (0,1)),
  is_active INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_accounts_is_active CHECK (is_active IN (0,1)),
  has_ddpi INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_accounts_has_ddpi CHECK (has_ddpi IN (0,1)),
  egress_address_id INTEGER,
  connection_status TEXT DEFAULT 'DISCONNECTED' NOT NULL CONSTRAINT ck_accounts_connection_status CHECK (connection_status IN ('CONNECTING','CONNECTED','DISCONNECTED','ERROR')),
  last_connected_at INTEGER,
  last_positions_at INTEGER,
  last_holdings_at INTEGER,
  last_funds_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER,
  CONSTRAINT pk_accounts PRIMARY KEY (id),
  CONSTRAINT fk_accounts_egress_address_id FOREIGN KEY(egress_address_id) REFERENCES egress_addresses (id) ON DELETE RESTRICT,
  CONSTRAINT fk_accounts_person_id FOREIGN KEY(person_id) REFERENCES persons (id) ON DELETE SET NULL,
  CONSTRAINT fk_accounts_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE,
  CONSTRAINT ck_accounts_name_length CHECK (length(name) >= 3),
  CONSTRAINT uq_accounts_user_id_name UNIQUE (user_id, name)
)
 STRICT

CREATE INDEX ix_accounts_broker_copy_role ON accounts (broker, copy_role)

CREATE INDEX ix_accounts_is_active ON accounts (is_active)

CREATE INDEX ix_accounts_user_id_is_primary_name_broker ON accounts (user_id, is_primary, name, broker)

CREATE UNIQUE INDEX uq_accounts_user_id ON accounts (user_id) WHERE is_primary = 1

CREATE TABLE api_key_accounts (
  api_key_id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  default_for TEXT CONSTRAINT ck_api_key_accounts_default_for CHECK (default_for IN ('live','paper')),
  CONSTRAINT pk_api_key_accounts PRIMARY KEY (api_key_id, account_id),
  CONSTRAINT fk_api_key_accounts_api_key_id FOREIGN KEY(api_key_id) REFERENCES api_keys (id) ON DELETE CASCADE,
  CONSTRAINT fk_api_key_accounts_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE,
  CONSTRAINT uq_api_key_accounts_api_key_id_default_for UNIQUE (api_key_id, default_for)
)
 STRICT

CREATE INDEX ix_api_key_accounts_account_id ON api_key_accounts (account_id)

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
  CONSTRAINT pk_books PRIMARY KEY (account_id),
  CONSTRAINT fk_books_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_books_user_id ON books (user_id)

CREATE TABLE broker_apis (
  id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  api_name TEXT DEFAULT 'PRIMARY' NOT NULL,
  api_index INTEGER DEFAULT 0 NOT NULL,
  client_id TEXT,
  secret_enc BLOB,
  is_primary INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_broker_apis_is_primary CHECK (is_primary IN (0,1)),
  enabled INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_broker_apis_enabled CHECK (enabled IN (0,1)),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CONSTRAINT pk_broker_apis PRIMARY KEY (id),
  CONSTRAINT fk_broker_apis_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE,
  CONSTRAINT uq_broker_apis_account_id_api_index UNIQUE (account_id, api_index),
  CONSTRAINT uq_broker_apis_account_id_api_name UNIQUE (account_id, api_name)
)
 STRICT

CREATE TABLE failover_events (
  id INTEGER NOT NULL,
  from_account_id INTEGER,
  to_account_id INTEGER,
  reason TEXT,
  at INTEGER NOT NULL,
  success INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_failover_events_success CHECK (success IN (0,1)),
  error_message TEXT,
  CONSTRAINT pk_failover_events PRIMARY KEY (id),
  CONSTRAINT fk_failover_events_to_account_id FOREIGN KEY(to_account_id) REFERENCES accounts (id) ON DELETE SET NULL,
  CONSTRAINT fk_failover_events_from_account_id FOREIGN KEY(from_account_id) REFERENCES accounts (id) ON DELETE SET NULL
)
 STRICT

CREATE INDEX ix_failover_events_at ON failover_events (at)

CREATE TABLE inbound_messages (
  id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  channel TEXT NOT NULL CONSTRAINT ck_inbound_messages_channel CHECK (channel IN ('WEBSOCKET','POSTBACK')),
  connection_id TEXT,
  message_type TEXT NOT NULL,
  order_ref TEXT,
  order_id INTEGER,
  payload TEXT NOT NULL,
  sequence_number INTEGER,
  dedupe_key TEXT,
  signature TEXT,
  is_verified INTEGER CONSTRAINT ck_inbound_messages_is_verified CHECK (is_verified IN (0,1)),
  is_processed INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_inbound_messages_is_processed CHECK (is_processed IN (0,1)),
  processed_at INTEGER,
  error_message TEXT,
  received_at INTEGER NOT NULL,
  CONSTRAINT pk_inbound_messages PRIMARY KEY (id),
  CONSTRAINT fk_inbound_messages_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE,
  CONSTRAINT uq_inbound_messages_account_id_channel_dedupe_key UNIQUE (account_id, channel, dedupe_key)
)
 STRICT

CREATE INDEX ix_inbound_messages_account_id_received_at ON inbound_messages (account_id, received_at)

CREATE INDEX ix_inbound_messages_connection_id_sequence_number ON inbound_messages (connection_id, sequence_number)

CREATE INDEX ix_inbound_messages_is_processed_received_at ON inbound_messages (is_processed, received_at)

CREATE INDEX ix_inbound_messages_order_id ON inbound_messages (order_id)

CREATE TABLE postback_configs (
  id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  webhook_url TEXT NOT NULL,
  webhook_secret_enc BLOB,
  event_types TEXT,
  is_active INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_postback_configs_is_active CHECK (is_active IN (0,1)),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  last_triggered_at INTEGER,
  CONSTRAINT pk_postback_configs PRIMARY KEY (id),
  CONSTRAINT fk_postback_configs_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_postback_configs_account_id_is_active ON postback_configs (account_id, is_active)

CREATE TABLE rate_limits (
  id INTEGER NOT NULL,
  api_name TEXT NOT NULL,
  account_id INTEGER,
  user_ref TEXT,
  endpoint TEXT,
  request_count INTEGER DEFAULT 0 NOT NULL,
  window_start INTEGER NOT NULL,
  window_end INTEGER,
  last_request_at INTEGER,
  limit_exceeded INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_rate_limits_limit_exceeded CHECK (limit_exceeded IN (0,1)),
  created_at INTEGER NOT NULL,
  CONSTRAINT pk_rate_limits PRIMARY KEY (id),
  CONSTRAINT fk_rate_limits_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_rate_limits_account_id_endpoint_window_end ON rate_limits (account_id, endpoint, window_end)

CREATE INDEX ix_rate_limits_api_name_user_ref_window_start_window_end ON rate_limits (api_name, user_ref, window_start, window_end)

CREATE TABLE strategy_deployments (
  id INTEGER NOT NULL,
  strategy_id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  capital_allocated INTEGER,
  max_positions INTEGER DEFAULT 5,
  status TEXT DEFAULT 'inactive' NOT NULL CONSTRAINT ck_strategy_deployments_status CHECK (status IN ('active','inactive','paused')),
  started_at INTEGER,
  stopped_at INTEGER,
  total_pnl INTEGER DEFAULT 0,
  CONSTRAINT pk_strategy_deployments PRIMARY KEY (id),
  CONSTRAINT fk_strategy_deployments_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE,
  CONSTRAINT fk_strategy_deployments_strategy_id FOREIGN KEY(strategy_id) REFERENCES strategies (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_strategy_deployments_account_id ON strategy_deployments (account_id)

CREATE INDEX ix_strategy_deployments_status ON strategy_deployments (status)

CREATE INDEX ix_strategy_deployments_strategy_id ON strategy_deployments (strategy_id)

CREATE TABLE token_runs (
  execution_id TEXT NOT NULL,
  account_id INTEGER,
  last_success_api TEXT,
  next_api TEXT,
  last_failure_at INTEGER,
  status TEXT CONSTRAINT ck_token_runs_status CHECK (status IN ('RUNNING','COOLDOWN','RESUMING','COMPLETED')),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CONSTRAINT pk_token_runs PRIMARY KEY (execution_id),
  CONSTRAINT fk_token_runs_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_token_runs_status_updated_at ON token_runs (status, updated_at)

CREATE TABLE websocket_connections (
  id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  connection_id TEXT,
  ws_url TEXT,
  status TEXT DEFAULT 'DISCONNECTED' NOT NULL CONSTRAINT ck_websocket_connections_status CHECK (status IN ('CONNECTING','CONNECTED','DISCONNECTED','ERROR')),
  subscribed_events TEXT,
  connect_attempts INTEGER DEFAULT 0,
  messages_received INTEGER DEFAULT 0,
  last_heartbeat_at INTEGER,
  connected_at INTEGER,
  disconnected_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CONSTRAINT pk_websocket_connections PRIMARY KEY (id),
  CONSTRAINT uq_websocket_connections_connection_id UNIQUE (connection_id),
  CONSTRAINT fk_websocket_connections_account_id FOREIGN KEY(account_id) REFERENCES accounts (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_websocket_connections_account_id_status ON websocket_connections (account_id, status)

CREATE INDEX ix_websocket_connections_status ON websocket_connections (status)

CREATE TABLE alerts (
  id INTEGER NOT NULL,
  severity TEXT NOT NULL CONSTRAINT ck_alerts_severity CHECK (severity IN ('info','warning','critical')),
  source TEXT NOT NULL,
  message TEXT NOT NULL,
  details TEXT,
  account_id INTEGER,
  raised_at INTEGER NOT NULL,
  acknowledged_at INTEGER,
  acknowledged_by TEXT,
  CONSTRAINT pk_alerts PRIMARY KEY (id),
  CONSTRAINT fk_alerts_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_alerts_account_id ON alerts (account_id)

CREATE INDEX ix_alerts_raised_at ON alerts (raised_at)

CREATE INDEX ix_alerts_severity_raised_at ON alerts (severity, raised_at) WHERE acknowledged_at IS NULL

CREATE TABLE broker_tokens (
  id INTEGER NOT NULL,
  broker_api_id INTEGER NOT NULL,
  access_token_enc BLOB,
  session_token_enc BLOB,
  refresh_token_enc BLOB,
  feed_token_enc BLOB,
  token_type TEXT DEFAULT 'Bearer',
  scope TEXT,
  generated_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  is_active INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_broker_tokens_is_active CHECK (is_active IN (0,1)),
  metadata TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CONSTRAINT pk_broker_tokens PRIMARY KEY (id),
  CONSTRAINT fk_broker_tokens_broker_api_id FOREIGN KEY(broker_api_id) REFERENCES broker_apis (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_broker_tokens_broker_api_id_generated_at ON broker_tokens (broker_api_id, generated_at)

CREATE INDEX ix_broker_tokens_is_active_expires_at ON broker_tokens (is_active, expires_at)

CREATE UNIQUE INDEX uq_broker_tokens_broker_api_id ON broker_tokens (broker_api_id) WHERE is_active = 1

CREATE TABLE edis_transactions (
  id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  isin TEXT NOT NULL,
  quantity INTEGER NOT NULL,
  exchange TEXT NOT NULL,
  segment TEXT NOT NULL,
  is_bulk INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_edis_transactions_is_bulk CHECK (is_bulk IN (0,1)),
  tpin_enc BLOB,
  status TEXT NOT NULL CONSTRAINT ck_edis_transactions_status CHECK (status IN ('PENDING','AUTHORIZED','REJECTED','EXPIRED')),
  request_id TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  authorized_at INTEGER,
  expires_at INTEGER,
  raw_request TEXT,
  raw_response TEXT,
  error_message TEXT,
  CONSTRAINT pk_edis_transactions PRIMARY KEY (id),
  CONSTRAINT fk_edis_transactions_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_edis_transactions_account_id_status ON edis_transactions (account_id, status)

CREATE INDEX ix_edis_transactions_isin ON edis_transactions (isin)

CREATE INDEX ix_edis_transactions_request_id ON edis_transactions (request_id)

CREATE TABLE fund_snapshots (
  account_id INTEGER NOT NULL,
  snapshot_at INTEGER NOT NULL,
  available_balance INTEGER NOT NULL,
  sod_limit INTEGER,
  collateral INTEGER,
  margin_used INTEGER,
  margin_available INTEGER,
  withdrawable_balance INTEGER,
  blocked_margin INTEGER,
  raw TEXT,
  CONSTRAINT pk_fund_snapshots PRIMARY KEY (account_id, snapshot_at),
  CONSTRAINT fk_fund_snapshots_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)
 STRICT

CREATE TABLE funds (
  account_id INTEGER NOT NULL,
  available_balance INTEGER NOT NULL,
  sod_limit INTEGER,
  collateral INTEGER,
  margin_used INTEGER,
  margin_available INTEGER,
  withdrawable_balance INTEGER,
  blocked_margin INTEGER,
  raw TEXT,
  updated_at INTEGER NOT NULL,
  CONSTRAINT pk_funds PRIMARY KEY (account_id),
  CONSTRAINT fk_funds_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)
 STRICT

CREATE TABLE holding_snapshots (
  id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  snapshot_at INTEGER NOT NULL,
  instrument_id INTEGER,
  exchange_segment TEXT NOT NULL CONSTRAINT ck_holding_snapshots_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
  security_id TEXT,
  symbol TEXT,
  isin TEXT,
  total_qty INTEGER NOT NULL,
  dp_qty INTEGER DEFAULT 0,
  t1_qty INTEGER DEFAULT 0,
  available_qty INTEGER,
  collateral_qty INTEGER DEFAULT 0,
  collateral_update_qty INTEGER DEFAULT 0,
  average_price INTEGER,
  last_price INTEGER,
  invested_value INTEGER,
  current_value INTEGER,
  realized_pnl INTEGER DEFAULT 0,
  unrealized_pnl INTEGER DEFAULT 0,
  pnl INTEGER,
  pnl_pct INTEGER,
  raw TEXT,
  CONSTRAINT pk_holding_snapshots PRIMARY KEY (id),
  CONSTRAINT fk_holding_snapshots_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_holding_snapshots_account_id_symbol ON holding_snapshots (account_id, symbol)

CREATE INDEX ix_holding_snapshots_isin ON holding_snapshots (isin)

CREATE INDEX ix_holding_snapshots_security_id ON holding_snapshots (security_id)

CREATE UNIQUE INDEX uq_holding_snapshots_account_id_snapshot_at_exchange_segment ON holding_snapshots (account_id, snapshot_at, exchange_segment, coalesce(symbol,''), coalesce(security_id,''))

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
  CONSTRAINT pk_holdings PRIMARY KEY (id),
  CONSTRAINT fk_holdings_instrument_id FOREIGN KEY(instrument_id) REFERENCES instruments (id) ON DELETE SET NULL,
  CONSTRAINT fk_holdings_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
  CONSTRAINT uq_holdings_account_id_exchange_segment_symbol UNIQUE (account_id, exchange_segment, symbol)
)
 STRICT

CREATE INDEX ix_holdings_account_id_symbol ON holdings (account_id, symbol)

CREATE INDEX ix_holdings_isin ON holdings (isin)

CREATE INDEX ix_holdings_security_id ON holdings (security_id)

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
  CONSTRAINT pk_ledger_entries PRIMARY KEY (id),
  CONSTRAINT fk_ledger_entries_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
  CONSTRAINT ck_ledger_entries_debit_and_credit CHECK (debit >= 0 AND credit >= 0)
)
 STRICT

CREATE INDEX ix_ledger_entries_account_id_entry_date ON ledger_entries (account_id, entry_date)

CREATE INDEX ix_ledger_entries_entry_date ON ledger_entries (entry_date)

CREATE TABLE margin_blocks (
  id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  order_id INTEGER,
  exchange_segment TEXT NOT NULL CONSTRAINT ck_margin_blocks_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
  symbol TEXT NOT NULL,
  product TEXT NOT NULL CONSTRAINT ck_margin_blocks_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
  amount INTEGER NOT NULL,
  is_approximate INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_margin_blocks_is_approximate CHECK (is_approximate IN (0,1)),
  reason TEXT NOT NULL,
  recorded_at INTEGER NOT NULL,
  CONSTRAINT pk_margin_blocks PRIMARY KEY (id),
  CONSTRAINT fk_margin_blocks_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_margin_blocks_account_id_exchange_segment_symbol_product ON margin_blocks (account_id, exchange_segment, symbol, product)

CREATE INDEX ix_margin_blocks_account_id_order_id ON margin_blocks (account_id, order_id)

CREATE TABLE order_keys (
  account_id INTEGER NOT NULL,
  client_order_id TEXT NOT NULL,
  order_id INTEGER NOT NULL,
  archived_at INTEGER NOT NULL,
  CONSTRAINT pk_order_keys PRIMARY KEY (account_id, client_order_id),
  CONSTRAINT fk_order_keys_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)
 STRICT

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
  CONSTRAINT fk_orders_instrument_id FOREIGN KEY(instrument_id) REFERENCES instruments (id) ON DELETE SET NULL,
  CONSTRAINT uq_orders_account_id_broker_order_id UNIQUE (account_id, broker_order_id),
  CONSTRAINT fk_orders_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
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
  CONSTRAINT pk_position_adjustments PRIMARY KEY (id),
  CONSTRAINT fk_position_adjustments_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_position_adjustments_account_id_adjusted_at ON position_adjustments (account_id, adjusted_at)

CREATE INDEX ix_position_adjustments_account_id_exchange_segment_symbol_p ON position_adjustments (account_id, exchange_segment, symbol, product)

CREATE TABLE position_snapshots (
  id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  snapshot_at INTEGER NOT NULL,
  instrument_id INTEGER,
  exchange_segment TEXT NOT NULL CONSTRAINT ck_position_snapshots_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
  security_id TEXT,
  symbol TEXT,
  product TEXT CONSTRAINT ck_position_snapshots_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
  position_type TEXT CONSTRAINT ck_position_snapshots_position_type CHECK (position_type IN ('DAY','NET')),
  buy_qty INTEGER DEFAULT 0,
  sell_qty INTEGER DEFAULT 0,
  net_qty INTEGER NOT NULL,
  day_qty INTEGER,
  overnight_qty INTEGER,
  buy_avg INTEGER DEFAULT 0,
  sell_avg INTEGER DEFAULT 0,
  average_price INTEGER,
  last_price INTEGER,
  close_price INTEGER,
  realized_pnl INTEGER DEFAULT 0,
  unrealized_pnl INTEGER DEFAULT 0,
  total_pnl INTEGER DEFAULT 0,
  pnl_pct INTEGER,
  day_change INTEGER,
  day_change_pct INTEGER,
  multiplier INTEGER,
  margin_required INTEGER,
  raw TEXT,
  CONSTRAINT pk_position_snapshots PRIMARY KEY (id),
  CONSTRAINT fk_position_snapshots_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_position_snapshots_account_id_symbol ON position_snapshots (account_id, symbol)

CREATE INDEX ix_position_snapshots_security_id ON position_snapshots (security_id)

CREATE UNIQUE INDEX uq_position_snapshots_account_id_snapshot_at_exchange_segmen ON position_snapshots (account_id, snapshot_at, exchange_segment, coalesce(symbol,''), coalesce(security_id,''), coalesce(product,''), coalesce(position_type,''))

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
  day_buy_avg INTEGER DEFAULT 0 NOT NULL,
  day_sell_avg INTEGER DEFAULT 0 NOT NULL,
  day_realized_pnl INTEGER DEFAULT 0 NOT NULL,
  day_unrealized_pnl INTEGER DEFAULT 0 NOT NULL,
  day_total_pnl INTEGER DEFAULT 0 NOT NULL,
  multiplier INTEGER,
  margin_required INTEGER,
  raw TEXT,
  updated_at INTEGER NOT NULL,
  CONSTRAINT pk_positions PRIMARY KEY (id),
  CONSTRAINT fk_positions_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
  CONSTRAINT fk_positions_instrument_id FOREIGN KEY(instrument_id) REFERENCES instruments (id) ON DELETE SET NULL,
  CONSTRAINT uq_positions_account_id_exchange_segment_symbol_product UNIQUE (account_id, exchange_segment, symbol, product)
)
 STRICT

CREATE INDEX ix_positions_account_id_symbol ON positions (account_id, symbol)

CREATE INDEX ix_positions_security_id ON positions (security_id)

CREATE TABLE reconciliation_breaks (
  id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  subject TEXT NOT NULL CONSTRAINT ck_reconciliation_breaks_subject CHECK (subject IN ('order','trade','position','holding','funds','charges')),
  subject_key TEXT NOT NULL,
  classification TEXT,
  explanation TEXT,
  ours TEXT,
  theirs TEXT,
  status TEXT DEFAULT 'open' NOT NULL CONSTRAINT ck_reconciliation_breaks_status CHECK (status IN ('open','explained','settled')),
  found_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  settled_at INTEGER,
  settled_by TEXT,
  CONSTRAINT pk_reconciliation_breaks PRIMARY KEY (id),
  CONSTRAINT fk_reconciliation_breaks_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_reconciliation_breaks_account_id_status ON reconciliation_breaks (account_id, status)

CREATE INDEX ix_reconciliation_breaks_account_id_subject_subject_key ON reconciliation_breaks (account_id, subject, subject_key)

CREATE TABLE traders_control (
  id INTEGER NOT NULL,
  scope TEXT DEFAULT 'ACCOUNT' NOT NULL CONSTRAINT ck_traders_control_scope CHECK (scope IN ('GLOBAL','USER','ACCOUNT','STRATEGY')),
  account_id INTEGER,
  user_id INTEGER,
  strategy TEXT,
  control_type TEXT NOT NULL CONSTRAINT ck_traders_control_control_type CHECK (control_type IN ('KILL_SWITCH','RISK_LIMIT','POSITION_LIMIT')),
  kill_switch_status TEXT CONSTRAINT ck_traders_control_kill_switch_status CHECK (kill_switch_status IN ('ACTIVE','INACTIVE')),
  daily_loss_limit INTEGER,
  position_size_limit INTEGER,
  order_value_limit INTEGER,
  orders_per_day_limit INTEGER,
  open_orders_limit INTEGER,
  price_band_limit INTEGER,
  allowed TEXT,
  is_active INTEGER DEFAULT 1 NOT NULL CONSTRAINT ck_traders_control_is_active CHECK (is_active IN (0,1)),
  effective_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  activated_at INTEGER,
  deactivated_at INTEGER,
  activated_by TEXT,
  reason TEXT,
  CONSTRAINT pk_traders_control PRIMARY KEY (id),
  CONSTRAINT ck_traders_control_scope_names_whom CHECK ((scope <> 'ACCOUNT' OR account_id IS NOT NULL) AND (scope <> 'USER' OR user_id IS NOT NULL) AND (scope <> 'STRATEGY' OR strategy IS NOT NULL)),
  CONSTRAINT fk_traders_control_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_traders_control_account_id_is_active ON traders_control (account_id, is_active)

CREATE INDEX ix_traders_control_control_type_is_active ON traders_control (control_type, is_active)

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
  CONSTRAINT fk_trades_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
  CONSTRAINT uq_trades_account_id_broker_trade_id UNIQUE (account_id, broker_trade_id)
)
 STRICT

CREATE INDEX ix_trades_account_id_traded_at ON trades (account_id, traded_at)

CREATE INDEX ix_trades_exchange_order_id ON trades (exchange_order_id)

CREATE INDEX ix_trades_exchange_trade_id ON trades (exchange_trade_id)

CREATE INDEX ix_trades_order_id ON trades (order_id)

CREATE INDEX ix_trades_security_id_exchange_segment ON trades (security_id, exchange_segment)

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
  CONSTRAINT pk_forever_orders PRIMARY KEY (id),
  CONSTRAINT fk_forever_orders_instrument_id FOREIGN KEY(instrument_id) REFERENCES instruments (id) ON DELETE SET NULL,
  CONSTRAINT uq_forever_orders_account_id_broker_order_id UNIQUE (account_id, broker_order_id),
  CONSTRAINT fk_forever_orders_triggered_order_id FOREIGN KEY(triggered_order_id) REFERENCES orders (id) ON DELETE SET NULL,
  CONSTRAINT fk_forever_orders_oco_leg_id FOREIGN KEY(oco_leg_id) REFERENCES forever_orders (id) ON DELETE SET NULL,
  CONSTRAINT fk_forever_orders_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_forever_orders_account_id_status ON forever_orders (account_id, status)

CREATE INDEX ix_forever_orders_correlation_id ON forever_orders (correlation_id)

CREATE INDEX ix_forever_orders_security_id_exchange_segment ON forever_orders (security_id, exchange_segment)

CREATE INDEX ix_forever_orders_status ON forever_orders (status)

CREATE TABLE margin_requirements (
  id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  order_id INTEGER,
  security_id TEXT NOT NULL,
  exchange_segment TEXT NOT NULL CONSTRAINT ck_margin_requirements_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')),
  quantity INTEGER NOT NULL,
  price INTEGER,
  product TEXT NOT NULL CONSTRAINT ck_margin_requirements_product CHECK (product IN ('CNC','INTRADAY','MARGIN','MTF','CO','BO')),
  total_margin INTEGER NOT NULL,
  span_margin INTEGER,
  exposure_margin INTEGER,
  var_margin INTEGER,
  calculated_at INTEGER NOT NULL,
  CONSTRAINT pk_margin_requirements PRIMARY KEY (id),
  CONSTRAINT fk_margin_requirements_account_id FOREIGN KEY(account_id) REFERENCES books (account_id) ON DELETE CASCADE,
  CONSTRAINT fk_margin_requirements_order_id FOREIGN KEY(order_id) REFERENCES orders (id) ON DELETE SET NULL
)
 STRICT

CREATE INDEX ix_margin_requirements_account_id_calculated_at ON margin_requirements (account_id, calculated_at)

CREATE INDEX ix_margin_requirements_order_id ON margin_requirements (order_id)

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

CREATE TABLE copy_mappings (
  id INTEGER NOT NULL,
  leader_order_id INTEGER,
  follower_order_id INTEGER,
  leader_forever_id INTEGER,
  follower_forever_id INTEGER,
  follower_account_id INTEGER,
  leader_qty INTEGER NOT NULL,
  follower_qty INTEGER NOT NULL,
  sizing_strategy TEXT CONSTRAINT ck_copy_mappings_sizing_strategy CHECK (sizing_strategy IN ('capital_proportional','fixed_ratio','risk_based')),
  capital_ratio INTEGER,
  status TEXT NOT NULL CONSTRAINT ck_copy_mappings_status CHECK (status IN ('pending','placed','failed','cancelled')),
  error_message TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CONSTRAINT pk_copy_mappings PRIMARY KEY (id),
  CONSTRAINT uq_copy_mappings_follower_order_id UNIQUE (follower_order_id),
  CONSTRAINT uq_copy_mappings_follower_forever_id UNIQUE (follower_forever_id),
  CONSTRAINT fk_copy_mappings_follower_account_id FOREIGN KEY(follower_account_id) REFERENCES accounts (id) ON DELETE CASCADE,
  CONSTRAINT uq_copy_mappings_leader_forever_id_follower_account_id UNIQUE (leader_forever_id, follower_account_id),
  CONSTRAINT fk_copy_mappings_leader_order_id FOREIGN KEY(leader_order_id) REFERENCES orders (id) ON DELETE CASCADE,
  CONSTRAINT ck_copy_mappings_one_leader CHECK ((leader_order_id IS NULL) <> (leader_forever_id IS NULL)),
  CONSTRAINT uq_copy_mappings_leader_order_id_follower_account_id UNIQUE (leader_order_id, follower_account_id),
  CONSTRAINT fk_copy_mappings_leader_forever_id FOREIGN KEY(leader_forever_id) REFERENCES forever_orders (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_copy_mappings_status_created_at ON copy_mappings (status, created_at)

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

CREATE TRIGGER cache_entries_touch AFTER UPDATE ON cache_entries
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE cache_entries SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER config_touch AFTER UPDATE ON config
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE config SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER egress_addresses_touch AFTER UPDATE ON egress_addresses
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE egress_addresses SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER instruments_touch AFTER UPDATE ON instruments
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE instruments SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER jobs_touch AFTER UPDATE ON jobs
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE jobs SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER risk_violations_no_update BEFORE UPDATE ON risk_violations
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'risk_violations is append-only'); END

CREATE TRIGGER risk_violations_no_delete BEFORE DELETE ON risk_violations
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'risk_violations is append-only'); END

CREATE TRIGGER users_touch AFTER UPDATE ON users
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE users SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER audit_seal_rows_no_update BEFORE UPDATE ON audit_seal_rows
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'audit_seal_rows is append-only'); END

CREATE TRIGGER audit_seal_rows_no_delete BEFORE DELETE ON audit_seal_rows
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'audit_seal_rows is append-only'); END

CREATE TRIGGER broker_symbols_touch AFTER UPDATE ON broker_symbols
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE broker_symbols SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER persons_touch AFTER UPDATE ON persons
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE persons SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER strategies_touch AFTER UPDATE ON strategies
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE strategies SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER accounts_touch AFTER UPDATE ON accounts
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE accounts SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER books_touch AFTER UPDATE ON books
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE books SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER broker_apis_touch AFTER UPDATE ON broker_apis
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE broker_apis SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER inbound_messages_no_update BEFORE UPDATE OF id, account_id, channel, connection_id, message_type, order_ref, payload, sequence_number, dedupe_key, signature, is_verified, received_at ON inbound_messages
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'inbound_messages is append-only'); END

CREATE TRIGGER inbound_messages_no_delete BEFORE DELETE ON inbound_messages
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'inbound_messages is append-only'); END

CREATE TRIGGER postback_configs_touch AFTER UPDATE ON postback_configs
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE postback_configs SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER token_runs_touch AFTER UPDATE ON token_runs
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE token_runs SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER websocket_connections_touch AFTER UPDATE ON websocket_connections
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE websocket_connections SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER broker_tokens_touch AFTER UPDATE ON broker_tokens
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE broker_tokens SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER edis_transactions_touch AFTER UPDATE ON edis_transactions
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE edis_transactions SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER fund_snapshots_no_update BEFORE UPDATE ON fund_snapshots
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'fund_snapshots is append-only'); END

CREATE TRIGGER fund_snapshots_no_delete BEFORE DELETE ON fund_snapshots
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'fund_snapshots is append-only'); END

CREATE TRIGGER funds_touch AFTER UPDATE ON funds
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE funds SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER holding_snapshots_no_update BEFORE UPDATE ON holding_snapshots
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'holding_snapshots is append-only'); END

CREATE TRIGGER holding_snapshots_no_delete BEFORE DELETE ON holding_snapshots
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'holding_snapshots is append-only'); END

CREATE TRIGGER holdings_touch AFTER UPDATE ON holdings
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE holdings SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER ledger_entries_no_update BEFORE UPDATE ON ledger_entries
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'ledger_entries is append-only'); END

CREATE TRIGGER ledger_entries_no_delete BEFORE DELETE ON ledger_entries
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'ledger_entries is append-only'); END

CREATE TRIGGER margin_blocks_no_update BEFORE UPDATE ON margin_blocks
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'margin_blocks is append-only'); END

CREATE TRIGGER margin_blocks_no_delete BEFORE DELETE ON margin_blocks
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'margin_blocks is append-only'); END

CREATE TRIGGER orders_touch AFTER UPDATE ON orders
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE orders SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER position_adjustments_no_update BEFORE UPDATE ON position_adjustments
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'position_adjustments is append-only'); END

CREATE TRIGGER position_adjustments_no_delete BEFORE DELETE ON position_adjustments
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'position_adjustments is append-only'); END

CREATE TRIGGER position_snapshots_no_update BEFORE UPDATE ON position_snapshots
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'position_snapshots is append-only'); END

CREATE TRIGGER position_snapshots_no_delete BEFORE DELETE ON position_snapshots
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'position_snapshots is append-only'); END

CREATE TRIGGER positions_touch AFTER UPDATE ON positions
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE positions SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER reconciliation_breaks_touch AFTER UPDATE ON reconciliation_breaks
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE reconciliation_breaks SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER traders_control_touch AFTER UPDATE ON traders_control
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE traders_control SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER trades_no_update BEFORE UPDATE ON trades
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'trades is append-only'); END

CREATE TRIGGER trades_no_delete BEFORE DELETE ON trades
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'trades is append-only'); END

CREATE TRIGGER forever_orders_touch AFTER UPDATE ON forever_orders
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE forever_orders SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE TRIGGER order_events_no_update BEFORE UPDATE ON order_events
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'order_events is append-only'); END

CREATE TRIGGER order_events_no_delete BEFORE DELETE ON order_events
WHEN NOT EXISTS (SELECT 1 FROM permits)
BEGIN SELECT RAISE(ABORT, 'order_events is append-only'); END

CREATE TRIGGER copy_mappings_touch AFTER UPDATE ON copy_mappings
WHEN NEW.updated_at = OLD.updated_at
BEGIN UPDATE copy_mappings SET updated_at = max(CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), OLD.updated_at + 1) WHERE rowid = NEW.rowid; END

CREATE VIEW activity_logs AS
SELECT t.id AS id, t.user_id AS user_id, t.action AS action, t.details AS details, t.ip_address AS ip_address, t.user_agent AS user_agent, strftime('%Y-%m-%d %H:%M:%S', t.at / 1000000, 'unixepoch', '+330 minutes') AS timestamp
FROM audit_trail t

CREATE VIEW v_active_orders AS
SELECT o.id AS id, o.account_id AS account_id, o.client_order_id AS client_order_id, o.broker_order_id AS broker_order_id, o.correlation_id AS correlation_id, o.instrument_id AS instrument_id, o.exchange_segment AS exchange_segment, o.security_id AS security_id, o.symbol AS symbol, o.side AS side, o.product AS product, o.order_type AS order_type, o.validity AS validity, o.quantity AS quantity, o.disclosed_qty AS disclosed_qty, CASE WHEN o.price IS NOT NULL THEN CASE WHEN o.price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.price) / 10000, abs(o.price) % 10000 / 100) || CASE WHEN abs(o.price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.price) % 100), '0') END END AS price, CASE WHEN o.trigger_price IS NOT NULL THEN CASE WHEN o.trigger_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.trigger_price) / 10000, abs(o.trigger_price) % 10000 / 100) || CASE WHEN abs(o.trigger_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.trigger_price) % 100), '0') END END AS trigger_price, o.status AS status, o.broker_status AS broker_status, o.trigger_pending AS trigger_pending, o.filled_qty AS filled_qty, o.remaining_qty AS remaining_qty, CASE WHEN o.average_price IS NOT NULL THEN CASE WHEN o.average_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.average_price) / 10000, abs(o.average_price) % 10000 / 100) || CASE WHEN abs(o.average_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.average_price) % 100), '0') END END AS average_price, CASE WHEN o.co_stop_loss IS NOT NULL THEN CASE WHEN o.co_stop_loss < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.co_stop_loss) / 10000, abs(o.co_stop_loss) % 10000 / 100) || CASE WHEN abs(o.co_stop_loss) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.co_stop_loss) % 100), '0') END END AS co_stop_loss, CASE WHEN o.co_trigger_price IS NOT NULL THEN CASE WHEN o.co_trigger_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.co_trigger_price) / 10000, abs(o.co_trigger_price) % 10000 / 100) || CASE WHEN abs(o.co_trigger_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.co_trigger_price) % 100), '0') END END AS co_trigger_price, CASE WHEN o.bo_profit IS NOT NULL THEN CASE WHEN o.bo_profit < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.bo_profit) / 10000, abs(o.bo_profit) % 10000 / 100) || CASE WHEN abs(o.bo_profit) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.bo_profit) % 100), '0') END END AS bo_profit, CASE WHEN o.bo_stop_loss IS NOT NULL THEN CASE WHEN o.bo_stop_loss < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.bo_stop_loss) / 10000, abs(o.bo_stop_loss) % 10000 / 100) || CASE WHEN abs(o.bo_stop_loss) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.bo_stop_loss) % 100), '0') END END AS bo_stop_loss, o.bo_order_type AS bo_order_type, o.parent_order_id AS parent_order_id, o.leg_type AS leg_type, o.is_sliced AS is_sliced, o.slice_group_id AS slice_group_id, o.slice_index AS slice_index, o.slice_total_qty AS slice_total_qty, o.is_amo AS is_amo, o.amo_time AS amo_time, o.exchange_order_id AS exchange_order_id, strftime('%Y-%m-%d %H:%M:%S', o.exchange_at / 1000000, 'unixepoch', '+330 minutes') AS exchange_at, o.algo_id AS algo_id, o.drv_expiry AS drv_expiry, o.drv_option_type AS drv_option_type, CASE WHEN o.drv_strike IS NOT NULL THEN CASE WHEN o.drv_strike < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.drv_strike) / 10000, abs(o.drv_strike) % 10000 / 100) || CASE WHEN abs(o.drv_strike) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.drv_strike) % 100), '0') END END AS drv_strike, o.error_code AS error_code, o.error_message AS error_message, o.strategy AS strategy, o.actor AS actor, o.node AS node, o.version AS version, strftime('%Y-%m-%d %H:%M:%S', o.send_before / 1000000, 'unixepoch', '+330 minutes') AS send_before, strftime('%Y-%m-%d %H:%M:%S', o.intent_at / 1000000, 'unixepoch', '+330 minutes') AS intent_at, strftime('%Y-%m-%d %H:%M:%S', o.sent_at / 1000000, 'unixepoch', '+330 minutes') AS sent_at, strftime('%Y-%m-%d %H:%M:%S', o.acked_at / 1000000, 'unixepoch', '+330 minutes') AS acked_at, strftime('%Y-%m-%d %H:%M:%S', o.first_fill_at / 1000000, 'unixepoch', '+330 minutes') AS first_fill_at, strftime('%Y-%m-%d %H:%M:%S', o.placed_at / 1000000, 'unixepoch', '+330 minutes') AS placed_at, strftime('%Y-%m-%d %H:%M:%S', o.updated_at / 1000000, 'unixepoch', '+330 minutes') AS updated_at, strftime('%Y-%m-%d %H:%M:%S', o.completed_at / 1000000, 'unixepoch', '+330 minutes') AS completed_at, o.raw_request AS raw_request, o.raw_response AS raw_response, b.copy_role AS account_type, m.follower_order_id, m.sizing_strategy
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

CREATE VIEW v_active_bracket_orders AS
SELECT o.id AS parent_order_id, b.copy_role AS account_type, o.account_id AS account_id, o.security_id AS security_id, o.exchange_segment AS exchange_segment, CASE WHEN o.bo_profit IS NOT NULL THEN CASE WHEN o.bo_profit < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.bo_profit) / 10000, abs(o.bo_profit) % 10000 / 100) || CASE WHEN abs(o.bo_profit) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.bo_profit) % 100), '0') END END AS bo_profit_value, CASE WHEN o.bo_stop_loss IS NOT NULL THEN CASE WHEN o.bo_stop_loss < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.bo_stop_loss) / 10000, abs(o.bo_stop_loss) % 10000 / 100) || CASE WHEN abs(o.bo_stop_loss) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.bo_stop_loss) % 100), '0') END END AS bo_stop_loss_value, min(CASE WHEN l.leg_type = 'ENTRY' THEN l.id END) AS entry_leg_id, min(CASE WHEN l.leg_type = 'TARGET' THEN l.id END) AS target_leg_id, min(CASE WHEN l.leg_type = 'SL' THEN l.id END) AS sl_leg_id, o.status AS status, strftime('%Y-%m-%d %H:%M:%S', o.placed_at / 1000000, 'unixepoch', '+330 minutes') AS placed_at
FROM orders o
JOIN books b ON b.account_id = o.account_id
LEFT JOIN orders l ON l.parent_order_id = o.id
WHERE (o.bo_profit IS NOT NULL OR o.bo_stop_loss IS NOT NULL)
  AND o.parent_order_id IS NULL AND o.status IN ('PENDING','TRANSIT','UNKNOWN','OPEN','PARTIAL')
GROUP BY o.id, b.account_id

CREATE VIEW v_cover_orders AS
SELECT o.id AS id, o.account_id AS account_id, o.client_order_id AS client_order_id, o.broker_order_id AS broker_order_id, o.correlation_id AS correlation_id, o.instrument_id AS instrument_id, o.exchange_segment AS exchange_segment, o.security_id AS security_id, o.symbol AS symbol, o.side AS side, o.product AS product, o.order_type AS order_type, o.validity AS validity, o.quantity AS quantity, o.disclosed_qty AS disclosed_qty, CASE WHEN o.price IS NOT NULL THEN CASE WHEN o.price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.price) / 10000, abs(o.price) % 10000 / 100) || CASE WHEN abs(o.price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.price) % 100), '0') END END AS price, CASE WHEN o.trigger_price IS NOT NULL THEN CASE WHEN o.trigger_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.trigger_price) / 10000, abs(o.trigger_price) % 10000 / 100) || CASE WHEN abs(o.trigger_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.trigger_price) % 100), '0') END END AS trigger_price, o.status AS status, o.broker_status AS broker_status, o.trigger_pending AS trigger_pending, o.filled_qty AS filled_qty, o.remaining_qty AS remaining_qty, CASE WHEN o.average_price IS NOT NULL THEN CASE WHEN o.average_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.average_price) / 10000, abs(o.average_price) % 10000 / 100) || CASE WHEN abs(o.average_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.average_price) % 100), '0') END END AS average_price, CASE WHEN o.co_stop_loss IS NOT NULL THEN CASE WHEN o.co_stop_loss < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.co_stop_loss) / 10000, abs(o.co_stop_loss) % 10000 / 100) || CASE WHEN abs(o.co_stop_loss) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.co_stop_loss) % 100), '0') END END AS co_stop_loss, CASE WHEN o.co_trigger_price IS NOT NULL THEN CASE WHEN o.co_trigger_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.co_trigger_price) / 10000, abs(o.co_trigger_price) % 10000 / 100) || CASE WHEN abs(o.co_trigger_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.co_trigger_price) % 100), '0') END END AS co_trigger_price, CASE WHEN o.bo_profit IS NOT NULL THEN CASE WHEN o.bo_profit < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.bo_profit) / 10000, abs(o.bo_profit) % 10000 / 100) || CASE WHEN abs(o.bo_profit) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.bo_profit) % 100), '0') END END AS bo_profit, CASE WHEN o.bo_stop_loss IS NOT NULL THEN CASE WHEN o.bo_stop_loss < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.bo_stop_loss) / 10000, abs(o.bo_stop_loss) % 10000 / 100) || CASE WHEN abs(o.bo_stop_loss) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.bo_stop_loss) % 100), '0') END END AS bo_stop_loss, o.bo_order_type AS bo_order_type, o.parent_order_id AS parent_order_id, o.leg_type AS leg_type, o.is_sliced AS is_sliced, o.slice_group_id AS slice_group_id, o.slice_index AS slice_index, o.slice_total_qty AS slice_total_qty, o.is_amo AS is_amo, o.amo_time AS amo_time, o.exchange_order_id AS exchange_order_id, strftime('%Y-%m-%d %H:%M:%S', o.exchange_at / 1000000, 'unixepoch', '+330 minutes') AS exchange_at, o.algo_id AS algo_id, o.drv_expiry AS drv_expiry, o.drv_option_type AS drv_option_type, CASE WHEN o.drv_strike IS NOT NULL THEN CASE WHEN o.drv_strike < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(o.drv_strike) / 10000, abs(o.drv_strike) % 10000 / 100) || CASE WHEN abs(o.drv_strike) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(o.drv_strike) % 100), '0') END END AS drv_strike, o.error_code AS error_code, o.error_message AS error_message, o.strategy AS strategy, o.actor AS actor, o.node AS node, o.version AS version, strftime('%Y-%m-%d %H:%M:%S', o.send_before / 1000000, 'unixepoch', '+330 minutes') AS send_before, strftime('%Y-%m-%d %H:%M:%S', o.intent_at / 1000000, 'unixepoch', '+330 minutes') AS intent_at, strftime('%Y-%m-%d %H:%M:%S', o.sent_at / 1000000, 'unixepoch', '+330 minutes') AS sent_at, strftime('%Y-%m-%d %H:%M:%S', o.acked_at / 1000000, 'unixepoch', '+330 minutes') AS acked_at, strftime('%Y-%m-%d %H:%M:%S', o.first_fill_at / 1000000, 'unixepoch', '+330 minutes') AS first_fill_at, strftime('%Y-%m-%d %H:%M:%S', o.placed_at / 1000000, 'unixepoch', '+330 minutes') AS placed_at, strftime('%Y-%m-%d %H:%M:%S', o.updated_at / 1000000, 'unixepoch', '+330 minutes') AS updated_at, strftime('%Y-%m-%d %H:%M:%S', o.completed_at / 1000000, 'unixepoch', '+330 minutes') AS completed_at, o.raw_request AS raw_request, o.raw_response AS raw_response, b.copy_role AS account_type
FROM orders o
JOIN books b ON b.account_id = o.account_id
WHERE o.co_stop_loss IS NOT NULL

CREATE VIEW bracket_order_legs AS
SELECT l.id, p.broker_order_id AS parent_order_id, l.broker_order_id AS leg_order_id, l.leg_type, b.copy_role AS account_type, l.status, strftime('%Y-%m-%d %H:%M:%S', l.placed_at / 1000000, 'unixepoch', '+330 minutes') AS created_at, strftime('%Y-%m-%d %H:%M:%S', l.updated_at / 1000000, 'unixepoch', '+330 minutes') AS updated_at
FROM orders l
JOIN orders p ON p.id = l.parent_order_id
JOIN books b ON b.account_id = l.account_id
WHERE l.leg_type IS NOT NULL

CREATE VIEW v_sliced_orders AS
SELECT s.slice_group_id AS slice_order_id, s.account_id, count(*) AS slice_count, CAST(sum(s.quantity) AS BIGINT) AS total_quantity, max(s.slice_total_qty) AS original_quantity, min(s.security_id) AS security_id, min(s.exchange_segment) AS exchange_segment, min(s.side) AS side, min(s.product) AS product, min(s.order_type) AS order_type, strftime('%Y-%m-%d %H:%M:%S', min(s.placed_at) / 1000000, 'unixepoch', '+330 minutes') AS first_order_time, strftime('%Y-%m-%d %H:%M:%S', max(s.placed_at) / 1000000, 'unixepoch', '+330 minutes') AS last_order_time, group_concat(s.id || ':' || s.quantity, ', ') AS order_details, sum(CASE WHEN s.status IN ('EXECUTED') THEN 1 ELSE 0 END) AS executed_count, sum(CASE WHEN s.status IN ('PENDING','TRANSIT','UNKNOWN','OPEN','PARTIAL') THEN 1 ELSE 0 END) AS pending_count, sum(CASE WHEN s.status IN ('CANCELLED','REJECTED','EXPIRED') THEN 1 ELSE 0 END) AS failed_count
FROM (SELECT * FROM orders WHERE is_sliced = 1 ORDER BY account_id, slice_index, id) s
GROUP BY s.account_id, s.slice_group_id

CREATE VIEW v_recent_trades AS
SELECT t.id AS id, t.account_id AS account_id, t.order_id AS order_id, t.broker_trade_id AS broker_trade_id, t.exchange_order_id AS exchange_order_id, t.exchange_trade_id AS exchange_trade_id, t.instrument_id AS instrument_id, t.exchange_segment AS exchange_segment, t.security_id AS security_id, t.symbol AS symbol, t.side AS side, t.product AS product, t.order_type AS order_type, t.quantity AS quantity, CASE WHEN t.price IS NOT NULL THEN CASE WHEN t.price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(t.price) / 10000, abs(t.price) % 10000 / 100) || CASE WHEN abs(t.price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(t.price) % 100), '0') END END AS price, CASE WHEN t.trade_value IS NOT NULL THEN CASE WHEN t.trade_value < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(t.trade_value) / 10000, abs(t.trade_value) % 10000 / 100) || CASE WHEN abs(t.trade_value) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(t.trade_value) % 100), '0') END END AS trade_value, CASE WHEN t.brokerage IS NOT NULL THEN CASE WHEN t.brokerage < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(t.brokerage) / 10000, abs(t.brokerage) % 10000 / 100) || CASE WHEN abs(t.brokerage) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(t.brokerage) % 100), '0') END END AS brokerage, CASE WHEN t.exchange_charges IS NOT NULL THEN CASE WHEN t.exchange_charges < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(t.exchange_charges) / 10000, abs(t.exchange_charges) % 10000 / 100) || CASE WHEN abs(t.exchange_charges) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(t.exchange_charges) % 100), '0') END END AS exchange_charges, CASE WHEN t.clearing_charges IS NOT NULL THEN CASE WHEN t.clearing_charges < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(t.clearing_charges) / 10000, abs(t.clearing_charges) % 10000 / 100) || CASE WHEN abs(t.clearing_charges) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(t.clearing_charges) % 100), '0') END END AS clearing_charges, CASE WHEN t.stt IS NOT NULL THEN CASE WHEN t.stt < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(t.stt) / 10000, abs(t.stt) % 10000 / 100) || CASE WHEN abs(t.stt) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(t.stt) % 100), '0') END END AS stt, CASE WHEN t.stamp_duty IS NOT NULL THEN CASE WHEN t.stamp_duty < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(t.stamp_duty) / 10000, abs(t.stamp_duty) % 10000 / 100) || CASE WHEN abs(t.stamp_duty) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(t.stamp_duty) % 100), '0') END END AS stamp_duty, CASE WHEN t.transaction_charges IS NOT NULL THEN CASE WHEN t.transaction_charges < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(t.transaction_charges) / 10000, abs(t.transaction_charges) % 10000 / 100) || CASE WHEN abs(t.transaction_charges) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(t.transaction_charges) % 100), '0') END END AS transaction_charges, CASE WHEN t.sebi_fee IS NOT NULL THEN CASE WHEN t.sebi_fee < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(t.sebi_fee) / 10000, abs(t.sebi_fee) % 10000 / 100) || CASE WHEN abs(t.sebi_fee) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(t.sebi_fee) % 100), '0') END END AS sebi_fee, CASE WHEN t.ipft IS NOT NULL THEN CASE WHEN t.ipft < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(t.ipft) / 10000, abs(t.ipft) % 10000 / 100) || CASE WHEN abs(t.ipft) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(t.ipft) % 100), '0') END END AS ipft, CASE WHEN t.gst IS NOT NULL THEN CASE WHEN t.gst < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(t.gst) / 10000, abs(t.gst) % 10000 / 100) || CASE WHEN abs(t.gst) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(t.gst) % 100), '0') END END AS gst, CASE WHEN t.total_charges IS NOT NULL THEN CASE WHEN t.total_charges < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(t.total_charges) / 10000, abs(t.total_charges) % 10000 / 100) || CASE WHEN abs(t.total_charges) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(t.total_charges) % 100), '0') END END AS total_charges, CASE WHEN t.net_amount IS NOT NULL THEN CASE WHEN t.net_amount < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(t.net_amount) / 10000, abs(t.net_amount) % 10000 / 100) || CASE WHEN abs(t.net_amount) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(t.net_amount) % 100), '0') END END AS net_amount, strftime('%Y-%m-%d %H:%M:%S', t.traded_at / 1000000, 'unixepoch', '+330 minutes') AS traded_at, strftime('%Y-%m-%d %H:%M:%S', t.exchange_at / 1000000, 'unixepoch', '+330 minutes') AS exchange_at, strftime('%Y-%m-%d %H:%M:%S', t.created_at / 1000000, 'unixepoch', '+330 minutes') AS created_at, strftime('%Y-%m-%d %H:%M:%S', t.updated_at / 1000000, 'unixepoch', '+330 minutes') AS updated_at, t.drv_expiry AS drv_expiry, t.drv_option_type AS drv_option_type, CASE WHEN t.drv_strike IS NOT NULL THEN CASE WHEN t.drv_strike < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(t.drv_strike) / 10000, abs(t.drv_strike) % 10000 / 100) || CASE WHEN abs(t.drv_strike) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(t.drv_strike) % 100), '0') END END AS drv_strike, t.raw AS raw, b.copy_role AS account_type, o.status AS order_status, CASE WHEN (CASE t.side WHEN 'BUY' THEN -t.trade_value ELSE t.trade_value END - t.total_charges) IS NOT NULL THEN CASE WHEN (CASE t.side WHEN 'BUY' THEN -t.trade_value ELSE t.trade_value END - t.total_charges) < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs((CASE t.side WHEN 'BUY' THEN -t.trade_value ELSE t.trade_value END - t.total_charges)) / 10000, abs((CASE t.side WHEN 'BUY' THEN -t.trade_value ELSE t.trade_value END - t.total_charges)) % 10000 / 100) || CASE WHEN abs((CASE t.side WHEN 'BUY' THEN -t.trade_value ELSE t.trade_value END - t.total_charges)) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs((CASE t.side WHEN 'BUY' THEN -t.trade_value ELSE t.trade_value END - t.total_charges)) % 100), '0') END END AS net_cash
FROM trades t
JOIN books b ON b.account_id = t.account_id
LEFT JOIN orders o ON o.id = t.order_id
ORDER BY t.traded_at DESC, t.id DESC LIMIT 100

CREATE VIEW v_latest_holdings AS
SELECT h.id AS id, h.account_id AS account_id, strftime('%Y-%m-%d %H:%M:%S', h.updated_at / 1000000, 'unixepoch', '+330 minutes') AS snapshot_at, h.instrument_id AS instrument_id, h.exchange_segment AS exchange_segment, h.security_id AS security_id, h.symbol AS symbol, h.isin AS isin, h.total_qty AS total_qty, h.dp_qty AS dp_qty, h.t1_qty AS t1_qty, h.available_qty AS available_qty, h.collateral_qty AS collateral_qty, h.collateral_update_qty AS collateral_update_qty, CASE WHEN h.average_price IS NOT NULL THEN CASE WHEN h.average_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.average_price) / 10000, abs(h.average_price) % 10000 / 100) || CASE WHEN abs(h.average_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.average_price) % 100), '0') END END AS average_price, CASE WHEN h.last_price IS NOT NULL THEN CASE WHEN h.last_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.last_price) / 10000, abs(h.last_price) % 10000 / 100) || CASE WHEN abs(h.last_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.last_price) % 100), '0') END END AS last_price, CASE WHEN h.invested_value IS NOT NULL THEN CASE WHEN h.invested_value < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.invested_value) / 10000, abs(h.invested_value) % 10000 / 100) || CASE WHEN abs(h.invested_value) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.invested_value) % 100), '0') END END AS invested_value, CASE WHEN h.current_value IS NOT NULL THEN CASE WHEN h.current_value < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.current_value) / 10000, abs(h.current_value) % 10000 / 100) || CASE WHEN abs(h.current_value) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.current_value) % 100), '0') END END AS current_value, CASE WHEN h.realized_pnl IS NOT NULL THEN CASE WHEN h.realized_pnl < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.realized_pnl) / 10000, abs(h.realized_pnl) % 10000 / 100) || CASE WHEN abs(h.realized_pnl) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.realized_pnl) % 100), '0') END END AS realized_pnl, CASE WHEN h.unrealized_pnl IS NOT NULL THEN CASE WHEN h.unrealized_pnl < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.unrealized_pnl) / 10000, abs(h.unrealized_pnl) % 10000 / 100) || CASE WHEN abs(h.unrealized_pnl) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.unrealized_pnl) % 100), '0') END END AS unrealized_pnl, CASE WHEN h.pnl IS NOT NULL THEN CASE WHEN h.pnl < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.pnl) / 10000, abs(h.pnl) % 10000 / 100) || CASE WHEN abs(h.pnl) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.pnl) % 100), '0') END END AS pnl, CASE WHEN h.pnl_pct IS NOT NULL THEN CASE WHEN h.pnl_pct < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(h.pnl_pct) / 10000, abs(h.pnl_pct) % 10000 / 100) || CASE WHEN abs(h.pnl_pct) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(h.pnl_pct) % 100), '0') END END AS pnl_pct, h.raw AS raw, b.copy_role AS account_type
FROM holdings h
JOIN books b ON b.account_id = h.account_id
WHERE h.total_qty <> 0

CREATE VIEW v_latest_funds AS
SELECT f.account_id, strftime('%Y-%m-%d %H:%M:%S', f.updated_at / 1000000, 'unixepoch', '+330 minutes') AS snapshot_at, CASE WHEN f.available_balance IS NOT NULL THEN CASE WHEN f.available_balance < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(f.available_balance) / 10000, abs(f.available_balance) % 10000 / 100) || CASE WHEN abs(f.available_balance) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(f.available_balance) % 100), '0') END END AS available_balance, CASE WHEN f.sod_limit IS NOT NULL THEN CASE WHEN f.sod_limit < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(f.sod_limit) / 10000, abs(f.sod_limit) % 10000 / 100) || CASE WHEN abs(f.sod_limit) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(f.sod_limit) % 100), '0') END END AS sod_limit, CASE WHEN f.collateral IS NOT NULL THEN CASE WHEN f.collateral < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(f.collateral) / 10000, abs(f.collateral) % 10000 / 100) || CASE WHEN abs(f.collateral) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(f.collateral) % 100), '0') END END AS collateral, CASE WHEN f.margin_used IS NOT NULL THEN CASE WHEN f.margin_used < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(f.margin_used) / 10000, abs(f.margin_used) % 10000 / 100) || CASE WHEN abs(f.margin_used) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(f.margin_used) % 100), '0') END END AS margin_used, CASE WHEN f.margin_available IS NOT NULL THEN CASE WHEN f.margin_available < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(f.margin_available) / 10000, abs(f.margin_available) % 10000 / 100) || CASE WHEN abs(f.margin_available) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(f.margin_available) % 100), '0') END END AS margin_available, CASE WHEN f.withdrawable_balance IS NOT NULL THEN CASE WHEN f.withdrawable_balance < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(f.withdrawable_balance) / 10000, abs(f.withdrawable_balance) % 10000 / 100) || CASE WHEN abs(f.withdrawable_balance) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(f.withdrawable_balance) % 100), '0') END END AS withdrawable_balance, CASE WHEN f.blocked_margin IS NOT NULL THEN CASE WHEN f.blocked_margin < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(f.blocked_margin) / 10000, abs(f.blocked_margin) % 10000 / 100) || CASE WHEN abs(f.blocked_margin) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(f.blocked_margin) % 100), '0') END END AS blocked_margin, f.raw AS raw, b.copy_role AS account_type
FROM funds f
JOIN books b ON b.account_id = f.account_id

CREATE VIEW v_latest_positions AS
SELECT p.id AS id, p.account_id AS account_id, strftime('%Y-%m-%d %H:%M:%S', p.updated_at / 1000000, 'unixepoch', '+330 minutes') AS snapshot_at, p.instrument_id AS instrument_id, p.exchange_segment AS exchange_segment, p.security_id AS security_id, p.symbol AS symbol, p.product AS product, 'NET' AS position_type, p.buy_qty AS buy_qty, p.sell_qty AS sell_qty, p.net_qty AS net_qty, p.day_qty AS day_qty, p.overnight_qty AS overnight_qty, CASE WHEN p.buy_avg IS NOT NULL THEN CASE WHEN p.buy_avg < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.buy_avg) / 10000, abs(p.buy_avg) % 10000 / 100) || CASE WHEN abs(p.buy_avg) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.buy_avg) % 100), '0') END END AS buy_avg, CASE WHEN p.sell_avg IS NOT NULL THEN CASE WHEN p.sell_avg < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.sell_avg) / 10000, abs(p.sell_avg) % 10000 / 100) || CASE WHEN abs(p.sell_avg) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.sell_avg) % 100), '0') END END AS sell_avg, CASE WHEN p.average_price IS NOT NULL THEN CASE WHEN p.average_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.average_price) / 10000, abs(p.average_price) % 10000 / 100) || CASE WHEN abs(p.average_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.average_price) % 100), '0') END END AS average_price, CASE WHEN p.last_price IS NOT NULL THEN CASE WHEN p.last_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.last_price) / 10000, abs(p.last_price) % 10000 / 100) || CASE WHEN abs(p.last_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.last_price) % 100), '0') END END AS last_price, CASE WHEN p.close_price IS NOT NULL THEN CASE WHEN p.close_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.close_price) / 10000, abs(p.close_price) % 10000 / 100) || CASE WHEN abs(p.close_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.close_price) % 100), '0') END END AS close_price, CASE WHEN p.realized_pnl IS NOT NULL THEN CASE WHEN p.realized_pnl < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.realized_pnl) / 10000, abs(p.realized_pnl) % 10000 / 100) || CASE WHEN abs(p.realized_pnl) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.realized_pnl) % 100), '0') END END AS realized_pnl, CASE WHEN p.unrealized_pnl IS NOT NULL THEN CASE WHEN p.unrealized_pnl < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.unrealized_pnl) / 10000, abs(p.unrealized_pnl) % 10000 / 100) || CASE WHEN abs(p.unrealized_pnl) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.unrealized_pnl) % 100), '0') END END AS unrealized_pnl, CASE WHEN p.total_pnl IS NOT NULL THEN CASE WHEN p.total_pnl < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.total_pnl) / 10000, abs(p.total_pnl) % 10000 / 100) || CASE WHEN abs(p.total_pnl) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.total_pnl) % 100), '0') END END AS total_pnl, CASE WHEN p.pnl_pct IS NOT NULL THEN CASE WHEN p.pnl_pct < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.pnl_pct) / 10000, abs(p.pnl_pct) % 10000 / 100) || CASE WHEN abs(p.pnl_pct) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.pnl_pct) % 100), '0') END END AS pnl_pct, CASE WHEN p.day_change IS NOT NULL THEN CASE WHEN p.day_change < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.day_change) / 10000, abs(p.day_change) % 10000 / 100) || CASE WHEN abs(p.day_change) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.day_change) % 100), '0') END END AS day_change, CASE WHEN p.day_change_pct IS NOT NULL THEN CASE WHEN p.day_change_pct < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.day_change_pct) / 10000, abs(p.day_change_pct) % 10000 / 100) || CASE WHEN abs(p.day_change_pct) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.day_change_pct) % 100), '0') END END AS day_change_pct, p.multiplier AS multiplier, CASE WHEN p.margin_required IS NOT NULL THEN CASE WHEN p.margin_required < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.margin_required) / 10000, abs(p.margin_required) % 10000 / 100) || CASE WHEN abs(p.margin_required) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.margin_required) % 100), '0') END END AS margin_required, p.raw AS raw, b.copy_role AS account_type
FROM positions p
JOIN books b ON b.account_id = p.account_id
WHERE p.net_qty <> 0 OR p.day_buy_qty <> 0 OR p.day_sell_qty <> 0
UNION ALL
SELECT p.id AS id, p.account_id AS account_id, strftime('%Y-%m-%d %H:%M:%S', p.updated_at / 1000000, 'unixepoch', '+330 minutes') AS snapshot_at, p.instrument_id AS instrument_id, p.exchange_segment AS exchange_segment, p.security_id AS security_id, p.symbol AS symbol, p.product AS product, 'DAY' AS position_type, p.day_buy_qty AS buy_qty, p.day_sell_qty AS sell_qty, p.day_qty AS net_qty, p.day_qty AS day_qty, p.overnight_qty AS overnight_qty, CASE WHEN p.day_buy_avg IS NOT NULL THEN CASE WHEN p.day_buy_avg < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.day_buy_avg) / 10000, abs(p.day_buy_avg) % 10000 / 100) || CASE WHEN abs(p.day_buy_avg) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.day_buy_avg) % 100), '0') END END AS buy_avg, CASE WHEN p.day_sell_avg IS NOT NULL THEN CASE WHEN p.day_sell_avg < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.day_sell_avg) / 10000, abs(p.day_sell_avg) % 10000 / 100) || CASE WHEN abs(p.day_sell_avg) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.day_sell_avg) % 100), '0') END END AS sell_avg, CASE WHEN p.average_price IS NOT NULL THEN CASE WHEN p.average_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.average_price) / 10000, abs(p.average_price) % 10000 / 100) || CASE WHEN abs(p.average_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.average_price) % 100), '0') END END AS average_price, CASE WHEN p.last_price IS NOT NULL THEN CASE WHEN p.last_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.last_price) / 10000, abs(p.last_price) % 10000 / 100) || CASE WHEN abs(p.last_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.last_price) % 100), '0') END END AS last_price, CASE WHEN p.close_price IS NOT NULL THEN CASE WHEN p.close_price < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.close_price) / 10000, abs(p.close_price) % 10000 / 100) || CASE WHEN abs(p.close_price) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.close_price) % 100), '0') END END AS close_price, CASE WHEN p.day_realized_pnl IS NOT NULL THEN CASE WHEN p.day_realized_pnl < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.day_realized_pnl) / 10000, abs(p.day_realized_pnl) % 10000 / 100) || CASE WHEN abs(p.day_realized_pnl) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.day_realized_pnl) % 100), '0') END END AS realized_pnl, CASE WHEN p.day_unrealized_pnl IS NOT NULL THEN CASE WHEN p.day_unrealized_pnl < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.day_unrealized_pnl) / 10000, abs(p.day_unrealized_pnl) % 10000 / 100) || CASE WHEN abs(p.day_unrealized_pnl) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.day_unrealized_pnl) % 100), '0') END END AS unrealized_pnl, CASE WHEN p.day_total_pnl IS NOT NULL THEN CASE WHEN p.day_total_pnl < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.day_total_pnl) / 10000, abs(p.day_total_pnl) % 10000 / 100) || CASE WHEN abs(p.day_total_pnl) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.day_total_pnl) % 100), '0') END END AS total_pnl, CASE WHEN p.pnl_pct IS NOT NULL THEN CASE WHEN p.pnl_pct < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.pnl_pct) / 10000, abs(p.pnl_pct) % 10000 / 100) || CASE WHEN abs(p.pnl_pct) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.pnl_pct) % 100), '0') END END AS pnl_pct, CASE WHEN p.day_change IS NOT NULL THEN CASE WHEN p.day_change < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.day_change) / 10000, abs(p.day_change) % 10000 / 100) || CASE WHEN abs(p.day_change) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.day_change) % 100), '0') END END AS day_change, CASE WHEN p.day_change_pct IS NOT NULL THEN CASE WHEN p.day_change_pct < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.day_change_pct) / 10000, abs(p.day_change_pct) % 10000 / 100) || CASE WHEN abs(p.day_change_pct) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.day_change_pct) % 100), '0') END END AS day_change_pct, p.multiplier AS multiplier, CASE WHEN p.margin_required IS NOT NULL THEN CASE WHEN p.margin_required < 0 THEN '-' ELSE '' END || printf('%d.%02d', abs(p.margin_required) / 10000, abs(p.margin_required) % 10000 / 100) || CASE WHEN abs(p.margin_required) % 100 = 0 THEN '' ELSE rtrim(printf('%02d', abs(p.margin_required) % 100), '0') END END AS margin_required, p.raw AS raw, b.copy_role AS account_type
FROM positions p
JOIN books b ON b.account_id = p.account_id
WHERE p.net_qty <> 0 OR p.day_buy_qty <> 0 OR p.day_sell_qty <> 0

CREATE VIEW v_active_websocket_connections AS
SELECT w.id AS id, w.account_id AS account_id, w.connection_id AS connection_id, w.ws_url AS ws_url, w.status AS status, w.subscribed_events AS subscribed_events, w.connect_attempts AS connect_attempts, w.messages_received AS messages_received, strftime('%Y-%m-%d %H:%M:%S', w.last_heartbeat_at / 1000000, 'unixepoch', '+330 minutes') AS last_heartbeat_at, strftime('%Y-%m-%d %H:%M:%S', w.connected_at / 1000000, 'unixepoch', '+330 minutes') AS connected_at, strftime('%Y-%m-%d %H:%M:%S', w.disconnected_at / 1000000, 'unixepoch', '+330 minutes') AS disconnected_at, strftime('%Y-%m-%d %H:%M:%S', w.created_at / 1000000, 'unixepoch', '+330 minutes') AS created_at, strftime('%Y-%m-%d %H:%M:%S', w.updated_at / 1000000, 'unixepoch', '+330 minutes') AS updated_at, a.copy_role AS account_type, CAST(strftime('%s', 'now') AS INTEGER) - w.last_heartbeat_at / 1000000 AS seconds_since_heartbeat
FROM websocket_connections w
JOIN accounts a ON a.id = w.account_id
WHERE w.status = 'CONNECTED'

CREATE VIEW websocket_messages AS
SELECT i.id AS id, i.account_id AS account_id, i.channel AS channel, i.connection_id AS connection_id, i.message_type AS message_type, i.order_ref AS order_ref, i.order_id AS order_id, i.payload AS payload, i.sequence_number AS sequence_number, i.dedupe_key AS dedupe_key, i.signature AS signature, i.is_verified AS is_verified, i.is_processed AS is_processed, strftime('%Y-%m-%d %H:%M:%S', i.processed_at / 1000000, 'unixepoch', '+330 minutes') AS processed_at, i.error_message AS error_message, strftime('%Y-%m-%d %H:%M:%S', i.received_at / 1000000, 'unixepoch', '+330 minutes') AS received_at
FROM inbound_messages i WHERE i.channel = 'WEBSOCKET'

CREATE VIEW postback_events AS
SELECT i.id AS id, i.account_id AS account_id, i.channel AS channel, i.connection_id AS connection_id, i.message_type AS message_type, i.order_ref AS order_ref, i.order_id AS order_id, i.payload AS payload, i.sequence_number AS sequence_number, i.dedupe_key AS dedupe_key, i.signature AS signature, i.is_verified AS is_verified, i.is_processed AS is_processed, strftime('%Y-%m-%d %H:%M:%S', i.processed_at / 1000000, 'unixepoch', '+330 minutes') AS processed_at, i.error_message AS error_message, strftime('%Y-%m-%d %H:%M:%S', i.received_at / 1000000, 'unixepoch', '+330 minutes') AS received_at
FROM inbound_messages i WHERE i.channel = 'POSTBACK'

CREATE VIEW upstox_tokens AS
SELECT b.api_name, b.api_index, t.access_token_enc AS access_token, a.broker_user_id AS user_id, a.broker_user_name AS user_name, t.is_active, strftime('%Y-%m-%d %H:%M:%S', t.expires_at / 1000000, 'unixepoch', '+330 minutes') AS validity_at, strftime('%Y-%m-%d %H:%M:%S', t.generated_at / 1000000, 'unixepoch', '+330 minutes') AS generated_at
FROM broker_tokens t
JOIN broker_apis b ON b.id = t.broker_api_id
JOIN accounts a ON a.id = b.account_id
WHERE a.broker = 'upstox' AND t.id = (SELECT x.id FROM broker_tokens x WHERE x.broker_api_id = b.id ORDER BY x.is_active DESC, x.generated_at DESC, x.id DESC LIMIT 1)

CREATE VIEW token_execution_state AS
SELECT r.execution_id AS execution_id, r.last_success_api AS last_success_api, r.next_api AS next_api, r.last_failure_at / 1000000 AS last_failure_epoch, r.status, r.created_at / 1000000 AS created_at, r.updated_at / 1000000 AS updated_at
FROM token_runs r

-- down

DROP VIEW token_execution_state

DROP VIEW upstox_tokens

DROP VIEW postback_events

DROP VIEW websocket_messages

DROP VIEW v_active_websocket_connections

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

DROP TABLE orders

DROP TABLE order_keys

DROP TABLE margin_blocks

DROP TABLE ledger_entries

DROP TABLE holdings

DROP TABLE holding_snapshots

DROP TABLE funds

DROP TABLE fund_snapshots

DROP TABLE edis_transactions

DROP TABLE broker_tokens

DROP TABLE alerts

DROP TABLE websocket_connections

DROP TABLE token_runs

DROP TABLE strategy_deployments

DROP TABLE rate_limits

DROP TABLE postback_configs

DROP TABLE inbound_messages

DROP TABLE failover_events

DROP TABLE broker_apis

DROP TABLE books

DROP TABLE api_key_accounts

DROP TABLE accounts

DROP TABLE user_sessions

DROP TABLE trading_sessions

DROP TABLE strategies

DROP TABLE persons

DROP TABLE market_holidays

DROP TABLE instrument_terms

DROP TABLE broker_symbols

DROP TABLE audit_seal_rows

DROP TABLE api_keys

DROP TABLE write_marks

DROP TABLE users

DROP TABLE trading_calendars

DROP TABLE system_health

DROP TABLE scheduler_runs

DROP TABLE risk_violations

DROP TABLE permits

DROP TABLE nodes

DROP TABLE ml_validation_runs

DROP TABLE jobs

DROP TABLE instruments

DROP TABLE import_rows

DROP TABLE egress_addresses

DROP TABLE config

DROP TABLE charge_rates

DROP TABLE cache_entries

DROP TABLE audit_trail

DROP TABLE audit_seals
