DROP TABLE broker_symbols

ALTER TABLE instruments ADD COLUMN exchange_token TEXT

ALTER TABLE instruments ADD COLUMN series TEXT

ALTER TABLE instruments ADD COLUMN freeze_qty BIGINT

ALTER TABLE instruments ADD COLUMN lower_band BIGINT

ALTER TABLE instruments ADD COLUMN upper_band BIGINT

ALTER TABLE instruments ADD COLUMN cas_eligible SMALLINT CONSTRAINT ck_instruments_cas_eligible CHECK (cas_eligible IN (0,1))

ALTER TABLE instruments ADD COLUMN terms_since TEXT CONSTRAINT ck_instruments_terms_since CHECK (length(terms_since) = 10)

ALTER TABLE instruments ADD COLUMN named_by TEXT CONSTRAINT ck_instruments_named_by CHECK (named_by IN ('kite','upstox','dhan','breeze','angel','openalgo','paper'))

ALTER TABLE instruments ADD COLUMN arrived_in BIGINT

CREATE INDEX ix_instruments_exchange_segment_exchange_token ON instruments (exchange_segment, exchange_token)

CREATE TABLE master_loads (
	id BIGINT NOT NULL, 
	broker TEXT NOT NULL CONSTRAINT ck_master_loads_broker CHECK (broker IN ('kite','upstox','dhan','breeze','angel','openalgo','paper')), 
	source TEXT NOT NULL, 
	sha256 TEXT, 
	trading_day TEXT NOT NULL CONSTRAINT ck_master_loads_trading_day CHECK (length(trading_day) = 10), 
	status TEXT NOT NULL CONSTRAINT ck_master_loads_status CHECK (status IN ('READING','IN_FORCE','REPLACED','REFUSED')), 
	lines BIGINT DEFAULT 0 NOT NULL, 
	report JSONB, 
	reason TEXT, 
	started_by TEXT NOT NULL, 
	started_at BIGINT NOT NULL, 
	seen_at BIGINT NOT NULL, 
	ended_at BIGINT, 
	CONSTRAINT pk_master_loads PRIMARY KEY (id)
)

CREATE INDEX ix_master_loads_broker_started_at ON master_loads (broker, started_at)

CREATE TABLE broker_listings (
	load_id BIGINT NOT NULL, 
	instrument_id BIGINT NOT NULL, 
	broker TEXT NOT NULL CONSTRAINT ck_broker_listings_broker CHECK (broker IN ('kite','upstox','dhan','breeze','angel','openalgo','paper')), 
	exchange_segment TEXT NOT NULL CONSTRAINT ck_broker_listings_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')), 
	broker_symbol TEXT NOT NULL, 
	security_id TEXT NOT NULL, 
	broker_lot BIGINT, 
	CONSTRAINT pk_broker_listings PRIMARY KEY (load_id, instrument_id), 
	CONSTRAINT fk_broker_listings_instrument_id FOREIGN KEY(instrument_id) REFERENCES instruments (id) ON DELETE CASCADE, 
	CONSTRAINT fk_broker_listings_load_id FOREIGN KEY(load_id) REFERENCES master_loads (id) ON DELETE CASCADE
)

CREATE INDEX ix_broker_listings_instrument_id_broker ON broker_listings (instrument_id, broker)

CREATE TABLE instrument_masters (
	broker TEXT NOT NULL CONSTRAINT ck_instrument_masters_broker CHECK (broker IN ('kite','upstox','dhan','breeze','angel','openalgo','paper')), 
	exchange_segment TEXT NOT NULL CONSTRAINT ck_instrument_masters_exchange_segment CHECK (exchange_segment IN ('NSE_EQ','NSE_FNO','NSE_CURRENCY','BSE_EQ','BSE_FNO','BSE_CURRENCY','MCX_COMM','NSE_INDEX','BSE_INDEX','MCX_INDEX')), 
	load_id BIGINT NOT NULL, 
	listings BIGINT NOT NULL, 
	in_force_since BIGINT NOT NULL, 
	CONSTRAINT pk_instrument_masters PRIMARY KEY (broker, exchange_segment), 
	CONSTRAINT fk_instrument_masters_load_id FOREIGN KEY(load_id) REFERENCES master_loads (id) ON DELETE RESTRICT
)

CREATE VIEW broker_symbols AS
SELECT b.broker AS broker, b.instrument_id AS instrument_id, b.exchange_segment AS exchange_segment, b.broker_symbol AS broker_symbol, b.security_id AS security_id, b.broker_lot AS broker_lot, to_char(to_timestamp(m.in_force_since / 1000000) AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI:SS') AS updated_at
FROM broker_listings b JOIN instrument_masters m ON m.broker = b.broker AND m.exchange_segment = b.exchange_segment AND m.load_id = b.load_id

-- down

DROP VIEW broker_symbols

DROP TABLE broker_listings

DROP TABLE instrument_masters

DROP TABLE master_loads

DROP INDEX ix_instruments_exchange_segment_exchange_token

CREATE TABLE broker_symbols (
  broker TEXT NOT NULL CONSTRAINT ck_broker_symbols_broker CHECK (broker IN ('kite','upstox','dhan','breeze','angel','openalgo','paper')),
  instrument_id BIGINT NOT NULL,
  broker_symbol TEXT,
  security_id TEXT,
  updated_at BIGINT,
  CONSTRAINT pk_broker_symbols PRIMARY KEY (broker, instrument_id),
  CONSTRAINT fk_broker_symbols_instrument_id FOREIGN KEY(instrument_id) REFERENCES instruments (id) ON DELETE CASCADE
)

CREATE INDEX ix_broker_symbols_broker_security_id ON broker_symbols (broker, security_id)

CREATE INDEX ix_broker_symbols_instrument_id ON broker_symbols (instrument_id)

CREATE TRIGGER broker_symbols_touch BEFORE UPDATE ON broker_symbols
FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION touch()

ALTER TABLE instruments DROP COLUMN exchange_token

ALTER TABLE instruments DROP COLUMN series

ALTER TABLE instruments DROP COLUMN freeze_qty

ALTER TABLE instruments DROP COLUMN lower_band

ALTER TABLE instruments DROP COLUMN upper_band

ALTER TABLE instruments DROP COLUMN cas_eligible

ALTER TABLE instruments DROP COLUMN terms_since

ALTER TABLE instruments DROP COLUMN named_by

ALTER TABLE instruments DROP COLUMN arrived_in
