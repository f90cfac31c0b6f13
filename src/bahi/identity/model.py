"""Users, their sessions and keys; how long who fails to sign in has to wait."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from bahi.kernel.actor import Actor
from bahi.kernel.altered import altered
from bahi.kernel.errors import Invalid, Unauthenticated
from bahi.kernel.words import KeyScope, Role

SHORTEST_PASSWORD: Final = 10
BESIDE_THE_NAME: Final = 6
"""How many characters a password has besides the user's name."""
_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{2,79}", re.ASCII)
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,250}")
_API_KEY: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
NAME_AT_MOST: Final = 100


class SignInFailed(Unauthenticated):
    """The name, the password or the code is wrong."""

    code = "sign_in_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who may use the system."""

    id: int
    username: str
    email: str | None
    role: Role
    is_active: bool
    has_password: bool
    has_totp: bool
    created_at: datetime
    updated_at: datetime
    last_login_at: datetime | None
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A person's sign-in to the pages."""

    id: int
    user_id: int
    ip_address: str | None
    user_agent: str | None
    created_at: datetime
    last_activity_at: datetime
    expires_at: datetime | None
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key by which programs call; the key itself was shown once."""

    id: int
    user_id: int
    name: str | None
    scope: KeyScope
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    is_active: bool
    needs_approval: bool = False
    goes_live: bool = False


class Holder(NamedTuple):
    """Whom a key belongs to and how far it opens: what a look-up has to know."""

    key_id: int
    user_id: int
    username: str
    role: Role
    scope: KeyScope
    expires_at: datetime | None
    needs_approval: bool = False
    goes_live: bool = False


def actor_of(holder: Holder, visitor: Actor) -> Actor:
    """Return the holder of a key as who asks, by the way by which somebody came."""
    return altered(
        visitor,
        name=holder.username,
        user_id=holder.user_id,
        role=holder.role,
        scope=holder.scope,
        key_id=holder.key_id,
        needs_approval=holder.needs_approval,
        goes_live=holder.goes_live,
    )


@dataclass(frozen=True, slots=True)
class Patience:
    """How many failures in a row are free, and how the wait grows after them."""

    free: int
    first_wait: timedelta
    longest_wait: timedelta
    forgotten_after: timedelta

    def wait_after(self, failures: int) -> timedelta:
        """Return how long nothing is looked at after so many failures in a row."""
        beyond = failures - self.free
        if beyond <= 0:
            return timedelta(0)
        doubled = min(beyond - 1, 20)  # past twenty doublings every wait is the longest
        times: int = 2**doubled
        return min(self.first_wait * times, self.longest_wait)


WITH_A_USER: Final = Patience(5, timedelta(seconds=5), timedelta(minutes=15), timedelta(hours=24))
WITH_AN_ADDRESS: Final = Patience(
    20, timedelta(seconds=5), timedelta(minutes=15), timedelta(hours=1)
)


def parse_username(said: str) -> str:
    """Return a user's name in its one spelling."""
    name = said.strip().lower()
    if not _USERNAME.fullmatch(name):
        raise Invalid(
            f"username: {said[:80]!r} cannot be used; write 3 to 80 letters, digits, dots, dashes "
            "or underscores, a letter or digit first."
        )
    return name


def could_be_a_username(said: str) -> bool:
    """Say whether a text has the form of a user's name; nobody has another."""
    return _USERNAME.fullmatch(said) is not None


def parse_email(said: str | None) -> str | None:
    """Return an address to write to, in its one spelling; empty is none."""
    if said is None or not said.strip():
        return None
    email = said.strip().lower()
    if not _EMAIL.fullmatch(email) or not email.isprintable():
        raise Invalid(f"email: {said[:80]!r} is no address; write it as name@example.org.")
    return email


def check_password(password: str, username: str) -> None:
    """Refuse a password that is guessed at once; the refusal never quotes it."""
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid(f"password: it is too short; take at least {SHORTEST_PASSWORD} characters.")
    if len(password.lower().replace(username, "")) < BESIDE_THE_NAME:
        raise Invalid("password: it is little more than the user's name; take another.")
    if len(set(password)) < 4:
        raise Invalid("password: it repeats too few characters; take another.")


def parse_label(said: str, field: str = "name") -> str:
    """Return a name that a person gives to something."""
    label = " ".join(said.split())
    if not 1 <= len(label) <= NAME_AT_MOST or not label.isprintable():
        raise Invalid(f"{field}: write 1 to {NAME_AT_MOST} printable characters.")
    return label


def could_be_a_key(said: str) -> bool:
    """Say whether a text has the form of our keys; anything else needs no look-up."""
    return _API_KEY.fullmatch(said) is not None
