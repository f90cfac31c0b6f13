"""What a basket makes, as plain coordinates and as sentences; templates draw it as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from bahi.bootstrap.baskets import Outlook
from bahi.kernel.money import Money, Price
from bahi.quotes.model.payoff import Payoff
from bahi.web.written import money, price

WIDTH: Final = 360
HEIGHT: Final = 150
EDGE: Final = 14
"""Above and below, so that no line touches the frame."""


class Upright(NamedTuple):
    """A line from top to bottom with its words; `anchor` keeps them in the picture."""

    x: float
    words: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A payoff as lines: where money is made and where it is lost are areas of their own."""

    gains: list[str]
    losses: list[str]
    line: str
    today: str
    zero: float
    now: Upright
    evens: list[Upright]
    strikes: list[float]
    top: str
    bottom: str
    left: str
    right: str
    width: int = WIDTH
    height: int = HEIGHT


def picture_of(outlook: Outlook) -> Picture:
    """Lay a payoff out."""
    points = outlook.payoff.points
    first, last = points[0].price, points[-1].price
    made = [it.profit for it in (*points, *outlook.today)]
    low, high = min(0, *made), max(0, *made)
    span, reach = (high - low) or 1, (last - first) or 1

    def x(at: float) -> float:
        return round((at - first) / reach * WIDTH, 1)

    def y(profit: float) -> float:
        return round(EDGE + (high - profit) / span * (HEIGHT - 2 * EDGE), 1)

    def upright(at: float, words: str) -> Upright:
        place = x(at)
        anchor = "start" if place < WIDTH / 5 else "end" if place > WIDTH * 4 / 5 else "middle"
        return Upright(place, words, anchor)

    def line(of: Sequence[tuple[float, float]]) -> str:
        return " ".join(f"{x(at)},{y(profit)}" for at, profit in of)

    areas = [
        (after[1] + before[1] > 0, line([(before[0], 0), before, after, (after[0], 0)]))
        for before, after in pairwise(_crossed(outlook.payoff))
    ]
    now = outlook.underlying.last
    return Picture(
        gains=[area for makes, area in areas if makes],
        losses=[area for makes, area in areas if not makes],
        line=line(points),
        today=line(outlook.today),
        zero=y(0),
        now=upright(now, f"now {price(now)}"),
        evens=[
            upright(float(it), price(_whole(float(it))))
            for it in outlook.payoff.break_evens
            if first <= it <= last
        ],
        strikes=[x(it.price) for it in points[1:-1]],
        top=money(Money(high)),
        bottom=money(Money(low)),
        left=price(first),
        right=price(last),
    )


def _crossed(payoff: Payoff) -> list[tuple[float, float]]:
    """Return the kinks with the break-evens between them, from the left to the right."""
    first, last = payoff.points[0].price, payoff.points[-1].price
    evens = [(float(it), 0.0) for it in payoff.break_evens if first < it < last]
    every: list[tuple[float, float]] = [(it.price, it.profit) for it in payoff.points]
    return sorted({*every, *evens})


def words_of(payoff: Payoff) -> list[str]:
    """Say what the picture says: the most, the least, and where nothing is made."""
    most, least = payoff.greatest_profit, payoff.greatest_loss
    gains = "What it can make has no bound." if most is None else _most(most)
    losses = "What it can lose has no bound." if least is None else _least(least)
    evens = [price(_whole(float(it))) for it in payoff.break_evens]
    even = f"It breaks even at {' and '.join(evens)}." if evens else "It breaks even nowhere."
    return [gains, losses, even]


def _most(most: Money) -> str:
    return f"It makes {money(most)} at most." if most > 0 else "It cannot make anything."


def _least(least: Money) -> str:
    lost = Money(-least)
    if lost > 0:
        return f"It loses {money(lost)} at most."
    return f"It makes {money(least)} at least." if least > 0 else "It cannot lose anything."


def _whole(at: float) -> Price:
    """Return a price to the paisa: more says nothing to a trader."""
    return Price(round(at / 100) * 100)
