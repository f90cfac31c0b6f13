"""The SQL of users."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.leaving import remove_some
from bahi.db.tx import Row, Tx
from bahi.identity.model import User
from bahi.identity.tables import api_keys, sign_in_links, user_sessions, users
from bahi.kernel.clock import from_micros, instant_of, to_micros
from bahi.kernel.words import Role

USER: Final = (
    users.c.id,
    users.c.username,
    users.c.email,
    users.c.role,
    users.c.is_active,
    users.c.password_hash.is_not(None),
    users.c.totp_enc.is_not(None),
    users.c.created_at,
    users.c.updated_at,
    users.c.last_login_at,
    users.c.deleted_at,
)

_SECRETS: Final = sa.select(users.c.id, users.c.password_hash, users.c.totp_enc).where(
    users.c.is_active == 1, users.c.deleted_at.is_(None)
)

Secrets = tuple[int, str | None, bytes | None]
"""Id, password hash and sealed TOTP secret."""


def add_user(tx: Tx, row: Mapping[str, Any]) -> None:
    """Add a user; a name or address that is taken is refused."""
    tx.change(users.insert(), row)


def change_user(tx: Tx, user_id: int, values: Mapping[str, Any], now: datetime) -> None:
    """Change what is given of a user."""
    stamped = {**values, "updated_at": to_micros(now)}
    tx.change(users.update().where(users.c.id == user_id).values(**stamped))


def find_user(
    tx: Tx, *, username: str | None = None, user_id: int | None = None, email: str | None = None
) -> User | None:
    """Return the user of a name, an id or an address."""
    clause = sa.select(*USER)
    for column, wanted in ((users.c.username, username), (users.c.id, user_id)):
        if wanted is not None:
            clause = clause.where(column == wanted)
    if email is not None:
        clause = clause.where(users.c.email == email)
    row = tx.row(clause)
    return None if row is None else user_of(row)


def list_users(tx: Tx, *, deleted: bool, limit: int) -> list[User]:
    """Return users by name."""
    clause = sa.select(*USER).order_by(users.c.username).limit(limit)
    if not deleted:
        clause = clause.where(users.c.deleted_at.is_(None))
    return [user_of(row) for row in tx.rows(clause)]


def count_users(tx: Tx) -> int:
    """Count everybody who was ever added."""
    row = tx.row(sa.select(sa.func.count()).select_from(users))
    return int(row[0]) if row else 0


def first_admin(tx: Tx) -> User | None:
    """Return the admin who was there first."""
    row = tx.row(
        sa.select(*USER)
        .where(users.c.role == Role.ADMIN, users.c.is_active == 1, users.c.deleted_at.is_(None))
        .order_by(users.c.id)
        .limit(1)
    )
    return None if row is None else user_of(row)


def other_admins(tx: Tx, user_id: int) -> int:
    """Count the active admins besides one; on PostgreSQL they stay as they are until we commit."""
    clause = sa.select(users.c.id).where(
        users.c.role == Role.ADMIN, users.c.is_active == 1, users.c.deleted_at.is_(None)
    )
    locked = tx.rows(clause.order_by(users.c.id).with_for_update())
    return sum(row[0] != user_id for row in locked)


def lock_user(tx: Tx, user_id: int) -> bool:
    """Let nobody else write under this lock for the user until we commit; False if there is none.

    On SQLite there is one writer, and nothing to lock.
    """
    clause = sa.select(users.c.id).where(users.c.id == user_id)
    return tx.row(clause.with_for_update()) is not None


def secrets_of(tx: Tx, username: str) -> Secrets | None:
    """Return id, password hash and sealed TOTP secret of a user who may sign in."""
    row = tx.row(_SECRETS.where(users.c.username == username))
    return None if row is None else _secrets(row)


def secrets_by_id(tx: Tx, user_id: int) -> Secrets | None:
    """Return the same by id; they stay as they are until we commit."""
    row = tx.row(_SECRETS.where(users.c.id == user_id).with_for_update())
    return None if row is None else _secrets(row)


def _secrets(row: Row) -> Secrets:
    return row[0], row[1], None if row[2] is None else bytes(row[2])


def take_totp_step(tx: Tx, user_id: int, step: int) -> bool:
    """Use a one-time code up; False when it, or a later one, was used already."""
    unused = sa.or_(users.c.totp_last_step.is_(None), users.c.totp_last_step < step)
    clause = users.update().where(users.c.id == user_id, unused)
    return tx.change(clause.values(totp_last_step=step)) == 1


def user_of(row: Row) -> User:
    """Read a user from the columns of USER."""
    return User(
        id=row[0],
        username=row[1],
        email=row[2],
        role=Role(row[3]),
        is_active=bool(row[4]),
        has_password=bool(row[5]),
        has_totp=bool(row[6]),
        created_at=from_micros(row[7]),
        updated_at=from_micros(row[8]),
        last_login_at=instant_of(row[9]),
        deleted_at=instant_of(row[10]),
    )


def erase_user(tx: Tx, store: str, user_id: int, most: int) -> dict[str, int]:
    """Remove some of a user's sessions, keys and links; the user's own row stays for the end."""
    leaving = tuple(
        (table, table.c.user_id == user_id) for table in (user_sessions, api_keys, sign_in_links)
    )
    return remove_some(tx, store, leaving, most, f"erase user {user_id}")


def remove_user(tx: Tx, user_id: int) -> dict[str, int]:
    """Remove a user's own row, and what still refers to it."""
    leaving = ((users, users.c.id == user_id),)
    return remove_some(tx, "main", leaving, 1, f"erase user {user_id}")
