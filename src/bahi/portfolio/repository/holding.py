"""Holdings, as they follow from their positions; what is pledged of them is kept beside."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bahi.db.statement import Statement
from bahi.db.tx import Tx
from bahi.kernel.clock import to_micros
from bahi.portfolio.model.holding import Holding
from bahi.portfolio.model.position import Key
from bahi.portfolio.tables import holdings

_FOLLOWS: Final = (
    "instrument_id",
    "total_qty",
    "dp_qty",
    "t1_qty",
    "average_price",
    "invested_value",
    "realized_pnl",
    "updated_at",
)
_COLUMNS: Final = ("id", "account_id", "exchange_segment", "symbol", "available_qty", *_FOLLOWS)


def _saving(insert: sqlite.Insert | postgresql.Insert) -> Statement:
    clause = insert.values({name: sa.bindparam(name) for name in _COLUMNS})
    told = clause.excluded
    follows = {name: told[name] for name in _FOLLOWS}
    return Statement(
        clause.on_conflict_do_update(
            index_elements=["account_id", "exchange_segment", "symbol"],
            set_=follows | {"available_qty": told.total_qty - holdings.c.collateral_qty},
        )
    )


_SAVE: Final = {
    "sqlite": _saving(sqlite.insert(holdings)),
    "postgresql": _saving(postgresql.insert(holdings)),
}


def save(tx: Tx, account_id: int, holding: Holding, now: datetime) -> None:
    """Write a holding as its position makes it."""
    tx.change(
        _SAVE[tx.dialect.name],
        {
            "id": tx.new_id(),
            "account_id": account_id,
            "exchange_segment": str(holding.key.segment),
            "symbol": holding.key.symbol,
            "instrument_id": holding.instrument_id,
            "total_qty": holding.total,
            "available_qty": holding.total,
            "dp_qty": holding.delivered,
            "t1_qty": holding.coming,
            "average_price": holding.average,
            "invested_value": holding.cost,
            "realized_pnl": holding.realized,
            "updated_at": to_micros(now),
        },
    )


def pledged(tx: Tx, account_id: int, key: Key) -> int:
    """Return how many of a holding are given as collateral."""
    row = tx.row(
        sa.select(holdings.c.collateral_qty).where(
            holdings.c.account_id == account_id,
            holdings.c.exchange_segment == str(key.segment),
            holdings.c.symbol == key.symbol,
        )
    )
    return int(row[0]) if row else 0
