"""A PostgreSQL store: a few write threads, one transaction to a unit.

An account is always served by the same thread, so two units of one account never wait for each
other's locks. Every transaction first writes the thread's mark (`write_marks`): when the answer to
COMMIT is lost, the mark, read under its row lock, says what became of the unit, whatever happened
to the server in between (`docs/decisions/0003-write-marks.md`).
"""

from __future__ import annotations

import itertools
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict

from bahi.db.failures import (
    ConnectionLost,
    DatabaseAway,
    Deadlock,
    TransactionLost,
    translate,
)
from bahi.db.lanes import Lanes, Unit, publish
from bahi.db.running import Watch, after_commit
from bahi.db.tx import Tx
from bahi.kernel.errors import BahiError, InDoubt, Misconfigured

WRITERS: Final = 8
ATTEMPTS: Final = 5
RECONNECT_WITHIN_S: Final = 20.0
CONNECT_TIMEOUT_S: Final = 5
LOCK_TIMEOUT_MS: Final = 10_000
STATEMENT_TIMEOUT_MS: Final = 30_000
IDLE_TIMEOUT_MS: Final = 60_000
OLDEST: Final = 140_000

DEFAULTS: Final = {
    "application_name": "bahi",
    "connect_timeout": str(CONNECT_TIMEOUT_S),
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}


def connect(url: str, schema: str) -> psycopg.Connection[Any]:
    """Open a connection as every part of Bahi expects it; transactions are ours to begin and end.

    The URL is libpq's own, so several hosts and `target_session_attrs` work as documented there.
    """
    wish = {**DEFAULTS, **{k: str(v) for k, v in conninfo_to_dict(url).items() if v is not None}}
    if "," in wish.get("host", "") + wish.get("hostaddr", ""):
        wish.setdefault("target_session_attrs", "read-write")  # a standby would refuse our writes
    ours = (
        f"-c search_path={schema} -c timezone=UTC -c lock_timeout={LOCK_TIMEOUT_MS}"
        f" -c statement_timeout={STATEMENT_TIMEOUT_MS}"
        f" -c idle_in_transaction_session_timeout={IDLE_TIMEOUT_MS}"
    )
    wish["options"] = f"{wish.get('options', '')} {ours}".strip()
    driver = psycopg.connect(**wish, autocommit=True)  # type: ignore[arg-type] # libpq's words
    if driver.info.server_version < OLDEST:
        driver.close()
        raise Misconfigured(
            f"The PostgreSQL server is version {driver.info.server_version // 10000}; "
            "Bahi needs 14 or newer."
        )
    driver.adapters.register_loader("jsonb", psycopg.types.string.TextLoader)
    return driver


def engine(url: str, schema: str, **pool: Any) -> sa.Engine:
    """Make an engine over such connections."""
    return sa.create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(url, schema),
        isolation_level="AUTOCOMMIT",
        use_native_hstore=False,
        **(pool or {"poolclass": sa.pool.NullPool}),
    )


class PostgresWriter:
    """The write threads of one store."""

    def __init__(
        self,
        name: str,
        url: str,
        mint: Callable[[], int],
        *,
        threads: int = WRITERS,
        lanes: Callable[[], Lanes] = Lanes,
    ) -> None:
        source = engine(url, name)
        self._threads = [WriteThread(f"{name}-{n}", source, mint, lanes()) for n in range(threads)]
        self._turn = itertools.cycle(range(threads))

    def start(self) -> None:
        """Begin to work; connections are opened as they are needed."""
        for thread in self._threads:
            thread.start()

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


class WriteThread:
    """One connection, one transaction at a time."""

    def __init__(self, name: str, source: sa.Engine, mint: Callable[[], int], lanes: Lanes) -> None:
        self.lanes = lanes
        self._source, self._mint = source, mint
        self._watch = Watch(name)
        self._mark = Mark()
        self._core: sa.Connection | None = None
        self._driver: psycopg.Connection[Any]
        self._thread = threading.Thread(target=self._work, name=f"write-{name}", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def join(self, within_s: float) -> None:
        """Wait for the thread to end."""
        self._thread.join(within_s)

    def _work(self) -> None:
        while units := self.lanes.take(1):
            self._settle(units[0])
            after_commit(units)
            publish(units)
        self._disconnect()

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
        try:
            self._driver.execute(self._mark.begin(), prepare=False)
        except psycopg.Error as error:
            raise self._lost(error) from error
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
            return
        self._commit()

    def _commit(self) -> None:
        try:
            answer = self._driver.execute("COMMIT", prepare=False).statusmessage
        except psycopg.OperationalError as error:
            if not self._driver.closed:  # a definite no, such as a deferred key
                raise translate(error) from error
            self._disconnect()
            if not self._mark_stands():
                raise ConnectionLost from error
        except psycopg.Error as error:
            raise translate(error) from error
        else:
            if answer != "COMMIT":
                raise TransactionLost

    def _mark_stands(self) -> bool:
        """Ask, after the answer to COMMIT was lost, whether it happened."""
        until = time.monotonic() + RECONNECT_WITHIN_S
        while time.monotonic() < until:
            with suppress(DatabaseAway, psycopg.Error):
                self._connected(until)
                answer = self._driver.execute(self._mark.question(), prepare=False)
                answer.nextset()
                row = answer.fetchone()
                self._driver.execute("COMMIT", prepare=False)
                return self._mark.is_answered_by(row)
            self._disconnect()
        self._mark = Mark()  # the old one may still be locked by the transaction in doubt
        raise InDoubt

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
                self._core, self._driver = core, driver
                return core
        raise AssertionError  # the pauses never end

    def _in_transaction(self) -> bool:
        return not self._driver.closed

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
            "BEGIN; INSERT INTO write_marks (writer, unit, marked_at)"  # noqa: S608 - our integers
            f" VALUES ({self._writer}, {self._unit}, {now}) ON CONFLICT (writer)"
            " DO UPDATE SET unit = excluded.unit, marked_at = excluded.marked_at"
        )

    def question(self) -> str:
        """Return what asks for the row, behind the lock of a transaction still under way."""
        return f"BEGIN; SELECT unit FROM write_marks WHERE writer = {self._writer} FOR UPDATE"  # noqa: S608

    def is_answered_by(self, row: Any) -> bool:
        """Say whether the row shows the newest unit as committed."""
        return row is not None and row[0] == self._unit


def away(error: BaseException) -> DatabaseAway:
    """Say that the server does not answer, without its URL (it may hold a password)."""
    said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    return DatabaseAway(f"PostgreSQL does not answer: {said}.")


def _growing_pauses() -> Iterator[float]:
    pause = 0.05
    while True:
        yield pause
        pause = min(pause * 1.5, 1.0)
