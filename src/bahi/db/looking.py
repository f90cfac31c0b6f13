"""One row by its index, from PostgreSQL: on the event loop, without a thread and a transaction.

A thread costs as much as the row itself, and a snapshot of one statement needs no BEGIN. Whatever
goes wrong here is no failure yet: the caller then reads as any other read does.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

import psycopg
import sqlalchemy as sa

from bahi.db import postgres
from bahi.db.statement import Params, Statement
from bahi.db.tx import Row

WITHIN_S: Final = 1.0


class NotSeen(Exception):
    """The row could not be looked at this way."""


class Looker:
    """One connection for looks at one store, opened by the first, renewed after a failure."""

    def __init__(self, url: str, schema: str, dialect: sa.Dialect) -> None:
        self._url, self._schema, self._dialect = url, schema, dialect
        self._loop: asyncio.AbstractEventLoop | None = None
        self._driver: psycopg.AsyncConnection[Any] | None = None
        self._opening = asyncio.Lock()

    async def look(self, statement: Statement, params: Params) -> Row | None:
        """Return the row, or None where there is none; NotSeen says to read in the other way."""
        text, bind = statement.on(self._dialect)
        try:
            async with asyncio.timeout(WITHIN_S):
                driver = await self._opened()
                found = await driver.execute(text, bind(params))
                row: Row | None = await found.fetchone()
                return row
        except (psycopg.Error, OSError, TimeoutError) as error:
            self.close()
            raise NotSeen from error

    async def _opened(self) -> psycopg.AsyncConnection[Any]:
        if self._driver is not None and self._loop is asyncio.get_running_loop():
            return self._driver
        async with self._opening:
            if self._driver is None or self._loop is not asyncio.get_running_loop():
                self.close()
                words: Any = postgres.wish(self._url, self._schema)
                driver = await psycopg.AsyncConnection.connect(**words, autocommit=True)
                postgres.speak_as_we_do(driver)
                self._driver, self._loop = driver, asyncio.get_running_loop()
            return self._driver

    def close(self) -> None:
        """Let the connection go; from any thread, as nothing is asked of the server."""
        driver, self._driver = self._driver, None
        if driver is not None:
            with suppress(psycopg.Error):
                driver.pgconn.finish()
