"""The curve of the day: what is needed to draw a point of each account, and the points drawn."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final, NamedTuple

from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.clock import to_micros
from bahi.kernel.money import Money
from bahi.portfolio.model.curve import Point
from bahi.portfolio.model.position import Position
from bahi.portfolio.repository import checking, curve, days
from bahi.portfolio.repository import position as positions

ACCOUNTS_AT_ONCE: Final = 500
POINTS_AT_ONCE: Final = 100
"""How many accounts' pages one write refers to: who trades meanwhile waits for no more."""
ROWS_AT_ONCE: Final = 5_000


class Standing(NamedTuple):
    """What an account has open or dealt in on a day, and what the day has cost it."""

    account_id: int
    positions: list[Position]
    charges: Money


class Standings(NamedTuple):
    """Some accounts, and behind which the next ones come; None: these are the last."""

    some: list[Standing]
    after: int | None


def standings_of(tx: Tx, after: int, day: date) -> Standings:
    """Return the accounts that have something open or dealt on a day: four statements for 500."""
    ids = checking.accounts(tx, after, ACCOUNTS_AT_ONCE)
    held = positions.of_accounts(tx, ids, day)
    charged = days.charged_on(tx, held, day)
    some = [Standing(it, held[it], Money(charged[it])) for it in sorted(held)]
    return Standings(some, ids[-1] if len(ids) == ACCOUNTS_AT_ONCE else None)


async def draw(store: Store, points: Iterable[tuple[int, Point]]) -> int:
    """Keep a point of each of some accounts, the newest of its minute; return how many."""
    every = sorted(points, key=lambda it: it[0])
    for begin in range(0, len(every), POINTS_AT_ONCE):
        await store.write(curve.put, every[begin : begin + POINTS_AT_ONCE])
    return len(every)


curve_of: Final = curve.of_day
"""Return an account's points of a day, in their order; `curve_of(tx, account_id, day)`."""


async def forget_curves_before(store: Store, before: datetime, *, dry_run: bool = False) -> int:
    """Forget the points from before an instant, some at a time; return how many."""
    micros = to_micros(before)
    if dry_run:
        return await store.read(curve.count_before, micros, fresh=True)
    gone = 0
    while went := await store.write(curve.forget, micros, ROWS_AT_ONCE):
        gone += went
    return gone
