"""What goes wrong on a market, drawn from a seed: none of it unless somebody asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Final

from bahi.kernel.errors import Invalid
from bahi.kernel.money import Price
from bahi.quotes.model.course import STRAIGHT, Name, Tilt, close_of
from bahi.quotes.model.noise import drawn, signed
from bahi.quotes.model.pricing import Grid

PER: Final = 65_536
STALL: Final = 30
"""Seconds in which a feed stalls, or does not."""
FREAK: Final = 0.15
GAP: Final = 10.0
CIRCUIT: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubles:
    """How often each happens, from 0 (never) to 1.

    `freak` of a second's prices are far off (the day's high and low do not know of them, as an
    exchange annuls such trades); `stalled` of the half minutes bring nothing new; `gaps` of the
    days begin far from where the last one ended; `locked` of the days a name stands at its circuit.
    """

    freak: float = 0.0
    stalled: float = 0.0
    gaps: float = 0.0
    locked: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        for it in fields(self):
            if not 0 <= getattr(self, it.name) <= 1:
                raise Invalid(f"{it.name}: {getattr(self, it.name)} is no share; it goes to 1.")

    def tilt(self, name: Name, day: date, previous: date | None) -> Tilt:
        """Return what is wrong with a name's day."""
        if previous is None or not (self.gaps or self.locked):
            return STRAIGHT
        chance = drawn(6, name.seed, name.key, "troubles", day)
        if int.from_bytes(chance[:2]) < self.locked * PER:
            up = CIRCUIT if chance[4] & 1 else -CIRCUIT
            return Tilt(stuck_at=close_of(name, previous) * (1 + up))
        if int.from_bytes(chance[2:4]) < self.gaps * PER:
            return Tilt(gap=GAP if chance[4] & 1 else -GAP)
        return STRAIGHT

    def heard(self, seed: str, key: str, second: int) -> int:
        """Return the second of which a feed tells: an earlier one while it stalls."""
        if not self.stalled:
            return second
        window = second // STALL
        while int.from_bytes(drawn(2, seed, key, "stall", window)) < self.stalled * PER:
            second = window * STALL - 1
            window -= 1
            if self.stalled == 1 and window % 20 == 0:
                break
        return second

    def freaked(self, seed: str, key: str, second: int, last: Price, grid: Grid) -> Price:
        """Return a last price, or a freak in its place."""
        if not self.freak:
            return last
        chance = drawn(4, seed, key, "freak", second)
        if int.from_bytes(chance[:2]) >= self.freak * PER:
            return last
        return grid.nearest(last * (1 + FREAK * signed(chance[2:])))


NO_TROUBLES: Final = Troubles()


def read_troubles(shares: Mapping[str, float]) -> Troubles:
    """Make troubles of settings by name."""
    known = {it.name for it in fields(Troubles)}
    if unknown := shares.keys() - known:
        raise Invalid(f"There is no trouble {min(unknown)!r}; there are {', '.join(known)}.")
    return Troubles(**shares)
