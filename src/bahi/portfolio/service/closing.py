"""The end of a day over all accounts of a store: notes settled, deliveries made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final, NamedTuple

from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.clock import Clock
from bahi.kernel.money import Money
from bahi.kernel.words import Segment
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.repository import checking as rows
from bahi.portfolio.repository import days
from bahi.portfolio.service.funding import Accrued, accrue, has_funded
from bahi.portfolio.service.holdings import roll_holdings
from bahi.portfolio.service.notes import Day, Isins, settle_day

AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What closing a day has to know: by which terms each account trades, and the securities."""

    day: date
    terms_of: Callable[[int], Terms]
    isins: Isins


@dataclass(frozen=True, slots=True, kw_only=True)
class Accruing:
    """The days whose interest is charged, who does it, and by which terms each account trades."""

    actor: Actor
    days: Sequence[Accrued]
    terms_of: Callable[[int], Terms]


class Closed(NamedTuple):
    """How many accounts were gone through, and how many owed something."""

    accounts: int
    owing: int


async def settle_all(store: Store, actor: Actor, closing: Closing, clock: Clock) -> Closed:
    """Settle a day for every account, one after the other; asked again, it does nothing more."""
    seen = owing = last = 0
    while accounts := await store.read(rows.accounts, last, AT_ONCE, fresh=True):
        for account_id in accounts:
            day = Day(account_id, closing.day, closing.isins)
            terms, now = closing.terms_of(account_id), clock()
            settled = await store.write(settle_day, actor, day, terms, now, account=account_id)
            owing += any(settled)
            seen += 1
        last = accounts[-1]
    return Closed(seen, owing)


async def accrue_all(store: Store, over: Accruing, clock: Clock) -> Money:
    """Charge, for every account, the interest on what its broker funds; return what it came to."""
    charged = last = 0
    while accounts := await store.read(rows.accounts, last, AT_ONCE, fresh=True):
        for account_id in accounts:
            if not await store.read(has_funded, account_id, fresh=True):
                continue
            by, now = (over.days, over.terms_of(account_id)), clock()
            charged += await store.write(
                accrue, over.actor, account_id, by, now, account=account_id
            )
        last = accounts[-1]
    return Money(charged)


async def days_traded(store: Store, since: date | None = None) -> list[date]:
    """Return the days on which any account of a store traded, from a day on, the oldest first."""
    found: set[date] = set()
    last = 0
    while accounts := await store.read(rows.accounts, last, AT_ONCE, fresh=True):
        for account_id in accounts:
            found |= await store.read(days.traded_days, account_id, since, fresh=True)
        last = accounts[-1]
    return sorted(found)


async def dealt_on(store: Store, day: date) -> set[tuple[Segment, str]]:
    """Return the shares that any account dealt in for delivery on a day."""
    found: set[tuple[Segment, str]] = set()
    last = 0
    while accounts := await store.read(rows.accounts, last, AT_ONCE, fresh=True):
        for account_id in accounts:
            found |= await store.read(days.dealt_on, account_id, day, fresh=True)
        last = accounts[-1]
    return found


async def deliver_all(
    store: Store, settled: Mapping[Segment, date], clock: Clock, *, pledges: bool = False
) -> int:
    """Deliver, for every account, what was bought up to a day; return how many holdings."""
    roll = partial(roll_holdings, pledges=pledges)
    rolled = last = 0
    while accounts := await store.read(rows.accounts, last, AT_ONCE, fresh=True):
        for account_id in accounts:
            rolled += await store.write(roll, account_id, settled, clock(), account=account_id)
        last = accounts[-1]
    return rolled


def pages_after(tx: Tx, account_id: int, most: int = AT_ONCE) -> list[int]:
    """Return the accounts that have a page here, behind one of them, some at a time."""
    return rows.accounts(tx, account_id, most)
