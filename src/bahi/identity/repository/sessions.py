"""The SQL of sign-ins: sessions, links that sign in once, and failures in a row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.tx import Row, Tx
from bahi.identity.model import Session, User
from bahi.identity.repository.users import USER, user_of
from bahi.identity.tables import sign_in_failures, sign_in_links, user_sessions, users
from bahi.kernel.clock import from_micros, instant_of, to_micros

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


def add_session(tx: Tx, row: Mapping[str, Any]) -> None:
    """Add a sign-in."""
    tx.change(user_sessions.insert(), row)


def find_session(tx: Tx, digest: str, now: datetime) -> tuple[Session, User] | None:
    """Return the running session of a cookie, and whose it is."""
    row = tx.row(
        sa.select(*_SESSION, *USER)
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
    return _session(row[: len(_SESSION)]), user_of(row[len(_SESSION) :])


def list_sessions(tx: Tx, user_id: int | None, now: datetime, limit: int) -> list[Session]:
    """Return the running sessions of a user, or of everybody, newest first."""
    lasts = sa.or_(
        user_sessions.c.expires_at.is_(None), user_sessions.c.expires_at > to_micros(now)
    )
    clause = sa.select(*_SESSION).where(user_sessions.c.is_active == 1, lasts)
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


def count_expired(tx: Tx, now: datetime) -> int:
    """Count running sessions whose time is over."""
    over = user_sessions.c.expires_at <= to_micros(now)
    clause = sa.select(sa.func.count()).select_from(user_sessions)
    row = tx.row(clause.where(user_sessions.c.is_active == 1, over))
    return int(row[0]) if row else 0


def count_failures(tx: Tx, before: datetime) -> int:
    """Count what is remembered of failed sign-ins from before an instant."""
    clause = sa.select(sa.func.count()).select_from(sign_in_failures)
    row = tx.row(clause.where(sign_in_failures.c.last_failed_at < to_micros(before)))
    return int(row[0]) if row else 0


def _session(row: Row) -> Session:
    return Session(
        id=row[0],
        user_id=row[1],
        ip_address=row[2],
        user_agent=row[3],
        created_at=from_micros(row[4]),
        last_activity_at=from_micros(row[5]),
        expires_at=instant_of(row[6]),
        is_active=bool(row[7]),
    )


# Links


def add_link(tx: Tx, row: Mapping[str, Any]) -> None:
    """Add a link that signs in once; older ones of the same user open nothing any more."""
    remove_links(tx, row["user_id"])
    tx.change(sign_in_links.insert(), row)


def remove_links(tx: Tx, user_id: int) -> None:
    """Let no link of a user open anything any more."""
    tx.change(sign_in_links.delete().where(sign_in_links.c.user_id == user_id))


def find_link(tx: Tx, digest: str, now: datetime) -> int | None:
    """Return whom an unused link signs in; one who was removed since is not signed in."""
    row = tx.row(
        sa.select(sign_in_links.c.user_id)
        .join(users, users.c.id == sign_in_links.c.user_id)
        .where(
            sign_in_links.c.token_hash == digest,
            sign_in_links.c.used_at.is_(None),
            sign_in_links.c.expires_at > to_micros(now),
            users.c.is_active == 1,
            users.c.deleted_at.is_(None),
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


# Failures


def failures_of(tx: Tx, subject: str, now: datetime) -> tuple[int, datetime, datetime | None]:
    """Return how often in a row, when last, and until when it is blocked; nobody else counts now.

    The row is made first: what is not there cannot be locked, and on PostgreSQL the first
    attempts of many at once would each count from nothing.
    """
    tx.change(
        sa.text(
            "INSERT INTO sign_in_failures (subject, failures, last_failed_at)"
            " VALUES (:subject, 0, :at) ON CONFLICT (subject) DO NOTHING"
        ),
        {"subject": subject, "at": to_micros(now)},
    )
    clause = sa.select(
        sign_in_failures.c.failures,
        sign_in_failures.c.last_failed_at,
        sign_in_failures.c.blocked_until,
    ).where(sign_in_failures.c.subject == subject)
    row = tx.row(clause.with_for_update())
    if row is None:  # forgotten between the two statements
        return 0, now, None
    return row[0], from_micros(row[1]), instant_of(row[2])


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
