"""What is left of each instrument's depth. Whoever matches locks its row first."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bahi.db.statement import Statement
from bahi.db.tx import Tx
from bahi.exchange.model.matching import Depth
from bahi.exchange.tables import paper_depth
from bahi.kernel.clock import instant_of, micros_of, to_micros
from bahi.kernel.money import Price
from bahi.kernel.ports import Level
from bahi.kernel.words import Segment

_HERE: Final = (
    paper_depth.c.exchange_segment == sa.bindparam("the_segment"),
    paper_depth.c.symbol == sa.bindparam("the_symbol"),
)
_DEPTH: Final = sa.select(
    paper_depth.c.quoted_at,
    sa.cast(paper_depth.c.bids, sa.Text),
    sa.cast(paper_depth.c.asks, sa.Text),
    paper_depth.c.volume,
).where(*_HERE)
_READ: Final = Statement(_DEPTH)
_LOCK: Final = Statement(_DEPTH.with_for_update())
_SAVE: Final = Statement(
    sa.update(paper_depth)
    .where(*_HERE)
    .values(
        version=paper_depth.c.version + sa.literal_column("1"),
        quoted_at=sa.bindparam("quoted_at"),
        volume=sa.bindparam("volume"),
        bids=sa.bindparam("bids"),
        asks=sa.bindparam("asks"),
        updated_at=sa.bindparam("updated_at"),
    )
)


def lock(tx: Tx, segment: Segment, symbol: str, now: datetime) -> Depth:
    """Return what is left of an instrument's depth; nobody else matches it meanwhile."""
    where = {"the_segment": str(segment), "the_symbol": symbol}
    statement = _READ if tx.dialect.name == "sqlite" else _LOCK  # one writes at a time anyway
    row = tx.row(statement, where)
    if row is None:
        insert = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
        tx.change(
            insert(paper_depth)
            .values(exchange_segment=str(segment), symbol=symbol, updated_at=to_micros(now))
            .on_conflict_do_nothing()
        )
        row = tx.row(statement, where)
    assert row is not None  # noqa: S101 - it is there, or was put there just now
    return Depth(instant_of(row[0]), _levels(row[1]), _levels(row[2]), row[3])


def save(tx: Tx, segment: Segment, symbol: str, depth: Depth, now: datetime) -> None:
    """Write what is left."""
    tx.put(
        _SAVE,
        {
            "the_segment": str(segment),
            "the_symbol": symbol,
            "quoted_at": micros_of(depth.quoted_at),
            "volume": depth.volume,
            "bids": json.dumps([[it.price, it.quantity] for it in depth.bids]),
            "asks": json.dumps([[it.price, it.quantity] for it in depth.asks]),
            "updated_at": to_micros(now),
        },
    )


def _levels(stored: str | None) -> tuple[Level, ...]:
    return tuple(Level(Price(price), size) for price, size in json.loads(stored or "[]"))
