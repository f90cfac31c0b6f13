"""Prices that are published and not traded: reference rates, due date rates, settlement prices."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from bahi.kernel.money import Price
from bahi.kernel.words import Segment


class Official(NamedTuple):
    """What was published for a day: of a root (USDINR), or of a future that options are on."""

    segment: Segment
    name: str
    day: date
    price: Price
    source: str
