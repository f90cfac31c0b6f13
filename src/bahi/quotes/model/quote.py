"""A price, with everything that makes it worth believing: its book, its time, and who says so."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bahi.kernel.clock import ist_text
from bahi.kernel.errors import BahiError
from bahi.kernel.money import Price
from bahi.kernel.ports import Level

DEPTH: Final = 5
"""Levels of the order book that are kept of each side."""

SIMULATED: Final = "simulated"
"""The source of every price that no market made; nothing live may trade on one."""


class NoPrice(BahiError):
    """There is no price."""

    code = "no_price"


class StalePrice(NoPrice):
    """The price is too old to act on."""

    code = "stale_price"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What one instrument is worth; whatever is not known is None, never zero.

    `at` is when the exchange made the price, `received_at` when this house had it. The day's
    figures are those of the session that `at` lies in; `volume` counts from its beginning.
    """

    instrument_id: int
    last: Price
    at: datetime
    received_at: datetime
    source: str
    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()
    open: Price | None = None
    high: Price | None = None
    low: Price | None = None
    previous_close: Price | None = None
    volume: int | None = None
    open_interest: int | None = None

    @property
    def bid(self) -> Price | None:
        """The best price that somebody pays; None: nobody does, or it is not known."""
        return self.bids[0].price if self.bids else None

    @property
    def ask(self) -> Price | None:
        """The best price that somebody sells at; None: nobody does, or it is not known."""
        return self.asks[0].price if self.asks else None

    @property
    def is_simulated(self) -> bool:
        """Whether no market made it."""
        return self.source == SIMULATED

    def age(self, now: datetime) -> timedelta:
        """Return how long ago the exchange made it; a clock ahead of ours makes it new, not odd."""
        return max(timedelta(), now - self.at)

    def is_fresh(self, now: datetime, within: timedelta) -> bool:
        """Say whether it may be acted on: made lately, and by a clock that is not far ahead."""
        return -within <= now - self.at <= within


def fresh(quote: Quote, symbol: str, now: datetime, within: timedelta) -> Quote:
    """Return a quote that is young enough, or say how old it is and from where."""
    if quote.is_fresh(now, within):
        return quote
    raise StalePrice(
        f"The price of {symbol} is of {ist_text(quote.at)} (source {quote.source}), "
        f"{told_age(quote.age(now))} ago; it has to be at most {told_age(within)} old."
        if quote.at <= now
        else f"The price of {symbol} is of {ist_text(quote.at)} (source {quote.source}), which is "
        "yet to come: one of the two clocks is wrong."
    )


def told_age(age: timedelta) -> str:
    """Write an age as people say it: `4 s`, `12 min`, `3 h`, `2 days`."""
    seconds = int(age.total_seconds())
    for unit, size, until in (("s", 1, 120), ("min", 60, 7_200), ("h", 3_600, 172_800)):
        if seconds < until:
            return f"{seconds // size} {unit}"
    return f"{seconds // 86_400} days"


def freshness(quotes: Collection[Quote], now: datetime) -> timedelta | None:
    """Return how old the newest of some prices is; None: there is none."""
    return min((it.age(now) for it in quotes), default=None)
