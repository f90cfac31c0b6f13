"""What commands name: users, persons, accounts and applications, by the names people gave them.

Every command here acts as the terminal: who may open the stores may do anything with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from bahi.kernel.actor import the_house
from bahi.kernel.clock import ist_text
from bahi.kernel.errors import Conflict, Invalid, NotFound

if TYPE_CHECKING:
    from bahi.accounts.model import Account, Egress, Person, Registration
    from bahi.bootstrap import House
    from bahi.db.tx import Tx
    from bahi.identity.model import User

ME: Final = the_house("terminal")

UserName = Annotated[str, typer.Argument(metavar="USER", help="The name they sign in with.")]
Owner = Annotated[str | None, typer.Option("--user", help="Whose; without it, the first admin's.")]
AccountName = Annotated[
    str,
    typer.Argument(metavar="ACCOUNT", help="Its name; of several of that name, USER/NAME."),
]

T = TypeVar("T")


def the_one(kind: str, said: str, found: Sequence[T], full: Callable[[T], str]) -> T:
    """Return the only thing that was found under a name, or say how to name it."""
    if not found:
        raise NotFound(f"There is no {kind} {said[:80]!r}; `bahi {kind} list` shows what there is.")
    if len(found) > 1:
        each = ", ".join(full(it) for it in found)
        raise Conflict(f"There are {len(found)} of the name {said[:80]!r}; write one of {each}.")
    return found[0]


def user_named(tx: Tx, said: str, *, removed: bool = False) -> User:
    """Return a user by name: one that is there, or one that was removed."""
    from bahi.identity.service.users import list_users  # noqa: PLC0415 - for who asks

    name = said.strip().lower()
    users = [it for it in list_users(tx, deleted=True) if (it.deleted_at is not None) is removed]
    kind = "removed user" if removed else "user"
    if found := next((it for it in users if it.username == name), None):
        return found
    more = " --removed" if removed else ""
    raise NotFound(f"There is no {kind} {said[:80]!r}; `bahi user list{more}` shows them.")


def usernames(tx: Tx) -> dict[int, str]:
    """Return everybody's name."""
    from bahi.identity.service.users import list_users  # noqa: PLC0415

    return {it.id: it.username for it in list_users(tx, deleted=True)}


async def owner(house: House, username: str | None) -> User:
    """Return the user that is meant: the one named, or the admin who was there first."""
    from bahi.bootstrap.first_start import admin_of  # noqa: PLC0415

    if username is None:
        await house.furnish()
        return await house.stores["main"].read(admin_of, fresh=True)
    return await house.stores["main"].read(user_named, username, fresh=True)


def account_named(
    tx: Tx, said: str, *, user_id: int | None = None, removed: bool = False
) -> Account:
    """Return an account by name, by USER/NAME, or by id."""
    from bahi.accounts.service.accounts import list_accounts  # noqa: PLC0415

    names = usernames(tx)

    def full(account: Account) -> str:
        return f"{names[account.user_id]}/{account.name}"

    found = [
        it
        for it in list_accounts(tx, ME, deleted=True)
        if (it.deleted_at is not None) is removed
        and user_id in {None, it.user_id}
        and said.strip() in {it.name, full(it), str(it.id)}
    ]
    return the_one("account", said, found, full)


def person_named(tx: Tx, said: str) -> Person:
    """Return a person by name or by id."""
    from bahi.accounts.service.people import list_persons  # noqa: PLC0415

    found = [it for it in list_persons(tx, ME) if said.strip() in {it.name, str(it.id)}]
    return the_one("person", said, found, lambda it: str(it.id))


def egress_named(tx: Tx, said: str) -> Egress:
    """Return an egress address by itself, or by what a broker sees of it."""
    from bahi.accounts.service.addresses import list_egress  # noqa: PLC0415

    found = [it for it in list_egress(tx) if said.strip() in {it.address, it.public_address}]
    return the_one("egress", said, found, lambda it: it.address)


def application_named(tx: Tx, account: Account, said: str) -> Registration:
    """Return an application of an account, whatever the case and underscores of its name."""
    from bahi.accounts.service.applications import list_registrations  # noqa: PLC0415

    known = list_registrations(tx, account.id)
    for it in known:
        if _squeezed(it.api_name) == _squeezed(said):
            return it
    names = ", ".join(it.api_name for it in known) or "none"
    raise NotFound(f"{account.name!r} has no application {said[:40]!r}; it has {names}.")


def _squeezed(api_name: str) -> str:
    return api_name.strip().upper().replace("_", "")


def when(instant: datetime | None) -> str | None:
    """Write an instant as people read it, where there is one."""
    return None if instant is None else ist_text(instant)


def cells(*values: object) -> tuple[str, ...]:
    """Write the cells of a row: nothing as nothing, yes and no as words."""
    words = {None: "", True: "yes", False: "no"}
    return tuple(
        words[value] if value is None or isinstance(value, bool) else str(value) for value in values
    )


def day_of(word: str | None) -> date | None:
    """Read a day that a command names; none where it names none."""
    if word is None:
        return None
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise Invalid(f"{word[:24]!r} is no day; write it like 2026-11-24.") from None
