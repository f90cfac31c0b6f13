"""What is open, valued often enough that the day's loss is known; too much of it latches."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from bahi.db.lanes import Lane
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.money import Price, grouped
from bahi.kernel.words import Segment
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert
from bahi.portfolio.service.books import lock_book, save_book
from bahi.portfolio.service.marking import Thing, open_things, valued
from bahi.risk.model.verdict import loss_denied
from bahi.risk.repository.violation import add_violation

EVERY: Final = timedelta(seconds=5)
PriceOf = Callable[[Segment, str], Price | None]
OnBreach = Callable[[], Awaitable[None]]


class Marks:
    """Who was valued when, in this process; asked before each order, it mostly does nothing."""

    def __init__(self) -> None:
        self._valued: dict[int, datetime] = {}
        self._running: dict[int, asyncio.Task[None]] = {}

    async def freshen(
        self, store: Store, account_id: int, price_of: PriceOf, now: datetime, on_breach: OnBreach
    ) -> None:
        """Value an account anew where that is due."""
        last = self._valued.get(account_id)
        if last is not None and abs(now - last) < EVERY:
            return
        running = self._running.get(account_id)
        if running is None:
            value = self._value(store, account_id, price_of, now, on_breach)
            running = self._running[account_id] = asyncio.create_task(value)
            running.add_done_callback(lambda _: self._running.pop(account_id, None))
        await asyncio.shield(running)

    async def _value(
        self, store: Store, account_id: int, price_of: PriceOf, now: datetime, on_breach: OnBreach
    ) -> None:
        things = await store.read(open_things, account_id, fresh=True)
        prices = {it: price for it in things if (price := price_of(*it)) is not None}
        is_breach = await store.write(
            mark, account_id, prices, now, lane=Lane.FACT, account=account_id
        )
        self._valued[account_id] = now
        if is_breach:
            await on_breach()


def mark(tx: Tx, account_id: int, prices: dict[Thing, Price], now: datetime) -> bool:
    """Write what an account's open positions are worth; say whether its loss is now too much."""
    before = lock_book(tx, account_id)
    book = valued(tx, account_id, prices, now)
    book, denial = loss_denied(book, now)
    save_book(tx, before, book, now)
    if denial is None or (before.latched_at is not None and before.day == book.day):
        return False
    add_violation(tx, (account_id, None), denial, now)
    lost = f"Account {account_id} lost {grouped(denial.actual)} rupees today: {denial.sentence}"
    cause = Cause(
        severity=Severity.CRITICAL,
        source="risk",
        message=lost,
        topic=f"risk.daily_loss.{account_id}",
        user_id=book.user_id,
        account_id=account_id,
    )
    raise_alert(tx, cause, now)
    return True
