"""Exports: exact, whole, of one snapshot, and without a single secret."""

from __future__ import annotations

import csv
import importlib.util
import stat
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.config import Settings
from bahi.db import types
from bahi.db.opening import Database, transaction
from bahi.db.upkeep.export import export
from bahi.kernel.crypto import Vault
from bahi.kernel.errors import Conflict, Invalid, Misconfigured, NotFound
from bahi.kernel.keyring import Keyring
from bahi.migrations import HOUSE
from tests.db.good_rows import HAS_NO_GOOD_ROW, Planter, Row

CANARY = "canary-hunter2"
LARGEST = 2**63 - 1


@pytest.fixture
def main(home: dict[str, str]) -> Database:
    return Database("main", Settings.from_environment(home).main)


def put(database: Database, table: str, **row: object) -> None:
    with database.opened() as core:
        core.execute(HOUSE.metadata.tables[table].insert(), [row])


def a_setting(database: Database, key: str, value: str | None) -> None:
    put(
        database,
        "config",
        key=key,
        value="v",
        description=value,
        is_sensitive=0,
        updated_at=LARGEST,
    )


def test_what_goes_out_is_exact(main: Database, tmp_path: Path) -> None:
    values = {
        "comma": 'a, "quoted" word',
        "empty": "",
        "formula": "=1+1",
        "hindi": "बही",
        "lines": "one\ntwo\r\n",
        "nothing": None,
    }
    for key, value in values.items():
        a_setting(main, key, value)
    (written,) = export(main, tmp_path / "out", tables=["config"])
    assert (written.file.name, written.rows) == ("config.csv", 6)
    text = written.file.read_text("utf-8")
    with written.file.open(encoding="utf-8", newline="") as file:
        rows = {row["key"]: row for row in csv.DictReader(file)}
    assert {key: row["description"] for key, row in rows.items()} == values | {"nothing": ""}
    assert rows["comma"]["updated_at"] == str(LARGEST)
    lines = [line for line in text.splitlines() if '"empty"' in line or '"nothing"' in line]
    place = next(iter(csv.reader([text.partition("\n")[0]]))).index("description")
    assert [line.split(",")[place] for line in lines] == ['""', ""]  # empty is not nothing


class SecretPlanter(Planter):
    """Plants rows whose secret columns hold the canary, sealed, or a digest that stands for it."""

    def __init__(self, core: sa.Connection, database: Database, vault: Vault) -> None:
        super().__init__(core, database.schema)
        self._vault = vault
        self.planted: list[bytes] = []

    def row(self, table: sa.Table, n: int) -> Row:
        row = super().row(table, n)
        row_id = next(iter(row.values()))
        for column in table.columns:
            if not column.info.get("secret"):
                continue
            sealed = self._vault.seal(CANARY, table=table.name, column=column.name, row_id=row_id)
            row[column.name] = sealed if isinstance(column.type, types.Blob) else sealed.hex()
            self.planted.append(sealed)
        return row


def test_no_secret_goes_out_in_plain_or_sealed_form(main: Database, tmp_path: Path) -> None:
    with main.opened() as core, transaction(core):
        core.exec_driver_sql("DELETE FROM nodes")  # of the start that furnished this house
        planter = SecretPlanter(core, main, Vault(Keyring.create(tmp_path / "keyring")))
        for table in main.schema.metadata.sorted_tables:
            if table.name not in {*HAS_NO_GOOD_ROW, "schema_migrations"}:
                planter.plant(table, 1)
    assert len(planter.planted) > 10
    written = export(main, tmp_path / "out", views=True)
    assert {file.name for file in (tmp_path / "out").iterdir()} == {w.file.name for w in written}
    content = b"".join(it.file.read_bytes() for it in written)
    assert CANARY.encode() not in content
    for sealed in planter.planted:
        assert sealed not in content
        assert sealed.hex().encode() not in content
    secret = {c.name for t in main.schema.metadata.sorted_tables for c in t.columns if is_secret(c)}
    assert {name for it in written for name in header(it.file)}.isdisjoint(secret)


def is_secret(column: sa.Column[Any]) -> bool:
    return bool(column.info.get("secret"))


def header(file: Path) -> list[str]:
    with file.open(encoding="utf-8", newline="") as lines:
        return next(csv.reader(lines))


def test_files_are_the_owners_alone_and_nothing_is_overwritten(
    main: Database, tmp_path: Path
) -> None:
    (written,) = export(main, tmp_path / "out", tables=["config"])
    assert stat.S_IMODE(written.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(written.file.parent.stat().st_mode) == 0o700
    with pytest.raises(Conflict, match=r"config\.csv is there already"):
        export(main, tmp_path / "out", tables=["config"])


def test_a_view_goes_out_when_it_is_asked_for(main: Database, tmp_path: Path) -> None:
    name = main.schema.views[0].name
    (written,) = export(main, tmp_path / "out", tables=[name])
    assert written.file.name == f"{name}.csv"
    every = export(main, tmp_path / "every", views=True)
    assert len(every) == len(main.schema.metadata.tables) + len(main.schema.views)


def test_an_unknown_table_and_an_unknown_form_are_named(main: Database, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="The main store has no table 'no_such'"):
        export(main, tmp_path, tables=["no_such"])
    with pytest.raises(Invalid, match="An export is csv or parquet, not 'xlsx'"):
        export(main, tmp_path, form="xlsx")  # type: ignore[arg-type]


def test_many_rows_go_out_in_chunks_that_are_told_of(main: Database, tmp_path: Path) -> None:
    rows = [
        {"key": f"{n:06}", "value": "v", "is_sensitive": 0, "updated_at": 1} for n in range(25_000)
    ]
    with main.opened() as core, transaction(core):
        core.execute(HOUSE.metadata.tables["config"].insert(), rows)
    told: list[str] = []
    (written,) = export(main, tmp_path / "out", tables=["config"], tell=told.append)
    assert written.rows == 25_000
    assert told == [f"config: {n} rows" for n in ("10,000", "20,000", "25,000")]
    with written.file.open(encoding="utf-8", newline="") as file:
        assert [row["key"] for row in csv.DictReader(file)] == [row["key"] for row in rows]


def test_parquet_keeps_integers_text_and_nothing_apart(main: Database, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="the parquet extra is not installed")
    for key, value in {"a": 'x,"y"\nz', "b": "", "c": None, "d": "007"}.items():
        a_setting(main, key, value)
    (written,) = export(main, tmp_path / "out", tables=["config"], form="parquet")
    assert [it.name for it in (tmp_path / "out").iterdir()] == ["config.parquet"]
    assert stat.S_IMODE(written.file.stat().st_mode) == 0o600
    with duckdb.connect() as duck:
        answer = duck.execute(
            f"SELECT key, description, updated_at FROM '{written.file}' ORDER BY key"
        )
        assert answer.fetchall() == [
            ("a", 'x,"y"\nz', LARGEST),
            ("b", "", LARGEST),
            ("c", None, LARGEST),
            ("d", "007", LARGEST),
        ]
    every = export(main, tmp_path / "every", form="parquet", views=True)
    assert len(every) == len(main.schema.metadata.tables) + len(main.schema.views)


def test_parquet_without_its_library_is_refused_in_words(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Misconfigured, match=r'pip install "bahi\[parquet\]"'):
        export(Database("main", sqlite_url), tmp_path, form="parquet")
