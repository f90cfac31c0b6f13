"""The floor: orders are accepted or refused, meet the depth, rest, and are taken back.

Each use is one transaction that locks the instrument's depth first, so any process may match and
nothing fills twice. An order that was accepted once is not accepted again under the same tag.
Whatever time does (`drive`) any process may do as well: it is done once, in the order of the clock,
also after a while in which nobody ran.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final, TypeVarTuple

from bahi.calendar.model import CALENDARS, MarketDays, Phase
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.exchange.model.matching import reach_of
from bahi.exchange.model.order import PaperOrder, Seen
from bahi.exchange.model.protecting import is_protected
from bahi.exchange.model.rules import Rules
from bahi.exchange.model.settling import Settlement, worth
from bahi.exchange.model.situation import Situation
from bahi.exchange.model.trading_day import Timetable, TradingDay
from bahi.exchange.repository import order as rows
from bahi.exchange.repository import positions, standing
from bahi.exchange.repository.positions import Conversion
from bahi.exchange.service import passing
from bahi.exchange.service.accepting import Wish, accept, cancel, convert, modify
from bahi.exchange.service.prices import Past, Prices, Venue, situation
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import Clock, exchange_day
from bahi.kernel.errors import BahiError, NotFound, Rejected
from bahi.kernel.money import Price
from bahi.kernel.ports import Change, Ticket
from bahi.kernel.symbols import parse
from bahi.kernel.words import Segment
from bahi.quotes.model.quote import Quote

log = logging.getLogger("bahi.exchange")

__all__ = ["PaperExchange", "Seen", "Venue"]

BOOK_OF: Final = timedelta(hours=24)
"""How far back a client's book of the day goes."""
GRACE: Final = timedelta(minutes=1)
"""How long after the hour of squaring off it is looked again who is left."""
CLOSE_WITHIN: Final = timedelta(minutes=1)
"""How long the price of a closing auction is waited for."""
SETTLED_EVERY: Final = timedelta(minutes=1)
ROUNDS_AT_MOST: Final = 20
AUCTIONED: Final = (False, True)

Ts = TypeVarTuple("Ts")
Days = Callable[[], MarketDays | None]


class PaperExchange:
    """The paper exchange as its clients reach it.

    `days` returns the calendar as it is now; without one every day trades around the clock, as far
    as the venue says.
    `past` says what prices were: with it, what nobody ran for is squared off at the price of its
    hour, and without it is carried.
    """

    def __init__(
        self,
        store: Store,
        venue: Venue,
        clock: Clock,
        *,
        days: Days | None = None,
        rules: Rules | None = None,
        past: Past | None = None,
    ) -> None:
        self._store, self._venue, self._clock = store, venue, clock
        self.rules = rules or Rules()
        self._prices = Prices(venue, self.rules, past)
        self._days = days
        self._laid_out = Timetable(None if days is None else days(), self.rules)
        self._squared_until: datetime | None = None
        self._settled_at: datetime | None = None

    @property
    def _timetable(self) -> Timetable:
        days = None if self._days is None else self._days()
        if days is not self._laid_out.days:
            self._laid_out = Timetable(days, self.rules)
        return self._laid_out

    def go_by(self, rules: Rules) -> None:
        """Go by other rules from now on."""
        self.rules = self._prices.rules = rules
        self._laid_out = Timetable(self._laid_out.days, rules)

    async def place(self, client_id: int, ticket: Ticket) -> Seen:
        """Accept an order and match it, or refuse it as a real exchange would."""
        segment, now = Segment(ticket.segment), self._clock()
        instrument = self._venue.instrument(segment, ticket.symbol)
        if instrument is None:
            raise Rejected(f"{ticket.symbol} is not listed on {segment}.")
        seen = self._look(instrument, now, now)
        wish = Wish(client_id, ticket)
        return await self._store.write(accept, wish, seen, instrument=instrument.id)

    async def modify(self, client_id: int, change: Change) -> Seen:
        """Change an order that works; refused, it stays as it is."""
        order = await self._store.read(rows.find, int(change.broker_order_id), fresh=True)
        if order is None or order.client_id != client_id:
            raise NotFound(f"The paper exchange has no order {change.broker_order_id} of yours.")
        instrument, now = self._venue.instrument(order.segment, order.symbol), self._clock()
        if instrument is None:
            raise Rejected(f"{order.symbol} is listed no longer.")
        seen = self._look(instrument, now, now)
        return await self._store.write(modify, client_id, change, seen, instrument=instrument.id)

    async def cancel(self, client_id: int, order_id: int) -> Seen:
        """Take back what is left of an order."""
        return await self._store.write(
            cancel, client_id, order_id, self._clock(), account=client_id
        )

    async def convert(self, conversion: Conversion) -> bool:
        """Make another product of a part of a position, so that it is not squared off as before."""
        return await self._store.write(
            convert, conversion, self._clock(), account=conversion.client_id
        )

    async def book(self, client_id: int) -> list[Seen]:
        """Return a client's orders of the day."""
        return await self._store.read(_book, client_id, self._clock() - BOOK_OF, fresh=True)

    async def untold(self, at_most: int = 500) -> list[Seen]:
        """Return what changed since its client was told."""
        return await self._store.read(_untold, at_most, fresh=True)

    async def mark_told(self, told: Sequence[Seen]) -> None:
        """Remember that clients were told; what was not remembered is told again."""
        versions = [(it.order.id, it.order.version) for it in told]
        await self._store.write(rows.mark_told, versions)

    async def settlements(self, since: date) -> list[Settlement]:
        """Return the settlement prices of contracts that expired on a day or later."""
        return await self._store.read(standing.settlements, since, fresh=True)

    def mean_of(self, it: Instrument) -> Price | None:
        """Return the mean price to which limits are held now; None: to none."""
        if not is_protected(it):
            return None
        now = self._clock()
        seen = self._look(it, now, now)
        return seen.reference if seen.is_continuous else None

    async def drive(self) -> int:
        """Do what time and prices make due; return how many orders moved.

        Any process may drive, and several at once: each step is done under the instrument's lock
        and checked there. A quiet market costs two reads.
        """
        now, moved = self._clock(), 0
        for at in self._hours_of_squaring_off(now):
            moved += await self._pass_time(at, now)
            moved += await self._square_off(at, now)
        self._squared_until = now
        moved += await self._pass_time(now, now)
        moved += await self._settle(now)
        return moved + await self.match_resting()

    async def match_resting(self) -> int:
        """Match what rests against the newest quotes; return how many orders it moved."""
        moved = 0
        for interest in await self._store.read(standing.interests, fresh=True):
            instrument, now = self._venue.instrument(*interest[:2]), self._clock()
            if instrument is None:
                continue
            seen = self._look(instrument, now, now)
            if seen.is_continuous and seen.quote and self._concerns(interest, seen.quote):
                moved += await self._step(instrument.id, passing.match, seen)
        return moved

    async def _step(self, instrument: int | None, fn: Callable[[Tx, *Ts], int], *args: *Ts) -> int:
        """Do one instrument's step; its fault must not keep the others from theirs."""
        try:
            return await self._store.write(fn, *args, instrument=instrument)
        except BahiError as fault:  # it is due again in the next round
            log.warning("a step of the paper exchange failed: %s", fault)
            return 0

    def _concerns(self, it: standing.Interest, quote: Quote) -> bool:
        """Say whether a price can move anything of what rests on its instrument."""
        reach = reach_of(quote, self.rules.queue)
        return (
            it.waits
            or (it.buy_trigger is not None and it.buy_trigger <= quote.last)
            or (it.sell_trigger is not None and it.sell_trigger >= quote.last)
            or (it.buys_to is not None and it.buys_to >= reach.buys_from)
            or (it.sells_from is not None and it.sells_from <= reach.sells_to)
        )

    async def _pass_time(self, until: datetime, now: datetime) -> int:
        """Do what is due until an instant, the earliest first."""
        moved = 0
        for _ in range(ROUNDS_AT_MOST):
            due = await self._store.read(standing.due, until, fresh=True)
            for segment, symbol, at in due:
                instrument = self._venue.instrument(segment, symbol)
                if instrument is None:
                    where = (segment, symbol)
                    moved += await self._step(None, passing.end_unlisted, where, at)
                else:
                    seen = self._look(instrument, at, now)
                    if seen.quote is None and seen.day is not None and now < seen.day.closes:
                        seen = self._look(instrument, now, now)  # late, and yet in hours
                    if now - at < CLOSE_WITHIN and passing.waits_for_close(seen):
                        continue
                    moved += await self._step(instrument.id, passing.pass_time, seen)
            if len(due) < standing.AT_ONCE:
                break
        return moved

    def _hours_of_squaring_off(self, now: datetime) -> list[datetime]:
        """Return when intraday positions were to be closed since it was done last."""
        if not self._timetable.is_known or not self.rules.squares_off:
            return []
        first = now - positions.LOOKED_BACK
        since = first if self._squared_until is None else self._squared_until - GRACE
        days = (exchange_day(now) - exchange_day(since)).days + 1
        found = {
            day.square_off_at
            for back in range(days)
            for day in self._days_of(exchange_day(now) - timedelta(days=back))
        }
        return sorted(at for at in found if at is not None and since < at <= now)

    def _days_of(self, day: date) -> Iterator[TradingDay]:
        for segment in CALENDARS:
            for in_auction in AUCTIONED:
                found = self._timetable.on(segment, day, in_auction=in_auction)
                if found is not None:
                    yield found

    async def _square_off(self, at: datetime, now: datetime) -> int:
        """Close the intraday positions whose hour it is."""
        day, moved = exchange_day(at), 0
        for held in await self._store.read(positions.held, day, fresh=True):
            instrument = self._venue.instrument(held.segment, held.symbol)
            if instrument is None:
                continue
            hours = self._timetable.day_of(instrument, at)
            if hours is None or hours.square_off_at != at:
                continue
            seen = self._look(instrument, at, now)
            if seen.quote is None and now < hours.closes:  # late, and yet in hours
                seen = self._look(instrument, now, now)
            if seen.quote is None and seen.phase is Phase.OPEN and now >= hours.closes:
                seen = replace(seen, phase=Phase.CLOSED)
            moved += await self._step(instrument.id, passing.square_off, held, seen)
        return moved

    async def _settle(self, now: datetime) -> int:
        """Publish what contracts that are over were settled at, once their close is known."""
        if self._settled_at is not None and now - self._settled_at < SETTLED_EVERY:
            return 0
        self._settled_at = now
        over = await self._store.read(standing.unsettled, exchange_day(now), fresh=True)
        found = [it for row in over if (it := self._settlement(row, now)) is not None]
        return await self._store.write(standing.publish, found) if found else 0

    def _settlement(self, row: tuple[Segment, str, date], now: datetime) -> Settlement | None:
        segment, symbol, day = row
        contract = parse(symbol)
        ends = self._timetable.on(segment, day, in_auction=False)
        if contract is None or (ends is not None and now < ends.closes):
            return None
        of = self._prices.underlying(segment, contract.root)
        if of is None and contract.right is None:
            of = self._venue.instrument(segment, symbol)
        if of is None:
            return None
        quote = self._prices.close_of(of, day, self._timetable, now)
        if quote is None:
            return None
        return Settlement(
            segment=segment,
            symbol=symbol,
            expires_on=day,
            price=worth(contract, quote.last),
            underlying_price=quote.last,
            underlying=of.symbol,
            source=quote.source,
            published_at=now,
        )

    def _look(self, it: Instrument, at: datetime, now: datetime) -> Situation:
        seen = situation(it, (at, now), self._prices, self._timetable, self.rules)
        if not self._timetable.is_known and self._venue.is_open(it) is not True:
            return replace(seen, phase=Phase.CLOSED)
        return seen


def _book(tx: Tx, client_id: int, since: datetime) -> list[Seen]:
    return [_seen(tx, it) for it in rows.of_client(tx, client_id, since)]


def _untold(tx: Tx, at_most: int) -> list[Seen]:
    return [_seen(tx, it) for it in rows.untold(tx, at_most)]


def _seen(tx: Tx, order: PaperOrder) -> Seen:
    return Seen(order, rows.fills_of(tx, order.id) if order.filled else ())
