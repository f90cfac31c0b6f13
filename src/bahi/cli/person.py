"""`bahi person`: the holders of a PAN whose money it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bahi.cli.named import ME, Owner, cells, owner, person_named, usernames, when
from bahi.cli.terminal import AsJson, FromStdin, ask_secret, in_house, show_json, show_table

if TYPE_CHECKING:
    from bahi.accounts.model import Person
    from bahi.bootstrap import House
    from bahi.db.tx import Tx

app = typer.Typer(help="The holders of a PAN whose money it is.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="PERSON", help="Their name, or their id.")]


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """Show every person."""
    from bahi.accounts.service.people import list_persons  # noqa: PLC0415 - for who asks

    async def look(house: House) -> list[dict[str, Any]]:
        def read(tx: Tx) -> list[dict[str, Any]]:
            return [_told(tx, it) for it in list_persons(tx, ME)]

        return await house.stores["main"].read(read, fresh=True)

    found = in_house(look)
    if as_json:
        show_json(found)
        return
    rows = [cells(*{**it, "accounts": ", ".join(it["accounts"])}.values()) for it in found]
    headings = ("id", "name", "user", "relation", "PAN known", "accounts", "since (IST)")
    show_table(headings, rows)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Their name.")],
    *,
    username: Owner = None,
    relation: Annotated[
        str | None,
        typer.Option(help="To the head of the family: self, spouse, child, parent, other."),
    ] = None,
    pan: Annotated[bool, typer.Option("--pan", help="Ask for the PAN, which is sealed.")] = False,
    from_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Enter a person of a user's family."""
    from bahi.accounts.service.people import add_person  # noqa: PLC0415

    secret = ask_secret("pan", from_stdin=from_stdin) if pan else None

    async def enter(house: House) -> dict[str, Any]:
        user = await owner(house, username)

        def write(tx: Tx) -> dict[str, Any]:
            added = add_person(
                tx,
                ME,
                house.vault,
                name,
                house.clock(),
                user_id=user.id,
                pan=secret,
                relation=relation,
            )
            return _told(tx, added)

        return await house.stores["main"].write(write)

    told = in_house(enter)
    if as_json:
        show_json(told)
    else:
        typer.echo(f"{told['name']} is entered.")


@app.command()
def show(name: Name, *, as_json: AsJson = False) -> None:
    """Show one person; the PAN is not shown."""

    async def look(house: House) -> dict[str, Any]:
        def read(tx: Tx) -> dict[str, Any]:
            return _told(tx, person_named(tx, name))

        return await house.stores["main"].read(read, fresh=True)

    told = in_house(look)
    if as_json:
        show_json(told)
    else:
        told["accounts"] = ", ".join(told["accounts"])
        show_table(("what", ""), [cells(*it) for it in told.items() if it[1] not in {None, ""}])


def _told(tx: Tx, person: Person) -> dict[str, Any]:
    from bahi.accounts.service.accounts import list_accounts  # noqa: PLC0415

    return {
        "id": str(person.id),
        "name": person.name,
        "user": usernames(tx)[person.user_id],
        "relation": person.relation,
        "has_pan": person.has_pan,
        "accounts": [it.name for it in list_accounts(tx, ME) if it.person_id == person.id],
        "created_at": when(person.created_at),
    }
