"""`bahi user`: who may use the system, and how they get in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bahi.cli.named import ME, UserName, cells, user_named, usernames, when
from bahi.cli.terminal import AsJson, FromStdin, ask_secret, in_house, say, show_json, show_table
from bahi.kernel.errors import Invalid
from bahi.kernel.ids import parse_id
from bahi.kernel.words import Role, parse

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.db.tx import Tx
    from bahi.identity.model import Session, User

app = typer.Typer(help="Who may use the system, and how they get in.", no_args_is_help=True)

RoleName = Annotated[str | None, typer.Option("--role", help="admin, trader or viewer.")]
Email = Annotated[str | None, typer.Option(help="Where to write to them; empty: nowhere.")]


@app.command("list")
def list_(
    *,
    removed: Annotated[
        bool, typer.Option("--removed", help="Those too that were removed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show everybody who may use the system."""
    from bahi.identity.service.users import list_users  # noqa: PLC0415 - for who asks

    async def look(house: House) -> list[User]:
        def read(tx: Tx) -> list[User]:
            return list_users(tx, deleted=removed)

        return await house.stores["main"].read(read, fresh=True)

    found = [_told(it) for it in in_house(look)]
    if as_json:
        show_json(found)
        return
    headings = ("name", "role", "active", "two factors", "last here (IST)", "e-mail")
    names = ("username", "role", "active", "two_factor", "last_login_at", "email")
    show_table(headings, [cells(*(it[name] for name in names)) for it in found])


@app.command()
def add(
    username: UserName,
    *,
    email: Email = None,
    role: RoleName = "trader",
    password: Annotated[
        bool, typer.Option("--password", help="Ask for a password; else `bahi user link`.")
    ] = False,
    from_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Add a user; one without a password gets in by a link."""
    from bahi.identity.model import parse_username  # noqa: PLC0415
    from bahi.identity.service.users import create_user  # noqa: PLC0415

    wished, name = parse(Role, role or "trader", field="role"), parse_username(username)
    secret = ask_secret("password", from_stdin=from_stdin, twice=True) if password else None

    async def enter(house: House) -> User:
        await house.furnish()
        hashed = None if secret is None else await house.sign_in.hash(secret, name)

        def write(tx: Tx) -> User:
            return create_user(
                tx, ME, name, house.clock(), email=email, role=wished, password_hash=hashed
            )

        return await house.stores["main"].write(write)

    _show(in_house(enter), "is added", as_json=as_json)


@app.command()
def show(username: UserName, *, as_json: AsJson = False) -> None:
    """Show everything about one user."""

    async def look(house: House) -> User:
        return await house.stores["main"].read(user_named, username, fresh=True)

    told = _told(in_house(look))
    if as_json:
        show_json(told)
    else:
        show_table(("what", ""), [cells(*it) for it in told.items() if it[1] is not None])


@app.command()
def change(
    username: UserName,
    *,
    email: Email = None,
    role: RoleName = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Whether they may come in.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given of a user."""
    from bahi.identity.service.users import update_user  # noqa: PLC0415

    if email is None and role is None and active is None:
        raise Invalid("Say what to change: --email, --role, --active or --inactive.")
    wished = None if role is None else parse(Role, role, field="role")

    async def alter(house: House) -> User:
        def write(tx: Tx) -> User:
            user, now = user_named(tx, username), house.clock()
            return update_user(tx, ME, user.id, now, email=email, role=wished, is_active=active)

        return await house.stores["main"].write(write)

    _show(in_house(alter), "is changed", as_json=as_json)


@app.command()
def remove(username: UserName, *, as_json: AsJson = False) -> None:
    """Remove a user softly: nothing of theirs opens any more, and their traces stay."""
    from bahi.identity.service.users import delete_user, get_user  # noqa: PLC0415

    async def take_out(house: House) -> User:
        def write(tx: Tx) -> User:
            user = user_named(tx, username)
            delete_user(tx, ME, user.id, house.clock())
            return get_user(tx, user.id)

        return await house.stores["main"].write(write)

    _show(in_house(take_out), "is removed; `bahi user restore` brings them back", as_json=as_json)


@app.command()
def restore(username: UserName, *, as_json: AsJson = False) -> None:
    """Bring a removed user back; keys and sessions stay ended."""
    from bahi.identity.service.users import restore_user  # noqa: PLC0415

    async def bring_back(house: House) -> User:
        def write(tx: Tx) -> User:
            user = user_named(tx, username, removed=True)
            return restore_user(tx, ME, user.id, house.clock())

        return await house.stores["main"].write(write)

    _show(in_house(bring_back), "is back", as_json=as_json)


@app.command()
def password(username: UserName, *, from_stdin: FromStdin = False, as_json: AsJson = False) -> None:
    """Set a user's password, which ends their sessions; it is asked for, never an argument."""
    from bahi.identity.service.users import update_user  # noqa: PLC0415

    secret = ask_secret("password", from_stdin=from_stdin, twice=True)

    async def alter(house: House) -> User:
        main = house.stores["main"]
        user = await main.read(user_named, username, fresh=True)
        hashed = await house.sign_in.hash(secret, user.username)

        def write(tx: Tx) -> User:
            return update_user(tx, ME, user.id, house.clock(), password_hash=hashed)

        return await main.write(write)

    _show(in_house(alter), "has a new password", as_json=as_json)


@app.command()
def link(username: UserName, *, as_json: AsJson = False) -> None:
    """Print the address of a link that signs a user in once, within a day."""

    async def make(house: House) -> tuple[User, str]:
        await house.furnish()
        user = await house.stores["main"].read(user_named, username, fresh=True)
        token = await house.sign_in.make_link(ME, user.id)
        return user, f"{house.settings.address}/welcome/{token}"

    user, address = in_house(make)
    if as_json:
        show_json({"username": user.username, "link": address})
    else:
        say(f"This signs {user.username} in once, within a day, while `bahi up` runs:")
        typer.echo(address)


@app.command()
def totp(
    username: UserName,
    *,
    off: Annotated[bool, typer.Option("--off", help="Ask for no codes any more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask a user for one-time codes from now on: prints the device's secret, takes one code."""
    in_house(lambda house: _without_codes(house, username) if off else _with_codes(house, username))
    if as_json:
        show_json({"username": username.strip().lower(), "two_factor": not off})
    else:
        typer.echo(f"{username} signs in {'without' if off else 'with'} one-time codes now.")


async def _with_codes(house: House, username: str) -> None:
    from bahi.identity.service.sign_in import check_totp  # noqa: PLC0415
    from bahi.identity.service.users import set_totp  # noqa: PLC0415
    from bahi.kernel.totp import new_secret, uri_of  # noqa: PLC0415

    main = house.stores["main"]
    user = await main.read(user_named, username, fresh=True)
    secret = new_secret()
    say("Enter this in the app that makes the codes, then type the code that it shows:")
    say(uri_of(secret, user.username))
    check_totp(secret, ask_secret("code"), house.clock())
    sealed = house.vault.seal(secret, table="users", column="totp_enc", row_id=user.id)
    await main.write(set_totp, ME, user.id, sealed, house.clock())


async def _without_codes(house: House, username: str) -> None:
    from bahi.identity.service.users import set_totp  # noqa: PLC0415

    def write(tx: Tx) -> None:
        set_totp(tx, ME, user_named(tx, username).id, None, house.clock())

    await house.stores["main"].write(write)


@app.command()
def sessions(
    username: Annotated[
        str | None, typer.Argument(metavar="[USER]", help="One user's; without it, everybody's.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show who is signed in, and from where."""
    from bahi.identity.service.sign_in import list_sessions  # noqa: PLC0415

    async def look(house: House) -> list[dict[str, Any]]:
        def read(tx: Tx) -> list[dict[str, Any]]:
            user_id = None if username is None else user_named(tx, username).id
            names = usernames(tx)
            found = list_sessions(tx, ME, house.clock(), user_id)
            return [_told_of(it, names[it.user_id]) for it in found]

        return await house.stores["main"].read(read, fresh=True)

    found = in_house(look)
    if as_json:
        show_json(found)
        return
    headings = ("session", "user", "address", "since (IST)", "last (IST)", "ends (IST)", "browser")
    show_table(headings, [cells(*it.values()) for it in found])


@app.command("sign-out")
def sign_out(
    session: Annotated[
        str | None, typer.Argument(metavar="[SESSION]", help="As `bahi user sessions` names it.")
    ] = None,
    *,
    username: Annotated[str | None, typer.Option("--user", help="All sessions of a user.")] = None,
    as_json: AsJson = False,
) -> None:
    """End one session, or all of a user."""
    from bahi.identity.service.sign_in import list_sessions, revoke_session  # noqa: PLC0415

    if (session is None) is (username is None):
        raise Invalid("Name a session, or a user with --user.")
    one = None if session is None else parse_id(session, "session")

    async def end(house: House) -> int:
        def write(tx: Tx) -> int:
            now = house.clock()
            if one is not None:
                ids = [one]
            else:
                user = user_named(tx, username or "")
                ids = [it.id for it in list_sessions(tx, ME, now, user.id)]
            for session_id in ids:
                revoke_session(tx, ME, session_id, now)
            return len(ids)

        return await house.stores["main"].write(write)

    ended = in_house(end)
    if as_json:
        show_json({"ended": ended})
    else:
        typer.echo(f"{ended} session{'s' * (ended != 1)} ended.")


def _show(user: User, what: str, *, as_json: bool) -> None:
    if as_json:
        show_json(_told(user))
    else:
        typer.echo(f"{user.username} {what}.")


def _told(user: User) -> dict[str, Any]:
    return {
        "id": str(user.id),
        "username": user.username,
        "email": user.email,
        "role": user.role,
        "active": user.is_active,
        "has_password": user.has_password,
        "two_factor": user.has_totp,
        "last_login_at": when(user.last_login_at),
        "created_at": when(user.created_at),
        "removed_at": when(user.deleted_at),
    }


def _told_of(session: Session, username: str) -> dict[str, Any]:
    return {
        "id": str(session.id),
        "username": username,
        "address": session.ip_address,
        "created_at": when(session.created_at),
        "last_activity_at": when(session.last_activity_at),
        "expires_at": when(session.expires_at),
        "agent": session.user_agent,
    }
