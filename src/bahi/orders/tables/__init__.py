"""Orders of every kind with their events and changes, and orders that wait for a price."""

from bahi.orders.tables import views
from bahi.orders.tables.forever import forever_orders
from bahi.orders.tables.order import (
    WORKING,
    order_events,
    order_keys,
    order_modifications,
    orders,
)

__all__ = [
    "WORKING",
    "forever_orders",
    "order_events",
    "order_keys",
    "order_modifications",
    "orders",
    "views",
]
