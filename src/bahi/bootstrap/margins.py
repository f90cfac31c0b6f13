"""What open positions block each day anew, and what wishes for orders would block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from operator import itemgetter
from typing import Final

from bahi.bootstrap.desks import desk_of
from bahi.bootstrap.rooms import Rooms
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Conflict
from bahi.kernel.money import NOTHING, Money, grouped
from bahi.notify.model import Cause, Severity
from bahi.notify.service import find_open, raise_alert, resolve
from bahi.orders.model.wishes import PlaceOrder, Seen, dearest
from bahi.orders.service.desk import Desk
from bahi.orders.service.looking import exiting
from bahi.orders.service.several import bought_first
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.position import Key
from bahi.portfolio.model.requiring import Asked, Required
from bahi.portfolio.service.books import page_of, positions_of
from bahi.portfolio.service.closing import pages_after
from bahi.portfolio.service.remargining import remargin
from bahi.portfolio.service.requiring import require, work_out

TOPIC: Final = "margin:"
"""How the topic of an account's alert begins."""


async def remargin_all(house: Rooms, store: Store, actor: Actor) -> int:
    """Block what the day asks for, account by account; return of how many that was another sum."""
    changed = last = 0
    while accounts := await store.read(pages_after, last, fresh=True):
        for account_id in accounts:
            changed += await _remargin(house, store, actor, account_id)
        last = accounts[-1]
    return changed


async def _remargin(house: Rooms, store: Store, actor: Actor, account_id: int) -> bool:
    held = await store.read(positions_of, account_id, fresh=True)
    listed = {it.key: house.floor.market.instrument(it.key.segment, it.key.symbol) for it in held}
    contracts = {key: contract_of(it, key) for key, it in listed.items() if it is not None}
    before = after = await store.read(page_of, account_id, fresh=True)
    if contracts:
        by = (contracts, house.floor.terms_of(account_id))
        at = house.clock()
        after = await store.write(remargin, actor, account_id, by, at, account=account_id)
    await _tell(house, account_id, after.available if held else NOTHING)
    return after.margin_used != before.margin_used


async def _tell(house: Rooms, account_id: int, available: Money) -> None:
    main, now, topic = house.stores["main"], house.clock(), f"{TOPIC}{account_id}"
    if available >= 0:
        if await main.read(find_open, topic, fresh=True) is not None:
            await main.write(resolve, topic, now)
        return
    cause = Cause(
        severity=Severity.CRITICAL,
        source="portfolio",
        message=f"Account {account_id} is {grouped(-available)} rupees short of what its positions"
        " ask for today: close some, or bring money.",
        topic=topic,
        account_id=account_id,
    )
    await main.write(raise_alert, cause, now)


def contract_of(listed: Instrument, key: Key) -> Contract:
    """Return what margin has to know of what is listed."""
    is_option = listed.option_type is not None
    return Contract(
        is_option, listed.strike, listed.kind, listed.lot_size, listed.expiry, key.symbol
    )


async def margin_for(
    house: Rooms, actor: Actor, account_id: int, wishes: Sequence[PlaceOrder]
) -> Required:
    """Return what orders would need together on an account, and write down what was answered.

    They are gone through as a basket is placed, and answered in the order in which they were asked.
    """
    desk = await desk_of(house, actor, account_id)
    places = bought_first(wishes)
    asked = _in_turn(desk, wishes, places)
    found = await desk.store.write(_answer, desk, asked, house.clock(), account=account_id)
    return _as_asked(found, places)


async def would_need(desk: Desk, *wishes: PlaceOrder) -> Required:
    """Return what orders that are not asked for yet would need together, as a basket is placed.

    Nothing is written down.
    """
    places = bought_first(wishes)
    asked = _in_turn(desk, wishes, places)
    found = await desk.store.read(_reckon, desk, asked, desk.clock(), fresh=True)
    return _as_asked(found, places)


def _in_turn(desk: Desk, wishes: Sequence[PlaceOrder], places: Sequence[int]) -> list[Asked]:
    """Return wishes in the order in which they are placed."""
    ordered = [wishes[place] for place in places]
    return [_asked(it, desk.look(it.segment, it.symbol), desk.clock()) for it in ordered]


def _as_asked(found: Required, places: Sequence[int]) -> Required:
    """Return the needs in the order in which they were asked for."""
    each = sorted(zip(places, found.each, strict=True), key=itemgetter(0))
    return replace(found, each=tuple(need for _, need in each))


def _reckon(tx: Tx, desk: Desk, wishes: Sequence[Asked], now: datetime) -> Required:
    return work_out(tx, desk.account_id, _beside(tx, desk, wishes), desk.terms, now)


def _answer(tx: Tx, desk: Desk, wishes: Sequence[Asked], now: datetime) -> Required:
    beside = _beside(tx, desk, wishes)
    return require(tx, desk.actor, desk.account_id, beside, desk.terms, now)


def _beside(tx: Tx, desk: Desk, wishes: Sequence[Asked]) -> list[Asked]:
    """Return wishes with what working orders are about to close already."""
    return [replace(it, exiting=exiting(tx, desk.account_id, it.key, it.side)) for it in wishes]


def _asked(wish: PlaceOrder, seen: Seen, now: datetime) -> Asked:
    """Return a wish as margin asks, at the dearest price that it may trade at."""
    key = Key(wish.segment, wish.symbol, wish.product)
    price = dearest(wish.side, (wish.price, wish.trigger_price), seen.price_at(now))
    if price is None:
        raise Conflict(
            f"There is no fresh price of {wish.symbol}, so what it needs is not known; name one."
        )
    return Asked(
        key=key,
        contract=contract_of(seen.instrument, key),
        side=wish.side,
        quantity=wish.quantity,
        price=price,
    )
