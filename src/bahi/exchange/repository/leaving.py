"""How a client leaves the exchange for good."""

from __future__ import annotations

import sqlalchemy as sa

from bahi.db.leaving import remove_some
from bahi.db.tx import Tx
from bahi.exchange.tables import paper_conversions, paper_fills, paper_orders


def erase_client(tx: Tx, store: str, client_id: int, most: int) -> dict[str, int]:
    """Remove some of a client's fills and orders; fills hold their order back, so they go first."""
    own = sa.select(paper_orders.c.id).where(paper_orders.c.client_id == client_id)
    leaving = (
        (paper_fills, paper_fills.c.order_id.in_(own)),
        (paper_orders, paper_orders.c.client_id == client_id),
        (paper_conversions, paper_conversions.c.client_id == client_id),
    )
    return remove_some(tx, store, leaving, most, f"erase client {client_id} of the exchange")
