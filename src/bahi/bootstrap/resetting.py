"""A paper account that begins anew, at the exchange and in the books alike."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

from bahi.accounts.service.accounts import get_account
from bahi.bootstrap.desks import desk_of
from bahi.bootstrap.pages import opening_of
from bahi.bootstrap.rooms import Rooms
from bahi.db.tx import Tx
from bahi.exchange.model.order import OF_ONE_DAY
from bahi.exchange.service.standings import Standings
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Conflict, Forbidden
from bahi.kernel.money import Money
from bahi.kernel.words import AccountMode
from bahi.orders.model.forever import Forever
from bahi.orders.service.cancelling import cancel_all
from bahi.orders.service.desk import Desk
from bahi.orders.service.flattening import Pause, flatten_all
from bahi.orders.service.forever import cancel_forever, waiting_forever
from bahi.portfolio.model.book import Book
from bahi.portfolio.service.beginning import reset_paper
from bahi.portfolio.service.books import lock_book, positions_of

AT_ONCE: Final = 500
SHOWN: Final = 5


async def reset_account(
    house: Rooms,
    actor: Actor,
    account_id: int,
    cash: Money | None = None,
    *,
    flat: bool = False,
    pause: Pause = asyncio.sleep,
) -> Book:
    """Set a paper account back to its capital; with `flat` what works and is open goes first.

    It is refused while anything is open here or would be squared off at the exchange: what one
    side forgets the other must not trade.
    """
    account = await house.stores["main"].read(get_account, actor, account_id, fresh=True)
    if account.mode is not AccountMode.PAPER:
        raise Forbidden(f"Account {account.name!r} is live; only a paper account can begin anew.")
    desk = await desk_of(house, actor, account_id)
    if flat:
        await _leave(desk, pause)
    await _require_left(desk, Standings(desk.store, house.clock))
    capital = opening_of(account).cash if cash is None else cash
    return await desk.store.write(
        _reset, actor, account_id, capital, house.clock(), account=account_id
    )


async def _leave(desk: Desk, pause: Pause) -> None:
    while waiting := await _forevers(desk):  # of a pair both go with the first
        await cancel_forever(desk, waiting[0].id)
    await cancel_all(desk)
    await flatten_all(desk, pause=pause)


async def _require_left(desk: Desk, standings: Standings) -> None:
    if waiting := await _forevers(desk):
        raise Conflict(f"{len(waiting)} forever orders wait; take them back, or ask for --flatten.")
    at_exchange = await standings.positions(desk.account_id)
    if left := sorted({it.symbol for it in at_exchange if it.product in OF_ONE_DAY}):
        raise Conflict(f"Still open at the exchange: {_some(left)}; close that, or let it end.")


async def _forevers(desk: Desk) -> list[Forever]:
    found: list[Forever] = []
    last = 0
    while page := await desk.store.read(waiting_forever, last, AT_ONCE, fresh=True):
        found += [it for it in page if it.account_id == desk.account_id]
        last = page[-1].id
    return found


def _reset(tx: Tx, actor: Actor, account_id: int, cash: Money, now: datetime) -> Book:
    lock_book(tx, account_id)
    if held := sorted({it.key.symbol for it in positions_of(tx, account_id)}):
        raise Conflict(f"Still open: {_some(held)}; close that first, or ask for --flatten.")
    return reset_paper(tx, actor, account_id, cash, now)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"
