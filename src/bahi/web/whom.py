"""Whom a switch or a limit binds: as a form says it, and by the names that people know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from bahi.bootstrap import House
from bahi.identity.service.users import list_users
from bahi.kernel.errors import Invalid
from bahi.risk.model.control import Scope, Whom
from bahi.web import fields
from bahi.web.fields import Form
from bahi.web.seat import Seat

ACCOUNT: Final = "account"
EVERYBODY: Final = "everybody"
USER: Final = "user"
STRATEGY: Final = "strategy"

Users = Mapping[int, str]
"""Names of users by their ids, as far as somebody may know them."""


def whom_of(form: Form, seat: Seat) -> Whom:
    """Read whom a form means: the account in view where it does not say."""
    kind, _, said = fields.text(form, "whom").partition(":")
    number = fields.identity(said, "whom") if said else None
    if kind in {"", ACCOUNT}:
        return Whom(scope=Scope.ACCOUNT, account_id=number or seat.sure.id)
    if kind == EVERYBODY:
        return Whom(scope=Scope.GLOBAL)
    if kind == USER:
        return Whom(scope=Scope.USER, user_id=number or seat.person.user_id)
    if kind == STRATEGY:
        own = number if number or seat.person.is_admin else seat.person.user_id
        name = fields.required(form, "strategy", at_most=100)
        return Whom(scope=Scope.STRATEGY, user_id=own, strategy=name)
    raise Invalid(f"whom: {kind[:40]!r} is none of account, user, strategy, everybody.")


def said_of(whom: Whom) -> str:
    """Write whom a form means, as `whom_of` reads it."""
    if whom.scope is Scope.ACCOUNT:
        return f"{ACCOUNT}:{whom.account_id}"
    if whom.scope is Scope.GLOBAL:
        return EVERYBODY
    kind = USER if whom.scope is Scope.USER else STRATEGY
    return kind if whom.user_id is None else f"{kind}:{whom.user_id}"


def name_of(whom: Whom, seat: Seat, users: Users) -> str:
    """Name whom something binds: `Asha's paper`, `every account of asha`, `everybody`."""
    if whom.scope is Scope.ACCOUNT:
        return next((it.name for it in seat.accounts if it.id == whom.account_id), str(whom))
    if whom.scope is Scope.GLOBAL:
        return "everybody"
    whose = "everybody" if whom.user_id is None else users.get(whom.user_id, str(whom))
    if whom.scope is Scope.USER:
        return f"every account of {whose}"
    return f"strategy {whom.strategy} of {whose}"


async def users_of(house: House, seat: Seat, meant: Iterable[int | None] = ()) -> Users:
    """Return the names of users: one's own without asking, others' where they are meant."""
    person = seat.person
    own = {} if person.user_id is None else {person.user_id: person.name}
    if not person.is_admin or {it for it in meant if it is not None} <= set(own):
        return own
    every = await house.stores["main"].read(list_users, fresh=True)
    return own | {it.id: it.username for it in every}
