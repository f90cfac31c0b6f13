"""Published prices, as people or programs enter them."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from bahi.db.tx import Tx
from bahi.kernel.clock import to_micros
from bahi.kernel.money import Price
from bahi.kernel.words import Segment
from bahi.portfolio.model.official import Official
from bahi.portfolio.tables import settlement_prices

_IT = settlement_prices.c


def find(tx: Tx, segment: Segment, name: str, day: date) -> Price | None:
    """Return what was published for a day."""
    clause = sa.select(_IT.price).where(
        _IT.exchange_segment == str(segment), _IT.name == name, _IT.day == str(day)
    )
    row = tx.row(clause)
    return None if row is None else Price(row[0])


def add(tx: Tx, it: Official, actor: str, now: datetime) -> None:
    """Write what was published."""
    tx.change(
        sa.insert(settlement_prices).values(
            id=tx.new_id(),
            exchange_segment=str(it.segment),
            name=it.name,
            day=str(it.day),
            price=it.price,
            source=it.source,
            entered_by=actor,
            created_at=to_micros(now),
        )
    )
