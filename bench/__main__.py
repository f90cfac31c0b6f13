"""`make bench`: measure in turns, print figures beside their floors, and the ratios that count."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable
from statistics import median

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.writes import (
    RAW_BATCH,
    RAW_BATCHES,
    RAW_SINGLES,
    PostgresBench,
    disk_floor,
    ours_on_sqlite,
    raw_sqlite,
)

SUBMITTERS = (1, 8, 64, 256)

Figures = dict[str, list[float]]


def main() -> None:
    """Measure every figure once a round, in turns, so that a slow spell slows all of them."""
    asked = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    asked.add_argument("--rounds", type=int, default=5)
    rounds = asked.parse_args().rounds
    console = Console(width=100)
    with PostgresBench.started() as postgres:
        contestants = _contestants(postgres)
        figures: Figures = defaultdict(list)
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task("measuring", total=rounds * len(contestants))
            for _ in range(rounds):
                for name, measure in contestants.items():
                    progress.update(task, description=name)
                    figures[name].append(measure())
                    progress.advance(task)
    _print_figures(console, figures)
    _print_ratios(console, figures)


def _contestants(postgres: PostgresBench | None) -> dict[str, Callable[[], float]]:
    found: dict[str, Callable[[], float]] = {
        "disk: fdatasync": disk_floor,
        "sqlite3: one unit a COMMIT": lambda: raw_sqlite(1, RAW_SINGLES),
        f"sqlite3: {RAW_BATCH} units a COMMIT": lambda: raw_sqlite(RAW_BATCH, RAW_BATCHES),
    }
    for n in SUBMITTERS:
        found[f"Bahi, SQLite: {n} submitters"] = lambda n=n: ours_on_sqlite(n)
    found["Bahi, SQLite: 64 submitters, one account"] = lambda: ours_on_sqlite(64, accounts=1)
    if postgres is not None:
        for n in (8, 64):
            found[f"pgbench: {n} clients"] = lambda n=n: postgres.pgbench(n)
        for n in SUBMITTERS:
            found[f"Bahi, PostgreSQL: {n} submitters"] = lambda n=n: postgres.ours(n)
        found["Bahi, PostgreSQL: 64 submitters, one account"] = lambda: postgres.ours(64, 1)
    return found


RATIOS = [
    ("Bahi, SQLite: 64 submitters", f"sqlite3: {RAW_BATCH} units a COMMIT", 0.5),
    ("Bahi, SQLite: 64 submitters", "disk: fdatasync", 0.35),
    ("Bahi, SQLite: 64 submitters", "sqlite3: one unit a COMMIT", None),
    ("Bahi, SQLite: 1 submitters", "sqlite3: one unit a COMMIT", None),
    ("Bahi, SQLite: 64 submitters, one account", f"sqlite3: {RAW_BATCH} units a COMMIT", None),
    ("Bahi, PostgreSQL: 64 submitters", "pgbench: 64 clients", 0.4),
    ("Bahi, PostgreSQL: 64 submitters", "pgbench: 8 clients", 0.4),
    ("Bahi, PostgreSQL: 64 submitters, one account", "pgbench: 64 clients", None),
]


def _print_figures(console: Console, figures: Figures) -> None:
    table = Table("units a second", "least", "median", "most", title="Durable writes")
    for name, found in figures.items():
        table.add_row(name, *(f"{f(found):,.0f}" for f in (min, median, max)))
    console.print(table)


def _print_ratios(console: Console, figures: Figures) -> None:
    table = Table("ratio, round by round", "against", "median", "target", "")
    for ours, floor, target in RATIOS:
        if ours not in figures or floor not in figures:
            continue
        ratio = median(a / b for a, b in zip(figures[ours], figures[floor], strict=True))
        verdict = "" if target is None else "met" if ratio >= target else "MISSED"
        table.add_row(ours, floor, f"{ratio:.2f}", "" if target is None else f"{target}", verdict)
    console.print(table)


main()
