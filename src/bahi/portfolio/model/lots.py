"""First in, first out: what was gained as the tax report asks for it.

Of shares, what is bought and sold on one day (of one product first, then of what is left over)
never reached the demat account and is speculative; the rest closes the oldest lot, short term up to
twelve months and long term after. Futures and options are matched in the order in which they were
dealt, whatever the day, and are business. Each account has its own lots, as the law asks of demat
accounts; a person's report is the sum over theirs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from bahi.kernel.clock import exchange_day
from bahi.kernel.money import Money
from bahi.kernel.words import Product, Side
from bahi.portfolio.model.adjustment import Action


class Term(StrEnum):
    """How a gain is taxed."""

    SPECULATIVE = "SPECULATIVE"
    SHORT_TERM = "SHORT_TERM"
    LONG_TERM = "LONG_TERM"
    BUSINESS = "BUSINESS"


class Dealing(NamedTuple):
    """A purchase or a sale, or what a company did (its quantity is what was added by it)."""

    at: datetime
    id: int
    side: Side
    quantity: int
    value: Money
    product: Product
    action: Action | None = None

    @property
    def day(self) -> date:
        """The day at the exchange."""
        return exchange_day(self.at)


class Lot(NamedTuple):
    """What is left of one dealing; of what was sold first, `side` is SELL."""

    day: date
    side: Side
    quantity: int
    value: Money


class Match(NamedTuple):
    """A part of a lot with what closed it."""

    term: Term
    opened: date
    closed: date
    quantity: int
    bought: Money
    sold: Money

    @property
    def gain(self) -> Money:
        """What it brought, before charges."""
        return Money(self.sold - self.bought)


@dataclass(slots=True)
class Lots:
    """The open lots of one thing in one account, and what was matched so far."""

    open: deque[Lot] = field(default_factory=deque)
    matches: list[Match] = field(default_factory=list)

    @property
    def quantity(self) -> int:
        """How much is open; negative is sold and not bought back."""
        return sum(it.quantity if it.side is Side.BUY else -it.quantity for it in self.open)


_Terms = Callable[[date, date], Term]


def of_shares(dealings: Iterable[Dealing]) -> Lots:
    """Match the dealings in one share, day by day."""
    lots = Lots()
    for day, today in groupby(sorted(dealings, key=_when), key=lambda it: it.day):
        todays = list(today)
        for it in todays:
            if it.action is not None:
                _acted(lots, it)
        trades = [it for it in todays if it.action is None]
        rest: list[Lot] = []
        for product in sorted({it.product for it in trades}):
            rest += _within(lots, day, [_lot(it) for it in trades if it.product is product])
        for lot in _within(lots, day, rest):
            _close(lots, lot, term_of)
    return lots


def of_derivatives(dealings: Iterable[Dealing]) -> Lots:
    """Match the dealings in one contract, in the order in which they were dealt."""
    lots = Lots()
    for it in sorted(dealings, key=_when):
        _close(lots, _lot(it), _business)
    return lots


def term_of(opened: date, closed: date) -> Term:
    """Say whether shares were held for more than twelve months."""
    try:
        a_year_later = opened.replace(year=opened.year + 1)
    except ValueError:  # bought on a leap day
        a_year_later = opened.replace(year=opened.year + 1, day=28)
    return Term.LONG_TERM if closed > a_year_later else Term.SHORT_TERM


def _business(_opened: date, _closed: date) -> Term:
    return Term.BUSINESS


def _when(dealing: Dealing) -> tuple[datetime, int]:
    return dealing.at, dealing.id


def _lot(dealing: Dealing) -> Lot:
    return Lot(dealing.day, dealing.side, dealing.quantity, dealing.value)


def _within(lots: Lots, day: date, today: Sequence[Lot]) -> list[Lot]:
    """Match what was bought and sold on one day, whichever came first; return what is left."""
    sides = {side: deque(it for it in today if it.side is side) for side in Side}
    bought, sold = sides[Side.BUY], sides[Side.SELL]
    while bought and sold:
        quantity = min(bought[0].quantity, sold[0].quantity)
        paid, got = _take(bought, quantity), _take(sold, quantity)
        lots.matches.append(Match(Term.SPECULATIVE, day, day, quantity, paid, got))
    return [*bought, *sold]


def _close(lots: Lots, lot: Lot, term: _Terms) -> None:
    """Close the oldest lots of the other side; what is left over opens one."""
    closing = deque([lot])
    while closing and lots.open and lots.open[0].side is not lot.side:
        opened = lots.open[0].day
        quantity = min(closing[0].quantity, lots.open[0].quantity)
        gone, came = _take(lots.open, quantity), _take(closing, quantity)
        bought, sold = (gone, came) if lot.side is Side.SELL else (came, gone)
        lots.matches.append(Match(term(opened, lot.day), opened, lot.day, quantity, bought, sold))
    lots.open.extend(closing)


def _take(many: deque[Lot], quantity: int) -> Money:
    """Take a quantity off the first of some lots; return what it was worth there."""
    first = many.popleft()
    if quantity == first.quantity:
        return first.value
    value = Money((2 * first.value * quantity + first.quantity) // (2 * first.quantity))
    rest = first._replace(quantity=first.quantity - quantity, value=Money(first.value - value))
    many.appendleft(rest)
    return value


def _acted(lots: Lots, dealing: Dealing) -> None:
    """Give effect to what a company did: a split changes every lot, a bonus is a lot of no cost."""
    if dealing.action is Action.BONUS:
        lots.open.append(Lot(dealing.day, Side.BUY, dealing.quantity, Money(0)))
    if dealing.action is not Action.SPLIT:
        return
    before = lots.quantity
    if before <= 0:
        return
    after = before + (dealing.quantity if dealing.side is Side.BUY else -dealing.quantity)
    lots.open = deque(_split(lots.open, before, after))


def _split(many: Iterable[Lot], before: int, after: int) -> Iterator[Lot]:
    """Yield lots in their new quantities, which add up to what there is after it."""
    seen = 0
    for it in many:
        first, seen = seen * after // before, seen + it.quantity
        yield it._replace(quantity=seen * after // before - first)
