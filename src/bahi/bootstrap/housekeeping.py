"""What is ended, forgotten and moved away, as jobs.

Each has a dry run: `{"dry_run": true}` in the job's payload only counts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from bahi.audit.service import move_to_archive
from bahi.bootstrap.rooms import SCHEDULE, TRADING, Rooms
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.health.service import forget_health_before
from bahi.identity.service.attempts import forget_old_failures
from bahi.identity.service.sign_in import end_expired_sessions
from bahi.jobs.service import JobContext, clean_up
from bahi.kernel.errors import NotFound
from bahi.portfolio.service.curve import forget_curves_before
from bahi.settings.service import cache_use, expire_cache, expire_windows, rate_use
from bahi.telemetry.service import forget_calls_before, forget_logs_before
from bahi.tokens.service.book import cleanup_expired, count_expired

MONTH: Final = timedelta(days=31)
CURVES_DAYS: Final = 30
"""How long the curve of a day is kept, unless it is set."""


async def sessions_cleanup(house: Rooms, context: JobContext) -> dict[str, Any]:
    """End broker tokens and web sessions whose time is over; forget expired cache entries."""
    main, now = house.stores["main"], house.clock()
    if context.payload.get("dry_run"):
        return await main.read(_what_has_expired, now, fresh=True)
    return await cleanup_sessions(main, now)


def _what_has_expired(tx: Tx, now: datetime) -> dict[str, Any]:
    return {
        "tokens": count_expired(tx, now),
        "sessions": end_expired_sessions(tx, now, dry_run=True),
        "cache": expire_cache(tx, now, dry_run=True),
        "failures": forget_old_failures(tx, now, dry_run=True),
    }


async def cleanup_sessions(main: Store, now: datetime) -> dict[str, Any]:
    """Retire what has expired: broker tokens, web sessions, cache entries, old failures."""
    tokens = 0
    while gone := await main.write(cleanup_expired, now):
        tokens += gone
    return {
        "tokens": tokens,
        "sessions": await main.write(end_expired_sessions, now),
        "cache": await main.write(expire_cache, now),
        "failures": await main.write(forget_old_failures, now),
    }


async def jobs_cleanup(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Remove finished jobs that are older than the settings say."""
    days = await house.config.get("retention", "jobs_days")
    dry_run = bool(context.payload.get("dry_run"))
    return {
        "jobs": await clean_up(house.stores, SCHEDULE, house.clock(), days, dry_run=dry_run),
        "dry_run": dry_run,
    }


async def retention(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Forget logs, calls, looks and curves of days older than the settings say."""
    dry_run, now = bool(context.payload.get("dry_run")), house.clock()
    days = {
        name: timedelta(days=await house.config.get("retention", f"{name}_days"))
        for name in ("logs", "calls", "health")
    }
    stores = house.stores
    return {
        "logs": await forget_logs_before(stores["logs"], now - days["logs"], dry_run=dry_run),
        "calls": await forget_calls_before(stores["latency"], now - days["calls"], dry_run=dry_run),
        "health": await forget_health_before(stores["main"], now - days["health"], dry_run=dry_run),
        "curves": await _forget_curves(house, now, dry_run=dry_run),
        "dry_run": dry_run,
    }


async def _forget_curves(house: Rooms, now: datetime, *, dry_run: bool) -> int:
    try:
        days = int(await house.config.get("retention", "curves_days"))
    except NotFound:  # nobody has to set it
        days = CURVES_DAYS
    before = now - timedelta(days=max(days, 1))
    gone = 0
    for name in TRADING:
        gone += await forget_curves_before(house.stores[name], before, dry_run=dry_run)
    return gone


async def audit_archive(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Move sealed batches of the trail to the archive, whole; nothing else may take them."""
    days = await house.config.get("retention", "audit_days")
    dry_run = bool(context.payload.get("dry_run"))
    before = house.clock() - timedelta(days=days)
    moved = {}
    for name in TRADING:
        moved[name] = await move_to_archive(
            house.stores[name], house.stores["archive"], house.vault, before, dry_run=dry_run
        )
    return {**moved, "dry_run": dry_run}


async def monthly_review(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Say how much the limits and the caches were used, then forget old windows."""
    main, now = house.stores["main"], house.clock()
    dry_run = bool(context.payload.get("dry_run"))
    rates = await main.read(rate_use, now - MONTH, now, fresh=True)
    caches = await main.read(cache_use, fresh=True)

    def forget(tx: Tx) -> int:
        return expire_windows(tx, now - MONTH, dry_run=dry_run)

    return {
        "rate_limits": [str(it) for it in rates[:100]],
        "caches": [str(it) for it in caches[:100]],
        "windows_forgotten": await main.write(forget),
        "dry_run": dry_run,
    }
