"""Bringing a pg_dump back on a connection of our own, inside whatever transaction it is in.

pg_restore would open a connection and a transaction for itself. Here it only writes out the script
of a dump, so a whole schema can come back, be looked at, and be kept or rolled back, unseen by
anybody until COMMIT, and no password leaves this process.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.upkeep.copies import Tell
from bahi.db.upkeep.programs import Programs, find_programs, server_version

FOR_PSQL_ALONE: Final = (b"\\restrict ", b"\\unrestrict ")
END_OF_ROWS: Final = b"\\.\n"


def load(core: sa.Connection, dump: Path, store: str, tell: Tell) -> None:
    """Make the dump's schema, its rows, and then its keys, indexes and triggers."""
    driver: Any = core.connection.driver_connection
    programs = find_programs(server_version(driver))
    tell(f"{store}: making the tables")
    _run(driver, programs, dump, "pre-data")
    with programs.script(dump, "data") as lines:
        for line in lines:
            if line.startswith(b"COPY ") and line.endswith(b" FROM stdin;\n"):
                tell(f"{store}: bringing back {line.split()[1].decode().partition('.')[2]}")
                with driver.cursor().copy(line) as into:
                    for row in _until_end_of_rows(lines):
                        into.write(row)
    tell(f"{store}: building keys, indexes and triggers")
    _run(driver, programs, dump, "post-data")
    core.exec_driver_sql(f"SET LOCAL search_path TO {store}")  # the script has emptied it


def _run(driver: Any, programs: Programs, dump: Path, section: str) -> None:
    with programs.script(dump, section) as lines:
        script = b"".join(line for line in lines if not line.startswith(FOR_PSQL_ALONE))
    driver.execute(script, prepare=False)


def _until_end_of_rows(lines: Iterator[bytes]) -> Iterator[bytes]:
    for line in lines:
        if line == END_OF_ROWS:
            return
        yield line
