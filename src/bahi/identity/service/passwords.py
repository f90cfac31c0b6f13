"""A person's own password: changed by who knows the one before."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from bahi.audit.service import note
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.identity.model import User
from bahi.identity.repository import users as user_rows
from bahi.identity.service.attempts import admit, forgive
from bahi.identity.service.sign_in import SignIn
from bahi.identity.service.users import get_user, update_user
from bahi.kernel.actor import Actor
from bahi.kernel.clock import Clock
from bahi.kernel.errors import Conflict, Forbidden, Invalid


class WrongPassword(Invalid):
    """The password is not the one that you sign in with now."""

    code = "wrong_password"


async def change_password(
    main: Store, sign_in: SignIn, clock: Clock, actor: Actor, *, present: str, new: str
) -> User:
    """Set one's own password, by who knows it; their other sessions end.

    Guesses are counted with those at the door: a session left open is no way to find it out.
    """
    if actor.user_id is None or actor.scope is not None:
        raise Forbidden("A key cannot change its owner's password; sign in.")
    user = await main.read(get_user, actor.user_id, fresh=True)
    subject = sign_in.subject_of(user.username)
    await main.write(admit, subject, actor.address, clock())
    before = await main.read(user_rows.secrets_of, user.username, fresh=True)
    stored = None if before is None else before[1]
    if not await sign_in.verify(stored, present):
        await main.write(_refused, actor, clock())
        raise WrongPassword
    hashed = await sign_in.hash(new, user.username)
    return await main.write(
        partial(_changed, before=before, subject=subject), actor, hashed, clock()
    )


def _refused(tx: Tx, actor: Actor, now: datetime) -> None:
    note(tx, actor, "login_failed", ("auth", actor.user_id), now, details="at a new password")


def _changed(
    tx: Tx,
    actor: Actor,
    hashed: str,
    now: datetime,
    *,
    before: user_rows.Secrets | None,
    subject: str,
) -> User:
    user_id = actor.user_id or 0
    if user_rows.secrets_by_id(tx, user_id) != before:
        raise Conflict("The password was changed meanwhile; sign in anew.")
    forgive(tx, subject, actor.address, now)
    return update_user(tx, actor, user_id, now, password_hash=hashed)
