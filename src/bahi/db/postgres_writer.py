"""The write threads of a PostgreSQL store: one transaction to a unit, or to an account's next few.

An account is always served by the same thread, so two units of one account never wait for each
other's locks. Every transaction first writes the thread's mark (`mark.py`), which says what became
of it when the answer to COMMIT is lost.
"""

from __future__ import annotations

import itertools
import logging
import os
import random
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
    DatabaseAway,
    Deadlock,
    TransactionLost,
    translate,
)
from bahi.db.lanes import Lanes, Unit, publish
from bahi.db.line import Line
from bahi.db.mark import Mark
from bahi.db.postgres import away, engine, parsed
from bahi.db.running import Watch, after_commit
from bahi.db.tx import Tx
from bahi.kernel.errors import BahiError, InDoubt, NotCommitted

WRITERS: Final = 8
FLOORS: Final = 4
"""Threads for units of instruments: they wait for each other there, and not before an account's."""
TOGETHER: Final = 8
"""So many units of one account share a transaction at most, if they wait already."""
ATTEMPTS: Final = 5
RECONNECT_WITHIN_S: Final = 20.0
UNIT_WITHIN_S: Final = 45.0  # longer than any time-out of the server's: it does not answer at all
LOOK_EVERY_S: Final = 1.0
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
        floors: int = 0,
    ) -> None:
        parsed(url)  # refuse now what could never connect
        source = engine(url, name)
        self._threads = [WriteThread(f"{name}-{n}", source, mint) for n in range(threads + floors)]
        self._turn = itertools.cycle(self._threads[:threads])
        self._floor_turn = itertools.cycle(self._threads[threads:] or self._threads)
        self._serves: dict[tuple[bool, int], WriteThread] = {}
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

    def lane_of(self, account: int | None, instrument: int | None = None) -> Lanes:
        """Return where the units of an account wait, or of an instrument; others go around.

        Both are dealt out to the threads as they come, and stay there. Not by a remainder: minted
        ids end in the same bits.
        """
        turn = self._turn if instrument is None else self._floor_turn
        whose = account if instrument is None else instrument
        if whose is None:
            return next(turn).lanes
        key = (instrument is None, whose)  # an instrument may have an account's number
        known = self._serves.get(key)
        return (known or self._serves.setdefault(key, next(turn))).lanes

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
        self._line: Line
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
            units = self.lanes.take_alike(TOGETHER)
            self._bring_to_an_end(units)
            after_commit(units)
            publish(units)
        self._disconnect()

    def _bring_to_an_end(self, units: list[Unit]) -> None:
        """Settle the units, come what may: a thread that dies leaves its callers waiting."""
        try:
            if len(units) < 2 or not self._settle_together(units):
                for unit in units:
                    self._settle(unit)
        except DatabaseAway as absence:  # each of them would only wait for it again
            _fail_the_rest(units, absence)
        except BaseException:
            log.exception("a writer of %s met what it does not know", self._watch.store)
            _fail_the_rest(units, InDoubt() if self._committing else NotCommitted())
            self._disconnect()
        finally:
            self._committing, self._asked_at = False, None

    def _settle_together(self, units: list[Unit]) -> bool:
        """Commit several in one transaction; where one of them fails, none of it happened: No."""
        try:
            self._attempt(units)
        except InDoubt as doubt:
            _fail_the_rest(units, doubt)
            return True
        except DatabaseAway:  # it is the same for each, see `_bring_to_an_end`
            raise
        except BahiError:
            return False
        return all(unit.error is None for unit in units)

    def _settle(self, unit: Unit) -> None:
        """Bring the unit to its end: committed, not committed, or in doubt."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._attempt([unit])
            except (Deadlock, ConnectionLost) as lost:
                unit.error = lost
                time.sleep(random.uniform(0, 0.005 * 2**attempt))  # noqa: S311 - spreads rivals
            except DatabaseAway:  # it is the same for whoever waits behind it
                raise
            except BahiError as end:
                unit.error = end
                break
            else:
                break
        unit.ended = True

    def _attempt(self, units: list[Unit]) -> None:
        """Run units in one transaction and commit it, unless one fails: then it has an error."""
        core = self._connected()
        self._committing, self._asked_at = False, time.monotonic()
        self._mark.begin(self._line)
        for unit in units:
            tx = Tx(core, self._driver, self._in_transaction, self._mint, self._line)
            self._watch.run(unit, tx)
            if isinstance(tx.failure, Deadlock):
                self._rollback()
                raise tx.failure
            if self._driver.closed:
                raise self._lost()
            if unit.error is not None:
                self._rollback()
                return
            if not self._in_transaction():
                unit.error = TransactionLost()
                return
            self._asked_at = time.monotonic()
        self._lock_the_mark()
        self._commit()

    def _lock_the_mark(self) -> None:
        """Begin at the server before COMMIT is sent, where nothing was waited for so far.

        A server may hear a message long after its client gave up. Whoever asks what became of a
        COMMIT has to wait behind it, which is what the mark's lock is for: with BEGIN in the same
        message there would be none yet, the answer would be No, and the unit happen twice.
        """
        if self._line.begun:
            return
        try:
            self._line.flush()
        except psycopg.Error as error:
            if self._driver.closed:
                raise self._lost() from None
            self._rollback()
            raise translate(error) from None

    def _lost(self) -> ConnectionLost:
        """Let go what broke before COMMIT, and the mark with it: that may stay locked for long."""
        self._disconnect()
        self._mark = Mark()
        return ConnectionLost()

    def _commit(self) -> None:
        self._warned, self._committing = False, True
        try:
            answer = self._line.flush("COMMIT")
        except psycopg.Error as error:
            if not self._driver.closed:  # a definite no: by a deferred key, or by what waited
                self._committing = False
                self._rollback()
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
                self._core, self._driver, self._line = core, driver, Line(driver)
                return core
        raise AssertionError  # the pauses never end

    def _in_transaction(self) -> bool:
        return self._line.in_transaction

    def _rollback(self) -> None:
        self._line.forget()
        if self._driver.pgconn.transaction_status == TransactionStatus.IDLE:
            return
        try:
            self._driver.execute("ROLLBACK", prepare=False)
        except psycopg.Error:
            self._disconnect()  # the server rolls back by itself

    def _disconnect(self) -> None:
        if self._core is not None:
            self._core.invalidate()
            self._core.close()
            self._core = None


def _fail_the_rest(units: list[Unit], why: BahiError) -> None:
    for unit in units:
        if not unit.ended:
            unit.fail(why)


def _growing_pauses() -> Iterator[float]:
    pause = 0.05
    while True:
        yield pause
        pause = min(pause * 1.5, 1.0)
