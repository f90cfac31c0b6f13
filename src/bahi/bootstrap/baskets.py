"""A basket before it is placed: what each leg would trade at, what all need, what they make.

What they make is drawn over the price of what they are on, at their end and as it is today; the
prices are those at which each would trade now, before charges.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from bahi.bootstrap.chains import SECONDS, Basis, Underlying, chain_of, ends_at, figures_of
from bahi.bootstrap.margins import would_need
from bahi.bootstrap.rooms import Rooms
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.errors import BahiError, Conflict, Invalid
from bahi.kernel.money import SCALE, Money, Price
from bahi.kernel.words import OrderType, Product, Side
from bahi.orders.model.wishes import PlaceOrder, check
from bahi.orders.service.desk import Desk
from bahi.portfolio.model.requiring import Required
from bahi.quotes.model.greeks import DAYS
from bahi.quotes.model.payoff import Leg, Payoff, Point, before_its_end, payoff_of
from bahi.quotes.model.quote import Quote

LEGS_AT_MOST: Final = 20
LOTS_AT_MOST: Final = 100_000
DRAWN_IN: Final = 48
"""Steps of the curve of today."""
LEAST_REACH: Final = 50
"""The picture goes at least a fiftieth of the price beyond the outermost of what it shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One leg as it was chosen; without a price it is for the market."""

    instrument: Instrument
    side: Side
    lots: int
    price: Price | None = None

    def __post_init__(self) -> None:
        """Refuse what is no leg."""
        if not 1 <= self.lots <= LOTS_AT_MOST:
            raise Invalid(f"lots: {self.lots} cannot be; a leg is of 1 to {LOTS_AT_MOST:,}.")

    @property
    def quantity(self) -> int:
        """How many pieces it is of."""
        return self.lots * self.instrument.lot_size

    def wish(self, product: Product, name: str | None = None) -> PlaceOrder:
        """Return the order that it becomes."""
        return PlaceOrder(
            segment=self.instrument.segment,
            symbol=self.instrument.symbol,
            side=self.side,
            quantity=self.quantity,
            product=product,
            order_type=OrderType.MARKET if self.price is None else OrderType.LIMIT,
            price=self.price,
            client_order_id=name,
        )


class PartSeen(NamedTuple):
    """A leg with its price now; `at` is what it would trade at, `why` what speaks against it."""

    part: Part
    quote: Quote | None
    at: Price | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What legs make over the price of what they are on: at their end, and as it is today."""

    underlying: Underlying
    expiry: date
    payoff: Payoff
    today: list[Point]
    now: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketSeen:
    """A basket as it stands; what is not known says why."""

    parts: list[PartSeen]
    needed: Required | None
    why: str
    outlook: Outlook | None
    no_outlook: str

    @property
    def may_go(self) -> bool:
        """Whether anything speaks against sending it."""
        fits = self.needed is not None and self.needed.fits
        return bool(self.parts) and fits and not self.why and not any(it.why for it in self.parts)


async def basket_seen(
    house: Rooms, desk: Desk, parts: Sequence[Part], product: Product
) -> BasketSeen:
    """Look at a basket; whatever is wrong with it is a sentence, and never a failure."""
    if not parts:
        return BasketSeen(parts=[], needed=None, why="", outlook=None, no_outlook="")
    if len(parts) > LEGS_AT_MOST:
        raise Invalid(f"basket: it has {len(parts)} legs; {LEGS_AT_MOST} are the most.")
    quotes = await house.quotes.quotes([it.instrument for it in parts])
    seen = [_seen(desk, it, quotes.get(it.instrument.id), product) for it in parts]
    needed, why = None, ""
    try:
        needed = await would_need(desk, *(it.wish(product) for it in parts))
    except BahiError as fault:
        why = str(fault)
    outlook, no_outlook = None, ""
    try:
        outlook = await outlook_of(house, seen)
    except BahiError as fault:
        no_outlook = str(fault)
    return BasketSeen(parts=seen, needed=needed, why=why, outlook=outlook, no_outlook=no_outlook)


def _seen(desk: Desk, part: Part, quote: Quote | None, product: Product) -> PartSeen:
    it = part.instrument
    why = ""
    try:
        check(part.wish(product), desk.look(it.segment, it.symbol))
    except BahiError as fault:
        why = str(fault)
    return PartSeen(part, quote, part.price or trades_at(part.side, quote), why)


def trades_at(side: Side, quote: Quote | None) -> Price | None:
    """Return what an order for the market would meet: the other side of the book, else the last."""
    if quote is None:
        return None
    return (quote.ask if side is Side.BUY else quote.bid) or quote.last


async def outlook_of(house: Rooms, seen: Sequence[PartSeen]) -> Outlook:
    """Return what legs make; where no one picture can say it, Invalid says why."""
    first = seen[0].part.instrument
    day = _the_day(seen)
    chain = await chain_of(house, first.root, first.segment, day, around=1)
    legs = [_leg(it, chain.basis, chain.at) for it in seen]
    spot = chain.underlying.last
    low, high = _reach([*(it.strike for it in legs if it.strike is not None), spot])
    payoff = payoff_of(legs, low, high)
    life = (ends_at(first.segment, day) - chain.at).total_seconds() / SECONDS / DAYS
    today = await asyncio.to_thread(_today, legs, (low, high), (spot, chain.basis), life)
    now = before_its_end(legs, [_forward(spot, spot, chain.basis)], life)[0]
    return Outlook(underlying=chain.underlying, expiry=day, payoff=payoff, today=today, now=now)


def _the_day(seen: Sequence[PartSeen]) -> date:
    listed = [it.part.instrument for it in seen]
    roots = sorted({it.root for it in listed})
    if len(roots) > 1 or len({it.segment for it in listed}) > 1:
        raise Invalid(f"The legs are on {' and '.join(roots)}: no one price can draw them.")
    days = sorted({it.expiry for it in listed if it.expiry is not None})
    if len(days) != 1:
        raise Invalid(
            "The legs end on different days, so there is no one day whose picture this would be."
        )
    return days[0]


def _leg(seen: PartSeen, basis: Basis, now: datetime) -> Leg:
    it = seen.part.instrument
    if seen.at is None:
        raise Conflict(f"There is no price of {it.symbol}, so what the legs make is not known.")
    volatility = None
    if it.option_type is not None and seen.quote is not None:
        try:
            volatility = figures_of(it, seen.quote.last, basis, now).volatility
        except BahiError:  # no volatility makes its last price: today's curve is not known
            volatility = None
    way = 1 if seen.part.side is Side.BUY else -1
    return Leg(
        quantity=way * seen.part.quantity,
        price=seen.at,
        right=it.option_type,
        strike=None if it.option_type is None else it.strike,
        volatility=volatility,
    )


def _reach(prices: Sequence[Price]) -> tuple[Price, Price]:
    low, high = min(prices), max(prices)
    beyond = max((high - low) // 2, high // LEAST_REACH)
    return Price(max(0, low - beyond)), Price(high + beyond)


def _today(
    legs: Sequence[Leg], ends: tuple[Price, Price], on: tuple[Price, Basis], life: float
) -> list[Point]:
    """Return the curve of today; nothing where a leg has no volatility."""
    low, high = ends
    prices = [Price(low + (high - low) * step // DRAWN_IN) for step in range(DRAWN_IN + 1)]
    made = before_its_end(legs, [_forward(it, *on) for it in prices], life)
    found = [Point(at, one) for at, one in zip(prices, made, strict=True) if one is not None]
    return found if len(found) == len(prices) else []


def _forward(price: Price, spot: Price, basis: Basis) -> Price:
    """Return the future that goes with a price, as far from it as it is now."""
    return Price(max(1, price + round(basis.underlying * SCALE) - spot))
