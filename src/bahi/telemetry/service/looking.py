"""What was written down, to look at; and what is old, forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.clock import to_micros
from bahi.kernel.errors import Forbidden, Invalid
from bahi.kernel.words import LogLevel
from bahi.telemetry import repository
from bahi.telemetry.model import CallEntry, LogEntry, LogPage, LogWanted

PAGE_AT_MOST: Final = 500
ROWS_AT_ONCE: Final = 500
ERRORS: Final = (LogLevel.ERROR, LogLevel.CRITICAL)
LONGEST_WORD: Final = 200
EVERYTHING: Final = LogWanted()


async def recent_calls(
    store: Store,
    actor: Actor,
    *,
    limit: int = 50,
    before: int | None = None,
    module: str | None = None,
    operation: str | None = None,
    broker: str | None = None,
    account_id: int | None = None,
    request_id: str | None = None,
    order_ref: str | None = None,
    success: bool | None = None,
) -> list[CallEntry]:
    """Return the newest calls, from the latency store; `before` the last one's id is the next."""
    _only_admins_look(actor, limit)
    names = {
        "module": module,
        "operation": operation,
        "broker": broker,
        "account_id": account_id,
        "request_id": request_id,
        "order_ref": order_ref,
        "success": None if success is None else int(success),
    }
    return await store.read(repository.calls, limit, before, names, fresh=True)


async def recent_errors(
    store: Store,
    actor: Actor,
    *,
    limit: int = 50,
    before: int | None = None,
    error_type: str | None = None,
    account_id: int | None = None,
    levels: tuple[LogLevel, ...] = ERRORS,
) -> list[LogEntry]:
    """Return the newest errors (or other levels), from the logs store."""
    _only_admins_look(actor, limit)
    names = {"error_type": error_type, "account_id": account_id}
    return await store.read(repository.logs, limit, before, names, levels, fresh=True)


async def log_page(
    store: Store,
    actor: Actor,
    wanted: LogWanted = EVERYTHING,
    *,
    limit: int = 50,
    before: int | None = None,
) -> LogPage:
    """Return a page of log records, the newest first, from the logs store; two statements.

    So many records are looked through for one page at most; `next` is where to go on.
    """
    _only_admins_look(actor, limit)
    if wanted.word is not None and len(wanted.word) > LONGEST_WORD:
        raise Invalid(f"word: at most {LONGEST_WORD} characters are looked for.")
    return await store.read(repository.log_page, wanted, limit, before, fresh=True)


def _only_admins_look(actor: Actor, limit: int) -> None:
    if not actor.is_admin:
        raise Forbidden("Only an admin may read what the house wrote down of itself.")
    if not 1 <= limit <= PAGE_AT_MOST:
        raise Invalid(f"limit: {limit} is not 1 to {PAGE_AT_MOST}.")


async def forget_calls_before(store: Store, before: datetime, *, dry_run: bool = False) -> int:
    """Forget the calls from before an instant, some at a time; return how many."""
    if dry_run:
        return await store.read(repository.count_calls_before, to_micros(before), fresh=True)
    return await _forget(store, repository.forget_calls, before)


async def forget_logs_before(store: Store, before: datetime, *, dry_run: bool = False) -> int:
    """Forget the log records from before an instant, some at a time; return how many."""
    if dry_run:
        return await store.read(repository.count_logs_before, to_micros(before), fresh=True)
    return await _forget(store, repository.forget_logs, before)


async def _forget(store: Store, some: Callable[[Tx, int, int], int], before: datetime) -> int:
    gone = 0
    while went := await store.write(some, to_micros(before), ROWS_AT_ONCE):
        gone += went
    return gone


erase_account: Final = repository.erase_account
"""Remove some calls and records of an account."""
erase_user: Final = repository.erase_user
"""Remove some calls of a user."""
