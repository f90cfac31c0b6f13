"""The day's money of an account as it ticks: what is of trades is remembered until one happens.

Asked again, it costs one statement: the account's page, which tells its version. A trade, or
whatever else writes the page, has five more done; what is open since before today has its
strategies looked up once a day, at two statements for each symbol.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from bahi.bootstrap.looking import Kept, worth_now
from bahi.bootstrap.rooms import Rooms
from bahi.kernel.clock import exchange_day
from bahi.kernel.remembered import Remembered
from bahi.orders.service.looking import strategies_of
from bahi.portfolio.model.book import Book
from bahi.portfolio.model.gains import Fill
from bahi.portfolio.model.position import Key
from bahi.portfolio.model.shares import Share, shares_of
from bahi.portfolio.model.today import Day, Labelled, Made, closed_on, with_open
from bahi.portfolio.model.worth import Worth
from bahi.portfolio.service.today import Dealt, dealt_of, fills_before

AT_MOST: Final = 10_000
FOR_S: Final = 36_000.0

Strategies = dict[int, str | None]
Opened = tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Today:
    """What an account made of its day by now; what is unknown says why, and `worths` from what."""

    account_id: int
    book: Book
    day: date
    at: datetime
    whole: Made
    symbols: Labelled
    strategies: Labelled
    worths: list[Worth]


class Known(NamedTuple):
    """What is of trades: it holds for as long as the page has this version."""

    dealt: Dealt
    closed: Day
    shares: dict[Key, list[Share]]


class Days:
    """What is remembered of the days of accounts; one for a process."""

    def __init__(self) -> None:
        self.known: Remembered[int, Known] = Remembered(AT_MOST, FOR_S)
        self.begun: Remembered[tuple[int, Key, date, int], Opened] = Remembered(AT_MOST, FOR_S)


async def today_of(house: Rooms, days: Days, kept: Kept) -> Today:
    """Return what an account made of its day by now, in all, by symbol and by strategy."""
    await house.floor.renew()
    now = house.clock()
    book, known = await _known(house, days, kept, exchange_day(now))
    dealt = known.dealt
    worths = [worth_now(house, it) for it in dealt.positions]
    made = with_open(known.closed, [(it, known.shares.get(it.position.key, [])) for it in worths])
    return Today(
        account_id=kept.account.id,
        book=book,
        day=dealt.day,
        at=now,
        whole=made.whole,
        symbols=made.symbols,
        strategies=made.strategies,
        worths=worths,
    )


async def _known(house: Rooms, days: Days, kept: Kept, day: date) -> tuple[Book, Known]:
    account_id = kept.account.id
    known = days.known.get(account_id)
    before = None if known is None else known.dealt
    book, dealt = await kept.store.read(dealt_of, account_id, day, before, fresh=True)
    if known is not None and dealt is before:
        return book, known
    fills = [it for many in dealt.fills.values() for it in many]
    strategies = await _strategies(house, kept, fills)
    begun = await _begun(house, days, kept, dealt)
    shares = {
        it.key: shares_of(_moves(dealt.fills.get(it.key, []), strategies), begun.get(it.key, ()))
        for it in dealt.positions
        if it.net
    }
    closed = closed_on((_strategy(strategies, it.order_id), it) for it in dealt.gains)
    known = Known(dealt, closed, shares)
    days.known.put(account_id, known)
    return book, known


async def _begun(house: Rooms, days: Days, kept: Kept, dealt: Dealt) -> dict[Key, Opened]:
    """Return whose that was which was open as the day began; looked up once a day."""
    account_id = kept.account.id
    open_then = {
        key: it.overnight if it.day == dealt.day else it.net for key, it in dealt.overnight.items()
    }
    asked = {key: (account_id, key, dealt.day, net) for key, net in open_then.items()}
    found = {key: days.begun.get(it) for key, it in asked.items()}
    missing = [key for key, it in found.items() if it is None]
    if missing:
        before = await kept.store.read(fills_before, account_id, missing, dealt.day, fresh=True)
        fills = [it for many in before.values() for it in many]
        strategies = await _strategies(house, kept, fills)
        for key in missing:
            found[key] = opened = tuple(shares_of(_moves(before[key], strategies)))
            days.begun.put(asked[key], opened)
    return {key: it or () for key, it in found.items()}


async def _strategies(house: Rooms, kept: Kept, fills: Iterable[Fill]) -> Strategies:
    ids = {it.order_id for it in fills if it.order_id is not None}
    if not ids:
        return {}
    found = await strategies_of(ids, kept.store)
    if len(found) == len(ids):
        return found
    return found | await strategies_of(ids - set(found), house.stores["archive"])


def _moves(fills: Iterable[Fill], strategies: Strategies) -> list[Share]:
    ordered = sorted(fills, key=lambda it: (it.fact.at, it.fact.id))
    return [Share(_strategy(strategies, it.order_id), it.fact.signed) for it in ordered]


def _strategy(strategies: Strategies, order_id: int | None) -> str | None:
    return None if order_id is None else strategies.get(order_id)
