"""A floor to trade on: the real exchange and store, at prices and hours that a test sets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bahi.bootstrap import House
from bahi.calendar.model import MarketDays
from bahi.exchange.model.order import PaperOrder
from bahi.exchange.service import PaperExchange, Past, Rules, Seen
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import StoppedClock
from bahi.kernel.money import Price, parse_price
from bahi.kernel.ports import Change, Level, Ticket
from bahi.kernel.words import AmoTime, Segment
from bahi.quotes.model.quote import Quote
from tests.calendars.known import DAYS, at
from tests.living import live_in
from tests.quotes.names import AUCTIONED, FUTURE, NIFTY, RELIANCE, SBIN, an_instrument

NOON = at("2026-11-25 12:00")
LISTED = (NIFTY, RELIANCE, SBIN, AUCTIONED, FUTURE)
Levels = Mapping[str, int]


def rupees(text: str | int) -> Price:
    return parse_price(text)


def levels(given: Levels) -> tuple[Level, ...]:
    return tuple(Level(rupees(price), size) for price, size in given.items())


class Market:
    """Prices that stand as they were told last, by a clock that moves when told to."""

    def __init__(self, clock: StoppedClock, listed: tuple[Instrument, ...]) -> None:
        self.clock, self.is_trading = clock, True
        self._listed = {(it.segment, it.symbol): it for it in listed}
        self._quotes: dict[int, Quote] = {}

    def instrument(self, segment: Segment, symbol: str) -> Instrument | None:
        return self._listed.get((segment, symbol))

    def unlist(self, it: Instrument) -> None:
        del self._listed[it.segment, it.symbol]

    def is_open(self, instrument: Instrument) -> bool | None:
        return self.is_trading

    def quote(self, instrument: Instrument) -> Quote | None:
        return self._quotes.get(instrument.id)

    def tell(
        self,
        it: Instrument,
        last: str,
        bids: Levels | None = None,
        asks: Levels | None = None,
        **more: Any,
    ) -> Quote:
        """Make a price of this moment."""
        given: dict[str, Any] = {"at": self.clock(), "received_at": self.clock()}
        quote = Quote(
            instrument_id=it.id,
            last=rupees(last),
            source="test",
            bids=levels(bids or {}),
            asks=levels(asks or {}),
            **(given | more),
        )
        self._quotes[it.id] = quote
        return quote


class Floor:
    """The exchange, its market, and a client who trades there."""

    client = 7

    def __init__(self, house: House, when: datetime, options: dict[str, Any]) -> None:
        self.clock = StoppedClock(when)
        self.market = Market(self.clock, options.pop("listed", LISTED))
        self.store = house.stores["sandbox"]
        self._options = options
        self.exchange = self.begun()
        self._tags = 0

    def begun(self) -> PaperExchange:
        """Return the exchange as a process has it that begins now."""
        return PaperExchange(self.store, self.market, self.clock, **self._options)

    def tell(
        self, it: Instrument, last: str, bids: Levels | None = None, asks: Levels | None = None,
        **more: Any,
    ) -> None:  # fmt: skip
        self.market.tell(it, last, bids, asks, **more)

    def later(self, seconds: float = 1) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    async def place(
        self, it: Instrument, side: str, quantity: int, price: str | None = None, **more: Any
    ) -> Seen:
        """Place a LIMIT at a price, or a MARKET without one."""
        self._tags += 1
        amo: AmoTime | None = more.pop("amo", None)
        client: int = more.pop("client", self.client)
        trigger = more.pop("trigger", None)
        given: dict[str, Any] = {
            "tag": f"T{self._tags}",
            "segment": it.segment,
            "symbol": it.symbol,
            "side": side,
            "order_type": "MARKET" if price is None else "LIMIT",
            "product": "INTRADAY",
            "validity": "DAY",
            "quantity": quantity,
            "price": None if price is None else rupees(price),
            "trigger_price": None if trigger is None else rupees(trigger),
            "amo_time": amo,
        }
        return await self.exchange.place(client, Ticket(**(given | more)))

    async def change(self, seen: Seen, **changes: Any) -> Seen:
        for name in ("price", "trigger_price"):
            if name in changes:
                changes[name] = rupees(changes[name])
        asked = Change(broker_order_id=str(seen.order.id), **changes)
        return await self.exchange.modify(self.client, asked)

    async def now(self, seen: Seen) -> PaperOrder:
        """Return an order as it is now."""
        book = await self.exchange.book(seen.order.client_id)
        return next(it.order for it in book if it.order.id == seen.order.id)

    async def told(self) -> list[PaperOrder]:
        """Return what its client is told next, and remember that it was."""
        untold = await self.exchange.untold()
        await self.exchange.mark_told(untold)
        return [it.order for it in untold]


def trade(
    home: dict[str, str],
    story: Callable[[Floor], Awaitable[None]],
    *,
    when: datetime = NOON,
    days: MarketDays | None = DAYS,
    past: Past | None = None,
    listed: tuple[Instrument, ...] = LISTED,
    **rules: Any,
) -> None:
    """Let a story happen on a floor."""

    async def whole(house: House) -> None:
        options = {"days": lambda: days, "rules": Rules(**rules), "past": past, "listed": listed}
        await story(Floor(house, when, options))

    live_in(home, whole)


__all__ = ["AUCTIONED", "FUTURE", "NIFTY", "RELIANCE", "SBIN", "Floor", "an_instrument", "trade"]
