ALTER TABLE orders ADD COLUMN is_kept SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_orders_is_kept CHECK (is_kept IN (0,1))

ALTER TABLE orders ADD COLUMN instrument_type TEXT CONSTRAINT ck_orders_instrument_type CHECK (instrument_type IN ('EQUITY','INDEX','FUTIDX','FUTSTK','FUTCUR','FUTIRC','FUTCOM','OPTIDX','OPTSTK','OPTCUR','OPTIRC','OPTFUT'))

ALTER TABLE orders ADD COLUMN lot_size BIGINT

ALTER TABLE orders ADD COLUMN asked_at BIGINT

ALTER TABLE orders ADD COLUMN cancel_asked SMALLINT DEFAULT 0 NOT NULL CONSTRAINT ck_orders_cancel_asked CHECK (cancel_asked IN (0,1))

ALTER TABLE orders ADD COLUMN cancelled_by TEXT

ALTER TABLE orders ADD COLUMN asked_quantity BIGINT

ALTER TABLE orders ADD COLUMN asked_margin BIGINT

CREATE INDEX ix_orders_account_id ON orders (account_id) WHERE is_kept = 1

CREATE INDEX ix_orders_account_id_symbol ON orders (account_id, symbol) WHERE status IN ('PENDING','TRANSIT','UNKNOWN','OPEN','PARTIAL')

CREATE INDEX ix_orders_asked_at ON orders (asked_at) WHERE asked_at IS NOT NULL

-- down

DROP INDEX ix_orders_account_id

DROP INDEX ix_orders_account_id_symbol

DROP INDEX ix_orders_asked_at

ALTER TABLE orders DROP COLUMN is_kept

ALTER TABLE orders DROP COLUMN instrument_type

ALTER TABLE orders DROP COLUMN lot_size

ALTER TABLE orders DROP COLUMN asked_at

ALTER TABLE orders DROP COLUMN cancel_asked

ALTER TABLE orders DROP COLUMN cancelled_by

ALTER TABLE orders DROP COLUMN asked_quantity

ALTER TABLE orders DROP COLUMN asked_margin
