"""What may be asked of an instrument, and the order that a wish becomes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from bahi.instruments.model.instrument import Instrument
from bahi.kernel.errors import Conflict, Invalid
from bahi.kernel.money import Price, grouped
from bahi.kernel.names import shown
from bahi.kernel.words import (
    AmoTime,
    LegType,
    OrderType,
    Product,
    Segment,
    Side,
    Validity,
)
from bahi.orders.model.guard import Guard
from bahi.risk.model.eligibility import KeptOff
from bahi.risk.model.verdict import FRESH, Reference

LONGEST_NAME: Final = 100
OURS: Final = "~"
"""Names of orders that the house places by itself begin with it, and nobody else's do."""
MOST: Final = 1_000_000_000
"""Pieces of one order, and ten-thousandths of a price: a crore rupees a piece is `MOST * 100`."""
SHARES: Final = frozenset({Segment.NSE_EQ, Segment.BSE_EQ})
STOPS: Final = frozenset({OrderType.STOP_LOSS, OrderType.STOP_LOSS_MARKET})
LIMITED: Final = frozenset({OrderType.LIMIT, OrderType.STOP_LOSS})
LEAST_DISCLOSED_PERCENT: Final = 10


class MarketClosed(Conflict):
    """The market is closed."""

    code = "market_closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What an order is of a larger wish: a leg of another order, or one slice of several."""

    of_order: int | None = None
    leg: LegType | None = None
    slices: str | None = None
    slice_index: int | None = None
    whole_quantity: int | None = None
    of_forever: int | None = None

    @property
    def is_ours(self) -> bool:
        """Whether the house places it by itself."""
        return self.of_order is not None or self.of_forever is not None


WHOLE: Final = Part()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """A wish for an order, as a door took it in."""

    segment: Segment
    symbol: str
    side: Side
    quantity: int
    product: Product
    order_type: OrderType = OrderType.LIMIT
    price: Price | None = None
    trigger_price: Price | None = None
    validity: Validity = Validity.DAY
    disclosed_quantity: int = 0
    amo_time: AmoTime | None = None
    client_order_id: str | None = None
    strategy: str | None = None
    send_at: datetime | None = None
    part: Part = WHOLE
    guard: Guard | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was known when an order was judged: said with it, and never looked up inside."""

    instrument: Instrument
    is_open: bool | None
    reference: Reference | None
    settled: date | None = None  # the last day whose purchases are delivered
    kept_off: tuple[KeptOff, ...] = ()
    mean: Price | None = None  # to which limits are held, where they are

    @property
    def price(self) -> Price | None:
        """The last price, where one is known."""
        return None if self.reference is None else self.reference.price

    def price_at(self, now: datetime) -> Price | None:
        """Return the last price as it counts now: an old one is unknown but in a closed market."""
        if self.reference is None:
            return None
        is_old = self.is_open is not False and now - self.reference.at > FRESH
        return None if is_old else self.reference.price


def check(wish: PlaceOrder, seen: Seen) -> None:
    """Refuse a wish that no exchange could take, by the first thing that is wrong with it."""
    check_terms(wish, seen.instrument)
    if wish.guard is not None and wish.price is None and wish.trigger_price is None:
        for sentence in _beyond_guard(wish, wish.guard, seen.price):
            raise Invalid(sentence)
    if wish.send_at is not None:
        if wish.send_at.tzinfo is None:
            raise Invalid("send_at: it says no time zone; write it with one.")
        if wish.amo_time is not None:
            raise Invalid("amo_time: an order for a time of your own has none; leave it out.")
    if wish.send_at is None:
        require_hours(seen, wish.amo_time)


def check_name(name: str | None, *, is_ours: bool = False) -> None:
    """Refuse a name that could not be asked for again on both databases, or that is not theirs."""
    if name is None:
        return
    if name.startswith(OURS) and not is_ours:
        raise Invalid(f"client_order_id: names that begin with {OURS!r} are the house's own.")
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Invalid(
            f"client_order_id: it is not 1 to {LONGEST_NAME} characters that can be printed."
        )


def check_terms(wish: PlaceOrder, listed: Instrument) -> None:
    """Refuse a wish whose terms fit no instrument of its kind, at whatever hour."""
    check_name(wish.client_order_id, is_ours=wish.part.is_ours)
    if wish.strategy is not None and not (wish.strategy.strip() and wish.strategy.isprintable()):
        raise Invalid("strategy: it is empty, or has characters that cannot be printed.")
    for sentence in _faults(wish, listed):
        raise Invalid(sentence)


def require_hours(seen: Seen, amo_time: AmoTime | None) -> None:
    """Refuse what is not sent while its market takes it."""
    exchange = seen.instrument.exchange
    if amo_time is not None:
        if seen.is_open is True:
            raise Conflict(f"amo_time: {exchange} is open; an AMO is for when it is not.")
        return
    if seen.is_open is not True:
        known = "closed" if seen.is_open is False else "not known to be open"
        raise MarketClosed(
            f"{exchange} is {known}; place it while the market is open, or after hours as "
            "an AMO (amo_time)."
        )


def _faults(wish: PlaceOrder, it: Instrument) -> Iterator[str]:
    if not it.is_tradable:
        yield f"symbol: {it.symbol} is an index; trade its futures or options."
    yield from _wrong_quantity(wish, it)
    yield from _wrong_price(wish, it)
    yield from _wrong_stop(wish, it)
    yield from _wrong_display(wish, it)
    yield from _wrong_product(wish, it)
    if wish.guard is not None:
        yield from _wrong_guard(wish, wish.guard, it)


def _wrong_quantity(wish: PlaceOrder, it: Instrument) -> Iterator[str]:
    if not 0 < wish.quantity <= MOST:
        yield (
            f"quantity: {wish.quantity} is not above zero."
            if wish.quantity <= 0
            else f"quantity: {wish.quantity} is more than {MOST}, which no exchange takes."
        )
        return
    if wish.quantity % it.lot_size:
        below = wish.quantity // it.lot_size * it.lot_size
        yield (
            f"quantity: {wish.quantity} of {it.symbol} is not whole lots of {it.lot_size}; "
            f"{below + it.lot_size} is{f', and {below}' if below else ''}."
        )
    if it.largest_order is not None and wish.quantity > it.largest_order:
        yield (
            f"quantity: {wish.quantity} of {it.symbol} is above the exchange's freeze limit; "
            f"one order may ask for {it.largest_order}; ask for it in slices."
        )


def _wrong_price(wish: PlaceOrder, it: Instrument) -> Iterator[str]:
    if wish.order_type not in LIMITED:
        if wish.price is not None:
            kind = shown(wish.order_type)
            yield f"price: a {kind} order has none; leave it out, or ask for a limit."
        return
    if wish.price is None or wish.price <= 0:
        yield f"price: a {shown(wish.order_type)} order needs one above zero."
    else:
        yield from _off_tick("price", wish.price, it)


def _wrong_stop(wish: PlaceOrder, it: Instrument) -> Iterator[str]:
    trigger, price = wish.trigger_price, wish.price
    if wish.order_type not in STOPS:
        if trigger is not None:
            yield (f"trigger_price: a {shown(wish.order_type)} order has none; ask for SL or SL-M.")
        return
    if trigger is None or trigger <= 0:
        yield f"trigger_price: a {shown(wish.order_type)} order needs one above zero."
        return
    yield from _off_tick("trigger_price", trigger, it)
    if wish.order_type is OrderType.STOP_LOSS_MARKET and it.option_type is not None:
        yield "order_type: no exchange takes SL-M on options; ask for SL with a limit."
    if price is not None and (price < trigger if wish.side is Side.BUY else price > trigger):
        side = "below" if wish.side is Side.BUY else "above"
        yield (
            f"price: {grouped(price)} is {side} the trigger of {grouped(trigger)}, so a fired "
            f"{wish.side} would not meet the market."
        )


def _off_tick(name: str, price: Price, it: Instrument) -> Iterator[str]:
    if price > MOST * 100:
        yield f"{name}: {grouped(price)} is more than {grouped(MOST * 100)}, which nothing costs."
        return
    if it.tick_size and price % it.tick_size:
        below = Price(price // it.tick_size * it.tick_size)
        yield (
            f"{name}: {grouped(price)} is not on the tick of {grouped(it.tick_size)}; "
            f"{grouped(below)} and {grouped(below + it.tick_size)} are."
        )


def _wrong_display(wish: PlaceOrder, it: Instrument) -> Iterator[str]:
    disclosed = wish.disclosed_quantity
    if wish.validity is Validity.IOC and (disclosed or wish.amo_time is not None):
        yield "validity: an IOC order trades at once, whole and in hours; ask for DAY."
    if not disclosed:
        return
    least = -(-wish.quantity * LEAST_DISCLOSED_PERCENT // 100)
    if it.segment not in SHARES:
        yield "disclosed_quantity: is for shares; leave it out."
    elif not least <= disclosed <= wish.quantity:
        yield (
            f"disclosed_quantity: {disclosed} is not {least} to {wish.quantity}; at least "
            f"{LEAST_DISCLOSED_PERCENT} % of the order is shown."
        )


def _wrong_guard(wish: PlaceOrder, guard: Guard, it: Instrument) -> Iterator[str]:
    """A guarded position lies between its stop and its target, wherever it was opened."""
    way = 1 if wish.side is Side.BUY else -1
    prices = {"stop": guard.stop, "target": guard.target, "trailing": guard.trailing}
    for name, price in prices.items():
        if price is not None and price <= 0:
            yield f"{name}: {grouped(price)} is not above zero."
        if price is not None:
            yield from _off_tick(name, price, it)
    if wish.product not in {Product.INTRADAY, Product.MARGIN}:
        yield f"product: {shown(wish.product)} is not guarded; ask for MIS or NRML."
    yield from _beyond_guard(wish, guard, wish.price or wish.trigger_price)
    if guard.target is not None and (guard.target - guard.stop) * way <= 0:
        target, stop = grouped(guard.target), grouped(guard.stop)
        yield f"target: {target} and stop {stop} lie the wrong way round."


def _beyond_guard(wish: PlaceOrder, guard: Guard, entry: Price | None) -> Iterator[str]:
    way = 1 if wish.side is Side.BUY else -1
    ends = [("stop", guard.stop, 1)] + ([("target", guard.target, -1)] if guard.target else [])
    for name, price, sign in ends:
        if entry is not None and (entry - price) * way * sign <= 0:
            where = "below" if way * sign > 0 else "above"
            yield (
                f"{name}: {grouped(price)} is not {where} the entry of {grouped(entry)}; "
                f"a {wish.side} has its {name} {where} it."
            )


def _wrong_product(wish: PlaceOrder, it: Instrument) -> Iterator[str]:
    is_share = it.segment in SHARES
    if wish.product in {Product.CO, Product.BO}:
        yield f"product: {shown(wish.product)} is asked for as a cover or bracket order of its own."
    if wish.product in {Product.CNC, Product.MTF} and not is_share:
        yield f"product: {shown(wish.product)} is for shares; {it.symbol} takes MIS or NRML."
    if wish.product is Product.MARGIN and is_share:
        yield f"product: NRML is for derivatives; {it.symbol} takes CNC, MIS or MTF."


def require_ahead(wish: PlaceOrder, last: Price | None) -> None:
    """Refuse a stop that the market has passed: no exchange takes it."""
    trigger, buys = wish.trigger_price, wish.side is Side.BUY
    if trigger is None or last is None or wish.amo_time is not None:
        return
    if trigger <= last if buys else trigger >= last:
        way = "above" if buys else "below"
        raise Invalid(
            f"trigger_price: a {wish.side} stop has to be {way} the last price, {grouped(last)}."
        )


def dearest(
    side: Side, named: tuple[Price | None, Price | None], last: Price | None
) -> Price | None:
    """Return the dearest price at which an order may trade, by its price and its trigger.

    What a seller gets may be the market's, and a stop that the market has passed fires at once.
    """
    price = named[0] or named[1]
    if price is None or last is None:
        return price or last
    caps = side is Side.BUY and named[0] is not None
    return price if caps else max(price, last)
