"""`bahi erase`: the true deletion, where a removal is not enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from bahi.cli.named import ME, AccountName, UserName, account_named, user_named
from bahi.cli.terminal import AsJson, Yes, in_house, show_json, show_table
from bahi.kernel.errors import Invalid, NotFound

if TYPE_CHECKING:
    from bahi.bootstrap import House

app = typer.Typer(
    help="Delete for good; the audit trail and what risk decided stay.", no_args_is_help=True
)


@app.command()
def user(username: UserName, *, yes: Yes = False, as_json: AsJson = False) -> None:
    """Delete a user for good, with everything that is theirs."""
    from bahi.bootstrap.erasing import erase_user  # noqa: PLC0415 - for who erases

    async def wipe(house: House) -> dict[str, int]:
        main = house.stores["main"]
        try:
            meant = await main.read(user_named, username, fresh=True)
        except NotFound:
            meant = await main.read(lambda tx: user_named(tx, username, removed=True), fresh=True)
        _make_sure(meant.username, yes=yes)
        return await erase_user(house, ME, meant.id)

    _show(in_house(wipe), username, as_json=as_json)


@app.command()
def account(name: AccountName, *, yes: Yes = False, as_json: AsJson = False) -> None:
    """Delete an account for good, with its applications, tokens and books."""
    from bahi.bootstrap.erasing import erase_account  # noqa: PLC0415

    async def wipe(house: House) -> dict[str, int]:
        main = house.stores["main"]
        try:
            meant = await main.read(account_named, name, fresh=True)
        except NotFound:
            meant = await main.read(lambda tx: account_named(tx, name, removed=True), fresh=True)
        _make_sure(meant.name, yes=yes)
        return await erase_account(house, ME, meant.id)

    _show(in_house(wipe), name, as_json=as_json)


def _make_sure(name: str, *, yes: bool) -> None:
    """Have the name typed before what nobody can bring back."""
    if yes:
        return
    typed = typer.prompt(f"{name} goes for good; type the name to go on", err=True)
    if typed.strip() != name:
        raise Invalid(f"That is not {name!r}; nothing was erased.")


def _show(gone: dict[str, int], name: str, *, as_json: bool) -> None:
    if as_json:
        show_json({"erased": name, "rows": gone})
        return
    show_table(("table", "rows"), [(table, rows) for table, rows in gone.items() if rows])
    typer.echo(f"{name} is erased: {sum(gone.values())} rows.")
