"""Published prices: entered once, and then what contracts were settled at."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_admin
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Conflict, Invalid
from bahi.kernel.money import plain
from bahi.portfolio.model.official import Official
from bahi.portfolio.repository import official as rows

official_price: Final = rows.find
"""Return what was published for a day; `official_price(tx, segment, name, day)`."""


def enter_official(tx: Tx, actor: Actor, it: Official, now: datetime) -> None:
    """Enter a published price; the same again does nothing, and another one is refused."""
    require_admin(actor)
    if it.price <= 0 or not it.name or not it.source:
        raise Invalid("A published price is above zero, and says of what it is and by whom.")
    if it.day > exchange_day(now):
        raise Invalid(f"day: {it.day} is to come; nothing was published for it.")
    known = rows.find(tx, it.segment, it.name, it.day)
    if known == it.price:
        return
    if known is not None:
        raise Conflict(
            f"{it.name} of {it.day} is {plain(known)} already, and contracts may have been settled"
            " at it."
        )
    rows.add(tx, it, actor.name, now)
    about = ("settlement_price", f"{it.segment}/{it.name}/{it.day}")
    note(tx, actor, "enter", about, now, new={"price": it.price, "source": it.source})
