"""Wishes to change orders, each with what became of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.tx import Tx
from bahi.kernel.clock import to_micros
from bahi.kernel.money import Price
from bahi.kernel.words import Validity
from bahi.orders.model.changing import Alteration
from bahi.orders.tables import order_modifications as table

PENDING: Final = "PENDING"
SUCCESS: Final = "SUCCESS"
FAILED: Final = "FAILED"

_READ: Final = {"PRICE": Price, "TRIGGER_PRICE": Price, "VALIDITY": Validity, "QUANTITY": int}


def add(
    tx: Tx, order_id: int, wished: Sequence[Alteration], now: datetime, status: str = PENDING
) -> None:
    """Write down what is to change, before anybody is told."""
    for it in wished:
        tx.change(
            sa.insert(table).values(
                id=tx.new_id(),
                order_id=order_id,
                modification_type=it.kind,
                old_value=json.dumps(it.old),
                new_value=json.dumps(it.new),
                status=status,
                modified_at=to_micros(now),
            )
        )


def pending(tx: Tx, order_id: int) -> list[Alteration]:
    """Return what is to change of an order and is not answered yet."""
    clause = (
        sa.select(
            table.c.modification_type,
            sa.cast(table.c.old_value, sa.Text),
            sa.cast(table.c.new_value, sa.Text),
        )
        .where(table.c.order_id == order_id, table.c.status == PENDING)
        .order_by(table.c.id)
    )
    return [
        Alteration(kind, _value(kind, json.loads(old)), _value(kind, json.loads(new)))
        for kind, old, new in tx.rows(clause)
    ]


def settle(tx: Tx, order_id: int, failure: str | None) -> None:
    """Write what became of an order's change: made, or the sentence that says why not."""
    tx.change(
        sa.update(table)
        .where(table.c.order_id == order_id, table.c.status == PENDING)
        .values(status=FAILED if failure else SUCCESS, error_message=failure)
    )


def of_order(tx: Tx, order_id: int) -> list[dict[str, Any]]:
    """Return every wish to change an order, oldest first: kind, old, new, status, sentence."""
    clause = (
        sa.select(
            table.c.modification_type,
            sa.cast(table.c.old_value, sa.Text),
            sa.cast(table.c.new_value, sa.Text),
            table.c.status,
            table.c.error_message,
        )
        .where(table.c.order_id == order_id)
        .order_by(table.c.id)
    )
    return [
        {
            "kind": kind,
            "old": _value(kind, json.loads(old)),
            "new": _value(kind, json.loads(new)),
            "status": status,
            "error": error,
        }
        for kind, old, new, status, error in tx.rows(clause)
    ]


def _value(kind: str, stored: Any) -> Any:
    return None if stored is None else _READ[kind](stored)
