"""`bahi alert`: what somebody must look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bahi.cli.terminal import AsJson, in_house, show_json, show_table
from bahi.kernel.actor import the_house
from bahi.kernel.clock import ist_text
from bahi.kernel.ids import parse_id

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.bootstrap.alerts import Kept
    from bahi.notify.model import Alert

app = typer.Typer(help="What somebody must look at.", no_args_is_help=True)

WHO = the_house("terminal")


@app.command("list")
def list_(
    *,
    every: Annotated[bool, typer.Option("--all", help="Those too that were taken on.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show alerts: the open ones, the newest first."""
    from bahi.bootstrap.alerts import alerts_of  # noqa: PLC0415 - for who asks

    async def look(house: House) -> list[Kept]:
        return await alerts_of(house, WHO, limit=limit, only_open=None if every else True)

    found = in_house(look)
    if as_json:
        show_json([_said(store, it) for store, it in found])
        return
    rows = [(it.id, it.severity, ist_text(it.raised_at), _in_words(it)) for _, it in found]
    show_table(("id", "severity", "since", "what"), rows)


@app.command()
def ack(
    alert_id: Annotated[str, typer.Argument(metavar="ID", help="The alert, as the list has it.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Take an alert on, so that it is not open any more."""
    from bahi.bootstrap.alerts import take_on  # noqa: PLC0415

    wanted = parse_id(alert_id)

    async def take(house: House) -> Kept:
        return await take_on(house, WHO, wanted)

    store, done = in_house(take)
    if as_json:
        show_json(_said(store, done))
    else:
        typer.echo(f"Alert {done.id} is taken on by {_who(done)}.")


def _who(it: Alert) -> str:
    return it.acknowledged_by or ""


def _in_words(it: Alert) -> str:
    times = f" ({it.times} times)" if it.times > 1 else ""
    taken = "" if it.is_open else f" [{_who(it)}]"
    return f"{it.source}: {it.message}{times}{taken}"


def _said(store: str, it: Alert) -> dict[str, Any]:
    return {
        "id": str(it.id),
        "store": store,
        "severity": it.severity,
        "source": it.source,
        "message": it.message,
        "details": it.details,
        "topic": it.topic,
        "times": it.times,
        "raised_at": ist_text(it.raised_at),
        "acknowledged_by": it.acknowledged_by,
    }
