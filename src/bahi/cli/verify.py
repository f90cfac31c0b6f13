"""`bahi verify`: are the books right? Every figure against the facts that it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from bahi.cli.terminal import AsJson, in_house, say, show_json

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.bootstrap.verifying import Found


def verify(*, as_json: AsJson = False) -> None:
    """Check every book, order and trail against its facts; 1 when one is not as they make it."""
    found = in_house(_examine)
    if as_json:
        show_json(
            {
                "good": not found,
                "findings": [
                    {
                        "store": it.store,
                        "fault": it.fault,
                        "account": None if it.account_id is None else str(it.account_id),
                        "subject": it.subject,
                        "sentence": it.sentence,
                    }
                    for it in found
                ],
            }
        )
    else:
        _tell(found)
    if found:
        raise typer.Exit(1)


async def _examine(house: House) -> list[Found]:
    from rich.console import Console  # noqa: PLC0415 - for who asks
    from rich.progress import Progress, TaskID  # noqa: PLC0415

    from bahi.bootstrap.verifying import verify_house  # noqa: PLC0415

    console = Console(stderr=True)
    tasks: dict[str, TaskID] = {}
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:

        def tell(part: str, done: int, of: int | None) -> None:
            if part not in tasks:
                tasks[part] = bar.add_task(part, total=of)
            bar.update(tasks[part], completed=done, total=of)

        return [it async for it in verify_house(house, tell)]


def _tell(found: list[Found]) -> None:
    if not found:
        typer.echo("Every book, order and trail is what its facts make it.")
        return
    for it in found:
        typer.echo(f"{it.store}: {it.fault}: {it.sentence}")
    say(f"{len(found)} finding{'s' * (len(found) != 1)}.")
