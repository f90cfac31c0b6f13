"""What moved positions beside trades, without what an opening of the archive stands for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

import sqlalchemy as sa

from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.errors import Unavailable
from bahi.kernel.money import Money
from bahi.kernel.words import Product, Segment, Side
from bahi.portfolio.model.adjustment import SETTLING, Action, AdjustmentKind, Brought
from bahi.portfolio.model.position import Fact, Key
from bahi.portfolio.repository.adjustment import lots_in
from bahi.portfolio.repository.carried import carried_in
from bahi.portfolio.tables import position_adjustments

_IT: Final = position_adjustments.c
_ROW: Final = sa.select(
    _IT.exchange_segment,
    _IT.symbol,
    _IT.product,
    _IT.adjusted_at,
    _IT.id,
    _IT.quantity,
    _IT.price,
    _IT.value,
    _IT.kind,
    _IT.action,
    sa.cast(_IT.lots, sa.Text),
    sa.cast(_IT.carried, sa.Text),
    _IT.known_at,
    _IT.recorded_at,
)


class Beside(NamedTuple):
    """An adjustment as it moves its position, and what a report asks of it."""

    key: Key
    fact: Fact
    kind: AdjustmentKind
    action: Action | None
    lots: tuple[Brought, ...]


def beside_trades(
    tx: Tx,
    account_id: int,
    symbol: str,
    *,
    of: Key | None = None,
    before: int | None = None,
    recorded_by: datetime | None = None,
    whole: bool = False,
) -> list[Beside]:
    """Return an account's adjustments in a symbol.

    Of each position, what stands for trades in the archive stands for older adjustments too, and
    those are left out; with `whole` it is the other way, for who reads the archive beside it.
    """
    clause = _ROW.where(_IT.account_id == account_id, _IT.symbol == symbol)
    if of is not None:
        clause = clause.where(
            _IT.exchange_segment == str(of.segment), _IT.product == str(of.product)
        )
    if before is not None:
        clause = clause.where(_IT.adjusted_at < before)
    by_key: dict[Key, list[Row]] = defaultdict(list)
    for row in tx.rows(clause):
        by_key[Key(Segment(row[0]), row[1], Product(row[2]))].append(row)
    by = None if recorded_by is None else to_micros(recorded_by)
    found = []
    for key, rows in by_key.items():
        kept = (it for it in rows if it[11] is None) if whole else _uncovered(key, rows, by)
        found += [_beside(key, it) for it in kept if by is None or (it[12] or it[13]) <= by]
    return found


def _uncovered(key: Key, rows: Iterable[Row], by: int | None) -> Iterator[Row]:
    """Yield rows without those that the newest opening of the archive stands for."""
    many = list(rows)
    opening = max(
        (it for it in many if it[11] is not None), key=lambda it: (it[3], it[4]), default=None
    )
    if opening is None:
        yield from many
        return
    if by is not None and opening[12] > by:
        raise Unavailable(
            f"The trades of {key.symbol} before {from_micros(opening[3]):%Y-%m-%d} are in the"
            " archive, and some were not known yet at that time; ask the archive."
        )
    yield opening
    for it in many:
        if it[11] is None and not (it[3] < opening[3] and it[13] <= opening[13]):
            yield it


def _beside(key: Key, row: Row) -> Beside:
    at, identity, quantity, price, value = row[3:8]
    kind = AdjustmentKind(row[8])
    side, size = (Side.BUY, quantity) if quantity > 0 else (Side.SELL, -quantity)
    fact = Fact(
        from_micros(at),
        identity,
        side,
        size,
        Money((price or 0) * size if value is None else value),
        is_trade=False,
        settles=kind in SETTLING,
        carried=None if row[11] is None else carried_in(row[11], key),
    )
    return Beside(key, fact, kind, Action(row[9]) if row[9] else None, lots_in(row[10]))
