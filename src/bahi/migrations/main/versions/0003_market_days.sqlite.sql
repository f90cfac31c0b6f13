ALTER TABLE trading_calendars ADD COLUMN segment TEXT CONSTRAINT ck_trading_calendars_segment CHECK (segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM'))

ALTER TABLE trading_calendars ADD COLUMN facts_release INTEGER DEFAULT 0 NOT NULL

ALTER TABLE trading_sessions ADD COLUMN closing_auction_start TEXT CONSTRAINT ck_trading_sessions_closing_auction_start CHECK (length(closing_auction_start) = 5)

ALTER TABLE trading_sessions ADD COLUMN closing_auction_end TEXT CONSTRAINT ck_trading_sessions_closing_auction_end CHECK (length(closing_auction_end) = 5)

ALTER TABLE trading_sessions ADD COLUMN us_daylight INTEGER CONSTRAINT ck_trading_sessions_us_daylight CHECK (us_daylight IN (0,1))

ALTER TABLE trading_sessions ADD COLUMN source TEXT

ALTER TABLE trading_sessions ADD COLUMN is_unverified INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_trading_sessions_is_unverified CHECK (is_unverified IN (0,1))

ALTER TABLE trading_sessions ADD COLUMN is_shipped INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_trading_sessions_is_shipped CHECK (is_shipped IN (0,1))

ALTER TABLE market_holidays ADD COLUMN is_settlement_holiday INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_market_holidays_is_settlement_holiday CHECK (is_settlement_holiday IN (0,1))

ALTER TABLE market_holidays ADD COLUMN source TEXT

ALTER TABLE market_holidays ADD COLUMN is_unverified INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_market_holidays_is_unverified CHECK (is_unverified IN (0,1))

ALTER TABLE market_holidays ADD COLUMN is_shipped INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_market_holidays_is_shipped CHECK (is_shipped IN (0,1))

CREATE UNIQUE INDEX uq_trading_calendars_segment ON trading_calendars (segment)

DROP INDEX ix_market_holidays_calendar_id_date

CREATE UNIQUE INDEX uq_market_holidays_calendar_id_date ON market_holidays (calendar_id, date)

CREATE TABLE market_day_hours (
  id INTEGER NOT NULL, 
  holiday_id INTEGER NOT NULL, 
  phase TEXT NOT NULL CONSTRAINT ck_market_day_hours_phase CHECK (phase IN ('PRE_OPEN','OPEN','CLOSING_AUCTION','POST_CLOSE')), 
  starts TEXT NOT NULL CONSTRAINT ck_market_day_hours_starts CHECK (length(starts) = 5), 
  ends TEXT NOT NULL CONSTRAINT ck_market_day_hours_ends CHECK (length(ends) = 5), 
  CONSTRAINT pk_market_day_hours PRIMARY KEY (id), 
  CONSTRAINT uq_market_day_hours_holiday_id_phase_starts UNIQUE (holiday_id, phase, starts), 
  CONSTRAINT fk_market_day_hours_holiday_id FOREIGN KEY(holiday_id) REFERENCES market_holidays (id) ON DELETE CASCADE
)
 STRICT

CREATE TABLE market_years (
  id INTEGER NOT NULL, 
  calendar_id INTEGER NOT NULL, 
  year INTEGER NOT NULL, 
  source TEXT, 
  is_unverified INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_market_years_is_unverified CHECK (is_unverified IN (0,1)), 
  is_shipped INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_market_years_is_shipped CHECK (is_shipped IN (0,1)), 
  CONSTRAINT pk_market_years PRIMARY KEY (id), 
  CONSTRAINT uq_market_years_calendar_id_year UNIQUE (calendar_id, year), 
  CONSTRAINT fk_market_years_calendar_id FOREIGN KEY(calendar_id) REFERENCES trading_calendars (id) ON DELETE CASCADE
)
 STRICT

CREATE TABLE square_off_times (
  id INTEGER NOT NULL, 
  broker TEXT NOT NULL CONSTRAINT ck_square_off_times_broker CHECK (broker IN ('kite','upstox','dhan','breeze','angel','openalgo','paper')), 
  calendar_id INTEGER NOT NULL, 
  in_closing_auction INTEGER CONSTRAINT ck_square_off_times_in_closing_auction CHECK (in_closing_auction IN (0,1)), 
  us_daylight INTEGER CONSTRAINT ck_square_off_times_us_daylight CHECK (us_daylight IN (0,1)), 
  at TEXT CONSTRAINT ck_square_off_times_at CHECK (length(at) = 5), 
  minutes_before_close INTEGER, 
  valid_from TEXT CONSTRAINT ck_square_off_times_valid_from CHECK (length(valid_from) = 10), 
  valid_until TEXT CONSTRAINT ck_square_off_times_valid_until CHECK (length(valid_until) = 10), 
  source TEXT, 
  is_unverified INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_square_off_times_is_unverified CHECK (is_unverified IN (0,1)), 
  is_shipped INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_square_off_times_is_shipped CHECK (is_shipped IN (0,1)), 
  CONSTRAINT pk_square_off_times PRIMARY KEY (id), 
  CONSTRAINT fk_square_off_times_calendar_id FOREIGN KEY(calendar_id) REFERENCES trading_calendars (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_square_off_times_calendar_id_broker ON square_off_times (calendar_id, broker)

CREATE TABLE closing_auctions (
  id INTEGER NOT NULL, 
  calendar_id INTEGER NOT NULL, 
  valid_from TEXT NOT NULL CONSTRAINT ck_closing_auctions_valid_from CHECK (length(valid_from) = 10), 
  valid_until TEXT CONSTRAINT ck_closing_auctions_valid_until CHECK (length(valid_until) = 10), 
  order_types TEXT NOT NULL, 
  allows_stops INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_closing_auctions_allows_stops CHECK (allows_stops IN (0,1)), 
  allows_iceberg INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_closing_auctions_allows_iceberg CHECK (allows_iceberg IN (0,1)), 
  stops_purged_at TEXT CONSTRAINT ck_closing_auctions_stops_purged_at CHECK (length(stops_purged_at) = 5), 
  reference_from TEXT CONSTRAINT ck_closing_auctions_reference_from CHECK (length(reference_from) = 5), 
  reference_to TEXT CONSTRAINT ck_closing_auctions_reference_to CHECK (length(reference_to) = 5), 
  entry_ends_from TEXT CONSTRAINT ck_closing_auctions_entry_ends_from CHECK (length(entry_ends_from) = 5), 
  entry_ends_by TEXT CONSTRAINT ck_closing_auctions_entry_ends_by CHECK (length(entry_ends_by) = 5), 
  collar INTEGER, 
  source TEXT, 
  is_unverified INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_closing_auctions_is_unverified CHECK (is_unverified IN (0,1)), 
  is_shipped INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_closing_auctions_is_shipped CHECK (is_shipped IN (0,1)), 
  CONSTRAINT pk_closing_auctions PRIMARY KEY (id), 
  CONSTRAINT fk_closing_auctions_calendar_id FOREIGN KEY(calendar_id) REFERENCES trading_calendars (id) ON DELETE CASCADE
)
 STRICT

CREATE INDEX ix_closing_auctions_calendar_id_valid_from ON closing_auctions (calendar_id, valid_from)

CREATE VIEW trading_hours_templates AS
SELECT id, name, timezone, is_active, strftime('%Y-%m-%d %H:%M:%S', created_at / 1000000, 'unixepoch', '+330 minutes') AS created_at
FROM trading_calendars

-- down

DROP VIEW trading_hours_templates

DROP TABLE closing_auctions

DROP TABLE square_off_times

DROP TABLE market_years

DROP TABLE market_day_hours

DROP INDEX uq_market_holidays_calendar_id_date

CREATE INDEX ix_market_holidays_calendar_id_date ON market_holidays (calendar_id, date)

DROP INDEX uq_trading_calendars_segment

DELETE FROM market_holidays WHERE is_shipped = 1

DELETE FROM trading_sessions WHERE is_shipped = 1

DELETE FROM trading_calendars WHERE facts_release > 0 AND id NOT IN (SELECT calendar_id FROM market_holidays) AND id NOT IN (SELECT calendar_id FROM trading_sessions)
