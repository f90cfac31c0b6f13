"""`bahi db backup` and what belongs to it: restore, drill, export, size, slow, maintain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bahi.cli.terminal import AsJson, say, settings, show_json, show_table
from bahi.config import Settings
from bahi.kernel.clock import SystemClock
from bahi.kernel.errors import BahiError, NotFound

if TYPE_CHECKING:
    from bahi.db.migrate import Migrator
    from bahi.db.upkeep.backup import Backups

app = typer.Typer()

Store = Annotated[str | None, typer.Argument(help="One store; without it, all.")]

UNITS: Final = ("bytes", "kB", "MB", "GB", "TB")


class Form(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    PARQUET = "parquet"


@app.command()
def backup(store: Store = None, *, as_json: AsJson = False) -> None:
    """Save the stores while they are in use, verify the copies, and let the oldest ones go."""
    known = settings()
    saved: dict[str, str] = {}

    def save(migrator: Migrator, tell: Callable[[str], None]) -> None:
        made = backups_of(known).take(migrator.database, tell)
        saved[made.store] = str(made.file)

    all_well = _each(known, store, save)
    if as_json:
        show_json(saved)
    else:
        for name, file in saved.items():
            typer.echo(f"{name}: {file}")
    _end(well=all_well)


@app.command()
def restore(
    backup: Annotated[str, typer.Argument(help="A backup's file name, or a store for its newest.")],
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a store that has rows; it is kept aside.")
    ] = False,
) -> None:
    """Bring a backup back in place of its store; no service may be running."""
    from bahi.bootstrap import make_folder, naming  # noqa: PLC0415 - `bahi --help` needs no database
    from bahi.db.upkeep.restore import restore as bring_back  # noqa: PLC0415

    known = settings()
    make_folder(known.home)
    chosen = backups_of(known).named(backup)
    (migrator,) = _chosen(known, chosen.store).values()
    with naming(chosen.store), _telling() as tell:
        kept = bring_back(
            chosen,
            migrator.database,
            migrator.history,
            known.home,
            SystemClock(),
            force=force,
            tell=tell,
        )
    typer.echo(f"{chosen.store}: is as {chosen.file.name} has it")
    if kept is not None:
        typer.echo(f"{chosen.store}: what was there is kept as {kept}")


@app.command()
def drill(store: Store = None, *, as_json: AsJson = False) -> None:
    """Bring the newest backup of each store back in a scratch place; 1 if one is not good."""
    from bahi.db.upkeep.drill import drill as examine  # noqa: PLC0415

    known = settings()
    migrators = _chosen(known, store)
    with _telling() as tell:
        verdicts = examine(
            [migrator.database for migrator in migrators.values()],
            lambda name: migrators[name].history,
            backups_of(known),
            {},  # what the contexts check, once they have something to check
            tell,
        )
    if as_json:
        show_json([asdict(verdict) for verdict in verdicts])
    else:
        for verdict in verdicts:
            typer.echo(str(verdict))
    _end(well=all(verdict.is_good for verdict in verdicts))


@app.command()
def export(
    store: Annotated[str, typer.Argument(help="Which store.")],
    tables: Annotated[list[str] | None, typer.Argument(help="Which tables; without, all.")] = None,
    *,
    to: Annotated[Path, typer.Option(help="Into which folder.")],
    form: Annotated[Form, typer.Option(help="As what.")] = Form.CSV,
    views: Annotated[bool, typer.Option("--views", help="The views too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write tables to files for other programs, without secret columns."""
    from bahi.bootstrap import naming  # noqa: PLC0415
    from bahi.db.upkeep.export import export as write_out  # noqa: PLC0415

    (migrator,) = _chosen(settings(), store).values()
    with naming(store), _telling() as tell:
        written = write_out(
            migrator.database, to, tables=tables or (), form=form.value, views=views, tell=tell
        )
    if as_json:
        show_json({str(it.file): it.rows for it in written})
    else:
        show_table(("file", "rows"), [(it.file, f"{it.rows:,}") for it in written])


@app.command()
def size(store: Store = None, *, as_json: AsJson = False) -> None:
    """Show how large each store's tables are, with their indexes."""
    from bahi.db.upkeep.sizes import StoreSize, sizes  # noqa: PLC0415

    found: list[StoreSize] = []
    all_well = _each(settings(), store, lambda it, _: found.append(sizes(it.database)))
    if as_json:
        show_json([asdict(it) for it in found])
    else:
        rows = [
            row
            for it in found
            for row in (
                (it.store, "(all of it)", "", _sized(it.size)),
                *(("", t.table, f"{t.rows:,}", _sized(t.size)) for t in it.tables if t.rows),
            )
        ]
        show_table(("store", "table", "rows", "size"), rows)
    _end(well=all_well)


@app.command()
def slow(store: Store = None, *, as_json: AsJson = False) -> None:
    """Show the ten slowest statements of each store, or the functions that ran them."""
    from bahi.db.upkeep.slow import Slowest, slowest  # noqa: PLC0415

    known = settings()
    found: dict[str, Slowest] = {}

    def ask(migrator: Migrator, _tell: Callable[[str], None]) -> None:
        found[migrator.database.store] = slowest(migrator.database, known.home)

    all_well = _each(known, store, ask)
    if as_json:
        show_json({name: asdict(it) for name, it in found.items()})
    else:
        rows = [
            (
                name,
                it.what,
                f"{it.calls:,}",
                f"{it.mean_us / 1000:.3f}",
                f"{it.worst_us / 1000:.3f}",
            )
            for name, slowest_of in found.items()
            for it in slowest_of.statements
        ]
        show_table(("store", "statement or function", "calls", "mean ms", "worst ms"), rows)
    _end(well=all_well)


@app.command()
def maintain(store: Store = None) -> None:
    """Check, rebuild indexes, give room back and analyse, while the stores are in use."""
    from bahi.db.upkeep.maintain import maintain as keep_up  # noqa: PLC0415

    def work(migrator: Migrator, tell: Callable[[str], None]) -> None:
        keep_up(migrator.database, tell)
        typer.echo(f"{migrator.database.store}: in good shape")

    _end(well=_each(settings(), store, work))


# What they share


def backups_of(known: Settings) -> Backups:
    """Return the folder of the backups."""
    from bahi.bootstrap.saving import backups_of as folder_of  # noqa: PLC0415

    return folder_of(known, SystemClock())


def _chosen(known: Settings, store: str | None) -> dict[str, Migrator]:
    from bahi.bootstrap import migrators  # noqa: PLC0415

    every = migrators(known, say)
    if store is None:
        return every
    if store not in every:
        raise NotFound(f"There is no store {store!r}; the stores are {', '.join(every)}.")
    return {store: every[store]}


def _each(
    known: Settings, store: str | None, work: Callable[[Migrator, Callable[[str], None]], object]
) -> bool:
    """Do something to each store; what fails for one is said, and the next has its turn."""
    from bahi.bootstrap import naming  # noqa: PLC0415

    all_well = True
    with _telling() as tell:
        for name, migrator in _chosen(known, store).items():
            try:
                with naming(name):
                    work(migrator, tell)
            except BahiError as failure:
                all_well = False
                say(str(failure))
    return all_well


@contextmanager
def _telling() -> Iterator[Callable[[str], None]]:
    """Show what is being done just now, on one line of a terminal; elsewhere keep quiet."""
    from rich.console import Console  # noqa: PLC0415

    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    with console.status("") as line:
        yield line.update


def _sized(size: int | None) -> str:
    """Write bytes for people; a SQLite without page statistics cannot tell."""
    if size is None:
        return "not known"
    amount, unit = float(size), 0
    while amount >= 1000 and unit < len(UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.0f} {UNITS[unit]}" if unit == 0 else f"{amount:.1f} {UNITS[unit]}"


def _end(*, well: bool) -> None:
    if not well:
        raise typer.Exit(1)
