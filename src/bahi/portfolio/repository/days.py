"""What an account traded and paid on a day of the exchange, and lines of the ledger by voucher."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple

import sqlalchemy as sa

from bahi.db.tx import Tx
from bahi.kernel.clock import IST, exchange_day, from_micros, to_micros
from bahi.kernel.money import Money
from bahi.kernel.words import EQUITY, Product, Segment, Side
from bahi.portfolio.model.money import Entry
from bahi.portfolio.model.note import Taxes, Traded
from bahi.portfolio.tables import ledger_entries, position_adjustments, trades

_EPOCH: Final = date(1970, 1, 1)
_DAY: Final = timedelta(days=1) // timedelta(microseconds=1)
_TO_IST: Final = timedelta(hours=5, minutes=30) // timedelta(microseconds=1)
DUES: Final = (Entry.NOTE, Entry.DP, Entry.FEE, Entry.EXERCISE)
"""Lines of the ledger that are charges of a day and of no trade."""
DELIVERED: Final = (Product.CNC, Product.MTF)
"""Products whose shares come to a demat account and leave it."""


class Delivery(NamedTuple):
    """What was bought and sold of one share for delivery."""

    segment: Segment
    symbol: str
    bought: int
    sold: int


def span(day: date) -> tuple[int, int]:
    """Return where a day of the exchange begins, and where the next one does."""
    first = datetime.combine(day, time(), tzinfo=IST)
    return to_micros(first), to_micros(first + timedelta(days=1))


def number_of_day(at: sa.Column[int]) -> sa.ColumnElement[int]:
    """Return the number of the exchange's day that an instant in a column falls on."""
    return (at + _TO_IST) // _DAY


def day_of(number: int) -> date:
    """Return the day of a number."""
    return _EPOCH + timedelta(days=int(number))


def taxes_of(tx: Tx, account_id: int, day: date) -> tuple[Taxes, Taxes]:
    """Return what a day's trades were taxed, exactly: all of them, and all but shares."""
    in_shares = trades.c.exchange_segment.in_([str(it) for it in EQUITY])
    row = tx.row(
        sa.select(
            *(
                sa.func.coalesce(sa.func.sum(it), 0)
                for tax in (trades.c.stt, trades.c.stamp_duty)
                for it in (tax, sa.case((in_shares, 0), else_=tax))
            )
        ).where(*_on(account_id, day))
    )
    stt, stt_beside, stamp, stamp_beside = (Money(int(it)) for it in row or (0, 0, 0, 0))
    return Taxes(stt, stamp), Taxes(stt_beside, stamp_beside)


def charged_on(tx: Tx, ids: Collection[int], day: date) -> Counter[int]:
    """Return what a day's trades and dues cost each of some accounts, those that they cost any."""
    first, after = span(day)
    of_trades = sa.select(trades.c.account_id, sa.func.sum(trades.c.total_charges)).where(
        trades.c.account_id.in_(ids), trades.c.traded_at >= first, trades.c.traded_at < after
    )
    it = ledger_entries.c
    of_dues = sa.select(it.account_id, sa.func.sum(it.debit - it.credit)).where(
        it.account_id.in_(ids), it.entry_date == day.isoformat(), it.kind.in_(map(str, DUES))
    )
    found: Counter[int] = Counter()
    for clause, column in ((of_trades, trades.c.account_id), (of_dues, it.account_id)):
        for account_id, paid in tx.rows(clause.group_by(column)):
            found[account_id] += int(paid or 0)
    return found


def shares_of(tx: Tx, account_id: int, day: date) -> list[Traded]:
    """Return what was bought and sold of each share on a day, over all products."""
    sums = [
        sa.func.sum(sa.case((trades.c.side == str(side), it), else_=0))
        for side in Side
        for it in (trades.c.quantity, trades.c.trade_value)
    ]
    listing = (trades.c.exchange_segment, trades.c.symbol)
    clause = (
        sa.select(*listing, *sums)
        .where(*_on(account_id, day), trades.c.exchange_segment.in_([str(it) for it in EQUITY]))
        .group_by(*listing)
        .order_by(*listing)
    )
    return [
        Traded(Segment(it[0]), it[1], int(it[2]), Money(int(it[3])), int(it[4]), Money(int(it[5])))
        for it in tx.rows(clause)
    ]


def deliveries_of(tx: Tx, account_id: int, day: date) -> list[Delivery]:
    """Return what was bought and sold for delivery on a day, by listing."""
    bought, sold = (
        sa.func.sum(sa.case((trades.c.side == str(side), trades.c.quantity), else_=0))
        for side in Side
    )
    listing = (trades.c.exchange_segment, trades.c.symbol)
    clause = (
        sa.select(*listing, bought, sold)
        .where(
            *_on(account_id, day),
            trades.c.product.in_([str(it) for it in DELIVERED]),
            trades.c.exchange_segment.in_([str(it) for it in EQUITY]),
        )
        .group_by(*listing)
        .order_by(*listing)
    )
    return [Delivery(Segment(it[0]), it[1], int(it[2]), int(it[3])) for it in tx.rows(clause)]


def carried_until(tx: Tx, account_id: int) -> date | None:
    """Return the day before which trades of an account are in the archive; None: none are."""
    it = position_adjustments.c
    row = tx.row(
        sa.select(sa.func.max(it.adjusted_at)).where(
            it.account_id == account_id, it.carried.is_not(None)
        )
    )
    return None if row is None or row[0] is None else exchange_day(from_micros(row[0]))


def traded_days(tx: Tx, account_id: int, since: date | None) -> set[date]:
    """Return the days on which an account traded, from a day on."""
    day = number_of_day(trades.c.traded_at).label("day")
    clause = sa.select(day).where(trades.c.account_id == account_id).group_by(day)
    if since is not None:
        clause = clause.where(trades.c.traded_at >= span(since)[0])
    return {day_of(row[0]) for row in tx.rows(clause)}


def dealt_on(tx: Tx, account_id: int, day: date) -> set[tuple[Segment, str]]:
    """Return the shares that an account dealt in for delivery on a day."""
    return {(it.segment, it.symbol) for it in deliveries_of(tx, account_id, day)}


def vouchers(tx: Tx, account_id: int, names: Iterable[str]) -> dict[str, Money]:
    """Return what the lines of each voucher come to so far."""
    amount = sa.func.sum(ledger_entries.c.credit - ledger_entries.c.debit)
    clause = (
        sa.select(ledger_entries.c.voucher_no, amount)
        .where(
            ledger_entries.c.account_id == account_id,
            ledger_entries.c.voucher_no.in_(sorted(names)),
        )
        .group_by(ledger_entries.c.voucher_no)
    )
    return {name: Money(int(it)) for name, it in tx.rows(clause)}


def vouchers_of(tx: Tx, account_id: int, day: date, kind: Entry) -> dict[str, Money]:
    """Return what each voucher of a kind comes to that was ever written for a day."""
    it = ledger_entries.c
    clause = (
        sa.select(it.voucher_no, sa.func.sum(it.credit - it.debit))
        .where(
            it.account_id == account_id,
            it.entry_date == day.isoformat(),
            it.kind == str(kind),
            it.voucher_no.is_not(None),
        )
        .group_by(it.voucher_no)
    )
    return {name: Money(int(amount)) for name, amount in tx.rows(clause)}


def _on(account_id: int, day: date) -> tuple[sa.ColumnElement[bool], ...]:
    first, after = span(day)
    return (
        trades.c.account_id == account_id,
        trades.c.traded_at >= first,
        trades.c.traded_at < after,
    )
