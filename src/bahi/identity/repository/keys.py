"""The SQL of API keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.statement import Statement
from bahi.db.tx import Row, Tx
from bahi.identity.model import ApiKey, Holder
from bahi.identity.tables import api_keys, users
from bahi.kernel.clock import from_micros, instant_of, to_micros
from bahi.kernel.words import KeyScope, Role

_KEY: Final = (
    api_keys.c.id,
    api_keys.c.user_id,
    api_keys.c.name,
    api_keys.c.scope,
    api_keys.c.created_at,
    api_keys.c.last_used_at,
    api_keys.c.expires_at,
    api_keys.c.is_active,
    api_keys.c.needs_approval,
    api_keys.c.goes_live,
)

HOLDER: Final = Statement(
    sa.select(
        api_keys.c.id,
        users.c.id,
        users.c.username,
        users.c.role,
        api_keys.c.scope,
        api_keys.c.expires_at,
        api_keys.c.needs_approval,
        api_keys.c.goes_live,
    )
    .join(users, users.c.id == api_keys.c.user_id)
    .where(
        api_keys.c.key_hash == sa.bindparam("digest"),
        api_keys.c.is_active == 1,
        users.c.is_active == 1,
        users.c.deleted_at.is_(None),
    )
)


def add_key(tx: Tx, row: Mapping[str, Any]) -> None:
    """Add a key."""
    tx.change(api_keys.insert(), row)


def find_holder(tx: Tx, digest: str) -> Holder | None:
    """Return whose key this is, by its digest alone: one look at an index."""
    return holder_of(tx.row(HOLDER, {"digest": digest}))


ROLES: Final = {str(role): role for role in Role}  # sooner found than an Enum finds them
SCOPES: Final = {str(scope): scope for scope in KeyScope}


def holder_of(row: Row | None) -> Holder | None:
    """Read a holder from what HOLDER brought."""
    if row is None:
        return None
    key_id, user_id, username, role, scope, expires_at, held, live = row
    ends = None if expires_at is None else from_micros(expires_at)
    role, scope = ROLES[role], SCOPES[scope]
    return Holder(key_id, user_id, username, role, scope, ends, bool(held), bool(live))


def find_key(tx: Tx, key_id: int) -> ApiKey | None:
    """Return a key, revoked or not."""
    row = tx.row(sa.select(*_KEY).where(api_keys.c.id == key_id))
    return None if row is None else _key(row)


def list_keys(tx: Tx, user_id: int | None, limit: int) -> list[ApiKey]:
    """Return the keys of a user, or of everybody, newest first."""
    clause = sa.select(*_KEY).order_by(api_keys.c.id.desc()).limit(limit)
    if user_id is not None:
        clause = clause.where(api_keys.c.user_id == user_id)
    return [_key(row) for row in tx.rows(clause)]


def count_usable(tx: Tx, user_id: int, now: datetime) -> int:
    """Count the keys of a user that were neither revoked nor have ended."""
    lasts = sa.or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > to_micros(now))
    row = tx.row(
        sa.select(sa.func.count())
        .select_from(api_keys)
        .where(api_keys.c.user_id == user_id, api_keys.c.is_active == 1, lasts)
    )
    return int(row[0]) if row else 0


def revoke_keys(tx: Tx, *, key_id: int | None = None, user_id: int | None = None) -> int:
    """End a key, or all of a user."""
    clause = api_keys.update().where(api_keys.c.is_active == 1)
    if key_id is not None:
        clause = clause.where(api_keys.c.id == key_id)
    if user_id is not None:
        clause = clause.where(api_keys.c.user_id == user_id)
    return tx.change(clause.values(is_active=0))


def turn(tx: Tx, key_id: int, *, live: bool) -> None:
    """Have a key mean its live default, or that of paper."""
    tx.change(api_keys.update().where(api_keys.c.id == key_id).values(goes_live=int(live)))


def touch_key(tx: Tx, key_id: int, minute: datetime) -> None:
    """Remember when a key was last used, to the minute."""
    at = to_micros(minute)
    older = sa.or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < at)
    tx.change(api_keys.update().where(api_keys.c.id == key_id, older).values(last_used_at=at))


def newest_holders(tx: Tx, limit: int) -> list[tuple[str, Holder]]:
    """Return the keys used last, with their digests: what a start fills its cache with."""
    clause = (
        sa.select(
            api_keys.c.key_hash,
            api_keys.c.id,
            users.c.id,
            users.c.username,
            users.c.role,
            api_keys.c.scope,
            api_keys.c.expires_at,
            api_keys.c.needs_approval,
            api_keys.c.goes_live,
        )
        .join(users, users.c.id == api_keys.c.user_id)
        .where(api_keys.c.is_active == 1, users.c.is_active == 1, users.c.deleted_at.is_(None))
        .order_by(sa.func.coalesce(api_keys.c.last_used_at, 0).desc())
        .limit(limit)
    )
    found = ((row[0], holder_of(row[1:])) for row in tx.rows(clause))
    return [(digest, holder) for digest, holder in found if holder is not None]


def _key(row: Row) -> ApiKey:
    return ApiKey(
        id=row[0],
        user_id=row[1],
        name=row[2],
        scope=KeyScope(row[3]),
        created_at=from_micros(row[4]),
        last_used_at=instant_of(row[5]),
        expires_at=instant_of(row[6]),
        is_active=bool(row[7]),
        needs_approval=bool(row[8]),
        goes_live=bool(row[9]),
    )
