"""`make bench`: measure in turns, print figures beside their floors, and the ratios that count."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench import quotes
from bench.doors import RATIOS as DOOR_RATIOS
from bench.doors import DoorBench, LargeBench
from bench.keys import KeyBench, blake2b_floor
from bench.masters import RATIOS as MASTER_RATIOS
from bench.masters import MasterBench
from bench.orders import RATIOS as ORDER_RATIOS
from bench.orders import OrderBench, on_postgres, on_sqlite
from bench.pages import EMPTY, PAGES, PageBench, name_of
from bench.pages import RATIOS as PAGE_RATIOS
from bench.search import RATIOS as SEARCH_RATIOS
from bench.search import SearchBench
from bench.trail import TrailBench, a_folder, a_keyring
from bench.writes import (
    RAW_BATCH,
    RAW_BATCHES,
    RAW_SINGLES,
    PostgresBench,
    a_file,
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
    asked.add_argument("--only", action="append", help="contestants with this in their name")
    given = asked.parse_args()
    rounds = given.rounds
    console = Console(width=100)
    with PostgresBench.started() as postgres, ExitStack() as laid_out:
        contestants = _contestants(postgres)
        contestants |= _office(postgres, laid_out)
        contestants |= _market(postgres)
        contestants |= _desk(postgres, laid_out)
        only = given.only or [""]
        chosen = [name for name in contestants if any(it in name for it in only)]
        contestants = {name: contestants[name] for name in chosen}
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


def _office(postgres: PostgresBench | None, held: ExitStack) -> dict[str, Callable[[], float]]:
    """Name what knows keys and the trail; each is laid out when it is first measured."""
    folder = Path(held.enter_context(a_folder()))
    keyring = a_keyring(str(folder))
    found: dict[str, Callable[[], float]] = {"keyed BLAKE2b": blake2b_floor}

    def house(name: str) -> str:
        if name == "SQLite" or postgres is None:
            return held.enter_context(a_file())
        return held.enter_context(postgres.house())

    @cache
    def keys(name: str, stored: int) -> KeyBench:
        made = KeyBench(house(name), keyring, stored)
        made.plant()
        return made

    @cache
    def trail(name: str) -> TrailBench:
        seals = folder / name
        seals.mkdir()
        made = TrailBench(house(name), keyring, seals)
        made.plant()
        return made

    for name in ("SQLite",) if postgres is None else ("SQLite", "PostgreSQL"):
        for stored in STORED:
            its = partial(keys, name, stored)
            if name == "SQLite":
                found[f"key remembered, of {stored:,}"] = lambda its=its: its().hot()
            found[f"{name}: key not remembered, of {stored:,}"] = lambda its=its: its().missed()
            found[f"{name}: its row, raw, of {stored:,}"] = lambda its=its: its().raw()
        rows = partial(trail, name)
        found[f"{name}: audit rows verified"] = lambda rows=rows: rows().verify()
        found[f"{name}: audit rows read"] = lambda rows=rows: rows().read()
    return found


def _market(postgres: PostgresBench | None) -> dict[str, Callable[[], float]]:
    """Name what finds symbols, loads masters and hands on prices; each is made when it is used."""
    search = cache(SearchBench)
    found: dict[str, Callable[[], float]] = {
        name: lambda name=name: search().contestants()[name]() for name in SEARCHES
    }
    found |= {
        "quotes: a dictionary": quotes.board_floor,
        "quotes: 50 followers, one asleep": quotes.board,
        "quotes: a simulated share": quotes.simulated_share,
        "quotes: a simulated option": quotes.simulated_option,
    }
    houses = {"SQLite": a_file}
    if postgres is not None:
        houses["PostgreSQL"] = postgres.house
    for name, house in houses.items():
        masters = MasterBench(house)
        found[f"{name}: master loaded"] = masters.load
        found[f"{name}: next day's master"] = masters.next_day
        found[f"{name}: its rows, raw"] = masters.raw
        found[f"{name}: 1/p99 of a write alone"] = masters.writes_alone
        found[f"{name}: 1/p99 of a write beside a load"] = masters.writes_beside_a_load
        found[f"{name}: 1/p99 of a write beside the first"] = masters.writes_beside_the_first
    return found


def _desk(postgres: PostgresBench | None, held: ExitStack) -> dict[str, Callable[[], float]]:
    """Name what places orders, turns their pages and checks them."""
    found: dict[str, Callable[[], float]] = {}
    houses = {"SQLite": on_sqlite}
    if postgres is not None:
        houses["PostgreSQL"] = on_postgres(postgres.cluster)
    for name, urls in houses.items():
        orders = OrderBench(urls)
        held.callback(orders.close)
        found[f"{name}: paper orders, 16 accounts"] = orders.placed
        found[f"{name}: paper orders, one account"] = lambda orders=orders: orders.placed(1)
        found[f"{name}: a page of 50 of 1M orders"] = orders.pages
        found[f"{name}: its rows, by the driver"] = orders.raw_pages
        found[f"{name}: orders verified"] = orders.verified
        found[f"{name}: orders settled"] = orders.settled
        doors = DoorBench(urls)
        held.callback(doors.close)
        found[f"{name}: orders over HTTP, 8 clients"] = doors.over_http
        found[f"{name}: 1/p99 of them"] = doors.one_in_a_hundred
        found[f"{name}: the same in process"] = doors.in_process
    pages = PageBench(on_sqlite)
    held.callback(pages.close)
    for path in (EMPTY, *PAGES):
        found[name_of(path)] = lambda path=path: pages.a_second(path)
    for path in (EMPTY, "/"):
        found[f"SQLite: first paints of {path}"] = lambda path=path: pages.paints(path)
    large = LargeBench(on_sqlite)
    held.callback(large.close)
    found["starts a minute, to a symbol of 150,000"] = large.starts
    found["services in 100 GB, 3,500 orders later"] = large.memory
    return found


SEARCHES = tuple(it for ours, floor, _ in SEARCH_RATIOS for it in (floor, ours))
STORED = (1, 10_000)
OFFICE_RATIOS = [
    *((f"key remembered, of {n:,}", "keyed BLAKE2b", 1 / 3) for n in STORED),
    ("key remembered, of 10,000", "key remembered, of 1", None),
    *(
        (f"{name}: key not remembered, of {n:,}", f"{name}: its row, raw, of {n:,}", 1 / 2)
        for name in ("SQLite", "PostgreSQL")
        for n in STORED
    ),
    *(
        (f"{name}: key not remembered, of 10,000", f"{name}: key not remembered, of 1", None)
        for name in ("SQLite", "PostgreSQL")
    ),
    *(
        (f"{name}: audit rows verified", f"{name}: audit rows read", 1 / 3)
        for name in ("SQLite", "PostgreSQL")
    ),
]
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
    table = Table("how many a second", "least", "median", "most")
    for name, found in figures.items():
        table.add_row(name, *(f"{f(found):,.0f}" for f in (min, median, max)))
    console.print(table)


def _print_ratios(console: Console, figures: Figures) -> None:
    table = Table("ratio, round by round", "against", "median", "target", "")
    for ours, floor, target in [
        *RATIOS,
        *OFFICE_RATIOS,
        *SEARCH_RATIOS,
        *MASTER_RATIOS,
        *ORDER_RATIOS,
        *DOOR_RATIOS,
        *PAGE_RATIOS,
    ]:
        if ours not in figures or floor not in figures:
            continue
        ratio = median(a / b for a, b in zip(figures[ours], figures[floor], strict=True))
        verdict = "" if target is None else "met" if ratio >= target else "MISSED"
        table.add_row(
            ours, floor, f"{ratio:.2f}", "" if target is None else f"{target:.2f}", verdict
        )
    console.print(table)


main()
