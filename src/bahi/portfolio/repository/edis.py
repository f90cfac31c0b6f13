"""Requests for leave to deliver; the TPIN is there while one waits, and never after."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.tx import Row, Tx
from bahi.kernel.clock import instant_of, to_micros
from bahi.portfolio.model.edis import Asking, Leave, Request
from bahi.portfolio.tables import edis_transactions

_IT: Final = edis_transactions.c
_ROW: Final = sa.select(
    _IT.id,
    _IT.account_id,
    _IT.isin,
    _IT.quantity,
    _IT.is_bulk,
    _IT.status,
    _IT.expires_at,
    _IT.request_id,
    _IT.error_message,
)


def add(tx: Tx, request_id: int, asked: Asking, sealed: bytes | None, now: datetime) -> None:
    """Write a request."""
    tx.change(
        edis_transactions.insert(),
        {
            "id": request_id,
            "account_id": asked.account_id,
            "isin": asked.isin,
            "quantity": asked.quantity,
            "exchange": asked.exchange,
            "segment": asked.segment,
            "is_bulk": int(asked.is_bulk),
            "tpin_enc": sealed,
            "status": str(Leave.PENDING),
            "created_at": to_micros(now),
            "updated_at": to_micros(now),
        },
    )


def find(tx: Tx, request_id: int) -> Request | None:
    """Return a request."""
    row = tx.row(_ROW.where(_IT.id == request_id))
    return None if row is None else _request(row)


def sealed_tpin(tx: Tx, request_id: int) -> bytes | None:
    """Return the sealed TPIN of a request, while it has one."""
    row = tx.row(sa.select(_IT.tpin_enc).where(_IT.id == request_id))
    return None if row is None or row[0] is None else bytes(row[0])


def end(tx: Tx, request_id: int, status: Leave, now: datetime, **more: Any) -> None:
    """Write what became of a request; its TPIN is erased with that."""
    clause = edis_transactions.update().where(_IT.id == request_id)
    changes = {"status": str(status), "tpin_enc": None, "updated_at": to_micros(now)}
    tx.change(clause.values(changes | more))


def in_force(tx: Tx, account_id: int, now: datetime) -> list[Request]:
    """Return what leave an account has at an instant."""
    clause = _ROW.where(
        _IT.account_id == account_id,
        _IT.status == str(Leave.AUTHORIZED),
        _IT.expires_at > to_micros(now),
    )
    return [_request(row) for row in tx.rows(clause.order_by(_IT.id))]


def of_account(tx: Tx, account_id: int, before: int | None, at_most: int) -> list[Request]:
    """Return an account's requests, the newest first, from an id on."""
    clause = _ROW.where(_IT.account_id == account_id)
    if before is not None:
        clause = clause.where(_IT.id < before)
    return [_request(row) for row in tx.rows(clause.order_by(_IT.id.desc()).limit(at_most))]


def lapsed(tx: Tx, now: datetime, asked_before: datetime, most: int) -> list[Request]:
    """Return leave that lapsed, and requests that waited too long."""
    clause = _ROW.where(
        sa.or_(
            sa.and_(_IT.status == str(Leave.AUTHORIZED), _IT.expires_at <= to_micros(now)),
            sa.and_(_IT.status == str(Leave.PENDING), _IT.created_at <= to_micros(asked_before)),
        )
    )
    return [_request(row) for row in tx.rows(clause.order_by(_IT.id).limit(most))]


def _request(row: Row) -> Request:
    return Request(
        id=row[0],
        account_id=row[1],
        isin=row[2],
        quantity=row[3],
        is_bulk=bool(row[4]),
        status=Leave(row[5]),
        expires_at=instant_of(row[6]),
        request_id=row[7],
        error_message=row[8],
    )
