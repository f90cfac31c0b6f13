"""`bahi account`: accounts at brokers and on paper; what is registered for them is in `app`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bahi.cli import application
from bahi.cli.named import (
    ME,
    AccountName,
    Owner,
    account_named,
    cells,
    owner,
    person_named,
    usernames,
    when,
)
from bahi.cli.terminal import AsJson, in_house, show_json, show_table
from bahi.kernel.errors import Invalid
from bahi.kernel.money import parse_money, plain
from bahi.kernel.words import AccountMode, BrokerSlug, CopyRole, parse

if TYPE_CHECKING:
    from datetime import datetime

    from bahi.accounts.model import Account
    from bahi.accounts.service.accounts import Wished
    from bahi.bootstrap import House
    from bahi.db.tx import Tx

app = typer.Typer(help="Accounts at brokers and on paper.", no_args_is_help=True)
app.add_typer(application.app, name="app")

PersonName = Annotated[
    str | None,
    typer.Option("--person", help="Whose money it is: a name or an id; empty: nobody's."),
]
Host = Annotated[str | None, typer.Option("--host", help="Where an OpenAlgo host listens.")]
Socket = Annotated[str | None, typer.Option("--websocket", help="Its address for streams.")]
BrokerUser = Annotated[
    str | None, typer.Option("--broker-user", help="The client id that the broker gave.")
]
CopyRoleName = Annotated[
    str | None, typer.Option("--copy-role", help="leader or follower; empty: neither.")
]
Ddpi = Annotated[
    bool | None, typer.Option("--ddpi/--no-ddpi", help="Whether shares may be sold without TPIN.")
]


@app.command("list")
def list_(
    *,
    broker: Annotated[str | None, typer.Option(help="Only at this broker.")] = None,
    removed: Annotated[
        bool, typer.Option("--removed", help="Those too that were removed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show accounts."""
    from bahi.accounts.service.accounts import list_accounts  # noqa: PLC0415 - for who asks

    at = None if broker is None else parse(BrokerSlug, broker, field="broker")

    async def look(house: House) -> list[dict[str, Any]]:
        def read(tx: Tx) -> list[dict[str, Any]]:
            return [_told(tx, it) for it in list_accounts(tx, ME, broker=at, deleted=removed)]

        return await house.stores["main"].read(read, fresh=True)

    found = in_house(look)
    if as_json:
        show_json(found)
        return
    headings = ("name", "user", "broker", "mode", "person", "primary", "active", "connection")
    names = (*headings[:7], "connection_status")
    show_table(headings, [cells(*(it[name] for name in names)) for it in found])


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What to call it: at least three characters.")],
    *,
    broker: Annotated[
        str, typer.Option(help="kite, upstox, dhan, breeze, angel, openalgo or paper.")
    ],
    username: Owner = None,
    person: PersonName = None,
    mode: Annotated[str | None, typer.Option(help="live or paper, as the broker is.")] = None,
    cash: Annotated[
        str | None, typer.Option(help="Rupees that a paper account starts with: one crore else.")
    ] = None,
    host: Host = None,
    socket: Socket = None,
    broker_user: BrokerUser = None,
    copy_role: CopyRoleName = None,
    primary: Annotated[bool, typer.Option("--primary", help="The one that is meant.")] = False,
    ddpi: Ddpi = None,
    as_json: AsJson = False,
) -> None:
    """Enter an account of a user."""
    from bahi.accounts.service.accounts import add_account  # noqa: PLC0415

    at = parse(BrokerSlug, broker, field="broker")
    wished_mode = None if mode is None else parse(AccountMode, mode, field="mode")
    opening = None if cash is None else parse_money(cash, "cash")

    async def enter(house: House) -> dict[str, Any]:
        user = await owner(house, username)

        def write(tx: Tx) -> dict[str, Any]:
            wished = _wished(
                tx,
                person=person,
                copy_role=copy_role,
                host=host,
                socket=socket,
                broker_user=broker_user,
                ddpi=ddpi,
            )
            wished["name"] = name
            wished["is_primary"] = primary
            added = add_account(
                tx,
                ME,
                at,
                wished,
                house.clock(),
                user_id=user.id,
                mode=wished_mode,
                opening_cash=opening,
            )
            return _told(tx, added)

        return await house.stores["main"].write(write)

    _show(in_house(enter), "is entered", as_json=as_json)


@app.command()
def show(name: AccountName, *, as_json: AsJson = False) -> None:
    """Show everything about one account."""

    async def look(house: House) -> dict[str, Any]:
        def read(tx: Tx) -> dict[str, Any]:
            return _told(tx, account_named(tx, name))

        return await house.stores["main"].read(read, fresh=True)

    told = in_house(look)
    if as_json:
        show_json(told)
    else:
        told["applications"] = ", ".join(told["applications"])
        show_table(("what", ""), [cells(*it) for it in told.items() if it[1] not in {None, ""}])


@app.command()
def change(
    name: AccountName,
    *,
    new_name: Annotated[str | None, typer.Option("--name", help="A new name.")] = None,
    person: PersonName = None,
    host: Host = None,
    socket: Socket = None,
    broker_user: BrokerUser = None,
    copy_role: CopyRoleName = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Whether it is used.")
    ] = None,
    ddpi: Ddpi = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given of an account."""
    from bahi.accounts.service.accounts import update_account  # noqa: PLC0415

    def write(tx: Tx, account: Account, now: datetime) -> Account:
        wished = _wished(
            tx,
            person=person,
            copy_role=copy_role,
            host=host,
            socket=socket,
            broker_user=broker_user,
            ddpi=ddpi,
        )
        if new_name is not None:
            wished["name"] = new_name
        if active is not None:
            wished["is_active"] = active
        if not wished:
            raise Invalid("Say what to change; `bahi account change --help` lists what can be.")
        return update_account(tx, ME, account.id, wished, now)

    _alter(name, write, "is changed", as_json=as_json)


@app.command()
def primary(name: AccountName, *, as_json: AsJson = False) -> None:
    """Make an account the one that is meant where its user names none."""
    from bahi.accounts.service.accounts import update_account  # noqa: PLC0415

    def write(tx: Tx, account: Account, now: datetime) -> Account:
        return update_account(tx, ME, account.id, {"is_primary": True}, now)

    _alter(name, write, "is the primary one of its user", as_json=as_json)


@app.command()
def remove(name: AccountName, *, as_json: AsJson = False) -> None:
    """Remove an account softly: it is used no more, its books stay."""
    from bahi.accounts.service.accounts import delete_account  # noqa: PLC0415

    def write(tx: Tx, account: Account, now: datetime) -> Account:
        delete_account(tx, ME, account.id, now)
        return account_named(tx, str(account.id), removed=True)

    what = "is removed; `bahi account restore` brings it back"
    _alter(name, write, what, as_json=as_json)


@app.command()
def restore(name: AccountName, *, as_json: AsJson = False) -> None:
    """Bring a removed account back."""
    from bahi.accounts.service.accounts import restore_account  # noqa: PLC0415

    def write(tx: Tx, account: Account, now: datetime) -> Account:
        return restore_account(tx, ME, account.id, now)

    _alter(name, write, "is back", as_json=as_json, removed=True)


@app.command()
def reset(
    name: AccountName,
    *,
    cash: Annotated[
        str | None, typer.Option(help="Rupees to begin with; else what it began with first.")
    ] = None,
    flatten: Annotated[
        bool, typer.Option("--flatten", help="Take back what works and close what is open first.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let a paper account begin anew with its capital; what it did stays written."""
    from bahi.bootstrap.resetting import reset_account  # noqa: PLC0415 - for who asks

    capital = None if cash is None else parse_money(cash, "cash")

    async def begin(house: House) -> dict[str, Any]:
        account = await house.stores["main"].read(account_named, name, fresh=True)
        book = await reset_account(house, ME, account.id, capital, flat=flatten)
        return {"name": account.name, "cash": plain(book.cash)}

    told = in_house(begin)
    _show(told, f"begins anew with {told['cash']} rupees", as_json=as_json)


def _alter(
    name: str,
    change_it: Callable[[Tx, Account, datetime], Account],
    what: str,
    *,
    as_json: bool,
    removed: bool = False,
) -> None:
    """Do one thing to one account, and say that it is done."""

    async def alter(house: House) -> dict[str, Any]:
        def write(tx: Tx) -> dict[str, Any]:
            account = account_named(tx, name, removed=removed)
            return _told(tx, change_it(tx, account, house.clock()))

        return await house.stores["main"].write(write)

    _show(in_house(alter), what, as_json=as_json)


def _wished(
    tx: Tx,
    *,
    person: str | None,
    copy_role: str | None,
    host: str | None,
    socket: str | None,
    broker_user: str | None,
    ddpi: bool | None,
) -> Wished:
    wished: Wished = {}
    if person is not None:
        wished["person_id"] = person_named(tx, person).id if person else None
    if copy_role is not None:
        role = parse(CopyRole, copy_role, field="copy-role") if copy_role else None
        wished["copy_role"] = role
    if host is not None:
        wished["host_url"] = host
    if socket is not None:
        wished["websocket_url"] = socket
    if broker_user is not None:
        wished["broker_user_id"] = broker_user.strip() or None
    if ddpi is not None:
        wished["has_ddpi"] = ddpi
    return wished


def _show(told: dict[str, Any], what: str, *, as_json: bool) -> None:
    if as_json:
        show_json(told)
    else:
        typer.echo(f"{told['name']} {what}.")


def _told(tx: Tx, account: Account) -> dict[str, Any]:
    from bahi.accounts.service.addresses import get_egress  # noqa: PLC0415
    from bahi.accounts.service.applications import list_registrations  # noqa: PLC0415
    from bahi.accounts.service.people import get_person  # noqa: PLC0415

    def address(egress_id: int | None) -> str | None:
        return None if egress_id is None else get_egress(tx, egress_id).address

    person = None if account.person_id is None else get_person(tx, ME, account.person_id).name
    return {
        "id": str(account.id),
        "name": account.name,
        "user": usernames(tx)[account.user_id],
        "person": person,
        "broker": account.broker,
        "mode": account.mode,
        "copy_role": account.copy_role,
        "broker_user_id": account.broker_user_id,
        "broker_user_name": account.broker_user_name,
        "host": account.host_url,
        "websocket": account.websocket_url,
        "primary": account.is_primary,
        "active": account.is_active,
        "ddpi": account.has_ddpi,
        "opening_cash": None if account.opening_cash is None else plain(account.opening_cash),
        "egress": address(account.egress_address_id),
        "secondary_egress": address(account.secondary_egress_address_id),
        "connection_status": account.connection_status,
        "last_connected_at": when(account.last_connected_at),
        "applications": [it.api_name for it in list_registrations(tx, account.id)],
        "removed_at": when(account.deleted_at),
    }
