"""Orders to look at: pages of them, one with its whole life, and all as they once were."""

from __future__ import annotations

from typing import Final

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

exiting: Final = working.exiting
"""Return how many of a position working exits of a side are about to close."""
