"""What a function that a store runs is given: one transaction, and nothing else.

A statement that fails dooms its transaction on both databases alike: whatever the function does
with the exception, its unit does not commit. (PostgreSQL aborts by itself; SQLite would go on, and
after a full disk it would even go on outside the transaction, committing line by line.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, Protocol

import sqlalchemy as sa

from bahi.db.failures import DRIVER_ERRORS, TransactionLost, translate
from bahi.db.statement import Params, Statement
from bahi.kernel.errors import BahiError, Invalid, NotCommitted, TooMuch

ROWS_AT_MOST: Final = 100_000
ROWS_A_STATEMENT: Final = 40
CONTROLS: Final = re.compile(
    r"(?:^|;)\s*(?:begin|start|commit|end|rollback|abort|savepoint|release|prepare)\b",
    re.IGNORECASE,
)

Row = Sequence[Any]
Clause = sa.Executable | Statement


class DriverCursor(Protocol):
    """What both drivers' cursors have in common."""

    @property
    def rowcount(self) -> int:
        """How many rows the statement touched."""

    def fetchone(self) -> Any:
        """Return the next row, or None."""

    def fetchmany(self, size: int = ...) -> list[Any]:
        """Return the next rows."""

    def close(self) -> None:
        """Let the statement go: one left open would hold SQLite's snapshot past the COMMIT."""


class Driver(Protocol):
    """What both drivers' connections have in common."""

    def execute(self, text: Any, params: Any = ...) -> Any:
        """Run a statement on a new cursor."""


class HotLine(Protocol):
    """Runs hot statements for a driver that has a faster way for them than its cursors."""

    def put(self, statement: Statement, params: Params) -> None:
        """Have a statement run whose answer nobody needs; a failure shows with the next one."""

    def execute(self, statement: Statement, params: Params) -> DriverCursor:
        """Run a statement, behind all that waits, and return what the server said of it."""

    def flush(self) -> object:
        """Send all that waits."""


class Tx:
    """A transaction, for as long as its function runs."""

    __slots__ = ("_alive", "_core", "_driver", "_line", "_mint", "dialect", "effects", "failure")

    def __init__(
        self,
        core: sa.Connection,
        driver: Driver,
        alive: Callable[[], bool],
        mint: Callable[[], int],
        line: HotLine | None = None,
    ) -> None:
        self._core, self._driver, self._alive, self._mint = core, driver, alive, mint
        self._line = line
        self.dialect = core.dialect
        self.effects: list[Callable[[], object]] = []
        self.failure: BahiError | None = None

    def new_id(self) -> int:
        """Mint an id: unique in the house, ordered by time."""
        return self._mint()

    def after_commit(self, effect: Callable[..., object], *args: Any) -> None:
        """Do this once the transaction has committed, and never if it does not."""
        self.effects.append(lambda: effect(*args))

    def end(self) -> BahiError | None:
        """Close it, since its function is done; return a failed statement's failure."""
        self._alive = _over
        return self.failure

    def rows(self, clause: Clause, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Return all rows; more than the bound is an error, never a truncated answer."""
        found: list[Row] = self._run(clause, params or {}, _fetch_all)
        if len(found) > ROWS_AT_MOST:
            raise TooMuch(f"The answer has more than {ROWS_AT_MOST:,} rows; ask for a page of it.")
        return found

    def row(self, clause: Clause, params: Mapping[str, Any] | None = None) -> Row | None:
        """Return the first row, or None."""
        found: Row | None = self._run(clause, params or {}, _fetch_one)
        return found

    def change(self, clause: Clause, params: Mapping[str, Any] | None = None) -> int:
        """Insert, update or delete; return how many rows it touched."""
        touched: int = self._run(clause, params or {}, _count)
        return touched

    def put(self, statement: Statement, params: Mapping[str, Any]) -> None:
        """Insert or update where nobody asks how many rows it touched.

        It need not wait for an answer: that it failed may show only with a later statement, or with
        COMMIT, and dooms the transaction all the same.
        """
        line = self._line
        if line is None:
            self._run(statement, params, _count)
        else:
            self._guarded(line.put, statement, params)

    def change_each(self, statement: Statement, many: Sequence[Mapping[str, Any]]) -> None:
        """Run one statement for each of many sets of parameters."""
        for params in many:
            self.put(statement, params)

    def pour(self, table: sa.Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Insert many rows in the fastest way there is; a row has a value for every column."""
        names = [table.c[name].name for name in columns]  # of the table, so no stranger's text
        insert = _copied if self.dialect.name == "postgresql" else _inserted

        def work() -> None:
            if self._line is not None:
                self._line.flush()
            insert(self._driver, table.name, names, rows)

        if rows:
            self._guarded(work)

    def _run(self, clause: Clause, params: Mapping[str, Any], then: Callable[[Any], Any]) -> Any:
        return self._guarded(self._answer, clause, params, then)

    def _answer(self, clause: Clause, params: Mapping[str, Any], then: Callable[[Any], Any]) -> Any:
        if isinstance(clause, Statement):
            if self._line is not None:
                return then(self._line.execute(clause, params))
            text, bind = clause.on(self.dialect)
            return then(self._driver.execute(text, bind(params)))
        _refuse_control(clause)
        if self._line is not None:
            self._line.flush()
        return then(self._core.execute(clause, params or None))

    def _guarded(self, work: Callable[..., Any], *given: Any) -> Any:
        if self.failure is not None:
            raise self.failure
        if not self._alive():
            self.failure = TransactionLost()
            raise self.failure
        try:
            return work(*given)
        except DRIVER_ERRORS as error:
            self.failure = translate(error)
            raise self.failure from None  # the driver's error may quote the row
        except UnicodeEncodeError:
            self.failure = Invalid("A text has half a character in it; send whole ones.")
            raise self.failure from None
        except Exception:
            self.failure = NotCommitted("A statement of this transaction could not be run.")
            raise


def _refuse_control(clause: sa.Executable) -> None:
    """Keep the transaction the store's: a function that ended it would end its neighbours'."""
    if isinstance(clause, sa.TextClause) and CONTROLS.search(clause.text):
        raise ValueError("A function has one transaction, which the store begins and ends.")


def _inserted(driver: Any, table: str, names: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert many rows a statement: row by row costs two fifths more."""
    insert = f"INSERT INTO {table} ({', '.join(names)}) VALUES "  # noqa: S608 - our names
    one = f"({', '.join('?' * len(names))})"
    whole = len(rows) // ROWS_A_STATEMENT * ROWS_A_STATEMENT
    many = insert + ", ".join([one] * ROWS_A_STATEMENT)
    for first in range(0, whole, ROWS_A_STATEMENT):
        some = rows[first : first + ROWS_A_STATEMENT]
        driver.execute(many, list(chain.from_iterable(some))).close()
    driver.executemany(insert + one, rows[whole:]).close()


def _copied(driver: Any, table: str, names: Sequence[str], rows: Sequence[Row]) -> None:
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as to,
    ):
        for row in rows:
            to.write_row(row)


def _fetch_all(cursor: DriverCursor) -> list[Row]:
    rows = cursor.fetchmany(ROWS_AT_MOST + 1)
    cursor.close()
    return rows


def _fetch_one(cursor: DriverCursor) -> Row | None:
    row: Row | None = cursor.fetchone()
    cursor.close()
    return row


def _count(cursor: DriverCursor) -> int:
    touched = cursor.rowcount
    cursor.close()
    return touched


def _over() -> bool:
    return False
