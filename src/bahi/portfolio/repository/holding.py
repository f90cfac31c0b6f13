"""Holdings, as they follow from their positions; what is pledged of them is kept beside."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bahi.db.statement import Statement
from bahi.db.tx import Tx
from bahi.kernel.clock import to_micros
from bahi.kernel.money import Money
from bahi.portfolio.model.holding import Funded, Holding
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

_FUNDED_FOLLOWS: Final = (
    "instrument_id",
    "mtf_qty",
    "mtf_t1_qty",
    "mtf_average_price",
    "mtf_value",
    "mtf_own_value",
    "updated_at",
)
_FUNDED_COLUMNS: Final = (
    "id", "account_id", "exchange_segment", "symbol", "total_qty", "mtf_pledged_qty",
    *_FUNDED_FOLLOWS,
)  # fmt: skip


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
    tx.put(
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


def _saving_funded(insert: sqlite.Insert | postgresql.Insert) -> Statement:
    clause = insert.values({name: sa.bindparam(name) for name in _FUNDED_COLUMNS})
    told = clause.excluded
    delivered = told.mtf_qty - told.mtf_t1_qty
    pledged = sa.case((told.mtf_pledged_qty > 0, delivered), else_=holdings.c.mtf_pledged_qty)
    at_most = sa.case((pledged > delivered, delivered), else_=pledged)
    follows = {name: told[name] for name in _FUNDED_FOLLOWS}
    return Statement(
        clause.on_conflict_do_update(
            index_elements=["account_id", "exchange_segment", "symbol"],
            set_=follows | {"mtf_pledged_qty": at_most},
        )
    )


_SAVE_FUNDED: Final = {
    "sqlite": _saving_funded(sqlite.insert(holdings)),
    "postgresql": _saving_funded(postgresql.insert(holdings)),
}


def save_funded(
    tx: Tx, account_id: int, funded: Funded, now: datetime, *, pledges: bool = False
) -> None:
    """Write an MTF holding as its position makes it; what of it is pledged stays, or is all."""
    holding = funded.holding
    tx.put(
        _SAVE_FUNDED[tx.dialect.name],
        {
            "id": tx.new_id(),
            "account_id": account_id,
            "exchange_segment": str(holding.key.segment),
            "symbol": holding.key.symbol,
            "instrument_id": holding.instrument_id,
            "total_qty": 0,
            "mtf_qty": holding.total,
            "mtf_t1_qty": holding.coming,
            "mtf_pledged_qty": holding.delivered if pledges else 0,
            "mtf_average_price": holding.average,
            "mtf_value": holding.cost,
            "mtf_own_value": funded.own,
            "updated_at": to_micros(now),
        },
    )


def delivered_as_mtf(tx: Tx, account_id: int, key: Key) -> int:
    """Return how much of an MTF holding is in the demat account."""
    it = holdings.c
    row = tx.row(sa.select(it.mtf_qty - it.mtf_t1_qty).where(*_keyed(account_id, key)))
    return int(row[0]) if row else 0


def pledge(tx: Tx, account_id: int, key: Key, quantity: int, now: datetime) -> None:
    """Write how much of an MTF holding is pledged."""
    values = {"mtf_pledged_qty": quantity, "updated_at": to_micros(now)}
    tx.change(sa.update(holdings).where(*_keyed(account_id, key)).values(values))


def save_own(tx: Tx, account_id: int, key: Key, own: Money, now: datetime) -> None:
    """Write how much of an MTF holding's cost is the account's own money."""
    values = {"mtf_own_value": own, "updated_at": to_micros(now)}
    tx.change(sa.update(holdings).where(*_keyed(account_id, key)).values(values))


def _keyed(account_id: int, key: Key) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        holdings.c.account_id == account_id,
        holdings.c.exchange_segment == str(key.segment),
        holdings.c.symbol == key.symbol,
    )


def pledged(tx: Tx, account_id: int, key: Key) -> int:
    """Return how many of a holding are given as collateral."""
    row = tx.row(sa.select(holdings.c.collateral_qty).where(*_keyed(account_id, key)))
    return int(row[0]) if row else 0
