"""The floor: orders are accepted or refused, meet the depth, rest, and are taken back.

Each use is one transaction that locks the instrument's depth first, so any process may match and
nothing fills twice. An order that was accepted once is not accepted again under the same tag.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.exchange.model.matching import (
    CANCELLED,
    OPEN,
    REJECTED,
    WORKING,
    Depth,
    PaperOrder,
    take,
)
from bahi.exchange.repository import order as rows
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import Clock
from bahi.kernel.errors import NotFound, Rejected
from bahi.kernel.money import Price, down_to_tick, up_to_tick
from bahi.kernel.ports import Fill, Ticket
from bahi.kernel.words import OrderType, Product, Segment, Side, Validity
from bahi.quotes.model.quote import Quote

FRESH: Final = timedelta(seconds=5)
"""An older quote fills nothing."""
PROTECTED_PERCENT: Final = 3
"""How far from the best price a MARKET order may go; what is left of it rests there."""
BOOK_OF: Final = timedelta(hours=24)
"""How far back a client's book of the day goes."""


class Venue(Protocol):
    """What the exchange knows of the world: instruments, hours, prices."""

    def instrument(self, segment: Segment, symbol: str) -> Instrument | None:
        """Return a listed instrument."""

    def is_open(self, instrument: Instrument) -> bool | None:
        """Say whether an instrument trades now; None: not known."""

    def quote(self, instrument: Instrument) -> Quote | None:
        """Return its newest price with its depth."""


class Seen(NamedTuple):
    """An order as its client is told of it."""

    order: PaperOrder
    fills: tuple[Fill, ...]


class PaperExchange:
    """The paper exchange as its clients reach it."""

    def __init__(self, store: Store, venue: Venue, clock: Clock) -> None:
        self._store, self._venue, self._clock = store, venue, clock

    async def place(self, client_id: int, ticket: Ticket) -> Seen:
        """Accept an order and match it, or refuse it as a real exchange would."""
        now = self._clock()
        segment = Segment(ticket.segment)
        instrument = self._venue.instrument(segment, ticket.symbol)
        if instrument is None:
            raise Rejected(f"{ticket.symbol} is not listed on {segment}.")
        quote = self._fresh_quote(instrument, now)
        is_open = self._venue.is_open(instrument) is True
        refusal = next(_refusals(ticket, instrument, quote, is_open=is_open), None)
        return await self._store.write(
            _accept, client_id, ticket, (instrument, quote, refusal), now, account=client_id
        )

    async def cancel(self, client_id: int, order_id: int) -> Seen:
        """Take back what is left of an order."""
        return await self._store.write(
            _cancel, client_id, order_id, self._clock(), account=client_id
        )

    async def book(self, client_id: int) -> list[Seen]:
        """Return a client's orders of the day."""
        return await self._store.read(_book, client_id, self._clock() - BOOK_OF, fresh=True)

    async def match_resting(self) -> int:
        """Match what rests against the newest quotes; return how many orders it moved."""
        moved = 0
        for segment, symbol in await self._store.read(rows.resting_on, fresh=True):
            instrument, now = self._venue.instrument(segment, symbol), self._clock()
            if instrument is None or self._venue.is_open(instrument) is not True:
                continue
            quote = self._fresh_quote(instrument, now)
            if quote is not None:
                moved += await self._store.write(_match, (segment, symbol), quote, now)
        return moved

    async def untold(self, at_most: int = 500) -> list[Seen]:
        """Return what changed since its client was told."""
        return await self._store.read(_untold, at_most, fresh=True)

    async def mark_told(self, told: Sequence[Seen]) -> None:
        """Remember that clients were told; what was not remembered is told again."""
        versions = [(it.order.id, it.order.version) for it in told]
        await self._store.write(rows.mark_told, versions)

    def _fresh_quote(self, instrument: Instrument, now: datetime) -> Quote | None:
        quote = self._venue.quote(instrument)
        return quote if quote is not None and quote.is_fresh(now, FRESH) else None


def _refusals(
    ticket: Ticket, instrument: Instrument, quote: Quote | None, *, is_open: bool
) -> Iterator[tuple[str, str]]:
    lot, tick, largest = instrument.lot_size, instrument.tick_size, instrument.largest_order
    if not is_open:
        yield "MARKET_CLOSED", f"{instrument.exchange} is closed."
    if ticket.quantity <= 0 or ticket.quantity % lot:
        yield "LOT", f"The quantity is not a multiple of the lot, {lot}."
    if largest is not None and ticket.quantity > largest:
        yield "FREEZE", f"The quantity is above the freeze limit; at most {largest} an order."
    if ticket.price is not None and tick and ticket.price % tick:
        yield "TICK", "The price is not on the tick."
    if ticket.price is not None and _is_beyond(instrument, ticket.price):
        yield "BAND", "The price is outside the day's band."
    if ticket.order_type == OrderType.MARKET and quote is None:
        yield "NO_PRICE", "There is no fresh price, so a market order cannot be protected."


def _is_beyond(instrument: Instrument, price: Price) -> bool:
    lower, upper = instrument.lower_band, instrument.upper_band
    return (lower is not None and price < lower) or (upper is not None and price > upper)


def _accept(
    tx: Tx,
    client_id: int,
    ticket: Ticket,
    known: tuple[Instrument, Quote | None, tuple[str, str] | None],
    now: datetime,
) -> Seen:
    """Write an order and match it in the transaction that accepts it."""
    instrument, quote, refusal = known
    if ticket.tag and (order := rows.find_by_tag(tx, client_id, ticket.tag)) is not None:
        return Seen(order, rows.fills_of(tx, order.id))
    identity = tx.new_id()
    order = PaperOrder(
        id=identity,
        client_id=client_id,
        tag=ticket.tag or None,
        segment=instrument.segment,
        symbol=instrument.symbol,
        instrument_id=instrument.id,
        side=Side(ticket.side),
        product=Product(ticket.product),
        order_type=OrderType(ticket.order_type),
        validity=Validity(ticket.validity),
        quantity=ticket.quantity,
        price=ticket.price if ticket.price is not None else _protected(ticket, instrument, quote),
        status=REJECTED if refusal else OPEN,
        reject_code=refusal[0] if refusal else None,
        reject_message=refusal[1] if refusal else None,
        priority=identity,
        placed_at=now,
        updated_at=now,
        completed_at=now if refusal else None,
        told_version=1,  # its client is told by the answer; one that lost it asks for its book
    )
    rows.add(tx, order)
    if refusal is not None:
        return Seen(order, ())
    if quote is not None:
        _match(tx, (order.segment, order.symbol), quote, now)
        order = _existing(tx, order.id)
    if order.validity is Validity.IOC and order.status in WORKING:
        ended = order.ended(CANCELLED, now)
        rows.save(tx, order, ended)
        order = ended
    rows.mark_told(tx, [(order.id, order.version)])
    return Seen(order, rows.fills_of(tx, order.id))


def _protected(ticket: Ticket, instrument: Instrument, quote: Quote | None) -> Price | None:
    """Return where a MARKET order stops: a share from the best price, on the tick."""
    if quote is None:
        return None
    tick = instrument.tick_size or Price(1)
    if ticket.side == Side.BUY:
        best = quote.ask or quote.last
        return down_to_tick(Price(best * (100 + PROTECTED_PERCENT) // 100), tick)
    best = quote.bid or quote.last
    return up_to_tick(Price(-(-best * (100 - PROTECTED_PERCENT) // 100)), tick)


def _match(tx: Tx, where: tuple[Segment, str], quote: Quote, now: datetime) -> int:
    """Match what rests on an instrument, the better price and then the earlier order first."""
    segment, symbol = where
    depth = rows.lock_depth(tx, segment, symbol, now)
    if depth.quoted_at is None or depth.quoted_at < quote.at:
        depth = Depth(quote.at, quote.bids, quote.asks)
    moved = 0
    for order in sorted(rows.resting(tx, segment, symbol), key=_turn):
        fills, depth = take(order, depth)
        if not fills:
            continue
        known = rows.fills_of(tx, order.id) if order.filled else ()
        after = order.filled_by(fills, now)
        rows.save(tx, order, after)
        rows.add_fills(tx, order, fills, now, len(known) + 1)
        moved += 1
    rows.save_depth(tx, segment, symbol, depth, now)
    return moved


def _turn(order: PaperOrder) -> tuple[str, int, int]:
    limit = order.price or 0
    return order.side, -limit if order.side is Side.BUY else limit, order.priority


def _cancel(tx: Tx, client_id: int, order_id: int, now: datetime) -> Seen:
    order = rows.find(tx, order_id)
    if order is None or order.client_id != client_id:
        raise NotFound(f"The paper exchange has no order {order_id} of yours.")
    rows.lock_depth(tx, order.segment, order.symbol, now)
    order = _existing(tx, order_id)
    if order.status not in WORKING:
        raise Rejected(f"The order is {order.status}: there is nothing left to cancel.")
    ended = order.ended(CANCELLED, now)
    rows.save(tx, order, ended)
    return Seen(ended, rows.fills_of(tx, order_id))


def _book(tx: Tx, client_id: int, since: datetime) -> list[Seen]:
    return [Seen(it, rows.fills_of(tx, it.id)) for it in rows.of_client(tx, client_id, since)]


def _untold(tx: Tx, at_most: int) -> list[Seen]:
    return [Seen(it, rows.fills_of(tx, it.id)) for it in rows.untold(tx, at_most)]


def _existing(tx: Tx, order_id: int) -> PaperOrder:
    order = rows.find(tx, order_id)
    assert order is not None  # noqa: S101 - orders never leave while they are asked for
    return order
