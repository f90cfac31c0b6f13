"""What may be asked of an instrument, and the order that a wish becomes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bahi.instruments.model.instrument import Instrument
from bahi.kernel.errors import Conflict, Invalid
from bahi.kernel.money import Price, plain
from bahi.kernel.words import (
    OrderType,
    Product,
    Segment,
    Side,
    Validity,
)

LONGEST_NAME = 100
SHARES = frozenset({Segment.NSE_EQ, Segment.BSE_EQ})
OFFERED = (OrderType.MARKET, OrderType.LIMIT)
"""Stops come with the slice of all order kinds."""


class MarketClosed(Conflict):
    """The market is closed."""

    code = "market_closed"


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
    validity: Validity = Validity.DAY
    client_order_id: str | None = None
    strategy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was known when an order was judged: said with it, and never looked up inside."""

    instrument: Instrument
    is_open: bool | None
    price: Price | None
    priced_at: datetime | None
    source: str | None


def check(wish: PlaceOrder, seen: Seen) -> None:
    """Refuse a wish that no exchange could take, by the first thing that is wrong with it."""
    for sentence in _faults(wish, seen.instrument):
        raise Invalid(sentence)
    if seen.is_open is not True:
        known = "closed" if seen.is_open is False else "not known to be open"
        raise MarketClosed(
            f"{seen.instrument.exchange} is {known}; place it while the market is open."
        )


def _faults(wish: PlaceOrder, it: Instrument) -> Iterator[str]:
    if wish.client_order_id is not None and not 1 <= len(wish.client_order_id) <= LONGEST_NAME:
        yield f"client_order_id: its length is not 1 to {LONGEST_NAME} characters."
    if not it.is_tradable:
        yield f"symbol: {it.symbol} is an index; trade its futures or options."
    if wish.order_type not in OFFERED:
        yield f"order_type: {wish.order_type} is not offered yet; MARKET and LIMIT are."
    if wish.quantity <= 0:
        yield f"quantity: {wish.quantity} is not above zero."
    if wish.quantity % it.lot_size:
        below = wish.quantity // it.lot_size * it.lot_size
        yield (
            f"quantity: {wish.quantity} of {it.symbol} is not whole lots of {it.lot_size}; "
            f"{below + it.lot_size} is{f', and {below}' if below else ''}."
        )
    if it.largest_order is not None and wish.quantity > it.largest_order:
        yield (
            f"quantity: {wish.quantity} of {it.symbol} is above the exchange's freeze limit; "
            f"one order may ask for {it.largest_order}."
        )
    yield from _wrong_price(wish, it)
    yield from _wrong_product(wish, it)


def _wrong_price(wish: PlaceOrder, it: Instrument) -> Iterator[str]:
    if wish.order_type is OrderType.MARKET:
        if wish.price is not None:
            yield "price: a MARKET order has none; leave it out, or ask for LIMIT."
        return
    if wish.price is None or wish.price <= 0:
        yield f"price: a {wish.order_type} order needs one above zero."
    elif it.tick_size and wish.price % it.tick_size:
        below = Price(wish.price // it.tick_size * it.tick_size)
        yield (
            f"price: {plain(wish.price)} is not on the tick of {plain(it.tick_size)}; "
            f"{plain(below)} and {plain(below + it.tick_size)} are."
        )


def _wrong_product(wish: PlaceOrder, it: Instrument) -> Iterator[str]:
    is_share = it.segment in SHARES
    if wish.product in {Product.CO, Product.BO}:
        yield f"product: {wish.product} is not offered yet; CNC, INTRADAY, MARGIN and MTF are."
    if wish.product in {Product.CNC, Product.MTF} and not is_share:
        yield f"product: {wish.product} is for shares; {it.symbol} takes INTRADAY or MARGIN."
    if wish.product is Product.MARGIN and is_share:
        yield f"product: MARGIN is for derivatives; {it.symbol} takes CNC, INTRADAY or MTF."


def is_exit(side: Side, quantity: int, net: int, working_exits: int) -> bool:
    """Say whether an order can only bring a position nearer to nothing.

    With every working exit filled, it must not take the position past zero.
    """
    closes = net > 0 if side is Side.SELL else net < 0
    return closes and quantity + working_exits <= abs(net)
