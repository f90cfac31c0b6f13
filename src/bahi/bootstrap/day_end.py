"""The end of the day: the closing list as it is now, with a person's name under it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from bahi.audit.model import DayEnd, Noticed
from bahi.audit.service import sign_day
from bahi.bootstrap.rooms import Rooms
from bahi.bootstrap.session_facts import Due, Facts
from bahi.bootstrap.session_lists import facts_of, list_of
from bahi.kernel.actor import Actor, require_person
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Conflict

BACK: Final = timedelta(days=7)
"""How long after a day it can still be signed."""


async def sign(house: Rooms, actor: Actor, day: date, note: str = "") -> DayEnd:
    """Sign a day's end: what of the closing list is not good now is kept with the signature.

    A day is over once its markets have closed, or with the day where they never close.
    """
    require_person(actor, "A day's end is signed")
    facts = await facts_of(house, actor)
    require_over(day, facts)
    findings = [
        Noticed(
            name=it.name,
            state=str(it.state),
            sentence=it.sentence,
            accounts=it.accounts,
            symbols=it.symbols,
        )
        for it in list_of(facts, Due.CLOSING).not_good
    ]
    main = house.stores["main"]
    return await main.write(sign_day, actor, day, (note, findings), facts.now)


def require_over(day: date, facts: Facts) -> None:
    """Refuse a day that has not begun, is not over, or is too long ago."""
    today = exchange_day(facts.now)
    if day > today:
        raise Conflict(f"{day:%d %b %Y} has not begun; sign it when its markets have closed.")
    if day == today and facts.due is not Due.CLOSING:
        raise Conflict(f"{day:%d %b %Y} is not over; sign it when its markets have closed.")
    if day < today - BACK:
        raise Conflict(
            f"{day:%d %b %Y} is over for more than {BACK.days} days; nobody signs it any more."
        )
