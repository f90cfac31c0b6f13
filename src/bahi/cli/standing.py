"""At which account a command stands: the one that is named, else the only one, or the primary.

Commands stand straight on the stores, whether or not the service runs: both go by the same locks,
and the paper exchange matches in whatever process asks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bahi.cli.market import prices_come_in
from bahi.cli.named import ME, account_named
from bahi.cli.terminal import in_house
from bahi.kernel.errors import Invalid, NotFound

if TYPE_CHECKING:
    from bahi.accounts.model import Account
    from bahi.bootstrap import House
    from bahi.bootstrap.looking import Kept
    from bahi.db.tx import Tx
    from bahi.orders.service.desk import Desk

T = TypeVar("T")

AccountOption = Annotated[
    str | None,
    typer.Option(
        "--account", help="Its name, USER/NAME or id; without it, the only or primary one."
    ),
]


def at_desk(said: str | None, work: Callable[[House, Desk], Awaitable[T]]) -> T:
    """Do something at the desk of an account, while prices come in."""

    async def stand(house: House) -> T:
        account = await _meant(house, said)
        async with prices_come_in(house):
            desk = await house.desk(ME, account.id)
            done = await work(house, desk)
        await house.trading.errands.finish()
        return done

    return in_house(stand)


def at_books(said: str | None, work: Callable[[House, Kept], Awaitable[T]]) -> T:
    """Do something with the books of an account, while prices come in."""

    async def stand(house: House) -> T:
        from bahi.bootstrap.looking import look_at  # noqa: PLC0415 - for who asks

        account = await _meant(house, said)
        async with prices_come_in(house):
            return await work(house, await look_at(house, ME, account.id))

    return in_house(stand)


async def _meant(house: House, said: str | None) -> Account:
    await house.furnish()  # a house that is new finds its paper account and the small master
    await house.instruments.catalogue()

    def read(tx: Tx) -> Account:
        return the_usual(tx) if said is None else account_named(tx, said)

    found: Any = await house.stores["main"].read(read, fresh=True)
    account: Account = found
    return account


def the_usual(tx: Tx) -> Account:
    """Return the account that is meant where none is named."""
    from bahi.accounts.service.accounts import list_accounts  # noqa: PLC0415 - for who asks

    known = [it for it in list_accounts(tx, ME) if it.is_active]
    primary = [it for it in known if it.is_primary] or known
    if not primary:
        raise NotFound("There is no account; `bahi account add NAME --broker paper` enters one.")
    if len(primary) > 1:
        names = ", ".join(sorted(it.name for it in primary)[:6])
        raise Invalid(f"--account: which one? There are {names}.")
    return primary[0]
