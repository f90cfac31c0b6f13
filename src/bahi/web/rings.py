"""A wait as a ring that runs out: plain coordinates, drawn anew each second by the server."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import pi
from typing import Final, NamedTuple

from bahi.kernel.clock import to_micros

RADIUS: Final = 15


class Ring(NamedTuple):
    """What is left of a wait, and the length of the line that draws it."""

    until: datetime
    left: timedelta
    drawn: float
    whole: float

    @property
    def address(self) -> int:
        """Until when, as an address says it."""
        return to_micros(self.until)


def ring_of(until: datetime, lasts: timedelta, now: datetime) -> Ring:
    """Draw what is left of a wait that lasts so long in all."""
    left = max(timedelta(0), until - now)
    whole = 2 * pi * RADIUS
    share = min(1.0, left / lasts)
    return Ring(until, left, round(whole * share, 1), round(whole, 1))
