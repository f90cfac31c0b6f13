"""`bahi account app`: the applications registered at a broker, their secrets sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bahi.cli.named import ME, AccountName, account_named, application_named, cells, when
from bahi.cli.terminal import (
    AsJson,
    FromStdin,
    Yes,
    ask_secret,
    confirm,
    in_house,
    say,
    show_json,
    show_table,
)
from bahi.kernel.errors import Invalid
from bahi.kernel.words import BrokerSlug

if TYPE_CHECKING:
    from bahi.accounts.model import Registration
    from bahi.accounts.service.applications import Secrets
    from bahi.bootstrap import House
    from bahi.db.tx import Tx

app = typer.Typer(help="Applications registered at an account's broker.", no_args_is_help=True)

ApiName = Annotated[str, typer.Argument(metavar="APP", help="Its name: PRIMARY.")]
ClientId = Annotated[
    str | None, typer.Option("--client-id", help="The client id, or API key, that goes with it.")
]
Redirect = Annotated[
    str | None, typer.Option("--redirect", help="Where its redirect goes, where not to Bahi.")
]
Pin = Annotated[bool, typer.Option("--pin", help="Ask for the PIN: Dhan logs in alone with it.")]
Totp = Annotated[bool, typer.Option("--totp", help="Ask for the TOTP secret, likewise.")]


@app.command("list")
def list_(account: AccountName, *, as_json: AsJson = False) -> None:
    """Show an account's applications in the order of their logins; no secrets."""
    from bahi.accounts.service.applications import list_registrations  # noqa: PLC0415

    async def look(house: House) -> list[Registration]:
        def read(tx: Tx) -> list[Registration]:
            return list_registrations(tx, account_named(tx, account).id)

        return await house.stores["main"].read(read, fresh=True)

    found = [_told(it) for it in in_house(look)]
    if as_json:
        show_json(found)
        return
    headings = ("application", "client id", "enabled", "logs in alone", "redirect")
    names = ("api_name", "client_id", "enabled", "logs_in_alone", "redirect_uri")
    show_table(headings, [cells(*(it[name] for name in names)) for it in found])


@app.command()
def add(
    account: AccountName,
    *,
    api_name: Annotated[
        str, typer.Option("--name", help="At Upstox one of the six; elsewhere any.")
    ] = "PRIMARY",
    client_id: ClientId = None,
    redirect: Redirect = None,
    no_secret: Annotated[
        bool, typer.Option("--no-secret", help="Only PIN and TOTP, as Dhan allows.")
    ] = False,
    pin: Pin = False,
    totp: Totp = False,
    disabled: Annotated[
        bool, typer.Option("--disabled", help="Leave it out of the morning's run.")
    ] = False,
    from_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Register an application; secret, PIN and TOTP secret are asked for in that order."""
    from bahi.accounts.service.applications import register  # noqa: PLC0415

    secrets = _asked(secret=not no_secret, pin=pin, totp=totp, from_stdin=from_stdin)

    async def enter(house: House) -> Registration:
        def write(tx: Tx) -> Registration:
            return register(
                tx,
                ME,
                house.vault,
                account_named(tx, account).id,
                house.clock(),
                secrets_=secrets,
                api_name=api_name,
                client_id=client_id,
                redirect_uri=redirect,
                enabled=not disabled,
            )

        return await house.stores["main"].write(write)

    _show(in_house(enter), f"is registered for {account}", as_json=as_json)


@app.command()
def change(
    account: AccountName,
    api_name: ApiName,
    *,
    client_id: ClientId = None,
    redirect: Redirect = None,
    secret: Annotated[bool, typer.Option("--secret", help="Ask for a new secret.")] = False,
    pin: Pin = False,
    totp: Totp = False,
    enabled: Annotated[
        bool | None,
        typer.Option("--enabled/--disabled", help="Whether the morning's run makes it."),
    ] = None,
    from_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Change what is given of an application; secrets are asked for, never arguments."""
    from bahi.accounts.service.applications import change_registration  # noqa: PLC0415

    if not (secret or pin or totp) and (client_id, redirect, enabled) == (None, None, None):
        raise Invalid("Say what to change; `bahi account app change --help` lists what can be.")
    secrets = _asked(secret=secret, pin=pin, totp=totp, from_stdin=from_stdin)

    async def alter(house: House) -> Registration:
        def write(tx: Tx) -> Registration:
            meant = application_named(tx, account_named(tx, account), api_name)
            return change_registration(
                tx,
                ME,
                house.vault,
                meant.id,
                house.clock(),
                secrets_=secrets,
                client_id=client_id,
                redirect_uri=redirect,
                enabled=enabled,
            )

        return await house.stores["main"].write(write)

    _show(in_house(alter), "is changed", as_json=as_json)


@app.command()
def remove(
    account: AccountName, api_name: ApiName, *, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Remove an application, and its tokens with it."""
    from bahi.accounts.service.applications import remove_registration  # noqa: PLC0415

    confirm(f"{api_name} of {account} goes for good, with its tokens. Go on?", yes=yes)

    async def take_out(house: House) -> Registration:
        def write(tx: Tx) -> Registration:
            meant = application_named(tx, account_named(tx, account), api_name)
            remove_registration(tx, ME, meant.id, house.clock())
            return meant

        return await house.stores["main"].write(write)

    _show(in_house(take_out), "is removed", as_json=as_json)


@app.command()
def notifier(account: AccountName, api_name: ApiName, *, as_json: AsJson = False) -> None:
    """Make the secret address at which Upstox may report tokens; the one before it ends."""
    from bahi.accounts.service.applications import (  # noqa: PLC0415
        NOTIFIER_PURPOSE,
        new_notifier,
        notifier_secret,
    )

    secret = notifier_secret()

    async def make(house: House) -> str:
        digest = house.vault.digest(secret, NOTIFIER_PURPOSE)

        def write(tx: Tx) -> None:
            owner = account_named(tx, account)
            if owner.broker is not BrokerSlug.UPSTOX:
                raise Invalid(f"{owner.name!r} is at {owner.broker}; only Upstox has a notifier.")
            meant = application_named(tx, owner, api_name)
            new_notifier(tx, ME, meant.id, digest, house.clock())

        await house.stores["main"].write(write)
        return f"{house.settings.address}/auth/notify/upstox/{secret}"

    address = in_house(make)
    if as_json:
        show_json({"account": account, "api_name": api_name, "notifier": address})
    else:
        say("Enter this as the notifier webhook on Upstox's developer page; shown this once:")
        typer.echo(address)


def _asked(*, secret: bool, pin: bool, totp: bool, from_stdin: bool) -> Secrets:
    from bahi.accounts.service.applications import Secrets  # noqa: PLC0415

    def given(what: str, *, wanted: bool) -> str | None:
        return ask_secret(what, from_stdin=from_stdin) if wanted else None

    return Secrets(
        secret=given("secret", wanted=secret),
        pin=given("pin", wanted=pin),
        totp=given("totp", wanted=totp),
    )


def _show(registration: Registration, what: str, *, as_json: bool) -> None:
    if as_json:
        show_json(_told(registration))
    else:
        typer.echo(f"{registration.api_name} {what}.")


def _told(registration: Registration) -> dict[str, Any]:
    return {
        "id": str(registration.id),
        "api_name": registration.api_name,
        "api_index": registration.api_index,
        "client_id": registration.client_id,
        "redirect_uri": registration.redirect_uri,
        "primary": registration.is_primary,
        "enabled": registration.enabled,
        "has_secret": registration.has_secret,
        "logs_in_alone": registration.logs_in_alone,
        "created_at": when(registration.created_at),
        "updated_at": when(registration.updated_at),
    }
