"""What works for many accounts at once, one statement for each kind."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from bahi.db.tx import Tx
from bahi.orders.model.order import Order
from bahi.orders.repository.order import SELECT, order_of
from bahi.orders.tables import WORKING, orders


def working_of(tx: Tx, accounts: Collection[int], at_most: int) -> list[Order]:
    """Return orders of accounts that may still fill, the newest first."""
    clause = (
        SELECT.where(sa.text(WORKING), orders.c.account_id.in_(sorted(accounts)))
        .order_by(orders.c.id.desc())
        .limit(at_most)
    )
    return [order_of(row) for row in tx.rows(clause)]
