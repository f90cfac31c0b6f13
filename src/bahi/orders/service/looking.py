"""Orders to look at: pages of them, one with its whole life, and all as they once were."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from bahi.db.stores import Store
from bahi.orders.repository import listing, working

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


exiting: Final = working.exiting
"""Return how many of a position working exits of a side are about to close."""
