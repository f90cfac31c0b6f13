"""What the books have done for them by the clock: the jobs, and when they come round."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any, Final

from bahi.bootstrap.reconciling import How, Outcome, is_any_open, policy_of, reconcile_all
from bahi.bootstrap.reconciling import reconcile_one as one
from bahi.bootstrap.rooms import SCHEDULE, TRADING, Rooms
from bahi.bootstrap.settling import end_day, expire_leaves
from bahi.db.tx import Tx
from bahi.jobs.model import Later, Schedule
from bahi.jobs.service import JobContext, get_jobs_by_status
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import NotFound
from bahi.kernel.money import plain
from bahi.kernel.words import JobStatus
from bahi.orders.service.archiving import archive_orders, count_old
from bahi.orders.service.looking import timeline_of
from bahi.portfolio.service.archiving import (
    LEAST_DAYS,
    Move,
    archive_trades,
    count_old_trades,
)
from bahi.portfolio.service.funding import LATE_BY

AGAIN_IN: Final = timedelta(minutes=15)
"""How long a close that is not known is waited for before it is looked for again."""

SCHEDULES: Final = [
    Schedule(
        name=name,
        title=title,
        job_type=job_type,
        cron=cron,
        payload=payload,
    )
    for name, title, job_type, cron, payload in (
        ("reconcile", "Compare every book with its broker", "reconcile", "*/15 9-23 * * *", {}),
        (
            "reconcile_close",
            "Compare every book with its broker after the close",
            "reconcile",
            "40 16 * * mon-fri;5 0 * * tue-sat",
            {"always": True},
        ),
        (
            "day_end",
            "Settle the day, deliver what is due",
            "day_end",
            "20 16 * * *;58 23 * * *",
            {},
        ),
        ("deliveries", "Deliver what was bought", "day_end", "40 7 * * *", {}),
        ("orders_archive", "Move old orders to the archive", "orders_archive", "50 2 * * *", {}),
        (
            "trades_archive",
            "Move old trades to the archive",
            "trades_archive",
            "40 3 * * sun",
            {},
        ),
        ("edis_expire", "End leave to deliver that lapsed", "edis_expire", "17 * * * *", {}),
    )
]


async def orders_archive(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Move orders that ended long ago to the archive, whole; trades follow them later."""
    days = await house.config.get("retention", "orders_days")
    before = house.clock() - timedelta(days=days)
    archive = house.stores["archive"]
    if context.payload.get("dry_run"):
        counted = {it: await house.stores[it].read(count_old, before, fresh=True) for it in TRADING}
        return {**counted, "dry_run": True}
    return {
        it: await archive_orders(house.stores[it], archive, before, house.clock()) for it in TRADING
    }


async def reconcile(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Reconcile all accounts while a market trades, or one (`account_id`) whenever it is asked."""
    payload = context.payload
    how = How(policy=policy_of(payload.get("policy")), dry_run=bool(payload.get("dry_run")))
    if payload.get("account_id") is not None:
        return _told([await one(house, SCHEDULE, int(payload["account_id"]), how)])
    if not payload.get("always") and not await is_any_open(house):
        return {"accounts": 0, "closed": True}
    return _told(await reconcile_all(house, SCHEDULE, how))


def _told(found: list[Outcome]) -> dict[str, Any]:
    return {
        "accounts": len(found),
        "breaks": {str(it.account_id): list(it.breaks) for it in found if it.breaks},
        "settled": sum(it.settled for it in found),
        "adopted": sum(it.adopted for it in found),
        "unread": {str(it.account_id): list(it.unread) for it in found if it.unread},
    }


async def day_end(house: Rooms, context: JobContext) -> dict[str, Any]:
    """End the days since the last time; what has no close yet is looked for until midnight."""
    known = await context.store.read(_settled_through, fresh=True)
    since = None if known is None else known - LATE_BY
    done = await end_day(house, SCHEDULE, since)
    now = house.clock()
    if done.expired.missing and exchange_day(now + AGAIN_IN) == exchange_day(now):
        raise Later(now + AGAIN_IN, "a close is not known yet")
    through = done.through or known
    return {
        "through": None if through is None else str(through),
        "expired": done.expired.settled,
        "not_settled": list(done.expired.missing),
        "owing": done.owing,
        "delivered": done.delivered,
        "remargined": done.remargined,
        "interest": plain(done.interest),
    }


def _settled_through(tx: Tx) -> date | None:
    """Return the day through which an earlier run settled; None: none is remembered."""
    for job in get_jobs_by_status(tx, JobStatus.COMPLETED, job_type="day_end", limit=1):
        through = (job.result or {}).get("through")
        return None if through is None else date.fromisoformat(through)
    return None


async def edis_expire(house: Rooms, context: JobContext) -> dict[str, Any]:
    """End leave that lapsed and requests that nobody answered; their TPINs are erased."""
    del context
    return {"ended": await expire_leaves(house, SCHEDULE)}


async def trades_archive(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Move trades to the archive that are older than the setting says, once their orders are."""
    before = exchange_day(house.clock()) - timedelta(days=await _trades_days(house))
    dry_run, moved = bool(context.payload.get("dry_run")), {}
    for name in TRADING:
        move = Move(
            store=house.stores[name],
            archive=house.stores["archive"],
            before=before,
            clock=house.clock,
            still_here=_is_any_here,
        )
        moved[name] = await (count_old_trades(move) if dry_run else archive_trades(SCHEDULE, move))
    return {**moved, "before": str(before), "dry_run": dry_run}


async def _trades_days(house: Rooms) -> int:
    """Return how old a trade has to be; never so young that a year's report would lack it."""
    try:
        days = int(await house.config.get("retention", "trades_days"))
    except NotFound:  # nobody has to set it
        days = LEAST_DAYS
    return max(days, LEAST_DAYS)


def _is_any_here(tx: Tx, account_id: int, order_ids: Collection[int]) -> bool:
    return any(timeline_of(tx, account_id, it) is not None for it in order_ids)
