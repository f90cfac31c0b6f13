"""The SQL of whose turn it is to log in, and of logins in people's hands."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros, instant_of, micros_of, to_micros
from bahi.tokens.model import Handover, Turn
from bahi.tokens.tables import (
    login_handovers,
    login_turns,
)

_TURN: Final = tuple(login_turns.c[name] for name in Turn.__slots__)


def lock_turn(tx: Tx, login: str, now: datetime) -> Turn:
    """Return a person's turn, made if it is not there; nobody else takes it until we commit."""
    tx.change(
        sa.text(
            "INSERT INTO login_turns (login, fence, updated_at) VALUES (:login, 0, :at)"
            " ON CONFLICT (login) DO NOTHING"
        ),
        {"login": login, "at": to_micros(now)},
    )
    row = tx.row(sa.select(*_TURN).where(login_turns.c.login == login).with_for_update())
    assert row is not None  # noqa: S101 - made above
    turn = _turn(row)
    known = turn.as_of(now)
    if known != turn:  # the clock went back: written, so that a wait counts down from here
        save_turn(tx, known, now)
    return known


def find_turn(tx: Tx, login: str) -> Turn:
    """Return a person's turn as it is."""
    row = tx.row(sa.select(*_TURN).where(login_turns.c.login == login))
    return Turn(login=login) if row is None else _turn(row)


def save_turn(tx: Tx, turn: Turn, now: datetime) -> None:
    """Write a turn that is locked."""
    values = {
        "lease_owner": turn.lease_owner,
        "leased_until": micros_of(turn.leased_until),
        "fence": turn.fence,
        "last_login_at": micros_of(turn.last_login_at),
        "throttled_at": micros_of(turn.throttled_at),
        "updated_at": to_micros(now),
    }
    tx.change(login_turns.update().where(login_turns.c.login == turn.login).values(**values))


def _turn(row: Row) -> Turn:
    it = dict(zip(Turn.__slots__, row, strict=True))
    for name in ("leased_until", "last_login_at", "throttled_at"):
        it[name] = instant_of(it[name])
    return Turn(**it)


def add_handover(tx: Tx, row: Mapping[str, Any]) -> None:
    """Remember a login that is in a person's hands; older ones of the application end."""
    tx.change(
        login_handovers.update()
        .where(
            login_handovers.c.broker_api_id == row["broker_api_id"],
            login_handovers.c.used_at.is_(None),
            login_handovers.c.expires_at > row["created_at"],
        )
        .values(expires_at=row["created_at"])
    )
    tx.change(login_handovers.insert(), row)


_HANDOVER: Final = tuple(login_handovers.c[name] for name in Handover.__slots__)


def find_handover(
    tx: Tx, now: datetime, *, state_hash: str | None = None, code_hash: str | None = None
) -> Handover | None:
    """Return an open hand-over by its state or by its link."""
    clause = sa.select(*_HANDOVER).where(
        login_handovers.c.used_at.is_(None), login_handovers.c.expires_at > to_micros(now)
    )
    if state_hash is not None:
        clause = clause.where(login_handovers.c.state_hash == state_hash)
    if code_hash is not None:
        clause = clause.where(login_handovers.c.code_hash == code_hash)
    row = tx.row(clause)
    return None if row is None else _handover(row)


def _handover(row: Row) -> Handover:
    handover_id, api_id, execution_id, expires_at, opened_at = row
    return Handover(
        id=handover_id,
        broker_api_id=api_id,
        execution_id=execution_id,
        expires_at=from_micros(expires_at),
        opened_at=instant_of(opened_at),
    )


def open_handover_of(tx: Tx, api_id: int, now: datetime) -> Handover | None:
    """Return the hand-over that an application waits for, if any."""
    row = tx.row(
        sa.select(*_HANDOVER).where(
            login_handovers.c.broker_api_id == api_id,
            login_handovers.c.used_at.is_(None),
            login_handovers.c.expires_at > to_micros(now),
        )
    )
    return None if row is None else _handover(row)


def sealed_state(tx: Tx, handover_id: int) -> bytes:
    """Return the sealed state of a hand-over."""
    clause = sa.select(login_handovers.c.state_enc).where(login_handovers.c.id == handover_id)
    row = tx.row(clause)
    return b"" if row is None or row[0] is None else bytes(row[0])


def open_handover(tx: Tx, handover_id: int, now: datetime) -> bool:
    """Remember that the link was followed; a link works once."""
    clause = login_handovers.update().where(
        login_handovers.c.id == handover_id, login_handovers.c.opened_at.is_(None)
    )
    return tx.change(clause.values(opened_at=to_micros(now))) == 1


def use_handover(tx: Tx, handover_id: int, now: datetime) -> bool:
    """Take what the redirect brought, once."""
    clause = login_handovers.update().where(
        login_handovers.c.id == handover_id, login_handovers.c.used_at.is_(None)
    )
    return tx.change(clause.values(used_at=to_micros(now))) == 1


def is_waited_for(tx: Tx, execution_id: str, api_ids: Collection[int], now: datetime) -> bool:
    """Say whether a run has a hand-over open, of one of some applications."""
    clause = sa.select(login_handovers.c.id).where(
        login_handovers.c.execution_id == execution_id,
        login_handovers.c.broker_api_id.in_(api_ids),
        login_handovers.c.used_at.is_(None),
        login_handovers.c.expires_at > to_micros(now),
    )
    return tx.row(clause.limit(1)) is not None


def give_back(tx: Tx, owner: str, now: datetime) -> None:
    """Give back the turn that somebody has, if they have one."""
    clause = login_turns.update().where(login_turns.c.lease_owner == owner)
    tx.change(clause.values(lease_owner=None, leased_until=None, updated_at=to_micros(now)))


def close_handovers(tx: Tx, execution_id: str, now: datetime) -> None:
    """End what a run still waits for."""
    clause = login_handovers.update().where(
        login_handovers.c.execution_id == execution_id,
        login_handovers.c.used_at.is_(None),
        login_handovers.c.expires_at > to_micros(now),
    )
    tx.change(clause.values(expires_at=to_micros(now)))
