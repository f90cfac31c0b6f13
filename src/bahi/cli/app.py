"""The terminal door: every command, one file for each noun.

Exit codes: 0 done; 1 not done, or a check that found something, with a sentence on standard error;
2 not understood; 130 stopped by Ctrl-C (`bahi up`, `bahi worker` and `bahi quote --watch`
end with 0: that is how one stops them). `bahi token run` says more by its code, see there.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from bahi.cli import (
    account,
    alert,
    audit,
    backup,
    calendar,
    config,
    db,
    egress,
    erase,
    funds,
    health,
    instruments,
    job,
    key,
    keys,
    order,
    person,
    position,
    quote,
    risk,
    status,
    symbol,
    token,
    up,
    user,
    verify,
    webhook,
    worker,
)
from bahi.kernel.errors import BahiError

PRIVATE = 0o077
"""Whatever these commands make is its owner's alone."""

app = typer.Typer(
    help="The book-keeper, gatekeeper and switchboard of an algorithmic trading desk.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("up")(up.up)
db.app.add_typer(backup.app)
app.command("status")(status.status)
app.add_typer(order.app, name="order")
app.add_typer(position.app, name="position")
app.add_typer(funds.app, name="funds")
app.add_typer(risk.app, name="risk")
app.add_typer(symbol.app, name="symbol")
app.add_typer(quote.app, name="quote")
app.add_typer(db.app, name="db")
app.add_typer(keys.app, name="keys")
app.add_typer(user.app, name="user")
app.add_typer(key.app, name="key")
app.add_typer(person.app, name="person")
app.add_typer(account.app, name="account")
app.add_typer(egress.app, name="egress")
app.add_typer(erase.app, name="erase")
app.add_typer(token.app, name="token")
app.add_typer(audit.app, name="audit")
app.add_typer(config.app, name="config")
app.add_typer(calendar.app, name="calendar")
app.add_typer(instruments.app, name="instruments")
app.add_typer(job.app, name="job")
app.add_typer(alert.app, name="alert")
app.add_typer(webhook.app, name="webhook")
app.command("health")(health.health)
app.command("verify")(verify.verify)
app.command("worker")(worker.worker)


def _say_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"bahi {version('bahi')}")
        raise typer.Exit


@app.callback()
def bahi(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda it: _say_version(wanted=it),
            is_eager=True,
            help="Say which version this is.",
        ),
    ] = False,
) -> None:
    """Keep the books of a trading desk."""


@app.command()
def docs() -> None:
    """Write the pages that are generated from the code into docs/."""
    from bahi.cli.docs import write_pages  # noqa: PLC0415 - for who works on Bahi

    for file in write_pages(app):
        typer.echo(file)


def main() -> None:
    """Run a command; what is expected to go wrong is one sentence, never a traceback."""
    os.umask(PRIVATE)
    try:
        app(prog_name="bahi")
    except BahiError as failure:
        typer.echo(str(failure), err=True)
        sys.exit(1)
