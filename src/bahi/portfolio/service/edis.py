"""Asking for leave to deliver, and what comes of it; the TPIN is sealed until then, and erased."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.clock import end_of_day, to_micros
from bahi.kernel.crypto import Vault
from bahi.kernel.errors import Conflict, NotFound
from bahi.portfolio.model.edis import Asking, Leave, Request
from bahi.portfolio.repository import edis as rows
from bahi.portfolio.service.books import lock_book

WAITS_FOR: Final = timedelta(hours=1)
"""A request that was not answered by then is over, and its TPIN is erased."""
AT_ONCE: Final = 500
_PLACE: Final = {"table": "edis_transactions", "column": "tpin_enc"}


def ask(tx: Tx, actor: Actor, vault: Vault, asked: Asking, now: datetime) -> Request:
    """Ask for leave; the TPIN is kept sealed while the request waits."""
    require_change(actor)
    asked.check()
    lock_book(tx, asked.account_id)
    identity = tx.new_id()
    sealed = vault.seal(asked.tpin, **_PLACE, row_id=identity) if asked.tpin else None
    rows.add(tx, identity, asked, sealed, now)
    new = {"isin": asked.isin, "quantity": asked.quantity, "bulk": asked.is_bulk}
    note(tx, actor, "ask", ("edis", identity), now, new=new)
    return _get(tx, identity)


def request_of(tx: Tx, account_id: int, request_id: int) -> Request:
    """Return a request of an account's; another's is not there."""
    found = rows.find(tx, request_id)
    if found is None or found.account_id != account_id:
        raise NotFound(f"There is no eDIS request {request_id} on this account.")
    return found


requests_of: Final = rows.of_account
"""Return an account's, the newest first; `requests_of(tx, account_id, before_id, at_most)`."""


def tpin_of(tx: Tx, vault: Vault, request_id: int) -> str | None:
    """Return the TPIN of a request that waits, for the one call that needs it."""
    sealed = rows.sealed_tpin(tx, request_id)
    if sealed is None:
        return None
    return vault.open(sealed, **_PLACE, row_id=request_id).decode()


def authorize(
    tx: Tx, actor: Actor, request_id: int, now: datetime, until: datetime | None = None
) -> Request:
    """Write that leave was given: until the end of the exchange's day, unless told otherwise."""
    known = _waiting(tx, actor, request_id)
    lapses = until if until is not None else end_of_day(now)
    given = {"authorized_at": to_micros(now), "expires_at": to_micros(lapses)}
    rows.end(tx, known.id, Leave.AUTHORIZED, now, **given)
    return _noted(tx, actor, known, now)


def reject(tx: Tx, actor: Actor, request_id: int, why: str, now: datetime) -> Request:
    """Write that leave was refused."""
    known = _waiting(tx, actor, request_id)
    rows.end(tx, known.id, Leave.REJECTED, now, error_message=why)
    return _noted(tx, actor, known, now)


def expire(tx: Tx, actor: Actor, now: datetime) -> int:
    """End leave that lapsed and requests that nobody answered; return how many."""
    over = rows.lapsed(tx, now, now - WAITS_FOR, AT_ONCE)
    for it in over:
        rows.end(tx, it.id, Leave.EXPIRED, now)
        _noted(tx, actor, it, now)
    return len(over)


def allowed_of(tx: Tx, account_id: int, isin: str, now: datetime, *, has_ddpi: bool) -> int | None:
    """Return how many of a security may be delivered; None: no leave is needed, or it is for all.

    What was sold under a leave already is the broker's to count, who refuses what goes beyond.
    """
    if has_ddpi:
        return None
    given = rows.in_force(tx, account_id, now)
    if any(it.is_bulk for it in given):
        return None
    return sum(it.quantity for it in given if it.isin == isin)


def _waiting(tx: Tx, actor: Actor, request_id: int) -> Request:
    require_change(actor)
    known = _get(tx, request_id)
    lock_book(tx, known.account_id)
    known = _get(tx, request_id)
    if known.status is not Leave.PENDING:
        raise Conflict(f"The request {request_id} is {known.status} already; ask for leave anew.")
    return known


def _get(tx: Tx, request_id: int) -> Request:
    found = rows.find(tx, request_id)
    if found is None:
        raise NotFound(f"There is no eDIS request {request_id}.")
    return found


def _noted(tx: Tx, actor: Actor, before: Request, now: datetime) -> Request:
    after = _get(tx, before.id)
    old, new = {"status": str(before.status)}, {"status": str(after.status)}
    note(tx, actor, "answer", ("edis", before.id), now, old=old, new=new)
    return after
