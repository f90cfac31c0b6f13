"""Where a broker's books and ours disagree: found, classified and explained in a sentence.

What was not read is not compared: a failed read says nothing about anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from bahi.kernel.money import Money, Price, grouped
from bahi.kernel.ports import Purse
from bahi.kernel.words import Product, Segment, shown
from bahi.portfolio.model.position import Key


class Subject(StrEnum):
    """In what two books can disagree."""

    POSITION = "position"
    HOLDING = "holding"
    FUNDS = "funds"


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
