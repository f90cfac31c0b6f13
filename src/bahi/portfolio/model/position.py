"""A position: the fold of its trades and adjustments, in the order in which they happened.

Costs are kept as whole amounts and never as averages, so that nothing is lost in between: what a
closing takes out of the cost is rounded once, and the rest stays to the last ten-thousandth.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import reduce
from typing import NamedTuple

from bahi.kernel.altered import altered
from bahi.kernel.clock import exchange_day
from bahi.kernel.money import NOTHING, Money, Price
from bahi.kernel.words import Product, Segment, Side


class Key(NamedTuple):
    """What makes a position one: NSE and BSE, delivery and intraday are kept apart."""

    segment: Segment
    symbol: str
    product: Product


class Fact(NamedTuple):
    """What moves a position: a trade, or an adjustment (`is_trade` False).

    An adjustment's value is what its quantity is worth in cost, and it makes no profit by itself,
    unless it `settles`: then it closes at its value as a trade would. One that has `carried` stands
    for trades in the archive, and the position is then what it was when they left.
    """

    at: datetime
    id: int
    side: Side
    quantity: int
    value: Money
    is_trade: bool = True
    settles: bool = False
    carried: Position | None = None

    @property
    def signed(self) -> int:
        """How much it adds; negative is taken away."""
        return self.quantity if self.side is Side.BUY else -self.quantity


class Eve(NamedTuple):
    """What a position was made of when its day began, beside what its day's figures tell."""

    open_cost: Money
    buy_quantity: int
    buy_value: Money
    sell_quantity: int
    sell_value: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What an account has open of one thing, and what it made of it so far."""

    key: Key
    instrument_id: int | None = None
    net: int = 0
    open_cost: Money = NOTHING
    buy_quantity: int = 0
    buy_value: Money = NOTHING
    sell_quantity: int = 0
    sell_value: Money = NOTHING
    realized: Money = NOTHING
    day: date | None = None
    overnight: int = 0
    day_buy_quantity: int = 0
    day_buy_value: Money = NOTHING
    day_sell_quantity: int = 0
    day_sell_value: Money = NOTHING
    day_realized: Money = NOTHING
    margin: Money = NOTHING
    folded: tuple[datetime, int] | None = None
    eve: Eve | None = field(default=None, compare=False)  # a short cut, and no figure of it

    @property
    def average(self) -> Price | None:
        """What that which is open cost each, to the nearest ten-thousandth."""
        return average(self.open_cost, abs(self.net))

    def comes_after(self, fact: Fact) -> bool:
        """Say whether a fact belongs before what is folded already: then that is folded anew."""
        return self.folded is not None and (fact.at, fact.id) < self.folded

    def on_the_eve_of(self, fact: Fact) -> Position | None:
        """Return it as its day began, where a fact is of that day; None: not known."""
        if self.eve is None or exchange_day(fact.at) != self.day:
            return None
        return Position(
            key=self.key,
            instrument_id=self.instrument_id,
            net=self.overnight,
            realized=Money(self.realized - self.day_realized),
            **self.eve._asdict(),
        )


def is_exit(side: Side, quantity: int, net: int, working_exits: int) -> bool:
    """Say whether an order can only bring a position nearer to nothing.

    With every working exit filled, it must not take the position past zero.
    """
    closes = net > 0 if side is Side.SELL else net < 0
    return closes and quantity + working_exits <= abs(net)


def average(value: Money, quantity: int) -> Price | None:
    """Return a value by its quantity, to the nearest ten-thousandth; of nothing there is none."""
    return Price((2 * value + quantity) // (2 * quantity)) if quantity else None


def fold(position: Position, fact: Fact) -> Position:
    """Return the position after a fact that comes behind all that it has."""
    if fact.carried is not None:
        return altered(fact.carried, key=position.key, instrument_id=position.instrument_id)
    position = _on_day(_begun_anew(position), exchange_day(fact.at))
    closing = min(fact.quantity, abs(position.net)) if position.net * fact.signed < 0 else 0
    gone = part_of(position.open_cost, closing, abs(position.net))
    brought = part_of(fact.value, closing, fact.quantity)
    earned = brought - gone if position.net > 0 else gone - brought
    profit = earned if fact.is_trade or fact.settles else 0
    opening_cost = fact.value - brought
    position = altered(
        position,
        net=position.net + fact.signed,
        open_cost=Money(position.open_cost - gone + opening_cost),
        realized=Money(position.realized + profit),
        day_realized=Money(position.day_realized + profit),
        folded=(fact.at, fact.id),
    )
    return _counted(position, fact) if fact.is_trade else position


def fold_all(key: Key, facts: Iterable[Fact], instrument_id: int | None = None) -> Position:
    """Return the position that facts make, whatever order they come in."""
    return fold_in(Position(key=key, instrument_id=instrument_id), facts)


def fold_in(position: Position, facts: Iterable[Fact]) -> Position:
    """Return the position after facts that come behind all that it has, in whatever order."""
    return reduce(fold, sorted(facts, key=in_order), position)


def in_order(fact: Fact) -> tuple[bool, datetime, int]:
    """Return by what facts are put in order: what was carried over comes first, then by time."""
    return fact.carried is None, fact.at, fact.id


def _begun_anew(position: Position) -> Position:
    """Count from nothing once a position that was flat is opened again."""
    if position.net or not (position.buy_quantity or position.sell_quantity):
        return position
    return altered(
        position,
        buy_quantity=0,
        buy_value=NOTHING,
        sell_quantity=0,
        sell_value=NOTHING,
    )


def _on_day(position: Position, day: date) -> Position:
    if position.day == day:
        return position
    return altered(
        position,
        day=day,
        overnight=position.net,
        day_buy_quantity=0,
        day_buy_value=NOTHING,
        day_sell_quantity=0,
        day_sell_value=NOTHING,
        day_realized=NOTHING,
        eve=Eve(
            position.open_cost,
            position.buy_quantity,
            position.buy_value,
            position.sell_quantity,
            position.sell_value,
        ),
    )


def _counted(position: Position, fact: Fact) -> Position:
    if fact.side is Side.BUY:
        return altered(
            position,
            buy_quantity=position.buy_quantity + fact.quantity,
            buy_value=Money(position.buy_value + fact.value),
            day_buy_quantity=position.day_buy_quantity + fact.quantity,
            day_buy_value=Money(position.day_buy_value + fact.value),
        )
    return altered(
        position,
        sell_quantity=position.sell_quantity + fact.quantity,
        sell_value=Money(position.sell_value + fact.value),
        day_sell_quantity=position.day_sell_quantity + fact.quantity,
        day_sell_value=Money(position.day_sell_value + fact.value),
    )


def part_of(value: int, part: int, whole: int) -> int:
    """Return a part of a value, to the nearest ten-thousandth; of the whole, all of it."""
    return (2 * value * part + whole) // (2 * whole) if whole else 0
