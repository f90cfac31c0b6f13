"""One look at a server says which stores are at their newest step; of any other it says nothing."""

from __future__ import annotations

from pathlib import Path

from bahi.config import Settings
from bahi.db.present import at_their_newest
from bahi.db.schema import STORES
from bahi.migrations import history
from tests.clusters import run_sql
from tests.databases import MakeDatabase
from tests.furnished import Furnished
from tests.ports import LOOPBACK, reserve_port

HISTORIES = {store: history(store) for store in STORES}


def test_stores_with_every_record_are_at_their_newest_and_files_are_left_to_a_closer_look(
    home: dict[str, str],
) -> None:
    urls = Settings.from_environment(home).urls
    on_a_server = urls["main"].startswith("postgresql")
    assert at_their_newest(urls, HISTORIES) == (set(STORES) if on_a_server else set())


def test_a_store_whose_records_are_not_those_of_its_history_is_not(
    furnished: Furnished, make_database: MakeDatabase, tmp_path: Path
) -> None:
    home = furnished.copy("postgresql", tmp_path / "home", make_database)
    url = Settings.from_environment(home).main
    urls = dict.fromkeys(STORES, url)
    run_sql(url, "DELETE FROM logs.schema_migrations")
    run_sql(url, "INSERT INTO main.schema_migrations VALUES (9999, 'later', '', 0)")
    run_sql(url, "UPDATE sandbox.alembic_version SET version_num = '0001'")
    assert at_their_newest(urls, HISTORIES) == set(STORES) - {"logs", "main", "sandbox"}


def test_of_a_new_database_and_of_a_server_that_is_away_nothing_is_known(
    make_database: MakeDatabase,
) -> None:
    new = make_database("postgresql").url
    away = f"postgresql://bahi@{LOOPBACK}:{reserve_port()}/bahi"
    for url in (new, away):
        assert at_their_newest(dict.fromkeys(STORES, url), HISTORIES) == set()
