"""Old trades to the archive: copied, compared there, and left here as one opening per position.

What they came to stays: the opening carries the position in full, and the lots of the symbol that
were open, so that positions, profits and the tax report go on from there. A symbol moves by whole
days, since shares are matched within one. Broken off anywhere, it goes on: the archive takes no
trade twice, and a trade leaves in the transaction that writes what stands for it.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple

from bahi.audit.service import note
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.clock import IST, Clock, from_micros
from bahi.kernel.money import NOTHING
from bahi.kernel.words import EQUITY, Side
from bahi.portfolio.model.adjustment import Adjustment, AdjustmentKind, Brought
from bahi.portfolio.model.lots import Lots
from bahi.portfolio.model.position import Key, fold_all
from bahi.portfolio.repository import adjustment as adjustments
from bahi.portfolio.repository import dealings
from bahi.portfolio.repository import moving as rows
from bahi.portfolio.repository import position as positions
from bahi.portfolio.service.books import lock_book
from bahi.portfolio.service.closing import pages_after
from bahi.portfolio.service.reports import lots_in

AT_ONCE: Final = 500
"""Trades that leave in one transaction, or those of a day where that had more."""
COPIED_AT_ONCE: Final = 100
LEAST_DAYS: Final = 366
"""No trade of the running financial year leaves: its report is read here."""

log = logging.getLogger("bahi.portfolio")

StillHere = Callable[[Tx, int, Collection[int]], bool]
"""Says whether any of an account's orders is not in the archive yet; orders go before trades."""


def _none_is(_tx: Tx, _account_id: int, _ids: Collection[int]) -> bool:
    return False


def _silent(_moved: int) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """From where to where, and up to which day; `tell` hears how many trades were copied so far."""

    store: Store
    archive: Store
    before: date
    clock: Clock
    still_here: StillHere = field(default=_none_is)
    tell: Callable[[int], None] = field(default=_silent)


class _Step(NamedTuple):
    """The trades of one symbol that leave together."""

    account_id: int
    symbol: str
    before: date


async def archive_trades(actor: Actor, move: Move) -> int:
    """Move trades from before a day, account by account; return how many left."""
    moved = last = 0
    while accounts := await move.store.read(pages_after, last, fresh=True):
        for account_id in accounts:
            old = await move.store.read(rows.old_symbols, account_id, move.before, fresh=True)
            for symbol in old:
                moved += await _move_symbol(actor, move, account_id, symbol)
        last = accounts[-1]
    return moved


async def count_old_trades(move: Move) -> int:
    """Return how many trades are from before the day: what a move would take, at most."""
    found = last = 0
    while accounts := await move.store.read(pages_after, last, fresh=True):
        for account_id in accounts:
            old = await move.store.read(rows.old_symbols, account_id, move.before, fresh=True)
            for symbol in old:
                of = (account_id, symbol, move.before)
                days = await move.store.read(rows.days_of, *of, fresh=True)
                found += sum(it.trades for it in days)
        last = accounts[-1]
    return found


async def _move_symbol(actor: Actor, move: Move, account_id: int, symbol: str) -> int:
    moved = 0
    days = await move.store.read(rows.days_of, account_id, symbol, move.before, fresh=True)
    carried = await move.store.read(rows.carried_until, account_id, symbol, fresh=True)
    for before in _cuts(days, carried, move.before):
        step = _Step(account_id, symbol, before)
        leaving = await move.store.read(rows.read, *step, fresh=True)
        orders = {it["order_id"] for it in leaving if it["order_id"] is not None}
        if await move.store.read(move.still_here, account_id, orders, fresh=True):
            break  # its days after that wait as well: an opening stands for all before it
        if not await _copied(move, leaving):
            log.error("trades of %s did not arrive in the archive as they were", symbol)
            break
        ids = [it["id"] for it in leaving]
        move.tell(moved + len(ids))
        left = await move.store.write(
            carry_over, actor, step, ids, move.clock(), account=account_id
        )
        moved += left
        if not left:
            break  # a trade of then was told just now: the next run takes them all
    return moved


def _cuts(days: Sequence[rows.OfDay], carried: date | None, before: date) -> Iterator[date]:
    """Yield the days before which trades leave, some hundreds at a time.

    Each lies behind the last: an opening stands for all before it, trades that were told late too.
    """
    waiting, last = 0, carried or date.min
    for it in days:
        waiting += it.trades
        if waiting >= AT_ONCE or it is days[-1]:
            last = max(it.day, last) + timedelta(days=1)
            if last > before:
                return
            yield last
            waiting = 0


async def _copied(move: Move, leaving: rows.Rows) -> bool:
    """Copy trades to the archive; say whether they are there as they are here."""
    for begin in range(0, len(leaving), COPIED_AT_ONCE):
        some = leaving[begin : begin + COPIED_AT_ONCE]
        await move.archive.write(rows.copy_in, some)
        ids = [it["id"] for it in some]
        if not rows.is_same(some, await move.archive.read(rows.read_some, ids, fresh=True)):
            return False
    return True


def carry_over(tx: Tx, actor: Actor, step: _Step, copied: list[int], now: datetime) -> int:
    """Write what stands for trades that the archive has, and remove them; none where more came."""
    lock_book(tx, step.account_id)
    if rows.ids_of(tx, *step) != copied:
        return 0
    openings = _openings(tx, step)
    left = rows.remove(tx, *step)
    for it in openings:
        adjustments.add(tx, step.account_id, it, actor.name, now)
    about = ("trades", f"{step.account_id}/{step.symbol}")
    new = {"before": str(step.before), "trades": left, "openings": len(openings)}
    note(tx, actor, "archive", about, now, new=new)
    return left


def _openings(tx: Tx, step: _Step) -> list[Adjustment]:
    """Return one opening for each position of a symbol; the first of a market has its lots."""
    last = step.before - timedelta(days=1)
    moves = list(dealings.moves_of(tx, step.account_id, step.symbol, last))
    by_key: dict[Key, list[dealings.Moved]] = defaultdict(list)
    for it in moves:
        by_key[it.key].append(it)
    lots, nets = lots_in(moves), rows.nets_of(tx, *step)
    known_at = from_micros(rows.known_at(tx, *step))
    ids = {it.key: it.instrument_id for it in positions.of_symbol(tx, step.account_id, step.symbol)}
    found = []
    for key in sorted(by_key):
        carried = fold_all(key, (it.fill.fact for it in by_key[key]))
        trades = [it.fill.fact for it in by_key[key] if it.fill.fact.is_trade]
        market = None if key.segment in EQUITY else key.segment
        found.append(
            Adjustment(
                id=tx.new_id(),
                kind=AdjustmentKind.OPENING,
                key=key,
                quantity=sum(it.signed for it in trades),
                value=carried.open_cost,
                reason=f"trades before {step.before} are in the archive",
                at=datetime.combine(step.before, time(), tzinfo=IST),
                instrument_id=ids.get(key),
                lots=_brought(lots.pop(market, Lots())),
                carried=carried,
                carried_net=nets.get(key, NOTHING),
                known_at=known_at,
            )
        )
    return found


def _brought(lots: Lots) -> tuple[Brought, ...]:
    return tuple(
        Brought(it.day, it.quantity if it.side is Side.BUY else -it.quantity, it.value)
        for it in lots.open
    )
