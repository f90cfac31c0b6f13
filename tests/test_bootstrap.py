"""The start: in order, once for a folder, and refused where going on would lose something."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.bootstrap import AlreadyServed, House, build, make_folder
from bahi.config import Settings
from bahi.db.nodes import newest_id, take_node
from bahi.db.opening import Database as Place
from bahi.db.opening import transaction
from bahi.db.schema import HOUSE
from bahi.db.tx import Tx
from bahi.kernel.clock import StoppedClock
from bahi.kernel.errors import ClockWrong, Misconfigured
from bahi.kernel.ids import CLOCK_MAY_LAG, NODES, IdMint, node_of
from tests.cli.processes import HEADS, environment
from tests.databases import Database
from tests.db.good_rows import Planter

NOW = datetime(2026, 11, 20, 3, 45, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, empty_database: Database) -> Settings:
    return Settings.from_environment(environment(tmp_path / "data", empty_database))


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Settings:
    return Settings.from_environment(environment(tmp_path / "data"))


def built(settings: Settings, **options: Any) -> House:
    return build(settings, **options)


def close(*houses: House) -> None:
    for house in houses:
        asyncio.run(house.close())


def mint(tx: Tx) -> int:
    return tx.new_id()


def test_a_house_is_built_from_nothing_and_stands_again(settings: Settings) -> None:
    for _ in range(2):
        house = built(settings)
        assert {store.name for store in house.stores} == set(HEADS)
        sealed = house.vault.seal("pan", table="persons", column="pan_enc", row_id=1)
        close(house)
    opened = house.vault.open(sealed, table="persons", column="pan_enc", row_id=1)
    assert opened == b"pan"


def test_two_processes_never_mint_with_one_node(settings: Settings) -> None:
    first, second = built(settings), built(settings)
    ids = [asyncio.run(house.stores["main"].write(mint)) for house in (first, second)]
    assert node_of(ids[0]) != node_of(ids[1])
    close(first, second)


def test_nodes_begin_again_after_the_last(settings: Settings) -> None:
    close(built(settings))
    main = Place("main", settings.main)
    assert [take_node(main) for _ in range(3)] == [1, 2, 3]
    with main.opened() as core:
        core.exec_driver_sql(f"UPDATE nodes SET counter = {NODES - 1}")
    assert [take_node(main) for _ in range(2)] == [NODES - 1, 0]


def test_a_clock_behind_the_books_is_refused(settings: Settings) -> None:
    close(built(settings))
    moment = [int(NOW.timestamp() * 1000)]
    newest = IdMint(7, lambda: moment[0]).mint()
    plant_order(Place("sandbox", settings.sandbox), newest)
    assert newest_id(Place("sandbox", settings.sandbox), ("orders",)) == newest

    late = StoppedClock(NOW - CLOCK_MAY_LAG - timedelta(milliseconds=2))
    with pytest.raises(ClockWrong):
        build(settings, clock=late)
    close(build(settings, clock=StoppedClock(NOW - CLOCK_MAY_LAG)))


def plant_order(place: Place, identity: int) -> None:
    orders = HOUSE.of_store(place.store).metadata.tables["orders"]
    with place.opened() as core, transaction(core):
        row = Planter(core, place.schema).row(orders, 1)
        core.execute(sa.insert(orders), [row | {"id": identity}])


def test_ids_go_on_above_the_newest_of_the_books(on_sqlite: Settings) -> None:
    close(built(on_sqlite))
    ahead = IdMint(NODES - 1, lambda: int((datetime.now(UTC).timestamp() + 3) * 1000)).mint()
    plant_order(Place("main", on_sqlite.main), ahead)
    house = built(on_sqlite)
    assert asyncio.run(house.stores["main"].write(mint)) > ahead
    close(house)


def test_only_one_house_serves_a_folder(on_sqlite: Settings) -> None:
    first = built(on_sqlite, serving=True)
    with pytest.raises(AlreadyServed):
        build(on_sqlite, serving=True)
    close(build(on_sqlite))  # who only works there may come in
    close(first)
    close(build(on_sqlite, serving=True))


def test_a_failed_start_holds_nothing(on_sqlite: Settings) -> None:
    with pytest.raises(Misconfigured):
        build(replace(on_sqlite, migrate="refuse"), serving=True)
    close(build(on_sqlite, serving=True))


def test_a_store_that_is_behind_is_migrated_refused_or_warned_of(
    on_sqlite: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Misconfigured, match="The main store lacks"):
        build(replace(on_sqlite, migrate="refuse"))
    with pytest.raises(Misconfigured, match="The main store lacks"):
        build(replace(on_sqlite, migrate="warn"))  # an empty store serves nobody
    close(build(on_sqlite))
    for wish in ("refuse", "warn"):
        close(build(replace(on_sqlite, migrate=wish)))  # type: ignore[arg-type]
    assert not [r for r in caplog.records if r.levelname == "WARNING" and "lacks" in r.message]


def test_keys_are_made_once_and_only_where_nothing_is_sealed(on_sqlite: Settings) -> None:
    close(built(on_sqlite))
    keys = on_sqlite.keyring.read_text()
    on_sqlite.keyring.unlink()
    with pytest.raises(Misconfigured, match="no keyring"):
        build(on_sqlite)
    assert not on_sqlite.keyring.exists()
    close(build(replace(on_sqlite, keys=keys)))


def test_the_folder_is_closed_when_it_is_made(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_an_empty_folder_is_closed_and_a_full_one_is_not_touched(tmp_path: Path) -> None:
    home = tmp_path / "open"
    home.mkdir()
    home.chmod(0o755)
    make_folder(home)
    assert home.stat().st_mode & 0o777 == 0o700
    home.chmod(0o755)
    (home / "letter").touch()
    with pytest.raises(Misconfigured, match="chmod 700"):
        make_folder(home)
