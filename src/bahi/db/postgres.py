"""Connections to PostgreSQL, as every part of Bahi expects them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from psycopg.adapt import Dumper
from psycopg.conninfo import conninfo_to_dict

from bahi.db.failures import (
    DatabaseAway,
)
from bahi.kernel.errors import Misconfigured

CONNECT_TIMEOUT_S: Final = 5
LOCK_TIMEOUT_MS: Final = 10_000
STATEMENT_TIMEOUT_MS: Final = 30_000
IDLE_TIMEOUT_MS: Final = 60_000
OLDEST: Final = 140_000
ENCODING: Final = "UTF8"
"""What we speak, whatever the database or the environment would choose: the server translates."""

KEEP_WHAT_IS_SAID: Final = (
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') = 'off'"
)
"""A server that answers before it has written would make us promise what we cannot keep."""

DEFAULTS: Final = {
    "application_name": "bahi",
    "connect_timeout": str(CONNECT_TIMEOUT_S),
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}


def for_reading(url: str) -> str:
    """Return a replica's URL so that of several hosts a standby is taken, unless it says else."""
    if "target_session_attrs" in parsed(url):
        return url
    return psycopg.conninfo.make_conninfo(url, target_session_attrs="prefer-standby")


def connect(url: str, schema: str) -> psycopg.Connection[Any]:
    """Open a connection as every part of Bahi expects it; transactions are ours to begin and end.

    The URL is libpq's own, so several hosts and `target_session_attrs` work as documented there.
    """
    driver = psycopg.connect(**wish(url, schema), autocommit=True)  # type: ignore[arg-type] # libpq's words
    if driver.info.server_version < OLDEST:
        driver.close()
        raise Misconfigured(
            f"The PostgreSQL server is version {driver.info.server_version // 10000}; "
            "Bahi needs 14 or newer."
        )
    driver.prepare_threshold = None  # see `line`; psycopg forgets all of it at each ROLLBACK
    driver.execute(KEEP_WHAT_IS_SAID)
    speak_as_we_do(driver)
    return driver


def wish(url: str, schema: str) -> dict[str, str]:
    """Return what libpq is asked for: the URL's own words, and what every part of Bahi expects."""
    words = {**DEFAULTS, **parsed(url)}
    if "," in words.get("host", "") + words.get("hostaddr", ""):
        words.setdefault("target_session_attrs", "read-write")  # a standby would refuse our writes
    ours = (
        f"-c search_path={schema} -c timezone=UTC -c lock_timeout={LOCK_TIMEOUT_MS}"
        f" -c statement_timeout={STATEMENT_TIMEOUT_MS}"
        f" -c idle_in_transaction_session_timeout={IDLE_TIMEOUT_MS}"
    )
    options = f"{words.get('options', '')} {ours}".strip()
    return {**words, "options": options, "client_encoding": ENCODING}


def speak_as_we_do(driver: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> None:
    """Hand over and take what our columns hold: text of JSON, flags as 0 and 1, no fractions."""
    driver.adapters.register_loader("jsonb", psycopg.types.string.TextLoader)
    driver.adapters.register_dumper(bool, FlagDumper)
    for fraction in (float, Decimal):
        driver.adapters.register_dumper(fraction, NoFractions)


def parsed(url: str) -> dict[str, str]:
    """Take a URL apart; what cannot be understood is never quoted, as it may hold a password."""
    authority = url.partition("://")[2].partition("?")[0].rpartition("/")[0] or url
    try:
        words = conninfo_to_dict(url)
    except psycopg.Error:
        words = {}
    if not words or authority.count("@") > 1:
        raise Misconfigured(
            "The database URL cannot be understood: it is "
            "postgresql://user:password@host:port/database, and a character of the password that "
            "is no letter or digit is written as % and its code (@ as %40)."
        ) from None
    return {name: str(value) for name, value in words.items() if value is not None}


class NoFractions(Dumper):
    """Refuses what PostgreSQL would round: every number of ours is whole."""

    def dump(self, obj: Any) -> bytes:  # noqa: ARG002 - the value is not to be quoted
        """Refuse it."""
        raise psycopg.DataError("a whole number was expected")


class FlagDumper(Dumper):
    """Hands a yes or no over as 1 or 0, as the columns have it."""

    def dump(self, obj: Any) -> bytes:
        """Write it."""
        return b"1" if obj else b"0"


def engine(url: str, schema: str, **pool: Any) -> sa.Engine:
    """Make an engine over such connections."""
    return sa.create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(url, schema),
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        use_native_hstore=False,
        **(pool or {"poolclass": sa.pool.NullPool}),
    )


def away(error: BaseException) -> DatabaseAway:
    """Say that the server does not answer, without its URL (it may hold a password)."""
    said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    return DatabaseAway(f"PostgreSQL does not answer: {said}.")
