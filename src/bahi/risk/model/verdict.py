"""The verdict: whether an order may go out, and if not, why and what its trader can do.

It knows an exposure and the account's page, never an order. An exit passes every switch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from bahi.kernel.money import Money, grouped
from bahi.portfolio.model.book import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What an order would add to the account."""

    margin: Money
    is_exit: bool
    strategy: str | None = None


class Denial(NamedTuple):
    """Which limit was run into, by how much, and a sentence for the trader."""

    violation: str
    limit: int
    actual: int
    sentence: str


def judge(book: Book, exposure: Exposure) -> Denial | None:
    """Return why an order may not go out; None: it may."""
    if exposure.is_exit:
        return None
    if switch := book.stopped_by(exposure.strategy):
        reason = f" ({book.kill_reason})" if book.kill_reason else ""
        return Denial(
            "KILL_SWITCH",
            0,
            1,
            f"Entries are stopped by {switch}{reason}; exits pass. Release the switch to go on.",
        )
    if exposure.margin > book.available:
        return Denial(
            "MARGIN",
            book.available,
            exposure.margin,
            f"It needs about {grouped(exposure.margin)} rupees and {grouped(book.available)} are "
            "free; ask for less, or close something first.",
        )
    return None
