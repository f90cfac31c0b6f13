"""Interest on what a broker pays of shares held as MTF, for each day that it has paid.

It is reckoned from the trades as they were delivered by that day (T+1), so that a trade told late
changes what its days cost: the line of a day is written once, and then only what is different.
After a few days it stands, so that an account that goes to another plan is not charged anew by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.clock import exchange_day
from bahi.kernel.money import NOTHING, Money
from bahi.kernel.words import Product, Segment, Side
from bahi.portfolio.model.holding import is_funded
from bahi.portfolio.model.margin import Contract, Footing, for_position
from bahi.portfolio.model.money import Entry, Line
from bahi.portfolio.model.position import Fact, Key, fold_all
from bahi.portfolio.model.rates import Charge, Deal, Kind
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.repository import days
from bahi.portfolio.repository import position as positions
from bahi.portfolio.service.books import enter, lock_book, save_book

SHARE: Final = Contract(is_option=False)
LATE_BY: Final = timedelta(days=3)
"""So far back what a day cost is looked at again: trades are told late."""


class Accrued(NamedTuple):
    """A day whose interest is charged, and through which day's trades shares were delivered."""

    day: date
    settled: Mapping[Segment, date]


def has_funded(tx: Tx, account_id: int) -> bool:
    """Say whether an account ever held anything as MTF."""
    return any(is_funded(it.key) for it in positions.of_account(tx, account_id))


def accrue(
    tx: Tx, actor: Actor, account_id: int, by: tuple[Sequence[Accrued], Terms], now: datetime
) -> Money:
    """Charge what some days still owe of interest; return what that came to, negative: back."""
    over, terms = by
    before = book = lock_book(tx, account_id)
    archived = days.carried_until(tx, account_id)
    over = [it for it in over if archived is None or it.day > archived]
    lines = dict(_interest(tx, account_id, over, terms))
    known = days.vouchers(tx, account_id, (it.voucher or "" for it in lines))
    for line, amount in lines.items():
        if line.voucher in known and _stands(line, exchange_day(now)):
            continue
        owed = Money(amount - known.get(line.voucher or "", 0))
        book = enter(tx, book, line._replace(amount=owed), now)
    if book == before:
        return NOTHING
    charged = Money(before.cash - book.cash)
    save_book(tx, before, book, now)
    note(tx, actor, "accrue", ("account", account_id), now, new={"interest": charged})
    return charged


def _stands(line: Line, today: date) -> bool:
    """Say whether a day is too long ago to be charged anew."""
    return line.day is not None and line.day < today - LATE_BY


def _interest(
    tx: Tx, account_id: int, over: Iterable[Accrued], terms: Terms
) -> Iterator[tuple[Line, Money]]:
    """Yield the line of each day and share, with what it comes to; of nothing too."""
    over = list(over)
    for it in positions.of_account(tx, account_id):
        if not is_funded(it.key):
            continue
        facts = positions.facts_of(tx, account_id, it.key)
        for one in over:
            through = one.settled.get(it.key.segment)
            if through is None:
                continue
            amount = _of_day(it.key, facts, one.day, through, terms)
            words = f"MTF interest on {it.key.symbol} for {one.day}"
            voucher = f"mtf/{one.day}/{it.key.segment}/{it.key.symbol}"
            yield Line(Entry.FEE, words, NOTHING, one.day, voucher), Money(-amount)


def _of_day(key: Key, facts: Sequence[Fact], day: date, through: date, terms: Terms) -> Money:
    """Return a day's interest on what was delivered by then and is not the account's own money."""
    by_then = [it for it in facts if it.carried is not None or exchange_day(it.at) <= through]
    held = fold_all(key, by_then)
    if held.net <= 0:
        return NOTHING
    footing = Footing(terms.rates, key.segment, day, terms.ends)
    own = for_position(SHARE, Product.MTF, held.net, held.open_cost, footing)
    deal = Deal(day, key.segment, Kind.EQUITY, Product.MTF, Side.BUY)
    rate = terms.rates.find(deal, Charge.INTEREST)
    lent = held.open_cost - own
    return NOTHING if rate is None or lent <= 0 else rate.of(lent)
