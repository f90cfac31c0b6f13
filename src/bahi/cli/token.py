"""`bahi token`: the tokens of every application, and the run that makes them.

`run` and `resume` end with 0 when all are made, 1 when some are missing, 2 when a person has to
log in, and 3 when something failed that is no login.
"""

from __future__ import annotations

import csv
import sys
import traceback
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bahi.cli.morning import Came, Morning, Outcome
from bahi.cli.named import ME, account_named, application_named, cells, when
from bahi.cli.terminal import (
    AsJson,
    Yes,
    confirm,
    in_house,
    say,
    show_json,
    show_table,
    writing_to,
)
from bahi.kernel.errors import BahiError, NotFound
from bahi.kernel.words import TokenMode, parse

if TYPE_CHECKING:
    from bahi.accounts.model import Account
    from bahi.bootstrap import House
    from bahi.db.tx import Tx
    from bahi.tokens.model import Token
    from bahi.tokens.service.status import AccountStatus

app = typer.Typer(help="The tokens of every application, and their run.", no_args_is_help=True)

OneAccount = Annotated[
    str, typer.Option("--account", help="Its name; of several of that name, USER/NAME.")
]
OfAccount = Annotated[
    str | None,
    typer.Option("--account", help="One account; without it, every active one, in turn."),
]
Drive = Callable[[Morning, "Account"], Awaitable[Outcome]]


@app.command()
def run(
    *,
    account: OfAccount = None,
    mode: Annotated[
        str | None, typer.Option(help="ALL, INVALID_ONLY (as without it) or PARTIAL.")
    ] = None,
    api: Annotated[
        list[str] | None, typer.Option("--api", help="An application, for PARTIAL.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make tokens, one login at a time; ends with 0 all, 1 partial, 2 person needed, 3 fatal."""

    def drive(morning: Morning, it: Account) -> Awaitable[Outcome]:
        usual = TokenMode.PARTIAL if api else TokenMode.INVALID_ONLY
        wished = usual if mode is None else parse(TokenMode, mode, field="mode")
        return morning.begin(it, wished, api or ())

    _all_morning(account, drive, as_json=as_json)


@app.command()
def resume(*, account: OfAccount = None, as_json: AsJson = False) -> None:
    """Go on with what was interrupted; ends as `run` does."""
    _all_morning(account, lambda morning, it: morning.resume(it), as_json=as_json)


def _all_morning(name: str | None, drive: Drive, *, as_json: bool) -> None:
    """Drive runs to their end, and say by the exit code what they came to."""

    async def go(house: House) -> list[Outcome]:
        from bahi.cli.board import Board  # noqa: PLC0415 - for who looks at a run

        board = Board(house.clock)
        morning = Morning(house, board)
        with board.watching():
            return [await drive(morning, it) for it in await _accounts(house, name)]

    try:
        outcomes = in_house(go)
    except KeyboardInterrupt:
        say("Stopped here; `bahi token resume` goes on from where it was.")
        sys.exit(130)
    except BahiError as failure:
        say(str(failure))
        raise typer.Exit(Came.FATAL) from None
    except Exception:  # noqa: BLE001 - Python's own exit code for it, 1, would say "partial"
        traceback.print_exc()
        raise typer.Exit(Came.FATAL) from None
    came = max(it.came for it in outcomes)
    if as_json:
        show_json({"came": came.name.lower(), "runs": [it.as_words() for it in outcomes]})
    else:
        for outcome in outcomes:
            _tell(outcome)
    if came:
        raise typer.Exit(came)


def _tell(outcome: Outcome) -> None:
    name, wanted = outcome.account.name, len(outcome.run.apis)
    made = wanted - len(outcome.missing)
    typer.echo(f"{name}: {outcome.run.status}, {made} of {wanted} tokens are good.")
    for it in outcome.missing:
        typer.echo(f"  {it.api_name}: {it.why}")


async def _accounts(house: House, name: str | None) -> list[Account]:
    """Return the account that is named, or every active one that has applications."""
    from bahi.accounts.service.accounts import list_accounts  # noqa: PLC0415
    from bahi.accounts.service.applications import list_registrations  # noqa: PLC0415

    def read(tx: Tx) -> list[Account]:
        if name is not None:
            return [account_named(tx, name)]
        return [
            it for it in list_accounts(tx, ME) if it.is_active and list_registrations(tx, it.id)
        ]

    found = await house.stores["main"].read(read, fresh=True)
    if not found:
        raise NotFound(
            "No active account has an application; `bahi account app add` registers one."
        )
    return found


@app.command()
def status(
    *,
    account: OfAccount = None,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Tell by time alone; do not ask the brokers.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show every token: whether it is good, until when, and why not."""
    from bahi.tokens.service.status import summary  # noqa: PLC0415

    found = in_house(lambda house: _statuses(house, account, check=not no_check))
    counted = summary(found)
    if as_json:
        show_json({"summary": counted, "accounts": [_told(it) for it in found]})
        return
    rows = [
        cells(it.account, it.api_name, it.state, when(it.expires_at), it.leased_to, it.why)
        for each in found
        for it in each.tokens
    ]
    headings = ("account", "application", "state", "until (IST)", "lent to", "why")
    show_table(headings, rows)
    typer.echo(f"{counted['valid']} of {counted['total']} are valid.")


async def _statuses(house: House, name: str | None, *, check: bool) -> list[AccountStatus]:
    from bahi.tokens.service.status import status_of  # noqa: PLC0415

    account_id = None
    if name is not None:
        account_id = (await house.stores["main"].read(account_named, name, fresh=True)).id
    return await status_of(house.login_desk, ME, account_id=account_id, check=check)


def _told(it: AccountStatus) -> dict[str, Any]:
    run = it.run
    return {
        "account": it.account.name,
        "broker": it.account.broker,
        "cools_until": when(it.cools_until),
        "run": None
        if run is None
        else {
            "execution_id": run.execution_id,
            "mode": run.mode,
            "status": run.status,
            "next_api": run.next_api,
            "due_at": when(run.due_at),
            "updated_at": when(run.updated_at),
        },
        "tokens": [token.as_words() for token in it.tokens],
    }


@app.command()
def stop(*, account: OfAccount = None, as_json: AsJson = False) -> None:
    """Stop what runs before its next login."""
    from bahi.tokens.model import ENDED  # noqa: PLC0415

    async def halt(house: House) -> list[dict[str, str]]:
        stopped = []
        for it in await _accounts(house, account):
            newest = await house.runs.newest_run(ME, it.id)
            if newest is not None and newest.status not in ENDED:
                ended = await house.runs.stop(ME, it.id)
                stopped.append({"account": it.name, "execution_id": ended.execution_id})
        if not stopped:
            raise NotFound("There is no run that could be stopped.")
        return stopped

    stopped = in_house(halt)
    if as_json:
        show_json(stopped)
    else:
        for it in stopped:
            typer.echo(f"{it['account']}: the run stops before its next login.")


@app.command()
def revoke(
    *,
    account: OneAccount,
    api: Annotated[
        list[str] | None, typer.Option("--api", help="An application; without any, all.")
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """End tokens here and at the broker; what uses them stops."""
    confirm(f"The tokens of {account} end now, and what uses them stops. Go on?", yes=yes)

    async def end(house: House) -> list[dict[str, Any]]:
        def read(tx: Tx) -> list[tuple[int, str]]:
            meant = account_named(tx, account)
            return [(it.id, it.api_name) for it in _meant(tx, meant, api)]

        found = await house.stores["main"].read(read, fresh=True)
        return [
            {"api_name": name, "revoked": await house.login_desk.revoke(ME, api_id)}
            for api_id, name in found
        ]

    ended = in_house(end)
    if as_json:
        show_json(ended)
    else:
        for it in ended:
            typer.echo(f"{it['api_name']}: {'ended' if it['revoked'] else 'had no token'}")


def _meant(tx: Tx, account: Account, names: Sequence[str] | None) -> Sequence[Any]:
    from bahi.accounts.service.applications import list_registrations  # noqa: PLC0415

    if not names:
        return list_registrations(tx, account.id)
    return [application_named(tx, account, name) for name in names]


@app.command()
def history(
    *,
    account: OneAccount,
    api: Annotated[
        list[str] | None, typer.Option("--api", help="An application; without any, all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the tokens ever issued, the newest first; never the tokens themselves."""
    from bahi.tokens.service import book  # noqa: PLC0415

    async def look(house: House) -> list[dict[str, Any]]:
        def read(tx: Tx) -> list[dict[str, Any]]:
            meant = _meant(tx, account_named(tx, account), api)
            return [_issued(it.api_name, t) for it in meant for t in book.history(tx, it.id)]

        return await house.stores["main"].read(read, fresh=True)

    found = in_house(look)
    if as_json:
        show_json(found)
        return
    headings = ("application", "issued (IST)", "until (IST)", "active", "retired because", "print")
    rows = [cells(*{**it, "fingerprint": (it["fingerprint"] or "")[:12]}.values()) for it in found]
    show_table(headings, rows)


def _issued(api_name: str, token: Token) -> dict[str, Any]:
    return {
        "api_name": api_name,
        "generated_at": when(token.generated_at),
        "expires_at": when(token.expires_at),
        "active": token.is_active,
        "retired_because": token.retired_because,
        "fingerprint": token.fingerprint,
    }


@app.command()
def export(
    *,
    account: OfAccount = None,
    output: Annotated[
        Path | None, typer.Option(help="Into this file, yours alone; else standard output.")
    ] = None,
) -> None:
    """Write which tokens there are as CSV, for other programs; never the tokens themselves."""
    from bahi.tokens.service.status import CSV_HEAD, csv_rows  # noqa: PLC0415

    rows = csv_rows(in_house(lambda house: _statuses(house, account, check=False)))
    with writing_to(output) as file:
        csv.writer(file, lineterminator="\n").writerows([CSV_HEAD, *rows])
    say(f"{len(rows)} token{'s' * (len(rows) != 1)} written.")
