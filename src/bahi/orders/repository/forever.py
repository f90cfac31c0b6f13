"""Orders that wait for a price, as their table keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros, instant_of, micros_of, to_micros
from bahi.kernel.errors import Conflict
from bahi.kernel.words import (
    ForeverKind,
    ForeverStatus,
    OrderType,
    Product,
    Segment,
    Side,
    TriggerType,
    Validity,
)
from bahi.orders.model.forever import WAITS, Forever, Trigger
from bahi.orders.model.guard import Guard
from bahi.orders.tables import forever_orders

_T: Final = forever_orders.c
_COLUMNS: Final = (
    _T.id, _T.account_id, _T.status, _T.kind, _T.trigger_type, _T.trigger_above, _T.trigger_below,
    _T.instrument_id, _T.exchange_segment, _T.symbol, _T.side, _T.product, _T.order_type,
    _T.quantity, _T.price, _T.disclosed_qty, _T.validity, _T.oco_leg_id, _T.triggered_order_id,
    _T.created_at, _T.updated_at, _T.triggered_at, _T.expires_at, _T.correlation_id,
    _T.order_trigger_price, _T.guard_stop, _T.guard_target, _T.guard_trailing, _T.strategy,
    _T.needs_approval,
)  # fmt: skip
_WAITING: Final = [str(it) for it in sorted(WAITS)]


def add(tx: Tx, it: Forever) -> None:
    """Write a new one."""
    tx.change(sa.insert(forever_orders).values(_row(it)))


def save(tx: Tx, before: Forever, after: Forever) -> None:
    """Write what became of one; it must not have moved since."""
    values = {name: value for name, value in _row(after).items() if name not in _FIXED}
    clause = sa.update(forever_orders).where(
        _T.id == after.id,
        _T.status == str(before.status),
        _T.updated_at == to_micros(before.updated_at),
    )
    if tx.change(clause.values(values)) != 1:
        raise Conflict(f"Forever order {after.id} changed meanwhile; read it again.")


def pair(tx: Tx, one: int, other: int) -> None:
    """Have two exclude each other."""
    for leg, beside in ((one, other), (other, one)):
        tx.change(sa.update(forever_orders).where(_T.id == leg).values(oco_leg_id=beside))


def find(tx: Tx, forever_id: int) -> Forever | None:
    """Return one."""
    row = tx.row(sa.select(*_COLUMNS).where(_T.id == forever_id))
    return None if row is None else _forever(row)


def named(tx: Tx, account_id: int, name: str) -> list[Forever]:
    """Return what a name was given to before: one, or a pair."""
    clause = sa.select(*_COLUMNS).where(_T.account_id == account_id, _T.correlation_id == name)
    return [_forever(row) for row in tx.rows(clause.order_by(_T.id))]


def waiting(tx: Tx, after: int, at_most: int) -> list[Forever]:
    """Return those that wait, of all accounts, in pages by their ids."""
    clause = sa.select(*_COLUMNS).where(_T.status.in_(_WAITING), _T.id > after)
    return [_forever(row) for row in tx.rows(clause.order_by(_T.id).limit(at_most))]


def of_account(tx: Tx, account_id: int, before: int | None, at_most: int) -> list[Forever]:
    """Return an account's, the newest first, from an id on."""
    clause = sa.select(*_COLUMNS).where(_T.account_id == account_id)
    if before is not None:
        clause = clause.where(_T.id < before)
    return [_forever(row) for row in tx.rows(clause.order_by(_T.id.desc()).limit(at_most))]


_FIXED: Final = frozenset({"id", "account_id", "created_at", "instrument_id", "security_id"})


def _row(it: Forever) -> dict[str, Any]:
    return {
        "id": it.id,
        "account_id": it.account_id,
        "status": str(it.status),
        "kind": str(it.kind),
        "trigger_type": str(it.trigger.kind),
        "trigger_above": it.trigger.above,
        "trigger_below": it.trigger.below,
        "instrument_id": it.instrument_id,
        "exchange_segment": str(it.segment),
        "security_id": "",
        "symbol": it.symbol,
        "side": str(it.side),
        "product": str(it.product),
        "order_type": str(it.order_type),
        "quantity": it.quantity,
        "price": it.price,
        "disclosed_qty": it.disclosed_quantity or None,
        "validity": str(it.validity),
        "oco_leg_id": it.oco_leg_id,
        "triggered_order_id": it.triggered_order_id,
        "created_at": to_micros(it.created_at),
        "updated_at": to_micros(it.updated_at),
        "triggered_at": micros_of(it.triggered_at),
        "expires_at": micros_of(it.expires_at),
        "correlation_id": it.name,
        "order_trigger_price": it.trigger_price,
        "guard_stop": None if it.guard is None else it.guard.stop,
        "guard_target": None if it.guard is None else it.guard.target,
        "guard_trailing": None if it.guard is None else it.guard.trailing,
        "strategy": it.strategy,
        "needs_approval": int(it.needs_approval),
    }


def _forever(row: Sequence[Any] | Row) -> Forever:
    return Forever(
        id=row[0],
        account_id=row[1],
        status=ForeverStatus(row[2]),
        kind=ForeverKind(row[3]),
        trigger=Trigger(kind=TriggerType(row[4]), above=row[5], below=row[6]),
        instrument_id=row[7],
        segment=Segment(row[8]),
        symbol=row[9],
        side=Side(row[10]),
        product=Product(row[11]),
        order_type=OrderType(row[12]),
        quantity=row[13],
        price=row[14],
        disclosed_quantity=row[15] or 0,
        validity=Validity(row[16]),
        oco_leg_id=row[17],
        triggered_order_id=row[18],
        created_at=from_micros(row[19]),
        updated_at=from_micros(row[20]),
        triggered_at=instant_of(row[21]),
        expires_at=instant_of(row[22]),
        name=row[23],
        trigger_price=row[24],
        guard=None if row[25] is None else Guard(stop=row[25], target=row[26], trailing=row[27]),
        strategy=row[28],
        needs_approval=bool(row[29]),
    )
