"""The rows of rates: what came with Bahi, and what people entered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.statement import Statement
from bahi.db.tx import Row, Tx
from bahi.kernel.clock import to_micros
from bahi.kernel.money import Money
from bahi.kernel.words import Product, Segment, Side
from bahi.portfolio.model.rates import Basis, Charge, Kind, Rate
from bahi.portfolio.tables import charge_rates

_COLUMNS: Final = (
    "id",
    "charge",
    "basis",
    "plan",
    "exchange_segment",
    "kind",
    "product",
    "side",
    "condition",
    "rate",
    "amount",
    "at_most",
    "at_least",
    "valid_from",
    "valid_until",
    "is_verified",
    "source",
    "release",
)
_ALL: Final = sa.select(*(charge_rates.c[name] for name in _COLUMNS))
_ADD: Final = Statement(
    sa.insert(charge_rates).values({name: sa.bindparam(name) for name in (*_COLUMNS, "created_at")})
)


def every(tx: Tx) -> tuple[Rate, ...]:
    """Return all rates, by charge and first day."""
    by = (charge_rates.c.charge, charge_rates.c.valid_from, charge_rates.c.id)
    return tuple(_rate(row) for row in tx.rows(_ALL.order_by(*by)))


def find(tx: Tx, rate_id: int) -> Rate | None:
    """Return one rate."""
    row = tx.row(_ALL.where(charge_rates.c.id == rate_id))
    return None if row is None else _rate(row)


def add(tx: Tx, rates: Iterable[Rate], now: datetime) -> None:
    """Enter rates; each gets an id unless it has one."""
    for it in rates:
        tx.change(_ADD, _values(it) | {"id": it.id or tx.new_id(), "created_at": to_micros(now)})


def remove(tx: Tx, rate_id: int) -> None:
    """Remove one rate."""
    tx.change(charge_rates.delete().where(charge_rates.c.id == rate_id))


def newest_release(tx: Tx) -> int:
    """Return the newest of Bahi's releases whose rates are entered; 0: none."""
    row = tx.row(sa.select(sa.func.coalesce(sa.func.max(charge_rates.c.release), 0)))
    return int(row[0]) if row else 0


def remove_shipped(tx: Tx) -> None:
    """Remove what came with Bahi, and nothing of a person's."""
    tx.change(charge_rates.delete().where(charge_rates.c.release.is_not(None)))


def _values(rate: Rate) -> dict[str, Any]:
    return {
        "charge": str(rate.charge),
        "basis": str(rate.basis),
        "plan": rate.plan,
        "exchange_segment": rate.segment and str(rate.segment),
        "kind": rate.kind and str(rate.kind),
        "product": rate.product and str(rate.product),
        "side": rate.side and str(rate.side),
        "condition": rate.condition,
        "rate": rate.rate,
        "amount": rate.amount,
        "at_most": rate.at_most,
        "at_least": rate.at_least,
        "valid_from": rate.valid_from.isoformat(),
        "valid_until": rate.valid_until and rate.valid_until.isoformat(),
        "is_verified": int(rate.is_verified),
        "source": rate.source or None,
        "release": rate.release,
    }


def _rate(row: Row) -> Rate:
    return Rate(
        id=row[0],
        charge=Charge(row[1]),
        basis=Basis(row[2]),
        plan=row[3],
        segment=Segment(row[4]) if row[4] else None,
        kind=Kind(row[5]) if row[5] else None,
        product=Product(row[6]) if row[6] else None,
        side=Side(row[7]) if row[7] else None,
        condition=row[8],
        rate=row[9],
        amount=_money(row[10]),
        at_most=_money(row[11]),
        at_least=_money(row[12]),
        valid_from=date.fromisoformat(row[13]),
        valid_until=date.fromisoformat(row[14]) if row[14] else None,
        is_verified=bool(row[15]),
        source=row[16] or "",
        release=row[17],
    )


def _money(amount: int | None) -> Money | None:
    return None if amount is None else Money(amount)
