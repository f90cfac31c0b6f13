"""The portfolio's part of `bahi verify`: are the books what their facts make them (I4, I5)?

Money is checked account by account and positions symbol by symbol, each against its facts in one
snapshot, so that a house that trades meanwhile is never called wrong.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Final

from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.money import plain
from bahi.portfolio.model.finding import Fault, Finding, broken, differences, follows
from bahi.portfolio.model.hedging import benefit, group_of
from bahi.portfolio.model.holding import funded_of, is_funded, is_held
from bahi.portfolio.model.position import Fact, Key, Position, fold_all
from bahi.portfolio.model.reconciling import name_of
from bahi.portfolio.repository import by_order, dealings, hedging
from bahi.portfolio.repository import checking as rows
from bahi.portfolio.repository import position as positions

OfOrder = by_order.OfOrder
of_orders: Final = by_order.of_orders
"""Return what trades and blocks come to for each of some orders."""

AT_ONCE: Final = 500
"""Accounts that are listed at a time."""
SHOWN: Final = 20
"""Trades of one symbol that are named at most."""
Tell = Callable[[int, int], None]
"""Hears how many of how many steps are done; how many there are grows as accounts are listed."""


def _silent(done: int, of: int) -> None:
    pass


async def verify(store: Store, tell: Tell = _silent) -> AsyncIterator[Finding]:
    """Yield whatever in a trading store is not as its facts make it."""
    done = of = last = 0
    while accounts := await store.read(rows.accounts, last, AT_ONCE, fresh=True):
        of += len(accounts)
        for account_id in accounts:
            symbols = await store.read(_symbols, account_id, fresh=True)
            of += len(symbols)
            for found in await store.read(_check_money, account_id, fresh=True):
                yield found
            done += 1
            tell(done, of)
            for symbol in symbols:
                for found in await store.read(_check_symbol, account_id, symbol, fresh=True):
                    yield found
                done += 1
                tell(done, of)
        last = accounts[-1]


def _symbols(tx: Tx, account_id: int) -> list[str]:
    kept = {it.key.symbol for it in positions.of_account(tx, account_id)}
    return sorted(kept | set(dealings.symbols_of(tx, account_id)))


def _check_money(tx: Tx, account_id: int) -> list[Finding]:
    money = rows.money_of(tx, account_id)
    if money is None:
        return []
    subject = f"account {account_id}"
    pairs = (
        (Fault.CASH_IS_NOT_ITS_LEDGER, "cash", money.cash, "its ledger", money.ledger),
        (Fault.MARGIN_IS_NOT_ITS_BLOCKS, "used margin", money.margin, "its blocks", money.blocks),
        (
            Fault.AVAILABLE_IS_NOT_CASH_LESS_MARGIN,
            "available",
            money.available,
            "cash less margin",
            money.cash - money.margin,
        ),
        (
            Fault.TRADES_AND_LEDGER_DIFFER,
            "what trades moved",
            money.traded,
            "their lines",
            money.traded_lines,
        ),
    )
    found = [
        Finding(fault, account_id, subject, f"{what} is {plain(here)}, {whose} {plain(there)}.")
        for fault, what, here, whose, there in pairs
        if here != there
    ]
    loose: Counter[int] = Counter()
    for page in rows.lines_of(tx, account_id):
        follows(page, loose)
    if why := broken(loose, money.ledger):
        found.append(Finding(Fault.BALANCES_DO_NOT_FOLLOW, account_id, subject, f"Ledger: {why}."))
    return found + list(_check_benefits(tx, account_id))


def _check_benefits(tx: Tx, account_id: int) -> Iterator[Finding]:
    """Compare what is given back for options that cover each other with what they are now."""
    every = positions.of_account(tx, account_id)
    for group in sorted({it for one in every if (it := group_of(one.key)) is not None}):
        given, due = hedging.given_back(tx, account_id, group), benefit(group, every)
        if given != due:
            name, fault = name_of(group.key), Fault.BENEFIT_IS_NOT_ITS_LEGS
            why = f"{name}: {plain(given)} is given back, and {plain(due)} is due."
            yield Finding(fault, account_id, name, why)


def _check_symbol(tx: Tx, account_id: int, symbol: str) -> list[Finding]:
    return [
        *_check_positions(tx, account_id, symbol),
        *(
            Finding(
                Fault.CHARGES_DO_NOT_ADD_UP,
                account_id,
                f"trade {it}",
                f"The charges of trade {it} ({symbol}) do not add up to their total.",
            )
            for it in rows.uneven_trades(tx, account_id, symbol, SHOWN)
        ),
    ]


def _check_positions(tx: Tx, account_id: int, symbol: str) -> Iterator[Finding]:
    facts: dict[Key, list[Fact]] = defaultdict(list)
    for it in dealings.moves_of(tx, account_id, symbol, date.max.replace(year=9998)):
        facts[it.key].append(it.fill.fact)
    kept = {it.key: it for it in positions.of_symbol(tx, account_id, symbol)}
    blocked = rows.blocks_of_positions(tx, account_id, symbol)
    held = rows.held_of(tx, account_id, symbol)
    funded = rows.funded_of(tx, account_id, symbol)
    for key in sorted({*facts, *kept, *blocked, *held, *funded}):
        name, position = name_of(key), kept.get(key)
        if position is None:
            why = "There are facts of it, and no position."
            yield Finding(Fault.POSITION_IS_MISSING, account_id, name, why)
            continue
        folded = fold_all(key, facts[key], position.instrument_id)
        for why in differences(position, folded):
            fault = Fault.POSITION_IS_NOT_ITS_FACTS
            yield Finding(fault, account_id, name, f"{name}: {why}.")
        if position.margin != blocked.get(key, 0):
            why = f"margin is {plain(position.margin)}, its blocks {plain(blocked.get(key, 0))}"
            fault = Fault.POSITION_MARGIN_IS_NOT_ITS_BLOCKS
            yield Finding(fault, account_id, name, f"{name}: {why}.")
        if is_held(key):
            yield from _check_holding(account_id, folded, held.get(key, (0, 0, 0)))
        if is_funded(key):
            yield from _check_funded(account_id, replace(folded, margin=position.margin), funded)


def _check_holding(
    account_id: int, position: Position, held: tuple[int, int, int]
) -> Iterator[Finding]:
    """Compare the sum only: how much of it is delivered depends on the calendar."""
    total, delivered, coming = held
    if total == max(position.net, 0) == delivered + coming:
        return
    name = name_of(position.key)
    why = f"{total} held ({delivered} delivered, {coming} coming), of a position of {position.net}"
    yield Finding(Fault.HOLDING_IS_NOT_ITS_POSITION, account_id, name, f"{name}: {why}.")


def _check_funded(
    account_id: int, position: Position, kept: Mapping[Key, rows.FundedRow]
) -> Iterator[Finding]:
    """Compare what is held as MTF, and whose money it is, with what its position has and blocks."""
    row = kept.get(position.key, rows.NOTHING_FUNDED)
    due = funded_of(position)
    total, cost = due.holding.total, due.holding.cost
    is_within = 0 <= row.pledged <= row.total - row.coming <= row.total
    if is_within and (row.total, row.cost, row.own) == (total, cost, due.own):
        return
    name = name_of(position.key)
    why = (
        f"{row.total} held for {plain(row.cost)}, {plain(row.own)} of it the account's own"
        f" ({row.coming} coming, {row.pledged} pledged); the position has {total} for"
        f" {plain(cost)}, {plain(due.own)} of it blocked."
    )
    yield Finding(Fault.FUNDED_IS_NOT_ITS_POSITION, account_id, name, f"{name}: {why}")
