"""The rules of the exchange as they are set; a change counts when they are read again."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bahi.exchange.model.rules import QueueModel, Rules
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.words import BrokerSlug
from bahi.quotes.model.troubles import NO_TROUBLES, Troubles

Get = Callable[[str, str], Awaitable[Any]]
"""Returns a setting by category and key (`LiveConfig.get`)."""

log = logging.getLogger("bahi.exchange")


async def rules_of(get: Get) -> Rules:
    """Read the rules; the two latencies may stand in either order."""
    profile = BrokerSlug(await get("exchange", "profile"))
    latencies = [int(await get("exchange", f"latency_{it}_ms")) for it in ("least", "most")]
    return Rules(
        queue=QueueModel(await get("exchange", "queue")),
        profile=profile,
        protection=int(await get("exchange", "protection_bps")),
        latency_ms=(min(latencies), max(latencies)),
        troubles=await _troubles(get),
        words=await _words(get, profile),
    )


async def _words(get: Get, profile: BrokerSlug) -> Mapping[str, str]:
    """Read `exchange.words`, which nobody has to set: {"kite": {"LOT": "what Kite says"}}."""
    try:
        every = await get("exchange", "words")
    except NotFound:
        return {}
    words = every.get(str(profile), {}) if isinstance(every, dict) else None
    if not isinstance(words, dict) or not all(isinstance(it, str) for it in words.values()):
        log.warning('exchange.words cannot be used; write {"kite": {"LOT": "what Kite says"}}.')
        return {}
    return words


async def _troubles(get: Get) -> Troubles:
    """Read `exchange.troubles`, which nobody has to set: {"freak": 0.001, "stalled": 0.01}."""
    try:
        shares = await get("exchange", "troubles")
    except NotFound:
        return NO_TROUBLES
    try:
        return _read(shares)
    except Invalid as wrong:
        log.warning("exchange.troubles cannot be used: %s", wrong)
        return NO_TROUBLES


def _read(shares: Any) -> Troubles:
    if not isinstance(shares, dict) or shares.keys() - {"freak", "stalled"}:
        raise Invalid('Write the shares of freak and stalled: {"freak": 0.001, "stalled": 0.01}.')
    if any(isinstance(it, bool) or not isinstance(it, int | float) for it in shares.values()):
        raise Invalid("A share is a number from 0 to 1.")
    return Troubles(**shares)
