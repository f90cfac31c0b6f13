"""Where an account's books are, for who only looks: its page is begun by the first who does."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NamedTuple

from bahi.accounts.model import Account
from bahi.bootstrap.desks import account_at, desk_of
from bahi.bootstrap.pages import begin_page
from bahi.bootstrap.rooms import Rooms
from bahi.db.stores import Store
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.errors import Unavailable
from bahi.kernel.words import AccountMode
from bahi.portfolio.model.position import Position
from bahi.portfolio.model.worth import Mark, Worth, worth
from bahi.portfolio.service.looking import every_position
from bahi.risk.model.verdict import FRESH

WHENEVER: Final = timedelta.max
"""How old a price may be while the market is closed."""


class Kept(NamedTuple):
    """An account, and the store that keeps its orders and its money."""

    account: Account
    store: Store


async def look_at(house: Rooms, actor: Actor, account_id: int) -> Kept:
    """Return where an account's books are; of one that is not the actor's there is none."""
    account = await account_at(house, actor, account_id)
    if account.mode is not AccountMode.PAPER:
        raise Unavailable(f"Account {account.name!r} is live; live brokers are not connected yet.")
    return Kept(account, await begin_page(house, account))


async def change_at(house: Rooms, actor: Actor, account_id: int) -> Kept:
    """Return the same for who changes something in the books themselves, and sends no order."""
    require_change(actor)
    await desk_of(house, actor, account_id)  # which refuses whoever may not trade on it
    return await look_at(house, actor, account_id)


async def worth_at(house: Rooms, kept: Kept) -> list[Worth]:
    """Return every position of an account with what it is worth now, where that is known."""
    await house.floor.renew()
    found = await kept.store.read(every_position, kept.account.id, fresh=True)
    return [worth_now(house, it) for it in sorted(found, key=lambda it: (it.key.symbol, it.key))]


def worth_now(house: Rooms, it: Position) -> Worth:
    """Return what a position is worth by the newest price; an old one counts out of hours."""
    market, now = house.floor.market, house.clock()
    listed = market.instrument(it.key.segment, it.key.symbol)
    quote = None if listed is None else market.quote(listed)
    mark = None if quote is None else Mark(quote.last, quote.at, quote.source)
    is_closed = listed is not None and market.is_open(listed) is False
    return worth(it, mark, now, WHENEVER if is_closed else FRESH)
