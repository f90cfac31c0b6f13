"""Positions closed, all at once: what is open today, and never what is held for delivery longer."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

from starlette.routing import Route

from bahi.api.openalgo.door import Refused, asked, good
from bahi.api.openalgo.orders import MATCHED, desk_and_account
from bahi.api.openalgo.outcomes import row_of
from bahi.api.openalgo.patience import patiently
from bahi.api.openalgo.positions import carried, list_open
from bahi.api.openalgo.wishes import Strategic, label_of
from bahi.api.openalgo.words import exchange_of, mode_of, product_word
from bahi.bootstrap import House
from bahi.kernel.actor import Actor
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import BahiError
from bahi.kernel.words import OrderType, Side
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.service.aiming import Aim, close_position, place_smart
from bahi.orders.service.desk import Desk
from bahi.orders.service.several import pause_of
from bahi.portfolio.model.position import Position


def closing_routes(house: House) -> list[Route]:
    """Make the door that closes positions."""
    return [asked(house, "closeposition", Strategic, close_every, changes=True)]


async def close_every(house: House, actor: Actor, form: Strategic) -> dict[str, Any]:
    """Close every open position at the market; what is held for delivery longer is not one."""
    account, desk = await desk_and_account(house, actor, form.named)
    today = exchange_day(house.clock())
    held = await list_open(desk.store, account.id, today)
    if not held:
        return good(account, message="No open positions to close")
    closed = await desk.errands.see_through(_close(desk, held, label_of(form.strategy), today))
    failed = [it for it in closed if it["status"] != "success"]
    if not failed:
        return good(account, message="All Open Positions Squared Off", results=closed)
    raise Refused(
        f"{len(closed) - len(failed)} of {len(closed)} positions were squared off. "
        f"{failed[0]['symbol']}: {failed[0]['message']}",
        code=failed[0]["code"],
        results=closed,
        mode=mode_of(account.mode),
    )


async def _close(
    desk: Desk, held: list[Position], strategy: str | None, today: date
) -> list[dict[str, Any]]:
    rows = []
    pause_s = await pause_of(desk, len(held))
    for it in held:
        segment, symbol, product = it.key
        beside = {
            "symbol": symbol,
            "exchange": exchange_of(segment),
            "product": product_word(product),
        }
        try:
            aim = await _close_one(desk, it, strategy, carried(it, today))
        except BahiError as fault:
            rows.append(row_of(None, fault, **beside))
            continue
        if aim.order is None and aim.fault is None:
            rows.append({**beside, "status": "success", "message": MATCHED})
        else:
            rows.append(row_of(aim.orders[-1] if aim.orders else None, aim.fault, **beside))
        await asyncio.sleep(pause_s)
    return rows


async def _close_one(desk: Desk, it: Position, strategy: str | None, target: int) -> Aim:
    """Close one position down to what was held for delivery when the day began."""
    segment, symbol, product = it.key
    wish = PlaceOrder(
        segment=segment,
        symbol=symbol,
        side=Side.SELL,
        quantity=0,
        product=product,
        order_type=OrderType.MARKET,
        strategy=strategy,
    )

    async def close() -> Aim:
        if target:
            return await place_smart(desk, wish, target)
        return await close_position(desk, segment, symbol, product)

    return await patiently(close, lambda aim: aim.orders[-1] if aim.orders else None)
