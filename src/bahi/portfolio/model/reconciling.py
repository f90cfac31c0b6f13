"""Where a broker's books and ours disagree: found, classified and explained in a sentence.

What was not read is not compared: a failed read says nothing about anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from bahi.kernel.clock import exchange_day
from bahi.kernel.money import Money, Price, grouped
from bahi.kernel.names import shown
from bahi.kernel.ports import Purse, ToldTrade
from bahi.kernel.words import Product, Segment, Side
from bahi.portfolio.model.position import Key


class Subject(StrEnum):
    """In what two books can disagree."""

    POSITION = "position"
    HOLDING = "holding"
    FUNDS = "funds"
    TRADE = "trade"


class Class(StrEnum):
    """What kind of break it is."""

    NOT_OURS = "NOT_OURS"
    NOT_THEIRS = "NOT_THEIRS"
    OTHER_SIDE = "OTHER_SIDE"
    QUANTITY = "QUANTITY"
    PRODUCT = "PRODUCT"
    MONEY = "MONEY"


class Policy(StrEnum):
    """What is done about a break in a position: it is told, or the broker's quantity is adopted."""

    REPORT = "REPORT"
    ADOPT = "ADOPT"


class Told(NamedTuple):
    """A quantity as a broker told it, and what else it told of it; None: it did not."""

    quantity: int
    average: Price | None = None
    last: Price | None = None
    realized: Money | None = None
    unrealized: Money | None = None
    delivered: int | None = None
    coming: int | None = None
    pledged: int | None = None
    isin: str | None = None


Listing = tuple[Segment, str]


class Snapshot(NamedTuple):
    """What a broker's books said at an instant; None: that was not read, or not whole."""

    account_id: int
    at: datetime
    positions: Mapping[Key, Told] | None = None
    holdings: Mapping[Listing, Told] | None = None
    available: Money | None = None
    purse: Purse | None = None
    trades: tuple[ToldTrade, ...] | None = None

    @property
    def day(self) -> date:
        """The exchange's day that it is of, and of which its trades are."""
        return exchange_day(self.at)


class OurTrade(NamedTuple):
    """A trade of a day as our book has it; `told_as` is None where only a sum was told."""

    told_as: str | None
    segment: Segment
    symbol: str
    side: Side
    product: Product
    quantity: int


class Break(NamedTuple):
    """One disagreement."""

    subject: Subject
    key: str
    classification: Class
    explanation: str
    ours: dict[str, Any]
    theirs: dict[str, Any]
    position: Key | None = None
    missing: int = 0
    average: Price | None = None


def name_of(key: Key) -> str:
    """Name a position as a break does."""
    return f"{key.segment}/{key.symbol}/{key.product}"


def in_positions(ours: Mapping[Key, int], theirs: Mapping[Key, Told]) -> Iterator[Break]:
    """Yield where positions disagree."""
    for key in sorted({*ours, *theirs}):
        here, there = ours.get(key, 0), theirs.get(key, Told(0))
        if here == there.quantity:
            continue
        kind = _kind(here, there.quantity)
        if kind in {Class.NOT_OURS, Class.NOT_THEIRS} and _elsewhere(key, ours, theirs):
            kind = Class.PRODUCT
        what = f"{key.symbol} ({shown(key.product)}, {key.segment})"
        yield Break(
            subject=Subject.POSITION,
            key=name_of(key),
            classification=kind,
            explanation=_explained(what, here, there.quantity, kind),
            ours={"quantity": here},
            theirs={"quantity": there.quantity},
            position=key,
            missing=there.quantity - here,
            average=there.average,
        )


def in_holdings(ours: Mapping[Listing, int], theirs: Mapping[Listing, Told]) -> Iterator[Break]:
    """Yield where holdings disagree."""
    for listing in sorted({*ours, *theirs}):
        here, there = ours.get(listing, 0), theirs.get(listing, Told(0))
        if here == there.quantity:
            continue
        segment, symbol = listing
        kind = _kind(here, there.quantity)
        yield Break(
            subject=Subject.HOLDING,
            key=f"{segment}/{symbol}",
            classification=kind,
            explanation=_explained(f"{symbol} ({segment})", here, there.quantity, kind),
            ours={"quantity": here},
            theirs={"quantity": there.quantity},
            position=Key(segment, symbol, Product.CNC),
            missing=there.quantity - here,
            average=there.average,
        )


def in_trades(day: date, ours: Iterable[OurTrade], theirs: Iterable[ToldTrade]) -> Iterator[Break]:
    """Yield the trades of a day that one book has and the other has not.

    Of what was told as a sum only, the trades have no names to go by: positions tell there.
    """
    here = list(ours)
    summed = {it[1:5] for it in here if it.told_as is None}
    named = {it.told_as: it for it in here if it.told_as is not None}
    told = {it.fill.trade_id: it for it in theirs}
    for name in sorted(told.keys() - named.keys()):
        it = told[name]
        thing = (Segment(it.segment), it.symbol, Side(it.side), Product(it.product))
        if thing not in summed:
            what = f"{it.side} {it.fill.quantity} {it.symbol} ({it.segment})"
            yield _of_trade(day, name, thing, what, it.fill.quantity, Class.NOT_OURS)
    for name in sorted(named.keys() - told.keys()):
        mine = named[name]
        what = f"{mine.side} {mine.quantity} {mine.symbol} ({mine.segment})"
        yield _of_trade(day, name, mine[1:5], what, mine.quantity, Class.NOT_THEIRS)


def _of_trade(  # noqa: PLR0917 - a trade's name, its terms and where it is missing
    day: date,
    name: str,
    thing: tuple[Segment, str, Side, Product],
    what: str,
    quantity: int,
    kind: Class,
) -> Break:
    is_theirs = kind is Class.NOT_OURS
    who, other = ("the broker", "our book") if is_theirs else ("our book", "the broker")
    said = {"trade": name, "quantity": quantity}
    return Break(
        subject=Subject.TRADE,
        key=f"{day}/{thing[0]}/{thing[1]}/{name}",
        classification=kind,
        explanation=f"{who[0].upper()}{who[1:]} has trade {name}, {what}, and {other} has it not.",
        ours={} if is_theirs else said,
        theirs=said if is_theirs else {},
    )


def in_funds(ours: Money, theirs: Money, tolerance: Money) -> Iterator[Break]:
    """Yield a break where what is free differs by more than is tolerated."""
    if abs(theirs - ours) <= tolerance:
        return
    more = "more" if theirs > ours else "less"
    yield Break(
        subject=Subject.FUNDS,
        key="available",
        classification=Class.MONEY,
        explanation=(
            f"The broker has {grouped(abs(theirs - ours))} rupees {more} free than our book"
            f" ({grouped(theirs)} against {grouped(ours)}): a charge, a transfer or a margin that"
            " we do not know."
        ),
        ours={"available": ours},
        theirs={"available": theirs},
    )


def _kind(here: int, there: int) -> Class:
    if not here:
        return Class.NOT_OURS
    if not there:
        return Class.NOT_THEIRS
    return Class.OTHER_SIDE if here * there < 0 else Class.QUANTITY


def _elsewhere(key: Key, ours: Mapping[Key, int], theirs: Mapping[Key, Told]) -> bool:
    """Say whether the same thing adds up over all products, so that only the product differs."""

    def same(other: Key) -> bool:
        return other[:2] == key[:2]

    here = sum(quantity for other, quantity in ours.items() if same(other))
    return here == sum(told.quantity for other, told in theirs.items() if same(other)) != 0


def _explained(what: str, here: int, there: int, kind: Class) -> str:
    counted = f"our book has {here} {what}, the broker {there}"
    reason = {
        Class.NOT_OURS: "a trade that was made elsewhere, or one that we were not told",
        Class.NOT_THEIRS: "closed elsewhere, or a fill that the broker took back",
        Class.OTHER_SIDE: "trades on both sides are missing here or there",
        Class.QUANTITY: "a fill is missing, or one was booked that was not",
        Class.PRODUCT: "the broker holds it as another product: it was converted elsewhere",
        Class.MONEY: "money moved",
    }[kind]
    return f"{counted[0].upper()}{counted[1:]}: {reason}."
