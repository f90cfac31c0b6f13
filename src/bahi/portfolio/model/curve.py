"""The course of a day: what an account had made by one minute after the other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from bahi.kernel.money import Money
from bahi.portfolio.model.position import Position
from bahi.portfolio.model.worth import Worth, unrealized


class Point(NamedTuple):
    """What an account had made on a day by an instant; None: not known, and `why` says why."""

    at: datetime
    realized: Money
    unrealized: Money | None
    charges: Money
    why: str = ""

    @property
    def gross(self) -> Money | None:
        """What was closed and what was open together, where that is known."""
        return None if self.unrealized is None else Money(self.realized + self.unrealized)

    @property
    def net(self) -> Money | None:
        """What is left of it after charges, where that is known."""
        return None if self.gross is None else Money(self.gross - self.charges)


def point_of(worths: Sequence[Worth], charges: Money, at: datetime, day: date) -> Point:
    """Return what positions with what they are worth come to on a day."""
    return Point(
        at=at,
        realized=realized_on([it.position for it in worths], day),
        unrealized=unrealized(worths),
        charges=charges,
        why=why_unknown(worths),
    )


def realized_on(positions: Sequence[Position], day: date) -> Money:
    """Return what was closed on a day, before charges."""
    return Money(sum(it.day_realized for it in positions if it.day == day))


def why_unknown(worths: Sequence[Worth]) -> str:
    """Say why what is open is not known: by its first, and how many more there are."""
    reasons = [it.why for it in worths if it.unrealized is None]
    if len(reasons) < 2:
        return "".join(reasons)
    return f"{reasons[0]} And {len(reasons) - 1} more."
