"""What a contract note takes for a day: taxes as they fall on a day's net, rounded to the rupee.

A fill is taxed by its product when it is booked. The law looks at the day: what was bought and sold
of one share on it was never delivered, whatever product it had, and the rest was. Both are taxed at
the day's average price.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from bahi.kernel.money import Money
from bahi.kernel.words import Product, Segment, Side
from bahi.portfolio.model.charges import to_the_rupee
from bahi.portfolio.model.rates import BILLION, Charge, Deal, Kind, Rates, nearest


class Traded(NamedTuple):
    """What was bought and sold of one share on a day, over all products."""

    segment: Segment
    symbol: str
    bought: int
    paid: Money
    sold: int
    got: Money


class Taxes(NamedTuple):
    """Securities transaction tax and stamp duty."""

    stt: Money
    stamp_duty: Money

    def less(self, others: Taxes) -> Money:
        """Return by how much these are more, together."""
        return Money(sum(self) - sum(others))


def on_the_note(rates: Rates, day: date, shares: Iterable[Traded], others: Taxes) -> Taxes:
    """Return what the note takes; `others` is what everything but shares was taxed exactly."""
    stt, stamp = others
    for it in shares:
        stt = Money(stt + _stt(rates, day, it))
        stamp = Money(stamp + _stamp(rates, day, it))
    return Taxes(to_the_rupee(stt), to_the_rupee(stamp))


def _stt(rates: Rates, day: date, it: Traded) -> int:
    """Return the tax on one share, at the average of all that was dealt in it."""
    within, left = min(it.bought, it.sold), it.bought - it.sold
    quantity, value = it.bought + it.sold, it.paid + it.got
    weighed = 0
    for side in Side:
        weighed += within * _rate(rates, day, it, Charge.STT, (Product.INTRADAY, side))
    side = Side.BUY if left > 0 else Side.SELL
    weighed += abs(left) * _rate(rates, day, it, Charge.STT, (Product.CNC, side))
    return nearest(weighed * value, quantity * BILLION)


def _stamp(rates: Rates, day: date, it: Traded) -> int:
    """Return the duty on what was bought, at the average that it was bought at."""
    if not it.bought:
        return 0
    within = min(it.bought, it.sold)
    duty = Charge.STAMP_DUTY
    weighed = within * _rate(rates, day, it, duty, (Product.INTRADAY, Side.BUY))
    weighed += (it.bought - within) * _rate(rates, day, it, duty, (Product.CNC, Side.BUY))
    return nearest(weighed * it.paid, it.bought * BILLION)


def _rate(rates: Rates, day: date, it: Traded, charge: Charge, of: tuple[Product, Side]) -> int:
    product, side = of
    found = rates.find(Deal(day, it.segment, Kind.EQUITY, product, side), charge)
    return 0 if found is None else found.rate or 0
