"""`bahi egress`: the addresses that calls leave from, by which brokers know a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bahi.cli.named import ME, AccountName, account_named, cells, egress_named, person_named
from bahi.cli.terminal import AsJson, in_house, say, show_json, show_table
from bahi.kernel.errors import Invalid

if TYPE_CHECKING:
    from bahi.accounts.model import Egress
    from bahi.bootstrap import House
    from bahi.db.tx import Tx

app = typer.Typer(help="The addresses that calls leave from.", no_args_is_help=True)


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """Show addresses, and whose calls leave from each."""
    from bahi.accounts.service.addresses import list_egress  # noqa: PLC0415 - for who asks

    async def look(house: House) -> list[dict[str, Any]]:
        def read(tx: Tx) -> list[dict[str, Any]]:
            return [_told(tx, it) for it in list_egress(tx)]

        return await house.stores["main"].read(read, fresh=True)

    found = in_house(look)
    if as_json:
        show_json(found)
        return
    headings = ("address", "seen as", "person", "family told", "active", "accounts", "provider")
    names = ("address", "seen_as", "person", "family_declared", "active", "accounts", "provider")
    rows = [{**it, "accounts": ", ".join(it["accounts"])} for it in found]
    show_table(headings, [cells(*(row[name] for name in names)) for row in rows])


@app.command()
def add(
    address: Annotated[str, typer.Argument(help="An address of this machine: 192.168.1.7.")],
    *,
    public: Annotated[str | None, typer.Option(help="What a broker sees, where not that.")] = None,
    provider: Annotated[str | None, typer.Option(help="Who gives it.")] = None,
    description: Annotated[str | None, typer.Option(help="What to remember of it.")] = None,
    person: Annotated[str | None, typer.Option(help="Whose it is: a name or an id.")] = None,
    family_declared: Annotated[
        bool, typer.Option("--family-declared", help="The broker knows that a family shares it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Enter an address of this machine that calls may leave from."""
    from bahi.accounts.service.addresses import add_egress  # noqa: PLC0415

    async def enter(house: House) -> dict[str, Any]:
        def write(tx: Tx) -> dict[str, Any]:
            added = add_egress(
                tx,
                ME,
                address,
                house.clock(),
                public_address=public,
                provider=provider,
                description=description,
                person_id=None if person is None else person_named(tx, person).id,
                family_declared=family_declared,
            )
            return _told(tx, added)

        return await house.stores["main"].write(write)

    told = in_house(enter)
    if as_json:
        show_json(told)
    else:
        typer.echo(f"{told['address']} is entered.")


@app.command()
def bind(
    account: AccountName,
    address: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS]", help="As `bahi egress list` has it.")
    ] = None,
    *,
    nowhere: Annotated[
        bool, typer.Option("--none", help="Let its calls leave from anywhere.")
    ] = False,
    secondary: Annotated[
        bool, typer.Option("--secondary", help="The address that stands in for the first.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bind an account's calls to an address; what its broker may object to is said."""
    from bahi.accounts.service.addresses import bind as bind_to  # noqa: PLC0415

    if (address is None) is not nowhere:
        raise Invalid("Name an address, or say --none.")

    async def tie(house: House) -> list[str]:
        def write(tx: Tx) -> list[str]:
            egress_id = None if address is None else egress_named(tx, address).id
            account_id = account_named(tx, account).id
            return bind_to(tx, ME, account_id, egress_id, house.clock(), secondary=secondary)

        return await house.stores["main"].write(write)

    warnings = in_house(tie)
    if as_json:
        show_json({"account": account, "address": address, "warnings": warnings})
        return
    for warning in warnings:
        say(f"Warning: {warning}")
    typer.echo(f"The calls of {account} leave from {address or 'anywhere'} now.")


def _told(tx: Tx, egress: Egress) -> dict[str, Any]:
    from bahi.accounts.service.accounts import list_accounts  # noqa: PLC0415
    from bahi.accounts.service.people import get_person  # noqa: PLC0415

    person = None if egress.person_id is None else get_person(tx, ME, egress.person_id).name
    return {
        "id": str(egress.id),
        "address": egress.address,
        "seen_as": egress.seen_as,
        "provider": egress.provider,
        "description": egress.description,
        "person": person,
        "family_declared": egress.family_declared,
        "active": egress.is_active,
        "accounts": [
            it.name
            for it in list_accounts(tx, ME)
            if egress.id in {it.egress_address_id, it.secondary_egress_address_id}
        ],
    }
