"""Margin asked for before an order is placed: worked out, and written down where somebody asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Invalid
from bahi.portfolio.model.requiring import Asked, Required, required
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.repository import requiring as rows
from bahi.portfolio.service.books import lock_book, page_of, positions_of

MOST: Final = 100
"""Wishes of one question."""
KEPT: Final = timedelta(days=30)
"""How long answers are kept."""


def work_out(
    tx: Tx, account_id: int, wishes: Sequence[Asked], terms: Terms, now: datetime
) -> Required:
    """Return what wishes would need on an account, and write nothing."""
    if not 1 <= len(wishes) <= MOST:
        raise Invalid(f"Ask for the margin of 1 to {MOST} orders at a time, not {len(wishes)}.")
    for it in wishes:
        if it.quantity < 1 or it.price <= 0:
            raise Invalid(f"{it.key.symbol}: margin is of one piece or more at a price above zero.")
    free = page_of(tx, account_id).available
    return required(wishes, positions_of(tx, account_id), free, terms, now)


def require(  # noqa: PLR0917 - who asks, of which account, what, by which terms
    tx: Tx, actor: Actor, account_id: int, wishes: Sequence[Asked], terms: Terms, now: datetime
) -> Required:
    """Return what wishes would need, and write down what was answered; the old goes."""
    lock_book(tx, account_id)
    found = work_out(tx, account_id, wishes, terms, now)
    rows.remove_before(tx, account_id, now - KEPT)
    for it, need in zip(wishes, found.each, strict=True):
        rows.add(tx, account_id, it, need, now)
    new = {"wishes": len(wishes), "total": found.total, "free_needed": found.free_needed}
    note(tx, actor, "require", ("account", account_id), now, new=new)
    return found
