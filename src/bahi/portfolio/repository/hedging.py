"""The options that stand against each other, and what was given back for them so far."""

from __future__ import annotations

import sqlalchemy as sa

from bahi.db.tx import Tx
from bahi.kernel.money import Money
from bahi.portfolio.model.hedging import Group
from bahi.portfolio.model.position import Key, Position
from bahi.portfolio.tables import margin_blocks, positions

_IT = positions.c


def legs_of(tx: Tx, account_id: int, group: Group) -> list[Position]:
    """Return what is open of a group, with what each blocks."""
    clause = sa.select(_IT.symbol, _IT.net_qty, _IT.margin_required).where(
        _IT.account_id == account_id,
        _IT.exchange_segment == str(group.key.segment),
        _IT.product == str(group.key.product),
        _IT.symbol.startswith(group.key.symbol, autoescape=True),
        _IT.net_qty != 0,
    )
    return [
        Position(
            key=Key(group.key.segment, row[0], group.key.product),
            net=row[1],
            margin=Money(row[2] or 0),
        )
        for row in tx.rows(clause)
    ]


def given_back(tx: Tx, account_id: int, group: Group) -> Money:
    """Return what blocks give back for a group by now: its benefit, as it was last."""
    it = margin_blocks.c
    row = tx.row(
        sa.select(sa.func.coalesce(sa.func.sum(it.amount), 0)).where(
            it.account_id == account_id,
            it.exchange_segment == str(group.key.segment),
            it.symbol == group.key.symbol,
            it.product == str(group.key.product),
            it.order_id.is_(None),
        )
    )
    return Money(-int(row[0]) if row else 0)
