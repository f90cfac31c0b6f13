"""Pictures as plain coordinates, which templates draw as SVG: no script, text that can be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import log1p
from typing import Final, NamedTuple

from bahi.orders.model.life import Life, Mark, Tick
from bahi.web.written import took

WIDTH: Final = 1_000
TAPE_EDGE: Final = 70
LEAST_GAP: Final = 46.0
"""Between two ticks, so that their words find room."""


class Notch(NamedTuple):
    """A tick on the tape, and how long it was since the one before."""

    x: float
    tick: Tick
    gap_x: float | None
    gap: str
    row: int
    """Words of neighbours stand in turn above and below."""


class Hatch(NamedTuple):
    """A stretch in which nobody knew."""

    x: float
    width: float
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tape:
    """An order's life as a line of time; a distance is the logarithm of how long it was."""

    notches: list[Notch]
    unsure: list[Hatch]
    width: int = WIDTH


def tape_of(life: Life, now: datetime) -> Tape:
    """Lay an order's life out along a line."""
    ticks = life.ticks
    gaps = [log1p(after.after_us) for _, after in pairwise(ticks)]
    room = WIDTH - 2 * TAPE_EDGE
    least = min(LEAST_GAP, room / max(1, len(gaps)))
    spare, whole = room - least * len(gaps), sum(gaps) or 1.0
    places = [float(TAPE_EDGE)]
    for gap in gaps:
        places.append(places[-1] + least + spare * gap / whole)
    notches = [
        Notch(
            x=round(x, 1),
            tick=tick,
            gap_x=None if at == 0 else round((x + places[at - 1]) / 2, 1),
            gap="" if at == 0 else took(tick.after_us),
            row=at % 2,
        )
        for at, (x, tick) in enumerate(zip(places, ticks, strict=True))
    ]
    return Tape(notches=notches, unsure=_unsure(life, notches, now))


def _unsure(life: Life, notches: Sequence[Notch], now: datetime) -> list[Hatch]:
    found = []
    for stretch in life.unknown:
        begins = next(it.x for it in notches if it.tick.at >= stretch.since)
        until = stretch.until or now
        after = [it.x for it in notches if it.tick.at >= until and it.tick.mark is not Mark.UNKNOWN]
        ends = after[0] if after else WIDTH - TAPE_EDGE / 2
        found.append(Hatch(x=begins, width=max(2.0, round(ends - begins, 1)), words=stretch.words))
    return found


class Line(NamedTuple):
    """A curve: its pieces (it is broken where nothing is known), and where nothing was made."""

    pieces: list[str]
    zero: float
    low: int
    high: int


def line_of(
    points: Sequence[tuple[float, int | None]], *, width: int = WIDTH, height: int = 100
) -> Line | None:
    """Draw a curve through `(share of the width, amount)`; None: there is nothing to draw."""
    known = [amount for _, amount in points if amount is not None]
    if len(known) < 2:
        return None
    low, high = min(0, *known), max(0, *known)
    span = (high - low) or 1

    def y(amount: int) -> float:
        return round(height - (amount - low) / span * height, 2)

    pieces: list[list[str]] = [[]]
    for share, amount in points:
        if amount is None:
            pieces.append([])
        else:
            pieces[-1].append(f"{share * width:.1f},{y(amount)}")
    return Line([" ".join(it) for it in pieces if it], y(0), low, high)
