"""`verify`: every book and order of the house against its facts, each trail against its seals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import NamedTuple

from bahi.audit.service import verify as verify_trail
from bahi.bootstrap.rooms import TRADING, Rooms
from bahi.orders.service.verifying import verify as verify_orders
from bahi.portfolio.service.verifying import verify as verify_books

Tell = Callable[[str, int, int | None], None]
"""Hears which part is examined, how many of its steps are done, and of how many where known."""


class Found(NamedTuple):
    """Something that is not as its facts make it: in which store, which fault, of what."""

    store: str
    fault: str
    account_id: int | None
    subject: str
    sentence: str


async def verify_house(house: Rooms, tell: Tell) -> AsyncIterator[Found]:
    """Yield whatever is not as it should be (I4, I5 and I8)."""
    for name in TRADING:
        for part, check in (("books", verify_books), ("orders", verify_orders)):
            what = f"{name}: {part}"
            tell(what, 0, None)
            async for it in check(house.stores[name], partial(tell, what)):
                yield Found(name, str(it.fault), it.account_id, it.subject, it.sentence)
        for found in await _of_trail(house, name, tell):
            yield found


async def _of_trail(house: Rooms, name: str, tell: Tell) -> list[Found]:
    what = f"{name}: trail"
    tell(what, 0, None)

    def count(rows: int) -> None:
        tell(what, rows, None)

    verdict = await verify_trail(
        house.stores[name],
        house.stores["archive"],
        house.vault,
        folder=house.settings.home,
        now=house.clock(),
        tell=count,
    )
    return [
        Found(
            name,
            it.what.upper().replace(" ", "_"),
            None,
            f"seal {it.seal_no}" if it.audit_id is None else f"audit row {it.audit_id}",
            it.sentence,
        )
        for it in verdict.findings
    ]
