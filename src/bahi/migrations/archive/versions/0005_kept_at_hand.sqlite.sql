DROP INDEX ix_orders_correlation_id

DROP INDEX ix_orders_exchange_order_id

DROP INDEX ix_orders_parent_order_id_leg_type

DROP INDEX ix_orders_security_id_exchange_segment

DROP INDEX ix_orders_slice_group_id_slice_index

DROP INDEX ix_trades_exchange_order_id

DROP INDEX ix_trades_security_id_exchange_segment

CREATE INDEX ix_orders_correlation_id ON orders (correlation_id) WHERE correlation_id IS NOT NULL

CREATE INDEX ix_orders_exchange_order_id ON orders (exchange_order_id) WHERE exchange_order_id IS NOT NULL

CREATE INDEX ix_orders_parent_order_id_leg_type ON orders (parent_order_id, leg_type) WHERE parent_order_id IS NOT NULL

CREATE INDEX ix_orders_security_id_exchange_segment ON orders (security_id, exchange_segment) WHERE security_id IS NOT NULL

CREATE INDEX ix_orders_slice_group_id_slice_index ON orders (slice_group_id, slice_index) WHERE slice_group_id IS NOT NULL

CREATE INDEX ix_trades_exchange_order_id ON trades (exchange_order_id) WHERE exchange_order_id IS NOT NULL

CREATE INDEX ix_trades_security_id_exchange_segment ON trades (security_id, exchange_segment) WHERE security_id IS NOT NULL

-- down

DROP INDEX ix_orders_correlation_id

DROP INDEX ix_orders_exchange_order_id

DROP INDEX ix_orders_parent_order_id_leg_type

DROP INDEX ix_orders_security_id_exchange_segment

DROP INDEX ix_orders_slice_group_id_slice_index

DROP INDEX ix_trades_exchange_order_id

DROP INDEX ix_trades_security_id_exchange_segment

CREATE INDEX ix_orders_correlation_id ON orders (correlation_id)

CREATE INDEX ix_orders_exchange_order_id ON orders (exchange_order_id)

CREATE INDEX ix_orders_parent_order_id_leg_type ON orders (parent_order_id, leg_type)

CREATE INDEX ix_orders_security_id_exchange_segment ON orders (security_id, exchange_segment)

CREATE INDEX ix_orders_slice_group_id_slice_index ON orders (slice_group_id, slice_index)

CREATE INDEX ix_trades_exchange_order_id ON trades (exchange_order_id)

CREATE INDEX ix_trades_security_id_exchange_segment ON trades (security_id, exchange_segment)
