"""Kill switches and limits: set in each trading store, on every page that they bind.

Whoever engages a switch locks and writes all those pages in one transaction of each store, and an
intent locks its own: so no intent commits after "engaged" (I7). Limits go the same way.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from bahi.audit.service import note
from bahi.db.lanes import Lane
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_admin, require_change
from bahi.kernel.clock import session_boundary
from bahi.kernel.errors import Conflict, Forbidden, Invalid, Outdated
from bahi.portfolio.model.book import Opening
from bahi.portfolio.service.books import has_page, open_book
from bahi.portfolio.service.stops import lock_pages, stamp
from bahi.risk.model.control import Held, Scope, Switch, Whom, stops_of
from bahi.risk.model.limits import Limits, document_of, is_looser, tightest
from bahi.risk.repository import control as rows

LONGEST_REASON: Final = 500


async def engage(
    stores: Iterable[Store], actor: Actor, whom: Whom, reason: str, now: datetime
) -> int:
    """Stop all entries of somebody, in every store; return how many accounts were stopped.

    Once this returns, no entry of theirs commits any more, from whatever process.
    """
    _require_hold(actor, whom.checked())
    stopped = 0
    for store in stores:
        stopped += await store.write(
            record_engaged, actor, whom, checked_reason(reason), now, lane=Lane.FACT
        )
    return stopped


async def release(
    stores: Iterable[Store], actor: Actor, whom: Whom, reason: str, now: datetime
) -> int:
    """Let somebody trade again; return how many switches were engaged over exactly them."""
    _require_hold(actor, whom.checked())
    released = 0
    for store in stores:
        released += await store.write(
            record_released, actor, whom, checked_reason(reason), now, lane=Lane.FACT
        )
    if not released:
        raise Conflict(f"No switch is engaged over {whom}.")
    return released


def record_engaged(tx: Tx, actor: Actor, whom: Whom, reason: str, now: datetime) -> int:
    """Engage a switch in one store; who presses it again while it stands has the one, not two.

    The trail keeps each time that it was pressed, and why.
    """
    rows.lock(tx)
    stands = (it for it in rows.switches(tx) if (it.whom, it.by) == (whom, actor.name))
    known = next(stands, None)
    pages = _pages(tx, whom)
    switch = known or Switch(id=tx.new_id(), whom=whom, reason=reason, by=actor.name, since=now)
    if known is None:
        rows.engage(tx, switch)
    _stamp(tx, pages, now)
    new = {"whom": str(whom), "reason": reason, "accounts": len(pages)}
    note(tx, actor, "risk.kill", ("switch", switch.id), now, new=new)
    return len(pages)


def record_released(tx: Tx, actor: Actor, whom: Whom, reason: str, now: datetime) -> int:
    """Release what is engaged over somebody in one store."""
    rows.lock(tx)
    engaged = [it for it in rows.switches(tx) if it.whom == whom]
    if not engaged:
        return 0
    if not actor.is_admin and any(it.by != actor.name for it in engaged):
        raise Forbidden(f"{engaged[0].by} engaged the switch over {whom}; ask them, or an admin.")
    rows.release(tx, [it.id for it in engaged], now)
    _stamp(tx, _pages(tx, whom), now)
    for it in engaged:
        old = {"whom": str(whom), "reason": it.reason, "by": it.by}
        note(tx, actor, "risk.resume", ("switch", it.id), now, old=old, new={"reason": reason})
    return len(engaged)


def open_account(tx: Tx, opening: Opening, defaults: Limits, now: datetime) -> None:
    """Begin the page of an account with its first limits and every switch that is in force."""
    if has_page(tx, opening.account_id):
        return
    rows.lock(tx)
    if not open_book(tx, opening, now):
        return
    whom = Whom(scope=Scope.ACCOUNT, account_id=opening.account_id)
    why = "What every new account begins with."
    first = Held(id=tx.new_id(), whom=whom, limits=defaults, since=now, by="bahi", reason=why)
    rows.hold(tx, first, now)
    _stamp(tx, [(opening.account_id, opening.user_id)], now)


async def hold(
    stores: Iterable[Store],
    actor: Actor,
    what: tuple[Whom, Limits],
    now: datetime,
    *,
    at_once: str | None = None,
    seen: frozenset[int] | None = None,
) -> datetime:
    """Hold somebody to limits; return from when all of them are as asked for.

    What is tightened holds at once, what is loosened from the next day on, unless an admin says
    why it has to be `at_once`. `seen` are the rows that the caller knows of: where there are others
    by now, nothing is changed.
    """
    whom, limits = what
    _require_hold(actor, whom.checked())
    if at_once is not None:
        require_admin(actor)
        at_once = checked_reason(at_once)
    since = now
    for store in stores:
        since = await store.write(
            record_limits, actor, (whom, limits.checked(), at_once, seen), now, lane=Lane.FACT
        )
    return since


def record_limits(
    tx: Tx,
    actor: Actor,
    what: tuple[Whom, Limits, str | None, frozenset[int] | None],
    now: datetime,
) -> datetime:
    """Hold somebody to limits in one store."""
    whom, wanted, at_once, seen = what
    rows.lock(tx)
    known = [it for it in rows.limits(tx) if it.whom == whom]
    if seen is not None and not {it.id for it in known} <= seen:
        raise Outdated(f"The limits of {whom} were changed since; look at them again.")
    before = _now_held(known, now)
    pages = _pages(tx, whom)
    waits = before is not None and is_looser(before, wanted) and at_once is None
    since = session_boundary(now) if waits else now
    rows.end(tx, [it.id for it in known], now)
    if waits and before is not None:
        _hold(tx, actor, whom, (tightest([before, wanted]), now, at_once), now)
    number = _hold(tx, actor, whom, (wanted, since, at_once), now)
    _stamp(tx, pages, now)
    old = None if before is None else document_of(before)
    new = document_of(wanted) | {"from": since.isoformat()}
    note(tx, actor, "risk.limits", ("limits", number), now, old=old, new=new, details=at_once or "")
    return since


def _hold(
    tx: Tx, actor: Actor, whom: Whom, what: tuple[Limits, datetime, str | None], now: datetime
) -> int:
    limits, since, reason = what
    held = Held(id=tx.new_id(), whom=whom, limits=limits, since=since, by=actor.name, reason=reason)
    rows.hold(tx, held, now)
    return held.id


def _now_held(known: Iterable[Held], now: datetime) -> Limits | None:
    binding = [it for it in known if it.since <= now]
    return binding[-1].limits if binding else None


def _pages(tx: Tx, whom: Whom) -> list[tuple[int, int]]:
    """Lock the pages of those whom something binds."""
    user = whom.user_id if whom.scope in {Scope.USER, Scope.STRATEGY} else None
    return lock_pages(tx, user_id=user, account_id=whom.account_id)


def _stamp(tx: Tx, pages: Iterable[tuple[int, int]], now: datetime) -> None:
    switches, limits = rows.switches(tx), rows.limits(tx)
    for account_id, user_id in pages:
        stamp(tx, account_id, stops_of(switches, limits, account_id, user_id), now)


def _require_hold(actor: Actor, whom: Whom) -> None:
    """Leave what binds everybody to admins, and a user's to them; who names an account has it."""
    require_change(actor)
    if whom.scope is Scope.ACCOUNT or actor.is_admin:
        return
    if whom.user_id is None or not actor.owns(whom.user_id):
        raise Forbidden(f"{str(whom).capitalize()} is not yours to stop or hold; ask an admin.")


def checked_reason(reason: str) -> str:
    """Return a reason, or say that one is needed."""
    said = reason.strip()
    if not 1 <= len(said) <= LONGEST_REASON or "\0" in said:
        raise Invalid(f"reason: say why, in 1 to {LONGEST_REASON} characters.")
    return said
