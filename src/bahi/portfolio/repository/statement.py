"""The ledger to look at, in pages, and what each share comes to that is held."""

from __future__ import annotations

from datetime import date
from typing import Final

import sqlalchemy as sa

from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros
from bahi.kernel.money import Money, Price
from bahi.kernel.words import Segment
from bahi.portfolio.model.money import Entry
from bahi.portfolio.model.recorded import Held, HeldAsMtf, LedgerLine
from bahi.portfolio.tables import holdings, ledger_entries

_L: Final = ledger_entries.c
_H: Final = holdings.c
_LINE: Final = sa.select(
    _L.id, _L.kind, _L.particulars, _L.credit - _L.debit, _L.balance, _L.entry_date,
    _L.voucher_no, _L.created_at,
)  # fmt: skip
_HELD: Final = sa.select(
    _H.exchange_segment, _H.symbol, _H.total_qty, _H.dp_qty, _H.t1_qty, _H.collateral_qty,
    _H.average_price, _H.invested_value, _H.realized_pnl, _H.mtf_qty, _H.mtf_t1_qty,
    _H.mtf_pledged_qty, _H.mtf_average_price, _H.mtf_value, _H.mtf_own_value,
)  # fmt: skip


def lines(tx: Tx, account_id: int, before: int | None, at_most: int) -> list[LedgerLine]:
    """Return lines of an account's ledger, the newest first, from an id on."""
    clause = _LINE.where(_L.account_id == account_id)
    if before is not None:
        clause = clause.where(_L.id < before)
    return [_line(row) for row in tx.rows(clause.order_by(_L.id.desc()).limit(at_most))]


def held(tx: Tx, account_id: int) -> list[Held]:
    """Return every share that an account holds, by its symbol."""
    clause = _HELD.where(
        _H.account_id == account_id, sa.or_(_H.total_qty != 0, _H.mtf_qty != 0)
    ).order_by(_H.symbol, _H.exchange_segment)
    return [_held(row) for row in tx.rows(clause)]


def _line(row: Row) -> LedgerLine:
    return LedgerLine(
        id=row[0],
        kind=None if row[1] is None else Entry(row[1]),
        particulars=row[2] or "",
        amount=Money(int(row[3])),
        balance=None if row[4] is None else Money(row[4]),
        day=date.fromisoformat(row[5]),
        voucher=row[6],
        recorded_at=from_micros(row[7]),
    )


def _held(row: Row) -> Held:
    return Held(
        segment=Segment(row[0]),
        symbol=row[1],
        total=row[2],
        delivered=row[3],
        coming=row[4],
        pledged=row[5],
        average=None if row[6] is None else Price(row[6]),
        cost=Money(row[7] or 0),
        realized=Money(row[8]),
        mtf=HeldAsMtf(
            total=row[9],
            coming=row[10],
            pledged=row[11],
            average=None if row[12] is None else Price(row[12]),
            cost=Money(row[13]),
            own=Money(row[14]),
        ),
    )
