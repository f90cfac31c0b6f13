"""The only SQL of connections to brokers and of what they push at us."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.leaving import remove_some
from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros, instant_of, to_micros
from bahi.streams.model import Inlet
from bahi.streams.tables import inbound_messages, postback_configs, websocket_connections

_P: Final = postback_configs.c
_INLET: Final = sa.select(
    _P.id, _P.account_id, _P.webhook_url, sa.cast(_P.event_types, sa.Text), _P.is_active,
    _P.created_at, _P.updated_at, _P.last_triggered_at,
)  # fmt: skip


def erase_account(tx: Tx, store: str, account_id: int, most: int) -> dict[str, int]:
    """Remove some of what came for an account, and its connections; a failover only forgets it."""
    leaving = tuple(
        (table, table.c.account_id == account_id)
        for table in (inbound_messages, websocket_connections, postback_configs)
    )
    return remove_some(tx, store, leaving, most, f"erase account {account_id}")


def add_inlet(tx: Tx, row: Mapping[str, Any]) -> None:
    """Enter an address that a broker is told to call."""
    tx.change(postback_configs.insert(), row)


def remove_inlet(tx: Tx, inlet_id: int) -> None:
    """Forget an address."""
    tx.change(postback_configs.delete().where(_P.id == inlet_id))


def find_inlet(tx: Tx, *, inlet_id: int | None = None, digest: str | None = None) -> Inlet | None:
    """Return an address by its id, or by the digest of its secret part."""
    found = _P.id == inlet_id if digest is None else _P.path_hash == digest
    row = tx.row(_INLET.where(found))
    return None if row is None else _inlet(row)


def list_inlets(tx: Tx, account_id: int, at_most: int) -> list[Inlet]:
    """Return the addresses of an account."""
    clause = _INLET.where(_P.account_id == account_id).order_by(_P.id).limit(at_most)
    return [_inlet(row) for row in tx.rows(clause)]


def mark_called(tx: Tx, inlet_id: int, now: datetime) -> None:
    """Remember when an address was called; whoever is called beside waits their turn."""
    at = to_micros(now)
    tx.change(postback_configs.update().where(_P.id == inlet_id).values(last_triggered_at=at))


def is_known(tx: Tx, account_id: int, key: str) -> bool:
    """Say whether a postback was written down before."""
    it = inbound_messages.c
    clause = sa.select(it.id).where(
        it.account_id == account_id, it.channel == "POSTBACK", it.dedupe_key == key
    )
    return tx.row(clause) is not None


def add_message(tx: Tx, row: Mapping[str, Any]) -> None:
    """Write down what came, as it was."""
    tx.change(inbound_messages.insert(), row)


def _inlet(row: Row) -> Inlet:
    return Inlet(
        id=row[0],
        account_id=row[1],
        address=row[2],
        event_types=tuple(json.loads(row[3])) if row[3] else (),
        is_active=bool(row[4]),
        created_at=from_micros(row[5]),
        updated_at=from_micros(row[6]),
        last_triggered_at=instant_of(row[7]),
    )
