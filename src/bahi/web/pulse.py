"""What stands over every page and moves by itself: the market, prices, what needs a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bahi.bootstrap import House
from bahi.bootstrap.alerts import alerts_of
from bahi.bootstrap.pages import begin_page
from bahi.calendar.model import MarketDays
from bahi.kernel.errors import BahiError
from bahi.kernel.words import AccountMode, Segment
from bahi.portfolio.model.book import Book
from bahi.portfolio.service.books import page_of
from bahi.web.seat import Seat
from bahi.web.written import UNKNOWN, countdown, money

COUNTED: Final = 10
"""Open alerts that are counted; more are `9+`."""
NOT_HERE: Final = "Its books are not kept here; its broker knows what is free."
SHOWN_MARKETS: Final = (("NSE", Segment.NSE_EQ), ("F&O", Segment.NSE_FNO))

Cell = tuple[str, str] | tuple[str, str, str]
"""What a figure says, in which mood (a class of the stylesheet), and what it says of its source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How the house is this second, as the bar says it."""

    market: str
    mood: str
    prices: str
    alerts: int
    stopped_by: str | None
    stopped_why: str | None
    free: str

    @property
    def cells(self) -> Mapping[str, Cell]:
        """The same, cell by cell."""
        return {
            "market": (self.market, self.mood),
            "prices": (self.prices, ""),
            "alerts": (_counted(self.alerts), "attention" if self.alerts else ""),
            "free": (self.free, "", NOT_HERE if self.free == UNKNOWN else "free margin"),
        }


async def pulse_of(house: House, seat: Seat, book: Book | None = None) -> Pulse:
    """Look at everything that the bar tells of: two statements, and one for a page not at hand."""
    open_ = await alerts_of(house, seat.person, limit=COUNTED, only_open=True)
    book = book or await _book(house, seat)
    market, mood = await _market(house)
    return Pulse(
        market=market,
        mood=mood,
        prices=_prices(house),
        alerts=len(open_),
        stopped_by=None if book is None else book.stopped_by(None),
        stopped_why=None if book is None else book.kill_reason,
        free=money(None if book is None else book.available),
    )


async def _book(house: House, seat: Seat) -> Book | None:
    if seat.account is None or seat.account.mode is not AccountMode.PAPER:
        return None
    try:
        store = await begin_page(house, seat.account)
        return await store.read(page_of, seat.account.id, fresh=True)
    except BahiError:  # the bar says that it is not known; the page says why
        return None


async def _market(house: House) -> tuple[str, str]:
    if house.settings.is_always_open:
        return "Simulated market, always open", "open"
    days, now = await house.calendar.days(), house.clock()
    said: dict[str, list[str]] = {}
    for name, segment in SHOWN_MARKETS:
        said.setdefault(_hours(days, segment, now), []).append(name)
    is_open = any(days.state(it, now).is_open for _, it in SHOWN_MARKETS)
    told = [f"{', '.join(names)} {hours}" for hours, names in said.items()]
    return " · ".join(told), "open" if is_open else ""


def _hours(days: MarketDays, segment: Segment, now: datetime) -> str:
    state = days.state(segment, now)
    if state.is_open is None:
        return "not known"
    says = "open" if state.is_open else "closed"
    return says if state.next_change is None else f"{says} {countdown(state.next_change - now)}"


def _prices(house: House) -> str:
    source = house.quotes.source
    if source == "off":
        return "no prices"
    return "" if house.settings.is_always_open else f"prices: {source}"


def _counted(alerts: int) -> str:
    return f"{COUNTED - 1}+" if alerts >= COUNTED else str(alerts)
