"""Signing in: with a name, a password and a code where one is used, or once by a link."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Final

from bahi.audit.service import note
from bahi.db.revisions import bump
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.identity.model import (
    Session,
    SignInFailed,
    User,
    check_password,
    could_be_a_username,
)
from bahi.identity.repository import sessions as session_rows
from bahi.identity.repository import users as user_rows
from bahi.identity.service.attempts import admit, forgive
from bahi.identity.service.users import TOPIC, get_user
from bahi.kernel.actor import Actor, require_admin, the_house
from bahi.kernel.clock import Clock, to_micros
from bahi.kernel.crypto import Passwords, Vault
from bahi.kernel.errors import Forbidden, Invalid, NotFound, Unauthenticated
from bahi.kernel.totp import code_of, step_at

SESSION_BYTES: Final = 32
SESSION_PURPOSE: Final = "session"
LINK_PURPOSE: Final = "sign_in_link"
LINK_LASTS: Final = timedelta(hours=24)
NAME_PURPOSE: Final = "sign_in_name"
CSRF_PURPOSE: Final = "csrf"
HASHES_AT_ONCE: Final = 2
"""Argon2 takes 64 MiB each: strangers may make us wait, not run out of memory."""
WRONG_STEP: Final = -1
SESSIONS_AT_MOST: Final = 200
WRONG: Final = "The name, the password or the code is wrong."


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: the cookie's secret is known only here and to the browser."""

    token: str
    user: User
    expires_at: datetime

    def __repr__(self) -> str:
        return f"SignedIn({self.user.username!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A session that is about to be opened, with what has to be true and is changed by it."""

    visitor: Actor
    now: datetime
    token_digest: str
    expires_at: datetime
    how: str
    step: int | None = None
    new_hash: str | None = None

    def row(self, session_id: int, user: User) -> dict[str, str | int | None]:
        """Return the session as it is stored."""
        return {
            "id": session_id,
            "user_id": user.id,
            "role": user.role,
            "token_hash": self.token_digest,
            "ip_address": self.visitor.address,
            "user_agent": (self.visitor.agent or "")[:300].replace("\0", "") or None,
            "created_at": to_micros(self.now),
            "last_activity_at": to_micros(self.now),
            "expires_at": to_micros(self.expires_at),
            "is_active": 1,
        }


class SignIn:
    """The door guard of the pages; one for each process."""

    def __init__(
        self,
        main: Store,
        vault: Vault,
        clock: Clock,
        session_lasts: Callable[[], Awaitable[timedelta]],
        passwords: Passwords | None = None,
    ) -> None:
        self._main, self._vault, self._clock = main, vault, clock
        self._session_lasts = session_lasts
        self.passwords = passwords or Passwords()
        self._hashing = asyncio.Semaphore(HASHES_AT_ONCE)
        self._decoy: str | None = None

    async def hash(self, password: str, username: str) -> str:
        """Return what is stored of a password that is good enough."""
        check_password(password, username)
        async with self._hashing:
            return await asyncio.to_thread(self.passwords.hash, password)

    async def sign_in(self, username: str, password: str, code: str, visitor: Actor) -> SignedIn:
        """Open a session for who knows name, password and code."""
        now = self._clock()
        name = username.strip().lower()[:80]
        subject = self.subject_of(name)
        await self._main.write(admit, subject, visitor.address, now)
        known = None
        if could_be_a_username(name):  # what is no text of ours, the database need not see
            known = await self._main.read(user_rows.secrets_of, name, fresh=True)
        stored = known[1] if known is not None else None
        right = await self.verify(stored, password)
        if known is None or not right or stored is None:
            await self._main.write(_refused, name, known and known[0], visitor, now)
            raise SignInFailed(WRONG)
        user_id, _, totp = known
        step = self._step_of(code, user_id, totp, now)
        token = secrets.token_urlsafe(SESSION_BYTES)
        opening = await self._opening(
            token,
            visitor,
            how="with a password",
            step=step,
            new_hash=None if step == WRONG_STEP else await self._again(stored, password),
        )
        user = await self._main.write(_opened, known, subject, opening)
        if user is None:
            raise SignInFailed(WRONG)
        return SignedIn(token, user, opening.expires_at)

    def subject_of(self, name: str) -> str:
        """Return under what failures by a name are counted; the name itself is not kept."""
        return f"user:{self._vault.digest(name, NAME_PURPOSE)[:32]}"

    async def _opening(
        self,
        token: str,
        visitor: Actor,
        *,
        how: str,
        step: int | None = None,
        new_hash: str | None = None,
    ) -> Opening:
        now = self._clock()
        return Opening(
            visitor=visitor,
            now=now,
            token_digest=self._vault.digest(token, SESSION_PURPOSE),
            expires_at=now + await self._session_lasts(),
            how=how,
            step=step,
            new_hash=new_hash,
        )

    async def verify(self, stored: str | None, password: str) -> bool:
        """Check a password; for who has none as slowly as for who has one."""
        async with self._hashing:
            if self._decoy is None:  # made at the first sign-in, whoever's that is
                self._decoy = await asyncio.to_thread(self.passwords.hash, secrets.token_hex(16))
            compared = self._decoy if stored is None else stored
            right = await asyncio.to_thread(self.passwords.verify, compared, password)
            return right and stored is not None

    async def _again(self, stored: str, password: str) -> str | None:
        """Return a hash at today's cost where the stored one was made at another."""
        if not self.passwords.needs_rehash(stored):
            return None
        async with self._hashing:
            return await asyncio.to_thread(self.passwords.hash, password)

    def _step_of(self, code: str, user_id: int, sealed: bytes | None, now: datetime) -> int | None:
        """Return the step of a one-time code, None when none is asked for."""
        if sealed is None:
            return None
        secret = self._vault.open(sealed, table="users", column="totp_enc", row_id=user_id).decode()
        return matching_step(secret, code, now)

    async def follow_link(self, token: str, password: str, visitor: Actor) -> SignedIn:
        """Set the password of whom a link was made for, and open a session; once."""
        now = self._clock()
        await self._main.write(admit, None, visitor.address, now)
        digest = self._vault.digest(token, LINK_PURPOSE)
        user = await self.whose_link(token)
        hashed = await self.hash(password, user.username)
        secret = secrets.token_urlsafe(SESSION_BYTES)
        opening = await self._opening(
            secret, visitor, how="with a link, and a new password", new_hash=hashed
        )
        await self._main.write(_followed, digest, opening)
        return SignedIn(secret, user, opening.expires_at)

    async def whose_link(self, token: str) -> User:
        """Return whom an unused link is for."""
        digest = self._vault.digest(token, LINK_PURPOSE)
        user_id = await self._main.read(session_rows.find_link, digest, self._clock(), fresh=True)
        if user_id is None:
            raise Unauthenticated("This link was used, or has ended; ask for a new one.")
        return await self._main.read(get_user, user_id, fresh=True)

    async def make_link(self, actor: Actor, user_id: int) -> str:
        """Return the secret part of a link that signs a user in once."""
        token = secrets.token_urlsafe(SESSION_BYTES)
        digest = self._vault.digest(token, LINK_PURPOSE)
        await self._main.write(add_link, actor, user_id, digest, self._clock())
        return token

    async def actor_of(self, token: str, visitor: Actor) -> Actor:
        """Return who a session's cookie stands for."""
        now = self._clock()
        digest = self._vault.digest(token, SESSION_PURPOSE)
        found = await self._main.read(session_rows.find_session, digest, now, fresh=True)
        if found is None:
            raise Unauthenticated("You are not signed in, or your session has ended; sign in.")
        session, user = found
        if now - session.last_activity_at >= timedelta(minutes=1):
            self._main.offer(session_rows.touch_session, session.id, now)
        return Actor(
            name=user.username,
            user_id=user.id,
            role=user.role,
            session_id=session.id,
            address=visitor.address,
            agent=visitor.agent,
            request_id=visitor.request_id,
        )

    def csrf_of(self, token: str) -> str:
        """Return what a form of this session has to bring back."""
        return self._vault.digest(token, CSRF_PURPOSE)

    def is_csrf(self, token: str, brought: str) -> bool:
        """Say whether a form came from a page of this session."""
        return compare_digest(self.csrf_of(token).encode(), _bytes(brought))


def matching_step(secret: str, code: str, now: datetime) -> int:
    """Return the step (of 30 s, one early or late) that a code belongs to, or WRONG_STEP."""
    present = step_at(now)
    given = _bytes("".join(code.split()))
    for step in (present, present - 1, present + 1):
        if compare_digest(code_of(secret, step).encode(), given):
            return step
    return WRONG_STEP


def _bytes(said: str) -> bytes:
    return said.encode(errors="surrogatepass")  # JSON can carry half a character


def _refused(tx: Tx, name: str, user_id: int | None, visitor: Actor, now: datetime) -> None:
    """Remember a failure; what was typed as a name is kept only where it is one of ours."""
    known = name if user_id is not None else "somebody unknown"
    note(tx, visitor, "login_failed", ("auth", user_id), now, details=f"as {known}")


def _opened(tx: Tx, known: user_rows.Secrets, subject: str, opening: Opening) -> User | None:
    """Open a session, unless the code is wrong, or what was compared is not what counts now."""
    user_id, step, now = known[0], opening.step, opening.now
    why = ""
    if user_rows.secrets_by_id(tx, user_id) != known:
        why = "password, codes or user were changed meanwhile"
    elif step is not None and (
        step == WRONG_STEP or not user_rows.take_totp_step(tx, user_id, step)
    ):
        why = "wrong one-time code"
    if why:
        note(tx, opening.visitor, "login_failed", ("auth", user_id), now, details=why)
        return None
    forgive(tx, subject, opening.visitor.address, now)
    return _begin(tx, get_user(tx, user_id), opening)


def _begin(tx: Tx, user: User, opening: Opening) -> User:
    values: dict[str, str | int] = {"last_login_at": to_micros(opening.now)}
    if opening.new_hash is not None:
        values["password_hash"] = opening.new_hash
    user_rows.change_user(tx, user.id, values, opening.now)
    session_rows.add_session(tx, opening.row(tx.new_id(), user))
    who = replace(opening.visitor, name=user.username, user_id=user.id, role=user.role)
    note(tx, who, "login", ("auth", user.id), opening.now, details=opening.how)
    return user


def _followed(tx: Tx, digest: str, opening: Opening) -> None:
    user_id = session_rows.find_link(tx, digest, opening.now)
    if user_id is None or not session_rows.use_link(tx, digest, opening.now):
        raise Unauthenticated("This link was used, or has ended; ask for a new one.")
    session_rows.end_sessions(tx, user_id=user_id)
    forgive(tx, None, opening.visitor.address, opening.now)
    _begin(tx, get_user(tx, user_id), opening)
    bump(tx, TOPIC)


def add_link(tx: Tx, actor: Actor, user_id: int, digest: str, now: datetime) -> None:
    """Store a link's digest; the ones before it open nothing any more."""
    require_admin(actor)
    if actor.scope is not None:
        raise Forbidden("A key cannot make links that sign in; sign in, or use the terminal.")
    user_rows.lock_user(tx, user_id)  # of two links made at once, one ends the other
    user = get_user(tx, user_id)
    if not user.is_active:
        raise NotFound(f"{user.username!r} is not active; a link would not open.")
    row = {
        "id": tx.new_id(),
        "user_id": user_id,
        "token_hash": digest,
        "created_at": to_micros(now),
        "expires_at": to_micros(now + LINK_LASTS),
    }
    session_rows.add_link(tx, row)
    note(tx, actor, "create", ("sign_in_link", user_id), now)


def sign_out(tx: Tx, actor: Actor, now: datetime) -> None:
    """End the session one is in."""
    if actor.session_id is not None:
        session_rows.end_sessions(tx, session_id=actor.session_id)
        note(tx, actor, "logout", ("auth", actor.user_id), now)


def list_sessions(tx: Tx, actor: Actor, now: datetime, user_id: int | None = None) -> list[Session]:
    """Return running sessions: everybody's to an admin who names nobody, else one's own."""
    wanted = user_id if actor.is_admin else actor.user_id
    return session_rows.list_sessions(tx, wanted, now, SESSIONS_AT_MOST)


def revoke_session(tx: Tx, actor: Actor, session_id: int, now: datetime) -> None:
    """End a session of one's own; an admin ends anybody's."""
    session = session_rows.get_session_by_id(tx, session_id)
    if session is None or not actor.owns(session.user_id):
        raise NotFound(f"There is no session {session_id}.")
    if actor.scope is not None:
        raise Forbidden("A key cannot end sessions; sign in.")
    if session_rows.end_sessions(tx, session_id=session_id):
        note(tx, actor, "revoke", ("session", session_id), now)


def sign_out_everywhere(tx: Tx, actor: Actor, now: datetime) -> int:
    """End every session of one's own, this one too; return how many there were."""
    if actor.user_id is None or actor.scope is not None:
        raise Forbidden("A key cannot end sessions; sign in.")
    ended = session_rows.end_sessions(tx, user_id=actor.user_id)
    note(tx, actor, "revoke", ("session", None), now, new={"ended": ended})
    return ended


def end_expired_sessions(tx: Tx, now: datetime, *, dry_run: bool = False) -> int:
    """End what has ended by itself, or only count it; return how many there were."""
    if dry_run:
        return session_rows.count_expired(tx, now)
    ended = session_rows.end_sessions(tx, expired_at=now)
    if ended:
        note(tx, the_house("sign-in"), "expire", ("session", None), now, new={"ended": ended})
    return ended


def check_totp(secret: str, code: str, now: datetime) -> None:
    """Refuse to turn on one-time codes that the person's device does not make."""
    if matching_step(secret, code, now) == WRONG_STEP:
        raise Invalid("code: it does not fit; look at the device's clock and type the newest code.")
