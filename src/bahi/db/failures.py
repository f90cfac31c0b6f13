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


class DatabaseAway(Unavailable, NotCommitted):
    """The database does not answer; nothing was written."""

    code = "database_away"


def translate(error: BaseException) -> BahiError:
    """Return our failure for a driver's error (`raise translate(e) from e`)."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, OverflowError):
        return Refused("A number is larger than 63 bits hold.")
    if isinstance(cause, sqlite3.Error):
        return _from_sqlite(cause)
    if isinstance(cause, psycopg.Error):
        return _from_postgres(cause)
    return NotCommitted(f"The database failed: {_first_line(error)}.")


def _from_sqlite(error: sqlite3.Error) -> BahiError:
    name = getattr(error, "sqlite_errorname", "")
    said = _first_line(error)
    if name in {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}:
        return Duplicate(f"A row with this {said.rpartition(': ')[2]} is there already.")
    if name.startswith(("SQLITE_CONSTRAINT", "SQLITE_MISMATCH")):
        return Refused(f"The database refuses the row: {said}.")
    if name == "SQLITE_FULL":
        return DatabaseFull()
    return NotCommitted(f"The database failed: {said}.")


_REFUSALS: Final = (
    psycopg.errors.IntegrityError,
    psycopg.errors.DataError,
    psycopg.errors.RaiseException,
)
_OUT_OF_ROOM: Final = (psycopg.errors.DiskFull, psycopg.errors.OutOfMemory)
_GIVEN_UP: Final = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


def _from_postgres(error: psycopg.Error) -> BahiError:
    said = _first_line(error)
    if isinstance(error, psycopg.errors.UniqueViolation):
        found = re.search(r"Key \((.*?)\)=", error.diag.message_detail or "")
        what = f"{error.diag.table_name}.{found[1]}" if found else error.diag.constraint_name
        return Duplicate(f"A row with this {what} is there already.")
    if isinstance(error, _REFUSALS):
        return Refused(f"The database refuses the row: {said}.")
    if isinstance(error, _OUT_OF_ROOM):
        return DatabaseFull()
    if isinstance(error, _GIVEN_UP):
        return Deadlock()
    return NotCommitted(f"The database failed: {said}.")


def _first_line(error: BaseException) -> str:
    """Keep the statement, its parameters and the row's values out of every message."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0].rstrip(".")
