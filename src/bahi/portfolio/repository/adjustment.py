"""Adjustments of positions: facts beside the trades."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date, datetime
from typing import Final

import sqlalchemy as sa

from bahi.db.statement import Statement
from bahi.db.tx import Tx
from bahi.kernel.clock import micros_of, to_micros
from bahi.kernel.money import Money
from bahi.kernel.words import Product, Segment
from bahi.portfolio.model.adjustment import Adjustment, AdjustmentKind, Brought
from bahi.portfolio.model.position import Key
from bahi.portfolio.repository.carried import written
from bahi.portfolio.tables import position_adjustments

_ADD: Final = Statement(
    sa.insert(position_adjustments).values(
        {it.name: sa.bindparam(it.name) for it in position_adjustments.c}
    )
)


def add(tx: Tx, account_id: int, made: Adjustment, actor: str, now: datetime) -> None:
    """Write an adjustment."""
    tx.change(
        _ADD,
        {
            "id": made.id,
            "account_id": account_id,
            "kind": str(made.kind),
            "instrument_id": made.instrument_id,
            "exchange_segment": str(made.key.segment),
            "symbol": made.key.symbol,
            "product": str(made.key.product),
            "quantity": made.quantity,
            "price": made.price,
            "amount": made.amount,
            "value": made.value,
            "action": made.action and str(made.action),
            "lots": _written(made.lots),
            "carried": None if made.carried is None else written(made.carried),
            "carried_net": made.carried_net,
            "known_at": micros_of(made.known_at),
            "reason": made.reason,
            "actor": actor,
            "adjusted_at": to_micros(made.at),
            "recorded_at": to_micros(now),
        },
    )


def lots_in(written: str | None) -> tuple[Brought, ...]:
    """Read the lots that an opening brought forward."""
    many = json.loads(written) if written else []
    return tuple(
        Brought(date.fromisoformat(it["day"]), it["quantity"], Money(it["value"])) for it in many
    )


def _written(lots: tuple[Brought, ...]) -> str | None:
    if not lots:
        return None
    return json.dumps(
        [{"day": str(it.day), "quantity": it.quantity, "value": it.value} for it in lots]
    )


def is_known(tx: Tx, account_id: int, key: Key, kind: AdjustmentKind, reason: str) -> bool:
    """Say whether a position was adjusted already for a reason."""
    it = position_adjustments.c
    clause = sa.select(it.id).where(
        it.account_id == account_id,
        it.exchange_segment == str(key.segment),
        it.symbol == key.symbol,
        it.product == str(key.product),
        it.kind == str(kind),
        it.reason == reason,
    )
    return tx.row(clause.limit(1)) is not None


def moved_beside(
    tx: Tx, account_id: int, kinds: Collection[AdjustmentKind]
) -> list[tuple[Key, int]]:
    """Return what adjustments of some kinds come to, by position."""
    it = position_adjustments.c
    clause = (
        sa.select(it.exchange_segment, it.symbol, it.product, sa.func.sum(it.quantity))
        .where(
            it.account_id == account_id,
            it.kind.in_(sorted(map(str, kinds))),
            it.carried.is_(None),  # those trades are the exchange's too, wherever they are kept
        )
        .group_by(it.exchange_segment, it.symbol, it.product)
    )
    return [(Key(Segment(a), b, Product(c)), int(d)) for a, b, c, d in tx.rows(clause)]
