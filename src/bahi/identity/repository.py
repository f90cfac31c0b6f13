"""The only SQL of users, sessions, keys, links and failed sign-ins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.statement import Statement
from bahi.db.tx import Row, Tx
from bahi.identity.model import ApiKey, Holder, Session, User
from bahi.identity.tables import api_keys, sign_in_failures, sign_in_links, user_sessions, users
from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.words import KeyScope, Role

_USER: Final = (
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
_SESSION: Final = (
    user_sessions.c.id,
    user_sessions.c.user_id,
    user_sessions.c.ip_address,
    user_sessions.c.user_agent,
    user_sessions.c.created_at,
    user_sessions.c.last_activity_at,
    user_sessions.c.expires_at,
    user_sessions.c.is_active,
)
_KEY: Final = (
    api_keys.c.id,
    api_keys.c.user_id,
    api_keys.c.name,
    api_keys.c.scope,
    api_keys.c.created_at,
    api_keys.c.last_used_at,
    api_keys.c.expires_at,
    api_keys.c.is_active,
)
_HOLDER: Final = Statement(
    sa.select(
        api_keys.c.id,
        users.c.id,
        users.c.username,
        users.c.role,
        api_keys.c.scope,
        api_keys.c.expires_at,
    )
    .join(users, users.c.id == api_keys.c.user_id)
    .where(
        api_keys.c.key_hash == sa.bindparam("digest"),
        api_keys.c.is_active == 1,
        users.c.is_active == 1,
        users.c.deleted_at.is_(None),
    )
)


# Users


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
    clause = sa.select(*_USER)
    for column, wanted in ((users.c.username, username), (users.c.id, user_id)):
        if wanted is not None:
            clause = clause.where(column == wanted)
    if email is not None:
        clause = clause.where(users.c.email == email)
    row = tx.row(clause)
    return None if row is None else _user(row)


def list_users(tx: Tx, *, deleted: bool, limit: int) -> list[User]:
    """Return users by name."""
    clause = sa.select(*_USER).order_by(users.c.username).limit(limit)
    if not deleted:
        clause = clause.where(users.c.deleted_at.is_(None))
    return [_user(row) for row in tx.rows(clause)]


def count_users(tx: Tx) -> int:
    """Count everybody who was ever added."""
    row = tx.row(sa.select(sa.func.count()).select_from(users))
    return int(row[0]) if row else 0


def first_admin(tx: Tx) -> User | None:
    """Return the admin who was there first."""
    row = tx.row(
        sa.select(*_USER)
        .where(users.c.role == Role.ADMIN, users.c.is_active == 1, users.c.deleted_at.is_(None))
        .order_by(users.c.id)
        .limit(1)
    )
    return None if row is None else _user(row)


def other_admins(tx: Tx, user_id: int) -> int:
    """Count the active admins besides one; on PostgreSQL they stay as they are until we commit."""
    clause = sa.select(users.c.id).where(
        users.c.role == Role.ADMIN, users.c.is_active == 1, users.c.deleted_at.is_(None)
    )
    locked = tx.rows(clause.order_by(users.c.id).with_for_update())
    return sum(row[0] != user_id for row in locked)


def secrets_of(tx: Tx, username: str) -> tuple[int, str | None, bytes | None] | None:
    """Return id, password hash and sealed TOTP secret of a user who may sign in."""
    row = tx.row(
        sa.select(users.c.id, users.c.password_hash, users.c.totp_enc).where(
            users.c.username == username, users.c.is_active == 1, users.c.deleted_at.is_(None)
        )
    )
    return None if row is None else (row[0], row[1], row[2])


def take_totp_step(tx: Tx, user_id: int, step: int) -> bool:
    """Use a one-time code up; False when it, or a later one, was used already."""
    unused = sa.or_(users.c.totp_last_step.is_(None), users.c.totp_last_step < step)
    clause = users.update().where(users.c.id == user_id, unused)
    return tx.change(clause.values(totp_last_step=step)) == 1


def _user(row: Row) -> User:
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
        last_login_at=_instant(row[9]),
        deleted_at=_instant(row[10]),
    )


# Sessions


def add_session(tx: Tx, row: Mapping[str, Any]) -> None:
    """Add a sign-in."""
    tx.change(user_sessions.insert(), row)


def find_session(tx: Tx, digest: str, now: datetime) -> tuple[Session, User] | None:
    """Return the running session of a cookie, and whose it is."""
    row = tx.row(
        sa.select(*_SESSION, *_USER)
        .join(users, users.c.id == user_sessions.c.user_id)
        .where(
            user_sessions.c.token_hash == digest,
            user_sessions.c.is_active == 1,
            sa.or_(
                user_sessions.c.expires_at.is_(None),
                user_sessions.c.expires_at > to_micros(now),
            ),
            users.c.is_active == 1,
            users.c.deleted_at.is_(None),
        )
    )
    if row is None:
        return None
    return _session(row[: len(_SESSION)]), _user(row[len(_SESSION) :])


def list_sessions(tx: Tx, user_id: int | None, now: datetime, limit: int) -> list[Session]:
    """Return the running sessions of a user, or of everybody, newest first."""
    clause = sa.select(*_SESSION).where(
        user_sessions.c.is_active == 1, user_sessions.c.expires_at > to_micros(now)
    )
    if user_id is not None:
        clause = clause.where(user_sessions.c.user_id == user_id)
    clause = clause.order_by(user_sessions.c.id.desc()).limit(limit)
    return [_session(row) for row in tx.rows(clause)]


def get_session_by_id(tx: Tx, session_id: int) -> Session | None:
    """Return a session, running or not."""
    row = tx.row(sa.select(*_SESSION).where(user_sessions.c.id == session_id))
    return None if row is None else _session(row)


def touch_session(tx: Tx, session_id: int, now: datetime) -> None:
    """Remember that the session was used."""
    tx.change(
        user_sessions.update()
        .where(user_sessions.c.id == session_id)
        .values(last_activity_at=to_micros(now))
    )


def end_sessions(
    tx: Tx,
    *,
    session_id: int | None = None,
    user_id: int | None = None,
    but: int | None = None,
    expired_at: datetime | None = None,
) -> int:
    """End one session, all of a user (but one), or all that have expired."""
    clause = user_sessions.update().where(user_sessions.c.is_active == 1)
    if session_id is not None:
        clause = clause.where(user_sessions.c.id == session_id)
    if user_id is not None:
        clause = clause.where(user_sessions.c.user_id == user_id)
    if but is not None:
        clause = clause.where(user_sessions.c.id != but)
    if expired_at is not None:
        clause = clause.where(user_sessions.c.expires_at <= to_micros(expired_at))
    return tx.change(clause.values(is_active=0))


def _session(row: Row) -> Session:
    return Session(
        id=row[0],
        user_id=row[1],
        ip_address=row[2],
        user_agent=row[3],
        created_at=from_micros(row[4]),
        last_activity_at=from_micros(row[5]),
        expires_at=_instant(row[6]),
        is_active=bool(row[7]),
    )


# API keys


def add_key(tx: Tx, row: Mapping[str, Any]) -> None:
    """Add a key."""
    tx.change(api_keys.insert(), row)


def find_holder(tx: Tx, digest: str) -> Holder | None:
    """Return whose key this is, by its digest alone: one look at an index."""
    row = tx.row(_HOLDER, {"digest": digest})
    if row is None:
        return None
    key_id, user_id, username, role, scope, expires_at = row
    return Holder(key_id, user_id, username, Role(role), KeyScope(scope), _instant(expires_at))


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


def revoke_keys(tx: Tx, *, key_id: int | None = None, user_id: int | None = None) -> int:
    """End a key, or all of a user."""
    clause = api_keys.update().where(api_keys.c.is_active == 1)
    if key_id is not None:
        clause = clause.where(api_keys.c.id == key_id)
    if user_id is not None:
        clause = clause.where(api_keys.c.user_id == user_id)
    return tx.change(clause.values(is_active=0))


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
        )
        .join(users, users.c.id == api_keys.c.user_id)
        .where(api_keys.c.is_active == 1, users.c.is_active == 1, users.c.deleted_at.is_(None))
        .order_by(sa.func.coalesce(api_keys.c.last_used_at, 0).desc())
        .limit(limit)
    )
    return [
        (row[0], Holder(row[1], row[2], row[3], Role(row[4]), KeyScope(row[5]), _instant(row[6])))
        for row in tx.rows(clause)
    ]


def _key(row: Row) -> ApiKey:
    return ApiKey(
        id=row[0],
        user_id=row[1],
        name=row[2],
        scope=KeyScope(row[3]),
        created_at=from_micros(row[4]),
        last_used_at=_instant(row[5]),
        expires_at=_instant(row[6]),
        is_active=bool(row[7]),
    )


# Links


def add_link(tx: Tx, row: Mapping[str, Any]) -> None:
    """Add a link that signs in once; older ones of the same user open nothing any more."""
    tx.change(sign_in_links.delete().where(sign_in_links.c.user_id == row["user_id"]))
    tx.change(sign_in_links.insert(), row)


def find_link(tx: Tx, digest: str, now: datetime) -> int | None:
    """Return whom an unused link signs in."""
    row = tx.row(
        sa.select(sign_in_links.c.user_id).where(
            sign_in_links.c.token_hash == digest,
            sign_in_links.c.used_at.is_(None),
            sign_in_links.c.expires_at > to_micros(now),
        )
    )
    return None if row is None else int(row[0])


def use_link(tx: Tx, digest: str, now: datetime) -> bool:
    """Use a link up; False when somebody did before."""
    at = to_micros(now)
    clause = sign_in_links.update().where(
        sign_in_links.c.token_hash == digest,
        sign_in_links.c.used_at.is_(None),
        sign_in_links.c.expires_at > at,
    )
    return tx.change(clause.values(used_at=at)) == 1


# Failed sign-ins


def failures_of(tx: Tx, subject: str) -> tuple[int, datetime, datetime | None] | None:
    """Return how often in a row, when last, and until when it is blocked."""
    clause = sa.select(
        sign_in_failures.c.failures,
        sign_in_failures.c.last_failed_at,
        sign_in_failures.c.blocked_until,
    ).where(sign_in_failures.c.subject == subject)
    row = tx.row(clause.with_for_update())
    return None if row is None else (row[0], from_micros(row[1]), _instant(row[2]))


def keep_failures(
    tx: Tx, subject: str, failures: int, now: datetime, blocked_until: datetime | None
) -> None:
    """Keep the count of a subject."""
    until = None if blocked_until is None else to_micros(blocked_until)
    tx.change(
        sa.text(
            "INSERT INTO sign_in_failures (subject, failures, last_failed_at, blocked_until)"
            " VALUES (:subject, :failures, :at, :until) ON CONFLICT (subject) DO UPDATE SET"
            " failures = :failures, last_failed_at = :at, blocked_until = :until"
        ),
        {"subject": subject, "failures": failures, "at": to_micros(now), "until": until},
    )


def forget_failures(tx: Tx, *, subject: str | None = None, before: datetime | None = None) -> int:
    """Forget a subject's count, or all that are old."""
    clause = sign_in_failures.delete()
    if subject is not None:
        clause = clause.where(sign_in_failures.c.subject == subject)
    if before is not None:
        clause = clause.where(sign_in_failures.c.last_failed_at < to_micros(before))
    return tx.change(clause)


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)
