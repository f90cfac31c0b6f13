"""Users: added, changed, removed (softly), and what belongs to them with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from bahi.audit.service import note
from bahi.db.revisions import bump
from bahi.db.tx import Tx
from bahi.identity.model import User, parse_email, parse_username
from bahi.identity.repository import keys as key_rows
from bahi.identity.repository import sessions as session_rows
from bahi.identity.repository import users as user_rows
from bahi.kernel.actor import Actor, require_admin
from bahi.kernel.clock import to_micros
from bahi.kernel.errors import Conflict, Forbidden, NotFound
from bahi.kernel.words import KeyScope, Role

TOPIC: Final = "identity"
"""What processes keep of users and keys in memory; every change here bumps it."""

USERS_AT_MOST: Final = 500


def create_user(
    tx: Tx,
    actor: Actor,
    username: str,
    now: datetime,
    *,
    email: str | None = None,
    role: Role = Role.TRADER,
    password_hash: str | None = None,
) -> User:
    """Add a user; one without a password gets in by a link."""
    _require_admin(actor)
    name, address = parse_username(username), parse_email(email)
    _refuse_taken(tx, name, address)
    user_id = tx.new_id()
    at = to_micros(now)
    row = {
        "id": user_id,
        "username": name,
        "email": address,
        "password_hash": password_hash,
        "role": role,
        "is_active": 1,
        "created_at": at,
        "updated_at": at,
    }
    user_rows.add_user(tx, row)
    user = get_user(tx, user_id)
    note(tx, actor, "create", ("user", user_id), now, new=_shown(user))
    return user


def _refuse_taken(tx: Tx, username: str | None, email: str | None, but: int = 0) -> None:
    """Say which of the two is taken; a removed user keeps both, for the trail names them."""
    wanted: Mapping[str, Any] = {"username": username, "email": email}
    for field, value in wanted.items():
        other = None if value is None else user_rows.find_user(tx, **{field: value})
        if other is not None and other.id != but:
            whose = "a removed user's" if other.deleted_at else "another user's"
            raise Conflict(f"{field}: {value!r} is {whose}; take another.")


def get_user(tx: Tx, user_id: int) -> User:
    """Return a user, removed or not."""
    user = user_rows.find_user(tx, user_id=user_id)
    if user is None:
        raise NotFound(f"There is no user {user_id}.")
    return user


def find_user(tx: Tx, user_id: int) -> User | None:
    """Return a user, removed or not, if there is one."""
    return user_rows.find_user(tx, user_id=user_id)


def get_user_by_username(tx: Tx, username: str) -> User:
    """Return a user by the name they sign in with."""
    user = user_rows.find_user(tx, username=parse_username(username))
    if user is None or user.deleted_at is not None:
        raise NotFound(f"There is no user {username[:80]!r}.")
    return user


def lock_user(tx: Tx, user_id: int) -> User:
    """Return a user to hang something on; who does the same at once waits until we commit."""
    user_rows.lock_user(tx, user_id)
    return get_user(tx, user_id)


def count_users(tx: Tx) -> int:
    """Count everybody who was ever added."""
    return user_rows.count_users(tx)


def first_admin(tx: Tx) -> User | None:
    """Return the active admin who was there first."""
    return user_rows.first_admin(tx)


def restore_user(tx: Tx, actor: Actor, user_id: int, now: datetime) -> User:
    """Take back a soft removal; keys and sessions stay ended."""
    _require_admin(actor)
    user_rows.change_user(tx, user_id, {"is_active": 1, "deleted_at": None}, now)
    bump(tx, TOPIC)
    user = get_user(tx, user_id)
    note(tx, actor, "restore", ("user", user_id), now, new=_shown(user))
    return user


def list_users(tx: Tx, *, deleted: bool = False) -> list[User]:
    """Return users by name."""
    return user_rows.list_users(tx, deleted=deleted, limit=USERS_AT_MOST)


def update_user(
    tx: Tx,
    actor: Actor,
    user_id: int,
    now: datetime,
    *,
    email: str | None = None,
    role: Role | None = None,
    is_active: bool | None = None,
    password_hash: str | None = None,
) -> User:
    """Change what is given; roles and activity are an admin's to change, the rest one's own too."""
    user = _to_change(tx, actor, user_id)
    if role is not None or is_active is not None:
        _require_admin(actor)
    values: dict[str, Any] = {}
    if email is not None:
        address = parse_email(email)
        _refuse_taken(tx, None, address, but=user_id)
        values["email"] = address
    if role is not None:
        values["role"] = role
    if is_active is not None:
        values["is_active"] = int(is_active)
    if password_hash is not None:
        values["password_hash"] = password_hash
    if (role not in {None, Role.ADMIN} or is_active is False) and user.role is Role.ADMIN:
        _refuse_last_admin(tx, user)
    user_rows.change_user(tx, user_id, values, now)
    if password_hash is not None or is_active is False:
        session_rows.remove_links(tx, user_id)
        session_rows.end_sessions(tx, user_id=user_id, but=actor.session_id)
    bump(tx, TOPIC)
    changed = get_user(tx, user_id)
    what = "password changed" if password_hash is not None else ""
    note(
        tx, actor, "update", ("user", user_id), now,
        old=_shown(user), new=_shown(changed), details=what,
    )  # fmt: skip
    return changed


def delete_user(tx: Tx, actor: Actor, user_id: int, now: datetime) -> None:
    """Remove a user softly: nothing of theirs opens any more, and their traces stay."""
    _require_admin(actor)
    user = get_user(tx, user_id)
    if user.deleted_at is not None:
        return
    if user.role is Role.ADMIN:
        _refuse_last_admin(tx, user)
    gone = {"is_active": 0, "deleted_at": to_micros(now)}
    user_rows.change_user(tx, user_id, gone, now)
    session_rows.end_sessions(tx, user_id=user_id)
    session_rows.remove_links(tx, user_id)
    key_rows.revoke_keys(tx, user_id=user_id)
    bump(tx, TOPIC)
    note(tx, actor, "delete", ("user", user_id), now, old=_shown(user))


def set_totp(tx: Tx, actor: Actor, user_id: int, sealed: bytes | None, now: datetime) -> None:
    """Ask for one-time codes from now on, or no longer."""
    user = _to_change(tx, actor, user_id)
    user_rows.change_user(tx, user_id, {"totp_enc": sealed, "totp_last_step": None}, now)
    session_rows.end_sessions(tx, user_id=user_id, but=actor.session_id)
    old, new = replace(user, has_totp=user.has_totp), replace(user, has_totp=sealed is not None)
    note(tx, actor, "update", ("user", user_id), now, old=_shown(old), new=_shown(new))


def _to_change(tx: Tx, actor: Actor, user_id: int) -> User:
    if actor.user_id == user_id:
        if actor.scope is not None:
            raise Forbidden("A key cannot change its owner; sign in.")
    else:
        _require_admin(actor)
    user = get_user(tx, user_id)
    if user.deleted_at is not None:
        raise NotFound(f"The user {user.username!r} was removed.")
    return user


def _require_admin(actor: Actor) -> None:
    """Refuse everybody but an admin; a key that is for paper alone leaves users alone."""
    require_admin(actor)
    if actor.scope is KeyScope.PAPER:
        raise Forbidden("This needs a key of scope trade, or an admin who signed in.")


def _refuse_last_admin(tx: Tx, user: User) -> None:
    if user_rows.other_admins(tx, user.id) == 0:
        raise Conflict(f"{user.username!r} is the last admin; make another one first.")


def _shown(user: User) -> dict[str, Any]:
    return {
        "username": user.username,
        "email": user.email,
        "role": user.role,
        "is_active": user.is_active,
        "two_factor": user.has_totp,
    }
