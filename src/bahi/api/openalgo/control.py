"""Ping, and the analyzer: which of its two default accounts a key means."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final

from starlette.routing import Route

from bahi.accounts.service.keys import switch
from bahi.api.openalgo.door import Ask, asked, good
from bahi.bootstrap import House
from bahi.bootstrap.meant import account_meant
from bahi.db.revisions import GOOD_FOR_S
from bahi.kernel.actor import Actor

ANALYZE: Final = {True: "analyze", False: "live"}


class Toggle(Ask, kw_only=True):
    """Whether orders are to go to paper from now on."""

    mode: bool


def control_routes(house: House) -> list[Route]:
    """Make the doors of control."""
    return [
        asked(house, "ping", Ask, ping),
        asked(house, "analyzer", Ask, analyzer),
        asked(house, "analyzer/toggle", Toggle, toggle, changes=True),
    ]


async def ping(house: House, actor: Actor, form: Ask) -> dict[str, Any]:
    """Answer that the service is there, and at which broker the account is."""
    account = await account_meant(house, actor, form.named)
    return good(account, data={"message": "pong", "broker": str(account.broker)})


async def analyzer(_house: House, actor: Actor, _form: Ask) -> dict[str, Any]:
    """Say whether orders that name no account go to paper."""
    return _mode(analyze=not actor.goes_live)


async def toggle(house: House, actor: Actor, form: Toggle) -> dict[str, Any]:
    """Have the key mean its paper account where none is named, or its live one.

    It is answered when no process can know it otherwise any more: the order that comes next must
    not go where the one before went.
    """
    turning = partial(switch, live=not form.mode)
    key = await house.stores["main"].write(turning, actor, house.clock())
    await house.revisions.look()
    await asyncio.sleep(GOOD_FOR_S)
    said = _mode(analyze=not key.goes_live)
    said["data"]["message"] = f"Analyzer mode switched to {said['mode']}"
    return said


def _mode(*, analyze: bool) -> dict[str, Any]:
    mode = ANALYZE[analyze]
    return good(data={"analyze_mode": analyze, "mode": mode, "total_logs": 0}, mode=mode)
