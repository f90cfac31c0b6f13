"""`bahi db`: the stores as a whole, their versions and their history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bahi.cli.terminal import AsJson, Yes, confirm, say, settings, show_json, show_table
from bahi.config import Settings, place
from bahi.kernel.clock import from_micros, ist_text
from bahi.kernel.errors import BahiError, Invalid, NotFound

if TYPE_CHECKING:
    from bahi.db.migrate import Migrator, Step

app = typer.Typer(help="The stores: versions, backups, upkeep.", no_args_is_help=True)

Store = Annotated[str | None, typer.Argument(help="One store; without it, all.")]
All = Annotated[bool, typer.Option("--all", help="All stores, which is what no name means too.")]


def migrators_of(store: str | None, known: Settings, *, every: bool = False) -> dict[str, Migrator]:
    """Return what moves the stores that were asked for."""
    from bahi.bootstrap import migrators  # noqa: PLC0415 - `bahi --help` needs no database

    found = migrators(known, say)
    if store is None or every:
        return found
    if store not in found:
        raise NotFound(f"There is no store {store!r}; the stores are {', '.join(found)}.")
    return {store: found[store]}


@app.command()
def upgrade(
    store: Store = None,
    *,
    every: All = False,
    to: Annotated[int | None, typer.Option(min=0, help="Stop at this version.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take the steps that are missing."""
    from bahi.bootstrap import keyring_of, make_folder, naming  # noqa: PLC0415
    from bahi.db.migrate import HEAD  # noqa: PLC0415

    known = settings()
    make_folder(known.home)
    keyring_of(known)  # made before the first store, or a later start would miss it
    taken = {}
    for name, migrator in migrators_of(store, known, every=every).items():
        with naming(name):
            taken[name] = migrator.upgrade(HEAD if to is None else to)
    _show_moves(taken, "taken", as_json=as_json)


@app.command()
def downgrade(
    store: Annotated[str, typer.Argument(help="Which store.")],
    version: Annotated[int, typer.Argument(min=0, help="Back to which version; 0 is empty.")],
    *,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Take steps back, with the rows of whatever they made; no service may be running."""
    from bahi.bootstrap import make_folder, naming, take_service_lock  # noqa: PLC0415

    known = settings()
    (migrator,) = migrators_of(store, known).values()
    if version > migrator.head:
        raise Invalid(f"The {store} store has versions 0 to {migrator.head}.")
    make_folder(known.home)
    with take_service_lock(known.home), naming(store):
        lost = [step for step in migrator.steps if version < step.version <= migrator.version()]
        if lost:
            confirm(
                f"This takes the {store} store back to version {version}. Whatever"
                f" {len(lost)} step(s) made goes, with its rows. Go on?",
                yes=yes,
            )
        _show_moves({store: migrator.downgrade(version)}, "taken back", as_json=as_json)


def _show_moves(moves: dict[str, list[Step]], how: str, *, as_json: bool) -> None:
    if as_json:
        show_json({store: [step.version for step in steps] for store, steps in moves.items()})
        return
    for store, steps in moves.items():
        many = f"{len(steps)} step{'s' * (len(steps) != 1)} {how}" if steps else "nothing to do"
        typer.echo(f"{store}: {many}")


@app.command()
def status(store: Store = None, *, every: All = False, as_json: AsJson = False) -> None:
    """Show where each store lies and which version it is at; 1 if one does not answer."""
    found = {
        name: _status_of(migrator)
        for name, migrator in migrators_of(store, settings(), every=every).items()
    }
    if as_json:
        show_json(found)
    else:
        rows = [(name, it["version"], it["state"], it["place"]) for name, it in found.items()]
        show_table(("store", "version", "state", "where"), rows)
    if any(it["version"] is None for it in found.values()):
        raise typer.Exit(1)


def _status_of(migrator: Migrator) -> dict[str, Any]:
    head, database = migrator.head, migrator.database
    at: dict[str, Any] = {"place": place(database.url), "head": head, "version": None}
    try:
        at["version"] = _version_of(migrator)
    except BahiError as failure:
        return {**at, "state": str(failure)}
    behind = len([step for step in migrator.steps if step.version > at["version"]])
    if at["version"] > head:
        return {**at, "state": "newer than this Bahi"}
    return {**at, "state": f"{behind} step(s) behind" if behind else "up to date"}


def _version_of(migrator: Migrator) -> int:
    """Return the version; looking at a file that is not there would make it."""
    file = migrator.database.path
    return 0 if file is not None and not file.exists() else migrator.version()


@app.command()
def check(store: Store = None, *, every: All = False, as_json: AsJson = False) -> None:
    """Compare each store with what the code expects; 1 if anything differs."""
    from bahi.bootstrap import naming  # noqa: PLC0415

    found: dict[str, list[str]] = {}
    for name, migrator in migrators_of(store, settings(), every=every).items():
        with naming(name):
            made = _version_of(migrator)
            found[name] = migrator.differences() if made else ["nothing has been created yet"]
    if as_json:
        show_json(found)
    else:
        for name, differences in found.items():
            typer.echo(f"{name}: {'as the code expects' if not differences else ''}".rstrip())
            for difference in differences:
                typer.echo(f"  {difference}")
    if any(found.values()):
        raise typer.Exit(1)


@app.command()
def history(store: Store = None, *, every: All = False, as_json: AsJson = False) -> None:
    """Show every step of each store, and when it was taken."""
    from bahi.bootstrap import naming  # noqa: PLC0415

    steps: list[tuple[str, Step]] = []
    for name, migrator in migrators_of(store, settings(), every=every).items():
        with naming(name):
            taken = migrator.applied() if _version_of(migrator) else migrator.steps
            steps += [(name, step) for step in taken]
    if as_json:
        show_json(
            [
                {
                    "store": name,
                    "version": step.version,
                    "name": step.name,
                    "applied_at": _when(step) or None,
                }
                for name, step in steps
            ]
        )
        return
    rows = [
        (name, f"{step.version:04}", step.name.replace("_", " "), _when(step) or "not yet")
        for name, step in steps
    ]
    show_table(("store", "step", "what it does", "taken (IST)"), rows)


def _when(step: Step) -> str:
    return ist_text(from_micros(step.applied_at)) if step.applied_at else ""
