"""Which stores are at their newest step: one look at a server, where each would be asked alone.

At almost every start there is nothing to do, and six connections to learn that are most of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Final

import psycopg

from bahi.db import postgres
from bahi.db.migrate import History
from bahi.db.stores import sqlite_path

RECORDS: Final = ("schema_migrations", "alembic_version")
HAVE_RECORDS: Final = (
    "SELECT count(*) FROM pg_tables WHERE tablename = ANY(%s) AND schemaname = ANY(%s)"
)


def at_their_newest(urls: Mapping[str, str], histories: Mapping[str, History]) -> set[str]:
    """Return the stores on PostgreSQL whose records say so; all others are to be looked into."""
    found: set[str] = set()
    for server in {url for url in urls.values() if sqlite_path(url) is None}:
        there = {store: histories[store] for store, url in urls.items() if url == server}
        try:
            found |= _at(server, there)
        except psycopg.Error:  # whoever looks closer says what is the matter, and with which store
            continue
    return found


def _at(server: str, histories: Mapping[str, History]) -> set[str]:
    records = " UNION ALL ".join(
        f"SELECT '{store}',"  # noqa: S608 - our own names
        f" ARRAY(SELECT version FROM {store}.schema_migrations ORDER BY version),"
        f" ARRAY(SELECT version_num::text FROM {store}.alembic_version)"
        for store in histories
    )
    with closing(postgres.connect(server, "public")) as driver:
        known = driver.execute(HAVE_RECORDS, [list(RECORDS), list(histories)]).fetchone()
        if known != (len(RECORDS) * len(histories),):
            return set()
        rows = driver.execute(records).fetchall()
    return {
        store
        for store, versions, newest in rows
        if versions == [step.version for step in histories[store].steps()]
        and newest == [f"{histories[store].head:04}"]
    }
