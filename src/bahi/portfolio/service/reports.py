"""What was made: by day, symbol, strategy, account and person; and by lots, for the tax report.

An account is read symbol by symbol, each in a read of its own, so that no report holds a reader for
long; `tell` hears how far it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from typing import NamedTuple

from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.clock import IST
from bahi.kernel.money import NOTHING, Money
from bahi.kernel.words import EQUITY, Segment
from bahi.portfolio.model.adjustment import AdjustmentKind
from bahi.portfolio.model.gains import Fill, Gain, gains_of
from bahi.portfolio.model.lots import Dealing, Lots, Match, Term, of_derivatives, of_shares
from bahi.portfolio.model.position import Key
from bahi.portfolio.repository import dealings as rows

Tell = Callable[[int, int], None]
"""Hears how many of how many symbols are done."""


class Period(NamedTuple):
    """From which day to which, both included."""

    first: date
    last: date


class Taxed(NamedTuple):
    """What one person gained of one kind of income; turnover is the sum of gains and losses."""

    gain: Money = NOTHING
    turnover: Money = NOTHING
    bought: Money = NOTHING
    sold: Money = NOTHING


class Closed(NamedTuple):
    """A match with the account and the thing that it is of."""

    account_id: int
    symbol: str
    match: Match


def _silent(done: int, of: int) -> None:
    pass


async def gains(store: Store, account_id: int, over: Period, tell: Tell = _silent) -> list[Gain]:
    """Return what each trade of a period gained at average cost, and what was owed beside them."""
    symbols = await store.read(rows.symbols_of, account_id, fresh=True)
    found: list[Gain] = []
    for done, symbol in enumerate(symbols, 1):
        found += await store.read(_gains_in, account_id, symbol, over, fresh=True)
        tell(done, len(symbols))
    dues = await store.read(rows.dues_of, account_id, *over, fresh=True)
    found += [_due(account_id, day, paid) for day, paid in dues]
    return sorted(found, key=lambda it: it.day)


def _gains_in(tx: Tx, account_id: int, symbol: str, over: Period) -> list[Gain]:
    by_key: dict[Key, list[Fill]] = defaultdict(list)
    for it in rows.moves_of(tx, account_id, symbol, over.last):
        by_key[it.key].append(it.fill)
    return [
        gain
        for key, fills in by_key.items()
        for gain in gains_of(account_id, key, fills)
        if gain.day >= over.first
    ]


def _due(account_id: int, day: date, paid: Money) -> Gain:
    return Gain(account_id, day, None, None, NOTHING, NOTHING, NOTHING, paid, 0)


def strategy_of(orders: Mapping[int, str | None]) -> Callable[[Gain], str | None]:
    """Return what names a gain's strategy, from what the orders' own book says of each."""
    return lambda gain: None if gain.order_id is None else orders.get(gain.order_id)


def person_of(accounts: Mapping[int, str]) -> Callable[[Gain], str]:
    """Return what names the person behind a gain."""
    return lambda gain: accounts[gain.account_id]


async def closed_lots(
    store: Store, account_id: int, over: Period, tell: Tell = _silent
) -> list[Closed]:
    """Return what was closed in a period, first in first out, with what it is taxed as."""
    symbols = await store.read(rows.symbols_of, account_id, fresh=True)
    found: list[Closed] = []
    for done, symbol in enumerate(symbols, 1):
        matches = await store.read(_matches_in, account_id, symbol, over, fresh=True)
        found += [Closed(account_id, symbol, it) for it in matches]
        tell(done, len(symbols))
    return found


async def tax_of(
    store: Store, persons: Mapping[str, Iterable[int]], over: Period
) -> dict[str, dict[Term, Taxed]]:
    """Return what each person gained in a period, by kind of income, over all their accounts."""
    found: dict[str, dict[Term, Taxed]] = {}
    for person, accounts in persons.items():
        sums: dict[Term, Taxed] = {}
        for account_id in accounts:
            for it in await closed_lots(store, account_id, over):
                sums[it.match.term] = _plus(sums.get(it.match.term, Taxed()), it.match)
        found[person] = sums
    return found


def _plus(taxed: Taxed, match: Match) -> Taxed:
    return Taxed(
        Money(taxed.gain + match.gain),
        Money(taxed.turnover + abs(match.gain)),
        Money(taxed.bought + match.bought),
        Money(taxed.sold + match.sold),
    )


def _dealings(moved: rows.Moved) -> list[Dealing]:
    """Return a fact as it is matched; what was brought forward is as old as its lots."""
    fact, product = moved.fill.fact, moved.key.product
    if moved.lots:
        return [
            Dealing(_noon(it.day), fact.id, fact.side, it.quantity, it.value, product)
            for it in moved.lots
        ]
    return [Dealing(fact.at, fact.id, fact.side, fact.quantity, fact.value, product, moved.action)]


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=IST)


def _matches_in(tx: Tx, account_id: int, symbol: str, over: Period) -> list[Match]:
    shares: list[Dealing] = []
    contracts: dict[Segment, list[Dealing]] = defaultdict(list)
    for it in rows.moves_of(tx, account_id, symbol, over.last):
        if it.kind is AdjustmentKind.CONVERSION:
            continue  # it changes the product and not what is held
        (shares if it.key.segment in EQUITY else contracts[it.key.segment]).extend(_dealings(it))
    every: list[Lots] = [of_shares(shares), *(of_derivatives(it) for it in contracts.values())]
    return [it for lots in every for it in lots.matches if it.closed >= over.first]
