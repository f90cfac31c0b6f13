"""A broker's books against ours: breaks are opened, kept open until they agree, and then settled.

By default a break is told and nothing else. Where the policy is to adopt, our position follows the
broker's by an adjustment that says so, and only after a dry run could have shown what it would do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Final, NamedTuple

from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.clock import ist_text
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.money import NOTHING, Money, Price
from bahi.kernel.symbols import parse
from bahi.kernel.words import EQUITY
from bahi.portfolio.model.adjustment import Adjustment, AdjustmentKind
from bahi.portfolio.model.book import Book
from bahi.portfolio.model.holding import is_held
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.position import Key
from bahi.portfolio.model.reconciling import (
    Break,
    Class,
    Listing,
    Policy,
    Snapshot,
    Subject,
    Told,
    in_funds,
    in_holdings,
    in_positions,
    in_trades,
    name_of,
)
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.repository import adjustment as adjustments
from bahi.portfolio.repository import book as pages
from bahi.portfolio.repository import breaks as rows
from bahi.portfolio.repository import position as positions
from bahi.portfolio.service.books import Moving, lock_book, move, position_of, save_book

BESIDE: Final = frozenset(
    {AdjustmentKind.OPENING, AdjustmentKind.CORPORATE_ACTION, AdjustmentKind.EXPIRY}
)
"""What moves a position and is known to the book alone where no broker keeps a demat account."""


class Stance(NamedTuple):
    """What is done about breaks, how much money may differ, and by which terms margin follows."""

    terms: Terms
    policy: Policy = Policy.REPORT
    tolerance: Money = NOTHING


class Reconciled(NamedTuple):
    """What was found, how many older breaks ended, and what adopting did, or would do."""

    breaks: tuple[Break, ...]
    settled: int
    adopted: tuple[Adjustment, ...]


def open_breaks(tx: Tx, account_id: int) -> list[rows.Kept]:
    """Return the breaks of an account that are not settled, oldest first."""
    return rows.unsettled(tx, account_id)


def moved_beside(tx: Tx, account_id: int, today: date) -> dict[Key, int]:
    """Return what moved positions without a trade or a conversion, of what has not ended."""
    return {
        key: quantity
        for key, quantity in adjustments.moved_beside(tx, account_id, BESIDE)
        if quantity and not has_ended(key.symbol, today)
    }


def has_ended(symbol: str, today: date) -> bool:
    """Say whether a contract's last day is over; what is no contract has none."""
    contract = parse(symbol)
    return contract is not None and contract.expiry < today


def would_do(tx: Tx, told: Snapshot, stance: Stance, now: datetime) -> Reconciled:
    """Return what reconciling would find and do, and do none of it."""
    book = pages.read(tx, told.account_id)
    if book is None:
        raise NotFound(f"There is no book of account {told.account_id} yet.")
    found = _breaks(tx, book, told, stance)
    agreed = _agreed(tx, told, found)
    return Reconciled(found, len(agreed), tuple(_adoptions(tx, told, found, stance, now)))


def reconcile(tx: Tx, actor: Actor, told: Snapshot, stance: Stance, now: datetime) -> Reconciled:
    """Write down what a broker reported and where it differs; act as the policy says."""
    require_change(actor)
    before = book = lock_book(tx, told.account_id)
    rows.keep(tx, told)
    found = _breaks(tx, book, told, stance)
    agreed = _agreed(tx, told, found)
    rows.settle(tx, agreed, f"agreed when it was read at {ist_text(told.at)}", now)
    _keep(tx, told, found, now)
    wanted = list(_adoptions(tx, told, found, stance, now))
    made = tuple(it._replace(id=tx.new_id()) for it in wanted)
    for it in made:
        book = _adopt(tx, book, it, stance.terms, now)
        adjustments.add(tx, told.account_id, it, actor.name, now)
        about = ("position", f"{told.account_id}/{name_of(it.key)}")
        note(tx, actor, "adopt", about, now, new={"quantity": it.quantity}, details=it.reason)
    adopted = {it.key for it in made}
    ended = {name_of(it) for it in adopted} | {f"{it.segment}/{it.symbol}" for it in adopted}
    over = [it.id for it in rows.unsettled(tx, told.account_id) if it.key in ended]
    rows.settle(tx, over, f"the policy {Policy.ADOPT}", now)
    if book != before:
        save_book(tx, before, book, now)
    return Reconciled(found, len(agreed), made)


def settle_break(
    tx: Tx, actor: Actor, break_id: int, why: str, now: datetime, *, of: int | None = None
) -> None:
    """Settle a break by a person's word; one that is there still is found again.

    `of`: only a break of that account.
    """
    require_change(actor)
    if not why.strip():
        raise Invalid("Say why the break is settled; the next reader has only that.")
    account_id = rows.account_of(tx, break_id)
    if account_id is not None and of in {None, account_id}:
        lock_book(tx, account_id)
        for known in rows.unsettled(tx, account_id):
            if known.id == break_id:
                rows.settle(tx, [break_id], f"{actor.name}: {why}", now)
                note(tx, actor, "settle", ("break", break_id), now, old={"key": known.key},
                     details=why)  # fmt: skip
                return
    raise NotFound(f"There is no open break {break_id}.")


def _breaks(tx: Tx, book: Book, told: Snapshot, stance: Stance) -> tuple[Break, ...]:
    """Find where the books disagree, in whatever was read."""
    ours = {it.key: it.net for it in positions.of_account(tx, told.account_id) if it.net}
    found: list[Break] = []
    if told.positions is not None:
        theirs = {key: it for key, it in told.positions.items() if not is_held(key)}
        here = {key: net for key, net in ours.items() if not is_held(key)}
        found += in_positions(here, theirs)
    if told.positions is not None and told.holdings is not None:
        held = {(key.segment, key.symbol): net for key, net in ours.items() if is_held(key)}
        found += in_holdings(held, _theirs_held(told.positions, told.holdings))
    if told.trades is not None:
        here_too = rows.our_trades(tx, told.account_id, told.day)
        found += in_trades(told.day, here_too, told.trades)
    if told.available is not None:
        found += in_funds(book.available, told.available, stance.tolerance)
    return tuple(found)


def _theirs_held(told: Mapping[Key, Told], holdings: Mapping[Listing, Told]) -> dict[Listing, Told]:
    """Add today's delivery trades, which brokers show as positions, to what was held before."""
    held = dict(holdings)
    for key, today in told.items():
        if is_held(key):
            before = held.get((key.segment, key.symbol), Told(0, today.average))
            after = before._replace(quantity=before.quantity + today.quantity)
            held[key.segment, key.symbol] = after
    return held


def _agreed(tx: Tx, told: Snapshot, found: Collection[Break]) -> list[int]:
    """Return the open breaks that were looked at again and are no more."""
    read = set()
    if told.positions is not None:
        read.add(Subject.POSITION)
    if told.positions is not None and told.holdings is not None:
        read.add(Subject.HOLDING)
    if told.available is not None:
        read.add(Subject.FUNDS)
    still = {(it.subject, it.key) for it in found}
    many = rows.unsettled(tx, told.account_id)
    agreed = [it.id for it in many if it.subject in read and (it.subject, it.key) not in still]
    trades = [
        it for it in many if it.subject is Subject.TRADE and (it.subject, it.key) not in still
    ]
    return agreed + _trades_agreed(tx, told, trades)


def _trades_agreed(tx: Tx, told: Snapshot, many: Collection[rows.Kept]) -> list[int]:
    """Return which trades are in both books now; a broker tells those of the day only."""
    came = {it.id: it.key.rpartition("/")[2] for it in many if it.classification == Class.NOT_OURS}
    ours = rows.are_known(tx, told.account_id, came.values()) if came else set()
    is_todays = told.trades is not None
    return [
        it.id
        for it in many
        if came.get(it.id) in ours or (is_todays and it.key.startswith(f"{told.day}/"))
    ]


def _keep(tx: Tx, told: Snapshot, found: Collection[Break], now: datetime) -> None:
    known = {(it.subject, it.key): it for it in rows.unsettled(tx, told.account_id)}
    for it in found:
        kept = known.get((it.subject, it.key))
        if kept is None:
            rows.add(tx, told.account_id, it, now)
        elif (kept.classification, kept.explanation) != (it.classification, it.explanation):
            rows.change(tx, kept.id, it, now)


def _adoptions(
    tx: Tx, told: Snapshot, found: Collection[Break], stance: Stance, now: datetime
) -> Iterator[Adjustment]:
    if stance.policy is not Policy.ADOPT:
        return
    for it in found:
        if it.position is None or not it.missing:
            continue
        known = position_of(tx, told.account_id, it.position)
        each = it.average if it.average is not None else known.average or Price(0)
        yield Adjustment(
            id=0,  # a read makes no ids; it gets its own when it is written
            kind=AdjustmentKind.OPENING,
            key=it.position,
            quantity=it.missing,
            value=Money(each * abs(it.missing)),
            reason=f"adopted from the broker's book of {ist_text(told.at)}",
            at=now,
            price=each,
            instrument_id=known.instrument_id,
        )


def _adopt(tx: Tx, book: Book, made: Adjustment, terms: Terms, now: datetime) -> Book:
    """Follow the broker's quantity; the money is the broker's, and is compared by itself."""
    option = made.key.symbol.endswith(("CE", "PE")) and made.key.segment not in EQUITY
    contract = Contract(is_option=option)
    moving = Moving(made.key, made.fact, contract, made.instrument_id)
    return move(tx, book, moving, terms, now).book
