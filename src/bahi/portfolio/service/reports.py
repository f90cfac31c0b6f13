"""What was made: by day, symbol, strategy, account and person; and by lots, for the tax report.

An account is read symbol by symbol, each in a read of its own, so that no report holds a reader for
long; `tell` hears how far it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import date, datetime, time
from typing import NamedTuple

from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.clock import IST
from bahi.kernel.errors import Unavailable
from bahi.kernel.money import NOTHING, Money
from bahi.kernel.words import EQUITY, Product, Segment, Side
from bahi.portfolio.model.adjustment import AdjustmentKind, Brought
from bahi.portfolio.model.gains import Fill, Gain, gains_of
from bahi.portfolio.model.lots import Dealing, Lots, Match, Term, of_derivatives, of_shares
from bahi.portfolio.model.position import Key
from bahi.portfolio.repository import days
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


async def gains(
    store: Store,
    account_id: int,
    over: Period,
    tell: Tell = _silent,
    archive: Store | None = None,
) -> list[Gain]:
    """Return what each trade of a period gained at average cost, and what was owed beside them.

    Periods whose trades are in the archive need that too.
    """
    found: list[Gain] = []
    async for moves in _symbol_by_symbol((store, archive), account_id, over, tell):
        found += _gains_in(account_id, moves, over)
    dues = await store.read(rows.dues_of, account_id, *over, fresh=True)
    found += [_due(account_id, day, paid) for day, paid in dues]
    return sorted(found, key=lambda it: it.day)


async def _symbol_by_symbol(
    stores: tuple[Store, Store | None], account_id: int, over: Period, tell: Tell
) -> AsyncIterator[list[rows.Moved]]:
    """Yield what moved each symbol up to the period's end, from the archive too where it must."""
    store, archive = stores
    carried = await store.read(days.carried_until, account_id, fresh=True)
    is_old = carried is not None and over.first < carried
    if is_old and archive is None:
        raise Unavailable(f"Trades before {carried} are in the archive; ask for it as well.")
    symbols = await store.read(rows.symbols_of, account_id, fresh=True)
    for done, symbol in enumerate(symbols, 1):
        read = _all_moves if is_old else _moves
        moves = await store.read(read, account_id, symbol, over.last, fresh=True)
        if is_old and archive is not None:
            here = {it.fill.fact.id for it in moves}
            old = await archive.read(_trades, account_id, symbol, over.last, fresh=True)
            moves += [it for it in old if it.fill.fact.id not in here]
        yield moves
        tell(done, len(symbols))


def _moves(tx: Tx, account_id: int, symbol: str, until: date) -> list[rows.Moved]:
    return list(rows.moves_of(tx, account_id, symbol, until))


def _all_moves(tx: Tx, account_id: int, symbol: str, until: date) -> list[rows.Moved]:
    return list(rows.moves_of(tx, account_id, symbol, until, whole=True))


def _trades(tx: Tx, account_id: int, symbol: str, until: date) -> list[rows.Moved]:
    return list(rows.trades_of(tx, account_id, symbol, until))


def _gains_in(account_id: int, moves: Iterable[rows.Moved], over: Period) -> list[Gain]:
    by_key: dict[Key, list[Fill]] = defaultdict(list)
    for it in moves:
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
    store: Store,
    account_id: int,
    over: Period,
    tell: Tell = _silent,
    archive: Store | None = None,
) -> list[Closed]:
    """Return what was closed in a period, first in first out, with what it is taxed as.

    Periods whose trades are in the archive need that too.
    """
    found: list[Closed] = []
    async for moves in _symbol_by_symbol((store, archive), account_id, over, tell):
        for lots in lots_in(moves).values():
            found += [
                Closed(account_id, moves[0].key.symbol, it)
                for it in lots.matches
                if it.closed >= over.first
            ]
    return found


async def tax_of(
    store: Store,
    persons: Mapping[str, Iterable[int]],
    over: Period,
    archive: Store | None = None,
) -> dict[str, dict[Term, Taxed]]:
    """Return what each person gained in a period, by kind of income, over all their accounts."""
    found: dict[str, dict[Term, Taxed]] = {}
    for person, accounts in persons.items():
        sums: dict[Term, Taxed] = {}
        for account_id in accounts:
            for it in await closed_lots(store, account_id, over, archive=archive):
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
    if moved.lots or fact.carried is not None:
        return [_brought(it, fact.id, product) for it in moved.lots]
    return [Dealing(fact.at, fact.id, fact.side, fact.quantity, fact.value, product, moved.action)]


def _brought(lot: Brought, fact_id: int, product: Product) -> Dealing:
    side = Side.BUY if lot.quantity > 0 else Side.SELL
    return Dealing(_noon(lot.day), fact_id, side, abs(lot.quantity), lot.value, product)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=IST)


def lots_in(moves: Iterable[rows.Moved]) -> dict[Segment | None, Lots]:
    """Match what moved a symbol, first in first out: all shares together (None), then by market."""
    shares: list[Dealing] = []
    contracts: dict[Segment, list[Dealing]] = defaultdict(list)
    for it in moves:
        if it.kind is AdjustmentKind.CONVERSION:
            continue  # it changes the product and not what is held
        (shares if it.key.segment in EQUITY else contracts[it.key.segment]).extend(_dealings(it))
    matched: dict[Segment | None, Lots] = {at: of_derivatives(it) for at, it in contracts.items()}
    return {None: of_shares(shares), **matched}
