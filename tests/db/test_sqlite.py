"""How a SQLite store is opened."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from bahi.db import sqlite
from bahi.db.failures import DatabaseAway
from bahi.db.stores import Stores
from bahi.db.turnstile import Turnstile
from bahi.db.tx import Tx
from bahi.kernel.errors import NotCommitted
from tests.db.ledger import create, enter, notes, open_store, path_of

PROMISED = {"journal_mode": "wal", "foreign_keys": 1, "recursive_triggers": 1}


def pragmas(tx: Tx) -> dict[str, object]:
    found = {name: tx.row(sa.text(f"PRAGMA {name}")) for name in (*PROMISED, "synchronous")}
    return {name: row[0] for name, row in found.items() if row is not None}


@pytest.mark.parametrize(
    ("store", "synchronous"), [("main", 2), ("archive", 2), ("latency", 1), ("logs", 1)]
)
def test_every_connection_is_opened_as_promised(
    tmp_path: Path, store: str, synchronous: int
) -> None:
    async def story() -> None:
        stores = Stores({store: f"sqlite:///{tmp_path / 'x.sqlite'}"}, lambda: 1)
        try:
            written = await stores[store].write(pragmas)
            assert written == PROMISED | {"synchronous": synchronous}
            assert (await stores[store].read(pragmas)).items() >= PROMISED.items()
        finally:
            await stores.close()

    asyncio.run(story())


def test_only_a_batch_of_which_nothing_need_last_leaves_the_disk_to_a_later_one(
    tmp_path: Path,
) -> None:
    def waits(tx: Tx) -> int:
        return int(pragmas(tx)["synchronous"])  # type: ignore[call-overload]

    async def story() -> None:
        stores = Stores({"main": f"sqlite:///{tmp_path / 'x.sqlite'}"}, lambda: 1)
        store, full, normal = stores["main"], 2, 1
        try:
            assert await store.write(waits) == full
            assert await store.write(waits, durable=False) == normal
            assert await store.write(waits) == full
            free = threading.Event()
            held = asyncio.ensure_future(store.write(lambda _: free.wait(), durable=False))
            together = [
                asyncio.ensure_future(store.write(waits, durable=it)) for it in (False, True, False)
            ]
            await asyncio.sleep(0)  # all of them wait behind the first
            free.set()
            assert await held
            assert await asyncio.gather(*together) == [full] * 3
        finally:
            await stores.close()

    asyncio.run(story())


def test_every_file_is_its_owners_alone(sqlite_url: str) -> None:
    create(sqlite_url)
    files: dict[str, int] = {}

    async def story() -> None:
        stores, store = open_store(sqlite_url)
        await store.write(enter, "a secret")
        for file in path_of(sqlite_url).parent.iterdir():
            files[file.name] = file.stat().st_mode & 0o777
        await stores.close()

    asyncio.run(story())
    assert len(files) >= 5
    assert set(files.values()) == {0o600}, files


def test_a_program_that_knows_no_turnstile_is_waited_for_with_a_bound(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(sqlite_url)
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 50)
    monkeypatch.setattr(sqlite, "LOCK_ATTEMPTS", 2)

    async def story() -> None:
        stores, store = open_store(sqlite_url)
        with closing(sqlite3.connect(path_of(sqlite_url), isolation_level=None)) as stranger:
            stranger.execute("BEGIN IMMEDIATE")
            ends = await asyncio.gather(
                *(store.write(enter, f"{n}") for n in range(3)), return_exceptions=True
            )
            assert [type(end) for end in ends] == [DatabaseAway] * 3, ends
            assert "Another program has held" in str(ends[0])
        await store.write(enter, "afterwards")
        assert await store.read(notes) == {"afterwards"}
        await stores.close()

    asyncio.run(story())


def replace(file: Path) -> None:
    file.with_name("other").write_bytes(file.read_bytes())
    file.with_name("other").rename(file)


def overwrite(file: Path) -> None:
    with file.open("r+b") as it:
        it.write(b"this is no database at all " * 400)


@pytest.mark.parametrize("happens", [Path.unlink, replace, overwrite])
def test_nothing_is_acknowledged_to_a_file_that_is_gone(
    sqlite_url: str, happens: Callable[[Path], None]
) -> None:
    create(sqlite_url)

    async def story() -> None:
        stores, store = open_store(sqlite_url)
        await store.write(enter, "while it was there")
        await asyncio.to_thread(_without_log, path_of(sqlite_url))
        await asyncio.to_thread(happens, path_of(sqlite_url))
        for n in range(3):
            with pytest.raises(NotCommitted):
                await store.write(enter, f"{n}")
        await stores.close()

    asyncio.run(story())


def _without_log(file: Path) -> None:
    with closing(sqlite3.connect(file)) as stranger:
        stranger.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_a_unit_that_waits_for_another_process_can_still_be_taken_back(sqlite_url: str) -> None:
    create(sqlite_url)

    async def story() -> None:
        stores, store = open_store(sqlite_url)
        with closing(Turnstile(path_of(sqlite_url))) as theirs, theirs:
            waiting = asyncio.ensure_future(store.write(enter, "taken back"))
            await asyncio.sleep(0.05)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        await store.write(enter, "next")
        assert await store.read(notes) == {"next"}
        await stores.close()

    asyncio.run(story())


IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from bahi.db.sqlite import connect
core = connect(Path(sys.argv[1]))
core.execute("INSERT INTO notes VALUES (?)", (sys.argv[2],))
print(*(note for (note,) in core.execute("SELECT note FROM notes ORDER BY rowid")))
core.close()
"""


def test_a_further_connection_leaves_the_locks_of_this_process_as_they_are(tmp_path: Path) -> None:
    """Or a second process, when it ends, takes the log away under this one's commits."""
    path = tmp_path / "shared.sqlite"

    def another(note: str) -> list[str]:
        command = [sys.executable, "-c", IN_ANOTHER_PROCESS, str(path), note]
        ended = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
        return ended.stdout.split()

    first = sqlite.connect(path)
    first.execute("CREATE TABLE notes (note TEXT) STRICT")
    sqlite.connect(path).close()
    assert another("theirs") == ["theirs"]
    first.execute("INSERT INTO notes VALUES ('ours')")
    assert another("again") == ["theirs", "ours", "again"]
    first.close()


OPENING_MANY = """
import sys, time
from pathlib import Path
from bahi.db.sqlite import connect
folder, begin = Path(sys.argv[1]), float(sys.argv[2])
while time.time() < begin:
    pass
for n in range(150):
    core = connect(folder / f"{n}.sqlite")
    core.execute("CREATE TABLE IF NOT EXISTS notes (note TEXT) STRICT")
    core.close()
"""


def test_several_that_open_new_files_at_once_all_do(tmp_path: Path) -> None:
    """SQLite refuses some of those that make a log at once, without waiting."""
    begin = str(time.time() + 1.0)  # when all are up; later comers only meet less often
    command = [sys.executable, "-c", OPENING_MANY, str(tmp_path), begin]
    at_once = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    said = [each.communicate(timeout=60)[1] for each in at_once]
    assert said == [""] * 4
