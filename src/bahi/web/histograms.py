"""A histogram of how long things took, as plain coordinates that a template draws."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import Final, NamedTuple

from bahi.kernel.spread import Bar, Spread
from bahi.web.written import took, whole

WIDTH: Final = 560
HEIGHT: Final = 170
TOP: Final = 56
"""Room above the bars for what the lines say."""
FOOT: Final = 20
PERCENTILES: Final = (50, 90, 99)
ROWS: Final = (14, 30, 46)
WIDEST_BAR: Final = 64.0


class Column(NamedTuple):
    """A bar, and what it says to who points at it."""

    x: float
    y: float
    width: float
    height: float
    words: str


class Line(NamedTuple):
    """A percentile as a line that carries its number; `turned`: its words stand to its left."""

    x: float
    y: float
    words: str
    turned: bool


class Edge(NamedTuple):
    """Where a bar begins, in words below it."""

    x: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """The picture."""

    columns: list[Column]
    lines: list[Line]
    edges: list[Edge]
    words: str
    width: int = WIDTH
    height: int = HEIGHT
    top: int = TOP
    foot: int = HEIGHT - FOOT


def histogram_of(spread: Spread) -> Histogram | None:
    """Draw a spread, a bar for each doubling; None: of nothing."""
    bars = spread.bars()
    if not bars:
        return None
    each = min(WIDEST_BAR, WIDTH / len(bars))
    most = max(it.many for it in bars)
    room = HEIGHT - TOP - FOOT
    columns = []
    for place, bar in enumerate(bars):
        height = 0.0 if not bar.many else max(1.0, room * bar.many / most)
        columns.append(
            Column(
                x=round(place * each + 1, 1),
                y=round(HEIGHT - FOOT - height, 1),
                width=round(each - 2, 1),
                height=round(height, 1),
                words=f"{whole(bar.many)} took {_reach(bar)}",
            )
        )
    lines = []
    for row, percent in zip(ROWS, PERCENTILES, strict=True):
        value = spread.percentile(percent)
        if value is not None:
            x = round(_place(value, bars) * each, 1)
            words = f"p{percent} {took(value)}"
            lines.append(Line(x, row, words, turned=x > WIDTH * 0.7))
    step = max(1, -(-len(bars) // 8))
    edges = [
        Edge(round(place * each, 1), took(bar.since))
        for place, bar in enumerate(bars)
        if place % step == 0
    ]
    said = ", ".join(it.words for it in lines)
    words = f"{whole(spread.many)} of them: {said}, longest {took(spread.most)}"
    return Histogram(columns=columns, lines=lines, edges=edges, words=words)


def _reach(bar: Bar) -> str:
    if bar.until is None:
        return f"{took(bar.since)} or longer"
    return f"{took(bar.since)} to {took(bar.until)}"


def _place(us: int, bars: list[Bar]) -> float:
    """Return how many bars lie before a while; within one it goes by the logarithm."""
    for place, bar in enumerate(bars):
        if bar.until is None or us < bar.until:
            if bar.until is None or us <= bar.since:
                return float(place)
            least = max(1, bar.since)
            return place + log2(max(us, least) / least) / log2(bar.until / least)
    return float(len(bars))
