"""The orders' part of `bahi verify`: is each what its events, trades and blocks make it (I4, I5)?

Some hundreds are read at a time, each lot in one snapshot, so that a house that trades meanwhile is
never called wrong.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Final

from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.orders.model.finding import Fault, check_order
from bahi.orders.repository import checking as rows
from bahi.orders.repository.order import fold
from bahi.portfolio.model.finding import Finding
from bahi.portfolio.service.books import page_of
from bahi.portfolio.service.verifying import OfOrder, of_orders

AT_ONCE: Final = 500
Tell = Callable[[int, int], None]


def _silent(done: int, of: int) -> None:
    pass


async def verify(store: Store, tell: Tell = _silent) -> AsyncIterator[Finding]:
    """Yield whatever of a trading store's orders is not as its facts make it."""
    of = await store.read(rows.count, fresh=True)
    done = last = 0
    while True:
        found, ids = await store.read(_check_some, last, fresh=True)
        if not ids:
            break
        for it in found:
            yield it
        done, last = done + len(ids), ids[-1]
        tell(done, max(of, done))
    for account_id in await store.read(rows.accounts, fresh=True):
        for it in await store.read(_check_count, account_id, fresh=True):
            yield it


def _check_some(tx: Tx, after: int) -> tuple[list[Finding], list[int]]:
    orders = rows.some(tx, after, AT_ONCE)
    ids = [it.id for it in orders]
    events, sums = rows.events_of(tx, ids), of_orders(tx, ids)
    found: list[Finding] = []
    for order in orders:
        mine = events.get(order.id, [])
        folded = fold(changes for _, changes in mine) if mine and mine[0][0] == 1 else None
        of = sums.get(order.id, OfOrder())
        sequences = [sequence for sequence, _ in mine]
        found += check_order(order, sequences, folded, (of.quantity, of.value), of.blocked)
    return found, ids


def _check_count(tx: Tx, account_id: int) -> list[Finding]:
    said, active = page_of(tx, account_id).open_orders, rows.count_active(tx, account_id)
    if said == active:
        return []
    sentence = f"The page counts {said} open orders, and {active} are."
    subject = f"account {account_id}"
    return [Finding(Fault.OPEN_ORDERS_ARE_MISCOUNTED, account_id, subject, sentence)]
