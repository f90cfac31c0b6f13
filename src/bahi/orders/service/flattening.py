"""Getting out: a ladder of limits that reach further and further, and an alarm where it ends.

One MARKET order is no way out: where the band ends, what is left of it rests and may never fill.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Final, NamedTuple

from bahi.db.tx import Tx
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.errors import BahiError, Conflict
from bahi.kernel.money import Price, down_to_tick, up_to_tick
from bahi.kernel.words import OrderType, Side
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert, resolve
from bahi.orders.model.changing import ModifyOrder
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.repository.working import working_on
from bahi.orders.service.aiming import place_smart
from bahi.orders.service.cancelling import cancel_order
from bahi.orders.service.desk import Desk
from bahi.orders.service.modifying import modify_order
from bahi.portfolio.model.position import Key
from bahi.portfolio.service.books import position_of, positions_of

RUNGS: Final = (10, 30, 100, 300, 1_000)
"""How far each limit reaches through the last price, in hundredths of a percent."""
REST_S: Final = 3.0
"""How long each of them has."""

Pause = Callable[[float], Awaitable[None]]


class Flattened(NamedTuple):
    """What is left of a position, and what the last try of getting out of it met."""

    key: Key
    left: int
    fault: str | None


class Planned(NamedTuple):
    """What getting out of a position would begin with: orders taken back, and the first limit."""

    key: Key
    side: Side
    quantity: int
    price: Price | None
    cancels: tuple[int, ...]


async def would_flatten(desk: Desk) -> list[Planned]:
    """Return what `flatten_all` would send first, and send nothing; no price: at the market."""
    held = await desk.store.read(positions_of, desk.account_id, fresh=True)
    return [await _planned(desk, it.key, it.net) for it in held]


async def _planned(desk: Desk, key: Key, left: int) -> Planned:
    seen = desk.look(key.segment, key.symbol)
    last, side = seen.price_at(desk.clock()), Side.SELL if left > 0 else Side.BUY
    price = None if last is None else _through(last, side, RUNGS[0], seen.instrument)
    working = await desk.store.read(working_on, desk.account_id, key, fresh=True)
    return Planned(key, side, abs(left), price, tuple(it.id for it in working))


async def flatten(desk: Desk, key: Key, *, pause: Pause = asyncio.sleep) -> Flattened:
    """Get out of a position, rung by rung; what works on it is taken back first."""
    fault = await _clear(desk, key)
    for reach in RUNGS:
        left = await _left(desk, key)
        if not left:
            break
        try:
            await _reach(desk, key, left, reach)
            fault = None
        except BahiError as met:  # the next rung is another try
            fault = str(met)
        await pause(REST_S)
    left = await _left(desk, key)
    await desk.store.write(_tell, desk.account_id, Flattened(key, left, fault), desk.clock())
    return Flattened(key, left, fault)


async def flatten_all(desk: Desk, *, pause: Pause = asyncio.sleep) -> list[Flattened]:
    """Get out of everything that an account has open, all at once."""
    held = await desk.store.read(positions_of, desk.account_id, fresh=True)
    return list(await asyncio.gather(*(flatten(desk, it.key, pause=pause) for it in held)))


async def _clear(desk: Desk, key: Key) -> str | None:
    fault = None
    for order in await desk.store.read(working_on, desk.account_id, key, fresh=True):
        try:
            await cancel_order(desk, order.id)
        except BahiError as met:  # it ended meanwhile, or nobody knows of it: the ladder goes on
            fault = str(met)
    return fault


async def _reach(desk: Desk, key: Key, left: int, reach: int) -> None:
    """Have limits work for all that is left: those that work move, and what is missing is sent."""
    seen = desk.look(key.segment, key.symbol)
    last = seen.price_at(desk.clock())
    if last is None:
        await _send(desk, key, OrderType.MARKET, None)
        return
    side = Side.SELL if left > 0 else Side.BUY
    price = _through(last, side, reach, seen.instrument)
    working = await desk.store.read(working_on, desk.account_id, key, fresh=True)
    plain = [it for it in working if it.parent_order_id is None and it.broker_order_id]
    for mine in plain:
        if mine.side is side and mine.price != price:
            with suppress(Conflict):  # it filled or ended meanwhile: the next rung sees the rest
                await modify_order(desk, ModifyOrder(order_id=mine.id, price=price))
    await _send(desk, key, OrderType.LIMIT, price)


async def _send(desk: Desk, key: Key, order_type: OrderType, price: Price | None) -> None:
    wish = PlaceOrder(
        segment=key.segment,
        symbol=key.symbol,
        side=Side.SELL,
        quantity=0,
        product=key.product,
        order_type=order_type,
        price=price,
    )
    aim = await place_smart(desk, wish, 0)
    if aim.fault is not None:
        raise aim.fault


def _through(last: Price, side: Side, reach: int, it: Instrument) -> Price:
    """Return a limit that reaches through a price, on the tick and within the day's band."""
    tick = it.tick_size or Price(1)
    if side is Side.SELL:
        price = down_to_tick(Price(last * (10_000 - reach) // 10_000), tick)
        return max(price, it.lower_band or tick, tick)
    price = up_to_tick(Price(-(-last * (10_000 + reach) // 10_000)), tick)
    return price if it.upper_band is None else min(price, it.upper_band)


async def _left(desk: Desk, key: Key) -> int:
    return (await desk.store.read(position_of, desk.account_id, key, fresh=True)).net


def _tell(tx: Tx, account_id: int, what: Flattened, now: datetime) -> None:
    segment, symbol, product = what.key
    topic = f"flatten:{account_id}:{segment}:{symbol}:{product}"
    if not what.left:
        resolve(tx, topic, now)
        return
    why = f" ({what.fault})" if what.fault else ""
    cause = Cause(
        severity=Severity.CRITICAL,
        source="orders",
        message=f"{what.left} {symbol} ({product}) of account {account_id} could not be closed: "
        f"the ladder of limits came to its end{why}. Close it by hand.",
        topic=topic,
        account_id=account_id,
    )
    raise_alert(tx, cause, now)
