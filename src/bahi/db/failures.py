"""What a driver's error means, in our words and the same for both databases."""

from __future__ import annotations

import re
import sqlite3
from typing import Final

import psycopg
from sqlalchemy.exc import DBAPIError

from bahi.kernel.errors import BahiError, Conflict, Invalid, NotCommitted, Unavailable

DRIVER_ERRORS: Final = (sqlite3.Error, psycopg.Error, DBAPIError, OverflowError)


class Duplicate(Conflict):
    """A row with these values is there already."""

    code = "duplicate"


class Refused(Invalid):
    """The database refuses the row."""

    code = "refused"


class DatabaseFull(NotCommitted):
    """There is no room left for the database; nothing of this was written."""

    code = "database_full"


class Deadlock(NotCommitted):
    """Two transactions waited for each other and this one was given up."""

    code = "deadlock"


class TransactionLost(NotCommitted):
    """The database ended the transaction before its function was done; nothing was written."""

    code = "transaction_lost"


class ConnectionLost(NotCommitted):
    """The connection to the database broke before COMMIT was sent; nothing was written."""

    code = "connection_lost"


class CutOff(NotCommitted):
    """The statement ran past its bound and was cut off."""

    code = "cut_off"


class FileReplaced(Unavailable, NotCommitted):
    """The file of a store was moved or replaced while it was open; nothing was written."""

    code = "file_replaced"


class DatabaseAway(Unavailable, NotCommitted):
    """The database does not answer; nothing was written."""

    code = "database_away"


def translate(error: BaseException) -> BahiError:
    """Return our failure for a driver's error (`raise translate(e) from e`)."""
    if isinstance(error, BahiError):
        return error
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, OverflowError):
        return Refused("A number is larger than 63 bits hold.")
    if isinstance(cause, sqlite3.Error):
        return _from_sqlite(cause)
    if isinstance(cause, psycopg.Error):
        return _from_postgres(cause)
    return NotCommitted(f"The database failed: {_first_line(error)}.")


def _from_sqlite(error: sqlite3.Error) -> BahiError:
    code = getattr(error, "sqlite_errorcode", 0)
    said = _first_line(error)
    if code in {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}:
        return Duplicate(f"A row with this {said.rpartition(': ')[2]} is there already.")
    if code & 0xFF in {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH}:
        return Refused(f"The database refuses the row: {said}.")
    if code & 0xFF == sqlite3.SQLITE_INTERRUPT:
        return CutOff()
    if code & 0xFF == sqlite3.SQLITE_FULL:
        return DatabaseFull()
    return NotCommitted(f"The database failed: {said}.")


_MEANINGS: Final[tuple[tuple[type[psycopg.Error], type[BahiError]], ...]] = (
    (psycopg.errors.QueryCanceled, CutOff),
    (psycopg.errors.DiskFull, DatabaseFull),
    (psycopg.errors.OutOfMemory, DatabaseFull),
    (psycopg.errors.DeadlockDetected, Deadlock),
    (psycopg.errors.SerializationFailure, Deadlock),
)


def _from_postgres(error: psycopg.Error) -> BahiError:
    for kind, meaning in _MEANINGS:
        if isinstance(error, kind):
            return meaning()
    said = _first_line(error)
    if isinstance(error, psycopg.errors.UniqueViolation):
        found = re.search(r"Key \((.*?)\)=", error.diag.message_detail or "")
        what = f"{error.diag.table_name}.{found[1]}" if found else error.diag.constraint_name
        return Duplicate(f"A row with this {what} is there already.")
    if isinstance(error, psycopg.errors.DataError):
        kind_of = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
        return Refused(f"The database refuses a value: {kind_of}.")  # its own words quote the value
    if isinstance(error, psycopg.errors.IntegrityError | psycopg.errors.RaiseException):
        return Refused(f"The database refuses the row: {said}.")
    return NotCommitted(f"The database failed: {said}.")


def _first_line(error: BaseException) -> str:
    """Keep the statement, its parameters and the row's values out of every message."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0].rstrip(".")
