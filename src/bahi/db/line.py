"""A line to PostgreSQL: hot statements prepared once, and sent together where nobody waits.

Most of what a statement costs is asking for it: a journey there and back, and the driver's work
around it. What is `put` here waits for the next statement that somebody does wait for, and goes
with it in one message (libpq's pipeline). The server runs them in their order, and after one that
fails none of the others: what follows it, COMMIT too, is refused.
"""

from __future__ import annotations

import itertools
import select
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.adapt import Transformer
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from bahi.db.statement import Params, Statement

DIALECT: Final = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call] # SQLAlchemy's
"""How libpq itself writes parameters: by their number."""
AT_ONCE: Final = 64
"""So many wait at most: what they say and what the server answers fits into the sockets."""
PREPARED_AT_MOST: Final = 500
"""So many texts a server keeps ready for us: each costs it memory, and updates have many shapes."""

WELL: Final = frozenset({ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK})
NOTHING: Final[dict[str, bytes]] = {}
NOT_AS_PREPARED: Final = (
    psycopg.errors.InvalidSqlStatementName,  # a pooler lent us a server that never heard of it
    psycopg.errors.DuplicatePreparedStatement,  # or one that has it from somebody else
)
FINDS_OTHER_COLUMNS: Final = "RevalidateCachedQuery"
"""The server's function that refuses a plan after a migration: its words may be in any language."""

Value = bytes | None


class Asked(NamedTuple):
    """A statement on its way: by its text, with its values."""

    text: str
    values: list[Value]


class Answer:
    """What the server said of one statement, as a cursor that has all its rows."""

    __slots__ = ("_next", "_rows", "rowcount")

    def __init__(self, rowcount: int, rows: list[Any]) -> None:
        self.rowcount, self._rows, self._next = rowcount, rows, 0

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        rows = self.fetchmany(1)
        return rows[0] if rows else None

    def fetchmany(self, size: int = 1) -> list[Any]:
        """Return the next rows."""
        begins, self._next = self._next, self._next + size
        return self._rows[begins : self._next]

    def close(self) -> None:
        """Nothing is held at the server."""


class Line:
    """One connection; psycopg's own way of asking goes on beside it once nothing waits."""

    def __init__(self, driver: psycopg.Connection[Any]) -> None:
        self._driver, self._libpq = driver, driver.pgconn
        self._reader = Transformer(driver)
        self._names: dict[str, bytes] = {}
        self._numbers = itertools.count()
        self._waiting: list[Asked] = []
        self._socket = select.poll()
        self._socket.register(self._libpq.socket, select.POLLIN)

    @property
    def in_transaction(self) -> bool:
        """Say whether a transaction is under way, or what begins it waits to be sent."""
        return bool(self._waiting) or self.begun

    @property
    def begun(self) -> bool:
        """Say whether the server has a transaction under way."""
        return self._libpq.transaction_status == TransactionStatus.INTRANS

    def put(self, statement: Statement, params: Params) -> None:
        """Have a statement run whose answer nobody needs; a failure shows with the next one."""
        self._put(_asked(statement, params))

    def say(self, text: str, *values: int | str) -> None:
        """Have a text of ours run with the next statement."""
        self._put(Asked(text, [_spelt(it) for it in values]))

    def execute(self, statement: Statement, params: Params) -> Answer:
        """Run a statement, behind all that waits, and return what the server said of it."""
        self._waiting.append(_asked(statement, params))
        return self._read(self._sent())

    def flush(self, last: str = "") -> str:
        """Send all that waits, and a last text of ours; return what the server said of that."""
        if last:
            self._waiting.append(Asked(last, []))
        if not self._waiting:
            return ""
        return (self._sent().command_status or b"").decode()

    def forget(self) -> None:
        """Let what waits go: it was never sent."""
        self._waiting.clear()

    def _put(self, asked: Asked) -> None:
        self._waiting.append(asked)
        if len(self._waiting) >= AT_ONCE:
            self._sent()

    def _sent(self) -> psycopg.pq.abc.PGresult:
        """Send what waits as one message and return the last answer; raise the first failure."""
        asked, self._waiting = self._waiting, []
        try:
            self._make_room()
            self._libpq.enter_pipeline_mode()
            sent = self._send(asked)
            self._push()
            results = [self._answer() for _ in sent]
            self._answer()  # that the server is done with all of it
            self._libpq.exit_pipeline_mode()
        except BaseException:  # in mid-sentence: nobody knows of what the server speaks next
            self._driver.close()
            raise
        for prepared, result in zip(sent, results, strict=True):
            if result.status not in WELL:
                error = psycopg.errors.error_from_result(result)
                if _is_of_what_was_prepared(error):
                    self._driver.close()  # whoever asked is run again on a new connection
                raise error
            self._names |= prepared
        return results[-1]

    def _make_room(self) -> None:
        """Have the server forget all of it, once in a great while."""
        if len(self._names) > PREPARED_AT_MOST:
            self._names.clear()
            self._driver.execute("DEALLOCATE ALL")

    def _send(self, asked: list[Asked]) -> list[dict[str, bytes]]:
        """Hand everything over; return for each command what it prepares, by its text."""
        sent: list[dict[str, bytes]] = []
        prepared: dict[str, bytes] = {}
        for text, values in asked:
            name = self._names.get(text) or prepared.get(text)
            if name is None:
                name = prepared[text] = b"hot_%d" % next(self._numbers)
                self._libpq.send_prepare(name, text.encode())
                sent.append({text: name})
            self._libpq.send_query_prepared(name, values)
            sent.append(NOTHING)
        self._libpq.pipeline_sync()
        return sent

    def _push(self) -> None:
        """Wait until all is on its way, taking in what comes meanwhile."""
        while self._libpq.flush():
            self._socket.modify(self._libpq.socket, select.POLLIN | select.POLLOUT)
            if any(event & ~select.POLLOUT for _, event in self._socket.poll()):
                self._libpq.consume_input()
            self._socket.modify(self._libpq.socket, select.POLLIN)

    def _answer(self) -> psycopg.pq.abc.PGresult:
        """Wait for the next answer."""
        found = None
        while (result := self._heard()) is not None:
            found = result
            if found.status == ExecStatus.PIPELINE_SYNC:
                return found
        if found is None or self._libpq.status == ConnStatus.BAD:
            raise psycopg.OperationalError("the server closed the connection")
        return found

    def _heard(self) -> psycopg.pq.abc.PGresult | None:
        while self._libpq.is_busy():
            self._socket.poll()
            self._libpq.consume_input()
        return self._libpq.get_result()

    def _read(self, result: psycopg.pq.abc.PGresult) -> Answer:
        if result.status == ExecStatus.TUPLES_OK:
            self._reader.set_pgresult(result)
            return Answer(result.ntuples, self._reader.load_rows(0, result.ntuples, tuple))
        return Answer(result.command_tuples or 0, [])


def _is_of_what_was_prepared(error: psycopg.Error) -> bool:
    """Say whether it failed because the server has something else prepared than we believe."""
    return isinstance(error, NOT_AS_PREPARED) or error.diag.source_function == FINDS_OTHER_COLUMNS


def _asked(statement: Statement, params: Params) -> Asked:
    text, bind = statement.on(DIALECT)
    return Asked(text, [None if it is None else _spelt(it) for it in bind(params)])


def _spelt(value: object) -> bytes:
    """Write a value as the server reads it; of what kind it is, the server knows by its place."""
    if isinstance(value, bool):
        return b"1" if value else b"0"
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, bytes):
        return b"\\x" + value.hex().encode()
    if not isinstance(value, str):
        raise psycopg.DataError("a whole number was expected")
    text = value.encode()
    if b"\0" in text:  # libpq would end it there
        raise psycopg.DataError("a text cannot contain a NUL")
    return text
