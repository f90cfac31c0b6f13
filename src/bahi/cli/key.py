"""`bahi key`: the keys by which programs call."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bahi.cli.named import ME, AccountName, Owner, account_named, cells, owner, usernames, when
from bahi.cli.terminal import AsJson, in_house, say, show_json, show_table
from bahi.kernel.errors import Conflict, NotFound
from bahi.kernel.words import KeyScope, parse

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.db.tx import Tx
    from bahi.identity.model import ApiKey

app = typer.Typer(help="The keys by which programs call.", no_args_is_help=True)

LONGEST_DAYS: Final = 3650

KeyName = Annotated[
    str, typer.Argument(metavar="KEY", help="Its id or its name, as `bahi key list` has them.")
]


@app.command()
def issue(
    *,
    username: Owner = None,
    name: Annotated[str, typer.Option(help="What it is for.")] = "terminal",
    scope: Annotated[str, typer.Option(help="read, paper or trade.")] = "paper",
    account: Annotated[
        list[str] | None,
        typer.Option(help="An account that it opens; without any, all that its scope allows."),
    ] = None,
    default: Annotated[
        list[str] | None,
        typer.Option(help="The account meant where none is named: one paper, one live."),
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=LONGEST_DAYS, help="It ends after so many days.")
    ] = None,
    approval: Annotated[
        bool, typer.Option("--approval", help="A person lets its entries go out; exits pass.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Issue a key and show it, this once; what is stored of it cannot be read back."""
    from bahi.accounts.service.keys import issue_key  # noqa: PLC0415 - `bahi --help` needs none
    from bahi.bootstrap.ground import served_at  # noqa: PLC0415
    from bahi.identity.service.keys import PURPOSE, new_key  # noqa: PLC0415

    wished = parse(KeyScope, scope, field="scope")
    secret = new_key()

    async def enter(house: House) -> dict[str, Any]:
        user = await owner(house, username)
        digest, now = house.vault.digest(secret, PURPOSE), house.clock()

        def write(tx: Tx) -> dict[str, Any]:
            def ids(names: list[str]) -> list[int]:
                return [account_named(tx, it, user_id=user.id).id for it in names]

            key = issue_key(
                tx,
                ME,
                digest,
                now,
                user_id=user.id,
                name=name,
                scope=wished,
                accounts=ids(account) if account else None,
                defaults=ids(default or []),
                expires_at=None if days is None else now + timedelta(days=days),
                needs_approval=approval,
            )
            return _told(tx, key)

        host = served_at(house.settings.home) or house.settings.address
        paste = f'api(api_key="{secret}", host="{host}", ws_url="{_socket_of(host)}")'
        return {"key": secret, **await house.stores["main"].write(write), "paste": paste}

    made = in_house(enter)
    if as_json:
        show_json(made)
        return
    say(f"A key of {made['user']} with scope {made['scope']}, shown this once:")
    typer.echo(made["key"])
    say("For the openalgo client:")
    typer.echo(made["paste"])


@app.command("list")
def list_(
    *,
    username: Annotated[str | None, typer.Option("--user", help="Only this user's.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Those too that were revoked.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show keys and what they open; never the keys themselves."""
    from bahi.identity.service.keys import list_keys  # noqa: PLC0415

    async def look(house: House) -> list[dict[str, Any]]:
        user_id = None if username is None else (await owner(house, username)).id

        def read(tx: Tx) -> list[dict[str, Any]]:
            found = list_keys(tx, ME, user_id)
            return [_told(tx, it) for it in found if every or it.is_active]

        return await house.stores["main"].read(read, fresh=True)

    found = in_house(look)
    if as_json:
        show_json(found)
        return
    headings = ("key", "user", "name", "scope", "opens", "last used (IST)", "ends (IST)", "active")
    names = ("id", "user", "name", "scope", "opens", "last_used_at", "expires_at", "active")
    rows = [{**it, "opens": ", ".join(it["opens"])} for it in found]
    show_table(headings, [cells(*(row[name] for name in names)) for row in rows])


@app.command()
def revoke(key: KeyName, *, as_json: AsJson = False) -> None:
    """End a key; within a second it opens nothing in any process."""
    from bahi.identity.service.keys import revoke_key  # noqa: PLC0415

    async def end(house: House) -> dict[str, Any]:
        def write(tx: Tx) -> dict[str, Any]:
            return _told(tx, revoke_key(tx, ME, _key_named(tx, key).id, house.clock()))

        return await house.stores["main"].write(write)

    ended = in_house(end)
    if as_json:
        show_json(ended)
    else:
        typer.echo(f"Key {ended['id']} ({ended['name']}) opens nothing any more.")


@app.command("open")
def open_(key: KeyName, account: AccountName, *, as_json: AsJson = False) -> None:
    """Let a key open a further account of its owner."""
    from bahi.accounts.service.keys import open_with  # noqa: PLC0415

    async def widen(house: House) -> dict[str, Any]:
        def write(tx: Tx) -> dict[str, Any]:
            meant = _key_named(tx, key)
            opened = account_named(tx, account, user_id=meant.user_id)
            open_with(tx, ME, meant.id, opened.id, house.clock())
            return _told(tx, meant)

        return await house.stores["main"].write(write)

    told = in_house(widen)
    if as_json:
        show_json(told)
    else:
        typer.echo(f"Key {told['id']} ({told['name']}) opens {', '.join(told['opens'])}.")


def _socket_of(host: str) -> str:
    """Return where prices and order updates are pushed, beside the address of the service."""
    return f"{host.replace('http', 'ws', 1)}/ws"


def _key_named(tx: Tx, said: str) -> ApiKey:
    from bahi.identity.service.keys import list_keys  # noqa: PLC0415

    found = [it for it in list_keys(tx, ME) if said.strip() in {str(it.id), it.name}]
    found = [it for it in found if it.is_active or said.strip() == str(it.id)]
    if not found:
        raise NotFound(f"There is no key {said[:40]!r}; `bahi key list` shows them.")
    if len(found) > 1:
        ids = ", ".join(str(it.id) for it in found)
        raise Conflict(f"There are {len(found)} keys of that name; write one of {ids}.")
    return found[0]


def _told(tx: Tx, key: ApiKey) -> dict[str, Any]:
    from bahi.accounts.service.accounts import list_accounts  # noqa: PLC0415
    from bahi.accounts.service.keys import accounts_of  # noqa: PLC0415

    names = {it.id: it.name for it in list_accounts(tx, ME, deleted=True)}
    opens = {names[it]: mode for it, mode in accounts_of(tx, key.id).items() if it in names}
    return {
        "id": str(key.id),
        "user": usernames(tx).get(key.user_id, str(key.user_id)),
        "name": key.name,
        "scope": key.scope,
        "needs_approval": key.needs_approval,
        "goes_live": key.goes_live,
        "opens": opens,
        "active": key.is_active,
        "created_at": when(key.created_at),
        "last_used_at": when(key.last_used_at),
        "expires_at": when(key.expires_at),
    }
