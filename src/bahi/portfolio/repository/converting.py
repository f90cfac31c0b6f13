"""The rows of conversions that were wished."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

import sqlalchemy as sa

from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.words import Product, Segment
from bahi.portfolio.model.converting import Stage, Wished
from bahi.portfolio.model.position import Key
from bahi.portfolio.tables import position_conversions

_T: Final = position_conversions.c
_ROW: Final = sa.select(
    _T.id, _T.account_id, _T.tag, _T.exchange_segment, _T.symbol, _T.product, _T.to_product,
    _T.moves, _T.session_day, _T.stage, _T.actor, _T.why, _T.asked_at,
)  # fmt: skip
_UNDER_WAY: Final = sa.text("stage IN ('ASKED','TAKING_BACK')")  # as the index says it


def add(tx: Tx, it: Wished, now: datetime) -> None:
    """Write a wish."""
    at = to_micros(now)
    tx.change(
        sa.insert(position_conversions).values(
            id=it.id,
            account_id=it.account_id,
            tag=it.tag,
            exchange_segment=str(it.key.segment),
            symbol=it.key.symbol,
            product=str(it.key.product),
            to_product=str(it.to),
            moves=it.moves,
            session_day=str(it.day),
            stage=str(it.stage),
            actor=it.actor,
            asked_at=at,
            updated_at=at,
        )
    )


def find(tx: Tx, account_id: int, tag: str) -> Wished | None:
    """Return what was wished under a mark."""
    row = tx.row(_ROW.where(_T.account_id == account_id, _T.tag == tag))
    return None if row is None else _wished(row)


def under_way(tx: Tx, at_most: int) -> list[Wished]:
    """Return what is neither made nor refused yet, the oldest first."""
    clause = _ROW.where(_UNDER_WAY).order_by(_T.id).limit(at_most)
    return [_wished(row) for row in tx.rows(clause)]


def move(tx: Tx, it: Wished, stage: Stage, why: str | None, now: datetime) -> None:
    """Write how far a wish is."""
    clause = sa.update(position_conversions).where(_T.id == it.id)
    tx.change(clause.values(stage=str(stage), why=why, updated_at=to_micros(now)))


def _wished(row: Row) -> Wished:
    return Wished(
        id=row[0],
        account_id=row[1],
        tag=row[2],
        key=Key(Segment(row[3]), row[4], Product(row[5])),
        to=Product(row[6]),
        moves=row[7],
        day=date.fromisoformat(row[8]),
        stage=Stage(row[9]),
        actor=row[10],
        why=row[11],
        asked_at=from_micros(row[12]),
    )
