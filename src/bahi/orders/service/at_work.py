"""What works for many accounts at once: orders, and those that wait for a price over days."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from bahi.db.tx import Tx
from bahi.orders.model.forever import Forever
from bahi.orders.model.order import Order
from bahi.orders.repository import at_work as rows
from bahi.orders.repository import forever as forevers

AT_MOST: Final = 2_000


class AtWork(NamedTuple):
    """Orders and forever orders that may still fill; `is_whole` False: there are more."""

    orders: tuple[Order, ...]
    forevers: tuple[Forever, ...]
    is_whole: bool


def at_work_for(tx: Tx, accounts: Collection[int]) -> AtWork:
    """Return what works for accounts in one trading store; two statements."""
    orders = rows.working_of(tx, accounts, AT_MOST + 1)
    waiting = forevers.waiting(tx, 0, AT_MOST + 1)
    mine = tuple(it for it in waiting if it.account_id in accounts)
    is_whole = len(orders) <= AT_MOST and len(waiting) <= AT_MOST
    return AtWork(tuple(orders[:AT_MOST]), mine, is_whole)
