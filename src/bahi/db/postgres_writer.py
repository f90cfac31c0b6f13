"""The write threads of a PostgreSQL store: one transaction to a unit.

An account is always served by the same thread, so two units of one account never wait for each
other's locks. Every transaction first writes the thread's mark (`write_marks`): when the answer to
COMMIT is lost, the mark, asked for behind its lock, says what became of the unit, whatever happened
to the server in between (`docs/decisions/0003-write-marks.md`).
"""

from __future__ import annotations

import itertools
import logging
import os
import random
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from psycopg.pq import TransactionStatus

from bahi.db.failures import (
    ConnectionLost,
    Deadlock,
    TransactionLost,
    translate,
)
from bahi.db.lanes import Lanes, Unit, publish
from bahi.db.postgres import away, engine, parsed
from bahi.db.running import Watch, after_commit
from bahi.db.tx import Tx
from bahi.kernel.errors import BahiError, InDoubt, NotCommitted

WRITERS: Final = 8
ATTEMPTS: Final = 5
RECONNECT_WITHIN_S: Final = 20.0
UNIT_WITHIN_S: Final = 45.0  # longer than any time-out of the server's: it does not answer at all
LOOK_EVERY_S: Final = 1.0
BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

log = logging.getLogger("bahi.db")


class PostgresWriter:
    """The write threads of one store."""

    def __init__(
        self,
        name: str,
        url: str,
        mint: Callable[[], int],
        *,
        threads: int = WRITERS,
    ) -> None:
        parsed(url)  # refuse now what could never connect
        source = engine(url, name)
        self._threads = [WriteThread(f"{name}-{n}", source, mint) for n in range(threads)]
        self._turn = itertools.cycle(range(threads))
        self._closed = threading.Event()
        self._watchman = threading.Thread(
            target=self._keep_watch, name=f"{name}-watch", daemon=True
        )

    def start(self) -> None:
        """Begin to work; connections are opened as they are needed."""
        for thread in self._threads:
            thread.start()
        self._watchman.start()

    def _keep_watch(self) -> None:
        """Cut the connections of a server that stands still: no time-out of its own would fire."""
        while not self._closed.wait(LOOK_EVERY_S):
            for thread in self._threads:
                thread.cut_if_overdue()

    def lane_of(self, account: int | None) -> Lanes:
        """Return where the units of an account wait; those of no account go around."""
        n = next(self._turn) if account is None else account % len(self._threads)
        return self._threads[n].lanes

    def close(self, within_s: float) -> None:
        """Admit nothing more, finish what waits within the bound, and fail the rest."""
        until = time.monotonic() + within_s
        for thread in self._threads:
            thread.lanes.close()
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        for thread in self._threads:
            thread.lanes.fail_the_rest()
        self._closed.set()


class WriteThread:
    """One connection, one transaction at a time."""

    def __init__(self, name: str, source: sa.Engine, mint: Callable[[], int]) -> None:
        self.lanes = Lanes()
        self._source, self._mint = source, mint
        self._watch = Watch(name)
        self._mark = Mark()
        self._core: sa.Connection | None = None
        self._driver: psycopg.Connection[Any]
        self._warned = self._committing = False
        self._asked_at: float | None = None
        self._thread = threading.Thread(target=self._work, name=f"write-{name}", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def join(self, within_s: float) -> None:
        """Wait for the thread to end."""
        self._thread.join(within_s)

    def cut_if_overdue(self) -> None:
        """Cut the connection if the server has been silent for longer than any unit may take."""
        asked_at = self._asked_at
        if asked_at is None or time.monotonic() - asked_at < UNIT_WITHIN_S:
            return
        with (
            suppress(OSError, psycopg.Error),  # it was closed just now
            socket.socket(fileno=os.dup(self._driver.pgconn.socket)) as line,
        ):
            line.shutdown(socket.SHUT_RDWR)

    def _work(self) -> None:
        while self.lanes.wait():
            units = self.lanes.take(1)
            for unit in units:
                self._bring_to_an_end(unit)
            after_commit(units)
            publish(units)
        self._disconnect()

    def _bring_to_an_end(self, unit: Unit) -> None:
        """Settle the unit, come what may: a thread that dies leaves its callers waiting."""
        self._committing = False
        try:
            self._settle(unit)
        except BaseException:
            log.exception("a writer of %s met what it does not know", self._watch.store)
            unit.fail(InDoubt() if self._committing else NotCommitted())
            self._disconnect()
        finally:
            self._asked_at = None

    def _settle(self, unit: Unit) -> None:
        """Bring the unit to its end: committed, not committed, or in doubt."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._attempt(unit)
            except (Deadlock, ConnectionLost) as lost:
                unit.error = lost
                time.sleep(random.uniform(0, 0.005 * 2**attempt))  # noqa: S311 - spreads rivals
            except BahiError as end:
                unit.error = end
                return
            else:
                return

    def _attempt(self, unit: Unit) -> None:
        core = self._connected()
        self._asked_at = time.monotonic()
        try:
            self._driver.execute(self._mark.begin(), prepare=False)
        except psycopg.Error as error:
            raise self._lost(error) from None
        tx = Tx(core, self._driver, self._in_transaction, self._mint)
        self._watch.run(unit, tx)
        if isinstance(tx.failure, Deadlock):
            self._rollback()
            raise tx.failure
        if self._driver.closed:
            self._disconnect()
            raise ConnectionLost
        if unit.error is not None:
            self._rollback()
        elif not self._in_transaction():
            unit.error = TransactionLost()
        else:
            self._commit()

    def _commit(self) -> None:
        self._warned, self._committing = False, True
        try:
            answer = self._driver.execute("COMMIT", prepare=False).statusmessage
        except psycopg.Error as error:
            if not self._driver.closed:  # a definite no, such as a deferred key
                self._committing = False
                raise translate(error) from None
            self._disconnect()
            if not self._mark_stands():
                self._committing = False
                raise ConnectionLost from None
        else:
            if answer != "COMMIT":
                raise TransactionLost
            if self._warned:  # committed here, and perhaps not on the standby that was to have it
                raise InDoubt

    def _mark_stands(self) -> bool:
        """Ask, after the answer to COMMIT was lost, whether it happened."""
        until = time.monotonic() + RECONNECT_WITHIN_S
        for pause in _growing_pauses():
            with suppress(BahiError, psycopg.Error, OSError):
                self._connected(until)
                answer = self._driver.execute(self._mark.question(), prepare=False)
                answer.nextset()
                row = answer.fetchone()
                self._driver.execute("ROLLBACK", prepare=False)
                return self._mark.is_answered_by(row)
            self._disconnect()
            if time.monotonic() + pause > until:
                break
            time.sleep(pause)
        self._mark = Mark()  # the old one may still be locked by the transaction in doubt
        raise InDoubt

    def _heard(self, notice: psycopg.errors.Diagnostic) -> None:
        self._warned |= notice.severity_nonlocalized == "WARNING"

    def _connected(self, until: float | None = None) -> sa.Connection:
        """Return the connection, made anew if need be, within the bound."""
        if self._core is not None and not self._driver.closed:
            return self._core
        self._disconnect()
        until = until or time.monotonic() + RECONNECT_WITHIN_S
        for pause in _growing_pauses():
            try:
                core = self._source.connect()
            except (psycopg.Error, sa.exc.DBAPIError) as error:
                if time.monotonic() + pause > until:
                    raise away(error) from error
                time.sleep(pause)
            else:
                driver = core.connection.driver_connection
                assert isinstance(driver, psycopg.Connection)  # noqa: S101 - what we opened
                driver.add_notice_handler(self._heard)
                self._asked_at = time.monotonic()
                self._core, self._driver = core, driver
                return core
        raise AssertionError  # the pauses never end

    def _in_transaction(self) -> bool:
        return self._driver.pgconn.transaction_status == TransactionStatus.INTRANS

    def _lost(self, error: psycopg.Error) -> BahiError:
        if self._driver.closed:
            self._disconnect()
            return ConnectionLost()
        self._rollback()
        return translate(error)

    def _rollback(self) -> None:
        try:
            self._driver.execute("ROLLBACK", prepare=False)
        except psycopg.Error:
            self._disconnect()  # the server rolls back by itself

    def _disconnect(self) -> None:
        if self._core is not None:
            self._core.invalidate()
            self._core.close()
            self._core = None


class Mark:
    """A write thread's own row: the number of the newest unit that it committed."""

    def __init__(self) -> None:
        self._writer = secrets.randbits(62)
        self._unit = 0

    def begin(self) -> str:
        """Return what begins the next unit's transaction, in one journey."""
        self._unit += 1
        now = time.time_ns() // 1000
        return (
            f"{BEGIN}; INSERT INTO write_marks (writer, unit, marked_at)"  # noqa: S608 - our integers
            f" VALUES ({self._writer}, {self._unit}, {now}) ON CONFLICT (writer)"
            " DO UPDATE SET unit = excluded.unit, marked_at = excluded.marked_at"
        )

    def question(self) -> str:
        """Return what asks for the row, behind whatever transaction still writes it.

        An upsert, because a lock finds no row that another transaction is only just inserting.
        """
        return (
            f"{BEGIN}; INSERT INTO write_marks"  # noqa: S608 - our integers
            f" (writer, unit, marked_at) VALUES ({self._writer}, 0, 0) ON CONFLICT (writer)"
            " DO UPDATE SET unit = write_marks.unit RETURNING unit"
        )

    def is_answered_by(self, row: Any) -> bool:
        """Say whether the row shows the newest unit as committed."""
        return row is not None and row[0] == self._unit


def _growing_pauses() -> Iterator[float]:
    pause = 0.05
    while True:
        yield pause
        pause = min(pause * 1.5, 1.0)
