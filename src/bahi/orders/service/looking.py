"""Orders to look at: pages of them, one with its whole life, and all as they once were."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.orders.model.order import Order
from bahi.orders.repository import listing, order, working

LONGEST_ID: Final = 19

Wanted = listing.Wanted
Place = listing.Place
Page = listing.Page
Timeline = listing.Timeline

page_of: Final = listing.page_of
"""Return a page of an account's orders, the newest first."""

timeline_of: Final = listing.timeline_of
"""Return an order of an account with all that happened to it; None: it is not there."""

as_of: Final = listing.as_of
"""Return an account's orders as they were recorded by an instant, in pages by their ids."""


async def strategies_of(ids: Collection[int], *stores: Store) -> dict[int, str | None]:
    """Return the strategy of each of these orders, from the first of the stores that has it."""
    found: dict[int, str | None] = {}
    for store in stores:
        missing = sorted(set(ids) - set(found))
        found |= await store.read(listing.strategies_of, missing, fresh=True)
    return found


exits_on: Final = working.exits_on
"""Return the positions of some accounts that a working exit is of; `exits_on(tx, ids)`."""


def orders_meant(tx: Tx, ids: Collection[int], word: str, at_most: int) -> list[Order]:
    """Return orders of some accounts by our id, or by the name that their callers gave them."""
    found = order.find_named(tx, ids, word, at_most)
    number = int(word) if word.isascii() and word.isdigit() and len(word) < LONGEST_ID else 0
    by_id = order.find(tx, number) if number else None
    if by_id is not None and by_id.account_id in ids and by_id not in found:
        found.insert(0, by_id)
    return found[:at_most]


waiting_for: Final = working.waiting_for
"""Return orders that wait, the oldest first; `waiting_for(tx, ids, what, at_most)`."""

exiting: Final = working.exiting
"""Return how many of a position working exits of a side are about to close."""
