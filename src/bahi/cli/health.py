"""`bahi health`: how the parts of the house are, now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from bahi.cli.terminal import AsJson, in_house, show_json, show_table
from bahi.kernel.words import Health

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.health.model import Report


def health(*, as_json: AsJson = False) -> None:
    """Ask every part of the house how it is; 1 when the house is unhealthy."""
    from bahi.health.service import look_around  # noqa: PLC0415 - for who asks

    async def ask(house: House) -> Report:
        return await look_around(house.checks)

    report = in_house(ask)
    if as_json:
        parts = {
            it.component: {
                "status": it.status,
                "response_time_ms": it.response_time_ms,
                "details": it.details,
            }
            for it in report.parts
        }
        show_json({"status": report.status, "parts": parts})
    else:
        rows = [(it.component, it.status, it.response_time_ms, it.details) for it in report.parts]
        show_table(("part", "status", "ms", "details"), rows)
        typer.echo(f"The house is {report.status}.")
    if report.status is Health.UNHEALTHY:
        raise typer.Exit(1)
