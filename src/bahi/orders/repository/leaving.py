"""How an account's orders leave for good."""

from __future__ import annotations

import sqlalchemy as sa

from bahi.db.leaving import remove_some
from bahi.db.tx import Tx
from bahi.orders.tables import (
    forever_orders,
    order_events,
    order_keys,
    order_modifications,
    orders,
)


def erase_account(tx: Tx, store: str, account_id: int, most: int) -> dict[str, int]:
    """Remove some of an account's orders, each after its events and changes."""
    own = sa.select(orders.c.id).where(orders.c.account_id == account_id)
    leaving = (
        (order_events, order_events.c.order_id.in_(own)),
        (order_modifications, order_modifications.c.order_id.in_(own)),
        (forever_orders, forever_orders.c.account_id == account_id),
        (orders, orders.c.account_id == account_id),
        (order_keys, order_keys.c.account_id == account_id),
    )
    return remove_some(tx, store, leaving, most, f"erase account {account_id}")
