"""`bahi worker`: the house's work, done by a process of its own."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Final

import typer

from bahi.cli.terminal import in_house, settings
from bahi.cli.up import handling

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.telemetry.service import Logging

QUIET: Final = ("alembic", "httpcore", "httpx")


def worker() -> None:
    """Do the jobs that are due and keep the schedule; Ctrl-C stops it."""
    from bahi.telemetry.service import set_up_logging  # noqa: PLC0415 - `bahi --help` logs nothing

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the worker has its own
    known = settings()
    quiet = () if known.log_level == "DEBUG" else QUIET
    chain = set_up_logging(known.log_level, known.log_form, quiet=quiet)
    try:
        in_house(lambda house: _work(house, chain))
    except KeyboardInterrupt:
        sys.exit(0)


async def _work(house: House, chain: Logging) -> None:
    from bahi.worker.loop import worker_of  # noqa: PLC0415 - `bahi --help` needs no worker

    chain.keep_in(house.stores["logs"])
    try:
        await house.begin()
        hand = worker_of(house)
        with handling(lambda *_: hand.stop()):
            working = asyncio.create_task(hand.run())
            typer.echo(f"Bahi works on what lies in {house.settings.home}; Ctrl-C stops it.")
            await working
    finally:
        chain.keep_in(None)  # the stores are closed next
