"""`bahi audit`: who did what, and the proof that nobody changed it since."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bahi.cli.named import ME, cells, user_named, when
from bahi.cli.terminal import AsJson, in_house, progress, say, show_json, show_table, writing_to
from bahi.kernel.errors import NotFound

if TYPE_CHECKING:
    from bahi.audit.model import Entry, Verdict
    from bahi.bootstrap import House

app = typer.Typer(help="Who did what, and the proof of it.", no_args_is_help=True)


class Trail(StrEnum):
    """A store that has a trail of its own."""

    MAIN = "main"
    SANDBOX = "sandbox"


OneTrail = Annotated[Trail, typer.Option("--store", help="Whose trail.")]
EveryTrail = Annotated[
    Trail | None, typer.Option("--store", help="One store's trail; without it, both.")
]


@app.command()
def verify(*, store: EveryTrail = None, as_json: AsJson = False) -> None:
    """Check every row against its seal; 1 when one is not as it was sealed."""
    from bahi.audit.service import verify as check  # noqa: PLC0415 - for who asks

    async def examine(house: House) -> list[Verdict]:
        found = []
        for trail in _chosen(store):
            with progress(f"Verifying {trail}", None) as more:
                found.append(
                    await check(
                        house.stores[trail],
                        house.stores["archive"],
                        house.vault,
                        folder=house.settings.home,
                        now=house.clock(),
                        tell=_steps(more),
                    )
                )
        return found

    verdicts = in_house(examine)
    if as_json:
        show_json([_judged(it) for it in verdicts])
    else:
        for verdict in verdicts:
            _tell(verdict)
    if not all(it.is_good for it in verdicts):
        raise typer.Exit(1)


def _steps(more: Callable[[int], None]) -> Callable[[int], None]:
    """Turn how many rows were read so far into how many more they are."""
    seen = 0

    def tell(rows: int) -> None:
        nonlocal seen
        more(rows - seen)
        seen = rows

    return tell


def _tell(verdict: Verdict) -> None:
    checked = f"{verdict.rows} rows under {verdict.seals} seals"
    if verdict.is_good:
        typer.echo(f"{verdict.store}: {checked} are as they were sealed.")
    else:
        many = len(verdict.findings)
        typer.echo(f"{verdict.store}: of {checked}, {many} finding{'s' * (many != 1)}:")
    for finding in verdict.findings:
        typer.echo(f"  {finding.sentence}")
    for remark in verdict.notes:
        say(f"  {remark}")


def _judged(verdict: Verdict) -> dict[str, Any]:
    return {
        "store": verdict.store,
        "good": verdict.is_good,
        "seals": verdict.seals,
        "rows": verdict.rows,
        "unsealed": verdict.unsealed,
        "findings": [
            {
                "what": it.what,
                "seal": None if it.seal_no is None else str(it.seal_no),
                "row": None if it.audit_id is None else str(it.audit_id),
                "sentence": it.sentence,
            }
            for it in verdict.findings
        ],
        "notes": list(verdict.notes),
    }


@app.command()
def show(
    *,
    store: OneTrail = Trail.MAIN,
    entity: Annotated[
        tuple[str, str] | None, typer.Option(metavar="TYPE ID", help="Only about this thing.")
    ] = None,
    username: Annotated[str | None, typer.Option("--user", help="Only what they did.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this: create, login, ...")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what was done, the newest first."""
    from bahi.audit.service import recent  # noqa: PLC0415

    kind, entity_id = entity or (None, None)

    async def look(house: House) -> list[Entry]:
        user_id = None
        if username is not None:
            main = house.stores["main"]
            user_id = (await main.read(user_named, username, fresh=True)).id
        return await recent(
            house.stores[store],
            ME,
            limit=limit,
            entity_type=kind,
            entity_id=entity_id,
            user_id=user_id,
            action=action,
        )

    found = [_told(it) for it in in_house(look)]
    if as_json:
        show_json(found)
        return
    headings = ("at (IST)", "who", "did", "to", "which", "from", "in words")
    names = ("at", "actor", "action", "entity_type", "entity_id", "ip_address", "details")
    show_table(headings, [cells(*(it[name] for name in names)) for it in found])


@app.command()
def export(
    *,
    store: OneTrail = Trail.MAIN,
    output: Annotated[
        Path | None, typer.Option(help="Into this file, yours alone; else standard output.")
    ] = None,
) -> None:
    """Write the whole trail as lines of JSON, the oldest first."""
    from bahi.audit.service import export_page  # noqa: PLC0415

    async def write_out(house: House) -> int:
        written, after = 0, 0
        with writing_to(output) as file, progress("Writing", None) as more:
            while page := await export_page(house.stores[store], ME, after=after):
                for entry in page:
                    file.write(json.dumps(_told(entry), ensure_ascii=False) + "\n")
                written, after = written + len(page), page[-1].id
                more(len(page))
        return written

    written = in_house(write_out)
    say(f"{written} row{'s' * (written != 1)} of the {store} trail written.")


@app.command()
def head(*, store: EveryTrail = None, as_json: AsJson = False) -> None:
    """Show the newest seal, to be written down where nobody at this machine can change it."""
    from bahi.audit.service import Witness  # noqa: PLC0415

    async def look(house: House) -> list[dict[str, str]]:
        found = []
        for sealer in house.sealers:
            await sealer.seal()  # what was done until now is to be under it
        for trail in _chosen(store):
            newest = Witness(house.settings.home, trail, house.vault).newest()
            if newest is not None:
                seal = {"seal": str(newest.seal_no), "digest": newest.digest}
                found.append({"store": str(trail), **seal})
        return found

    found = in_house(look)
    if not found:
        raise NotFound("Nothing is sealed yet; the first thing that is done will be.")
    if as_json:
        show_json(found)
    else:
        for it in found:  # no table: a line that is broken is copied wrongly
            typer.echo(" ".join(it.values()))


def _chosen(store: Trail | None) -> list[Trail]:
    return list(Trail) if store is None else [store]


def _told(entry: Entry) -> dict[str, Any]:
    return {
        "id": str(entry.id),
        "at": when(entry.at),
        "actor": entry.actor,
        "user_id": None if entry.user_id is None else str(entry.user_id),
        "action": entry.action,
        "entity_type": entry.entity_type,
        "entity_id": entry.entity_id,
        "old_value": entry.old_value,
        "new_value": entry.new_value,
        "details": entry.details,
        "ip_address": entry.ip_address,
        "user_agent": entry.user_agent,
        "request_id": entry.request_id,
    }
