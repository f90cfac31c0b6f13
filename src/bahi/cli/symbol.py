"""`bahi symbol`: what is listed, by what people type; the words of `bahi instruments`, sooner."""

from __future__ import annotations

import typer

from bahi.cli import instruments

app = typer.Typer(help="What is listed: search, show, expiries, chain.", no_args_is_help=True)
for command in (instruments.search, instruments.show, instruments.expiries, instruments.chain):
    app.command()(command)
